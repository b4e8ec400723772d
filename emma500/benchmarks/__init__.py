"""Where evaluation data comes from: a row of a table each, with its texts and, of a task, its items.

registry.py     benchmarks by name, and their languages by any code; listing.py: what there is
passages.py, splits.py, files.py   texts: of a package, of a corpus, of files
records.py      items of published files by language and split; forms.py: what a record looks like
translation.py  items of two languages, paired
prompts.py      what a model reads, and what is scored; prompt_variants.py: other prompts of the same meaning

`open_benchmark("sib200=texts/sib200")` gives a `Benchmark`; its data yields `Item`s by label, its task `Example`s.
"""
