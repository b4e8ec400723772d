"""The corpus: sources -> integration -> filter -> dedup -> split -> a folder that `load_dataset` reads."""
