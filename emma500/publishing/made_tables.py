"""Tables of models that were made without a training run: extended, merged, instructed."""

from collections.abc import Mapping, Sequence
from typing import Any

from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing.cards import MOST_ROWS
from emma500.publishing.tables import Table, count, decimal, percent, table

Manifest = Mapping[str, Any]
Row = Mapping[str, Any]


def vocabulary_pairs(manifest: Manifest) -> list[tuple[Row, Row]]:
    """Return what was measured on each label before and after its vocabulary grew."""
    rows = manifest.get("report", ())
    before = {row["label"]: row for row in rows if row["when"] == "before"}
    return [(before[row["label"]], row) for row in rows if row["when"] == "after"]


def vocabulary_table(manifest: Manifest) -> Table:
    """Return fertility and bits per byte before and after: a row a label, or a resource group where labels are many."""
    pairs = vocabulary_pairs(manifest)
    kept = set(manifest.get("keep_languages", ()))
    if len(pairs) <= MOST_ROWS:
        names = [f"`{new['label']}`" + " (kept)" * (new["label"] in kept) for _, new in pairs]
        cells = [
            (name, *_vocabulary_cells([pair])) for name, pair in zip(names, pairs, strict=True)
        ]
        return table(("label", *_VOCABULARY), "l" + "r" * len(_VOCABULARY), cells)
    groups = {
        each: [pair for pair in pairs if pair[1]["resource_group"] == each]
        for each in RESOURCE_GROUPS
    }
    cells = [
        (f"{group} ({len(own):,})", *_vocabulary_cells(own)) for group, own in groups.items() if own
    ]
    return table(("resource group", *_VOCABULARY), "l" + "r" * len(_VOCABULARY), cells)


_VOCABULARY = (
    "bytes", "tokens a word", "then", "tokens a byte", "then", "pieces of characters", "then", "bits per byte", "then",
    "change",
)  # fmt: skip


def _vocabulary_cells(pairs: Sequence[tuple[Row, Row]]) -> tuple[str, ...]:
    """Return means over labels; unknown where a label has none."""

    def mean(name: str, place: int) -> float | None:
        values = [pair[place][name] for pair in pairs if pair[place][name] is not None]
        return sum(values) / len(values) if values else None

    bits = [mean("bits_per_byte", place) for place in (0, 1)]
    return (
        count(sum(new["n_bytes"] for _, new in pairs)),
        *(decimal(mean("tokens_per_word", place), 2) for place in (0, 1)),
        *(decimal(mean("tokens_per_byte", place)) for place in (0, 1)),
        *(percent(mean("byte_fallback_share", place)) for place in (0, 1)),
        *(decimal(value) for value in bits),
        percent(bits[1] / bits[0] - 1 if bits[0] and bits[1] else None, sign=True),
    )


def piece_table(manifest: Manifest) -> Table:
    """Return how much the vocabulary grew."""
    rows = [
        ("new pieces", count(manifest["n_pieces"])),
        ("first new id", count(manifest["first_id"])),
        ("rows of the embeddings", count(manifest["vocab_size"])),
        ("bytes the pieces were learned from", count(manifest["n_bytes_read"])),
    ]
    return table(("vocabulary", "value"), "ll", rows)


def merge_table(manifest: Manifest) -> Table:
    """Return which models were merged with which weights, which add up to 1."""
    models, config = manifest["models"], manifest["config"]
    if config["method"] == "slerp":
        weights = [1 - config["t"], config["t"]]
    else:
        weights = config["weights"] or [1.0] * len(models)
    return table(
        ("model", "revision", "weight"),
        "llr",
        [
            (each["name"], f"`{each['revision']}`", decimal(weight / sum(weights)))
            for each, weight in zip(models, weights, strict=True)
        ],
    )


def conversation_table(manifest: Manifest) -> Table:
    """Return how many conversations a model was tuned on by label; none if the labels are too many to be read."""
    rows = manifest["n_by_label"]
    return table(
        ("label", "conversations read"),
        "lr",
        [(f"`{label}`", count(n)) for label, n in sorted(rows.items())] if len(rows) <= MOST_ROWS else [],
    )  # fmt: skip


def left_out_table(manifest: Manifest) -> Table:
    """Return how many documents of the instruction component were not trained on, and why."""
    rows = sorted(manifest["left_out"].items(), key=lambda item: (-item[1], item[0]))
    return table(("left out, since", "documents"), "lr", [(why, count(n)) for why, n in rows])


def held_out_table(manifest: Manifest) -> Table:
    """Return the loss of held-out conversations before and after; no rows where there are none."""
    found = manifest["held_out_loss"]
    before, after = found["before"], found["after"]
    if before is None or after is None:
        return table((), "", ())
    return table(
        ("held-out conversations", "before", "after", "change"),
        "rrrr",
        [(count(found["n_conversations"]), decimal(before), decimal(after), percent(after / before - 1, sign=True))],
    )  # fmt: skip
