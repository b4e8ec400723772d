"""PolyWrite: prompts to write something, in many languages, from English ones and a translator.

prompts.py      the English prompts: 31 tasks, 5 prompts each (tables/writing_prompts.tsv)
translators.py  what translates: a protocol, and models of transformers
scoring.py      translation and back-translation -> scored rows
build.py        the public function: rows of each language -> a folder that the benchmark `polywrite` reads
result.py       the folder
"""
