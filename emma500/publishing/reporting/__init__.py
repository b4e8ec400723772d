"""The report's parts: what belongs to a run, the sections, and the two pages they are written to.

finding.py            the corpus and the scores that belong to a run, by the links of their manifests
sections.py           what a page is made of
*_section.py           corpus, training, scores, wins, languages
outcomes.py           each label before and after, with the interval of the difference
words.py, excerpts.py  names, what a search finds a label by, how its text begins
pages.py              Markdown, and one HTML file with its figures, its style and its search in itself
"""
