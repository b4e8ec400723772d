"""How a document of a label begins, to be seen in its own script."""

import unicodedata
from pathlib import Path

from emma500.folder import Corpus

_LONGEST = 90  # characters of an excerpt
_TEXTS = ("text", "source_text")


def beginnings(corpus: Corpus) -> dict[tuple[str, str], str]:
    """Return how the first document of each label begins.

    Only the first rows of one file a label are read. What cannot be shown safely is left out: control characters, and
    those that turn the direction of what follows.

    Args:
        corpus: The corpus.

    Returns:
        At most 90 characters of one line by component and label; "" where the corpus is not a local folder, or the file
        is not in it.
    """
    first: dict[tuple[str, str], str] = {}
    for row in corpus.manifest["splits"]:
        for name in row["files"][:1]:
            first.setdefault((row["component"], row["label"]), name)
    return {key: _beginning(corpus, name) for key, name in first.items()}


def _beginning(corpus: Corpus, name: str) -> str:
    leads_out = {"..", "/"} & set(Path(name).parts)
    if leads_out or not (Path(corpus.root) / name).is_file():
        return ""
    with corpus.open_parquet(name) as file:
        columns = [each for each in _TEXTS if each in file.schema_arrow.names][:1]
        batch = next(file.iter_batches(batch_size=1, columns=columns), None) if columns else None
        texts = batch.column(0).to_pylist() if batch is not None else []
    return shortened(texts[0] or "") if texts else ""


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return the first line's worth of a text, cut between words where there are spaces, with "…" where it was cut."""
    line = " ".join("".join(map(_shown, text[: 4 * longest])).split())
    if len(line) <= longest:
        return line
    cut = line[:longest]
    while cut and unicodedata.category(line[len(cut)]).startswith("M"):
        cut = cut[:-1]
    start, _, rest = cut.rpartition(" ")
    return (start if len(rest) < longest // 3 and start else cut).rstrip(" .,;:،") + "…"


def _shown(character: str) -> str:
    """Return a character, or a space for a control character; joiners, which shape letters, stay."""
    if character in "\u200c\u200d":
        return character
    return " " if unicodedata.category(character)[0] == "C" else character
