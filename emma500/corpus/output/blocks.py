"""Characters by Unicode block, for the manifest and the figure of the scripts of a corpus (Figure 3 of the paper).

Counted where shards are written: there every table is of one label and holds the text as it is published. Counts of
shards are added up by label with `Blocks.add`; they can be pickled, and added in any order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from emma500.languages.writing.script_detection import block_counts
from emma500.languages.writing.script_tables import cells

_TEXTS = ("text", "source_text", "target_text")


def blocks_of(table: pa.Table) -> dict[str, int]:
    """Count the characters of the texts of a shard by Unicode block.

    Args:
        table: Rows of documents or pairs; of a pair, both sides are counted.

    Returns:
        Characters by block; "No_Block" is outside any.
    """
    total: Counter[str] = Counter()
    for name in _TEXTS:
        if name in table.column_names:
            total.update(block_counts(table[name]))
    return dict(total)


@dataclass(slots=True)
class Blocks:
    """Characters by component, label and Unicode block."""

    counts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def add(self, component: str, label: str, blocks: Mapping[str, int]) -> None:
        """Add the counts of one shard."""
        self.counts.setdefault((component, label), Counter()).update(blocks)

    def merge(self, others: "Iterable[Blocks]") -> "Blocks":
        """Add the counts of others, as of other workers, and return all of them."""
        for other in others:
            for (component, label), blocks in other.counts.items():
                self.add(component, label, blocks)
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Return what the manifest holds under "blocks": a row a component and label, blocks in Unicode's order."""
        order = {name: place for place, name in enumerate(cells().block_names)}
        rows = []
        for (component, label), blocks in sorted(self.counts.items()):
            n_chars = {name: blocks[name] for name in sorted(blocks, key=order.__getitem__)}
            rows.append({"component": component, "label": label, "n_chars": n_chars})
        return rows
