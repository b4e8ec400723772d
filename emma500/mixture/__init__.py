"""Corpus -> documents -> plan of shares and epochs -> packed rows of tokens."""
