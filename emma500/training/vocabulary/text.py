"""The text of a language that pieces are learned from, and the text they are judged by."""

from collections.abc import Sequence

from emma500.folder import Corpus
from emma500.mixture.tokenizing.samples import first_rows, text_columns


def read_language(
    corpus: Corpus, language: str, split: str, *, components: Sequence[str], max_bytes: int
) -> list[str]:
    """Read the first documents of a language, and its side of pairs, in the order of their ids.

    Args:
        corpus: The corpus.
        language: A label.
        split: "train" or "validation".
        components: Kinds of text, read in this order.
        max_bytes: UTF-8 bytes; the last text is cut where they end.

    Returns:
        The texts. Ids are hashes of the text, so the first ones are a random sample, the same in each call.
    """
    texts: list[str] = []
    left = max_bytes
    for component in components:
        for label in corpus.labels_of(component):
            sides = label.split("-") if component == "bilingual" else [label]
            if language not in sides or left <= 0:
                continue
            column = text_columns(component)[sides.index(language)]
            rows = first_rows(corpus, component, label, split=split, max_bytes=left)
            for text in rows[column].to_pylist():
                cut = text.encode()[:left]
                left -= len(cut)
                texts += [cut.decode(errors="ignore")] if cut else []
    return texts
