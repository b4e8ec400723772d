"""Where evaluation data comes from: a row of a table each, read in one of three ways.

The table is `tables/benchmarks.tsv`; the ways are passages.py, splits.py and files.py.

`open_benchmark("sib200=texts/sib200")` gives a `Benchmark`; its data yields `Item`s by label.
"""
