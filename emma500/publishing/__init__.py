"""Corpus, weights and scores -> cards, figures, a report, and repositories of the Hub.

publish.py      the public function: to the Hub, or to a folder
layout.py       which files a repository of each kind holds
*_card.py       manifest -> card; the templates are dataset_cards/*.md.j2
metadata.py     the YAML that heads a card
summary.py      sums over a corpus manifest
comparison.py   before and after, with standard errors
figures.py      the figures of cards and report
report.py       report.md and report.html of the whole way
hub.py          the upload; patience.py asks again and explains
"""
