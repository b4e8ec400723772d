"""Model and benchmarks -> scores with n and standard error.

evaluate.py     open the benchmarks, score the model on them, gather the scores
wanted.py       texts and tasks together: what is wanted of a model, and what was found
tasks/          benchmarks with a task: prompts -> answers -> metrics by language
identity.py     which model this is, and what it was trained on
likelihood/     contexts and continuations -> log-likelihoods, what they share computed once
lm_eval_model.py  the same engine as a model of lm-evaluation-harness
memory.py       memory that runs out: half as much at a time
scoring.py      documents -> packed rows -> negative log-likelihood of each document
statistics.py   ratios, means over languages, and their standard errors (pure NumPy)
aggregation.py  documents -> rows by label and by resource group
metrics/        outputs and references -> values; each is a module of the `evaluate` library too
sandbox/        programs of a model, run apart from everything
resampling.py   bootstrap, and permutation tests of two models, from the counts of items
significance.py two models by language and overall; model_comparison.py: on texts and tasks, as one table
prompt_spread.py  several prompts of a benchmark, and how far they are apart
lint.py         faults that results show by themselves; lint_scores.py: of scores
published.py    the published averages of 59 models; published_tables.py: by language
polywrite/      prompts to write something, made with a translator
lm_eval_form.py scores as lm-evaluation-harness writes its results
lines.py        tables on a terminal
measures.py     the statistics of tasks that scores keep, again as metrics
scores.py       the result: a table that can be saved, loaded and compared; summary.py: as lines to read
"""
