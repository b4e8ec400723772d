"""Benchmarks with a task: prompts -> answers -> metrics by language.

practice.py    how a mode scores: named switches, one for each defect of the reference evaluation
shots.py       which examples an item is shown
parts.py       benchmarks and languages -> items with their prompts and examples, before any model is loaded
choices.py     choice and classification: log-likelihoods of the options
generation.py  prompts -> outputs, in static batches sorted by length; stopping.py: what ends them
outputs.py     answers, translations, summaries, free text and programs: outputs -> metrics
results.py     samples and metrics -> rows by language and by resource group
running.py     all of it
"""
