"""One text brought into one form, and the invisible characters that tests write by name."""

import numpy as np

from emma500.languages.writing.normalisation import normalise

ZWSP, ZWNJ, ZWJ, LRM, RLM = "\u200b", "\u200c", "\u200d", "\u200e", "\u200f"
SHY, WJ, BOM, VS16 = "\xad", "\u2060", "\ufeff", "\ufe0f"


def normalised(value, *, code=False, repair=False):
    found = normalise([value], np.array([code]), repair_mojibake=repair)
    return found[0].as_py()
