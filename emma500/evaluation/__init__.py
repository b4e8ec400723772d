"""Model and benchmarks -> scores with n and standard error.

evaluate.py     open the benchmarks, score the model on them, gather the scores
identity.py     which model this is, and what it was trained on
scoring.py      documents -> packed rows -> negative log-likelihood of each document
statistics.py   ratios, means over languages, and their standard errors (pure NumPy)
aggregation.py  documents -> rows by label and by resource group
metrics.py      the same measures as `evaluate.Metric`s
scores.py       the result: a table that can be saved, loaded and compared
"""
