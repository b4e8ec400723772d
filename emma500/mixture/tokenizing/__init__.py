"""Documents as tokens on disk, and what a tokenizer makes of a language."""
