"""Parts of a corpus that plans are made of."""

from emma500.mixture.planning.available import Available
from emma500.mixture.tokenizing.documents import Chosen


def available(label, n_tokens, component="monolingual", replay=False):
    chosen = Chosen(component=component, label=label, language=label, replay=replay)
    return Available(chosen=chosen, sources=["made-up"], n_documents=10, n_tokens=n_tokens)


ENGLISH = available("eng_Latn", 10_000, replay=True)
YORUBA, GEORGIAN = available("yor_Latn", 3_000), available("kat_Geor", 1_000)
PYTHON = available("python", 50_000, "code")
PAIRS = available("eng_Latn-yor_Latn", 2_000, "bilingual")


def shares(mixture):
    return {part.available.chosen.label: round(part.share, 4) for part in mixture.parts}
