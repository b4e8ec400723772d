"""Instruction tuning with TRL."""
