"""Bits per byte by language while training, and what follows from them."""
