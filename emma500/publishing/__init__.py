"""Corpus, weights, scores and outputs -> cards, figures, a report, and repositories of the Hub.

publish.py      the public function: to the Hub, or to a folder
layout.py       which files a repository of each kind holds
*_card.py       manifest -> card; the templates are dataset_cards/*.md.j2
*_tables.py     what the card of a model and the report say of training, and of models made otherwise
model_files.py  what lies beside the card of a model
metadata.py     the YAML that heads a card
summary.py      sums over a corpus manifest
comparison.py   before and after, with standard errors
care.py         what a corpus card says of benchmarks, personal data and opt-outs
figures.py      the figures of runs and scores, and how all are drawn
*_figures.py    those of a corpus (what it holds, what it lost), of a mixture, of a vocabulary, of scores by language
report.py       report.md and report.html of the whole way; reporting/ holds their parts
shown.py        names and notes of anybody as plain text
checks.py       what is refused before anything is uploaded
generations.py  what a model wrote, as a data set; leaderboard.py: several models on one table
hub.py          the upload; repository.py, contents.py, references.py: what it knows and asks of the Hub
difference.py   hashes on both sides, and the plan that follows from them
checkpoints.py  checkpoints on the Hub while a model is trained
"""
