"""The dedup stage: of rows with the same URL (an option), of exact copies and of near-duplicates, one stays.

Rows are compared within a component and label. Of exact copies (equal text) the one with the smallest id and key stays,
of the others the longest document, ties going to the smaller id. Memory holds a part of the rows at a time
(`Rules.memory_rows`), 16 bytes a row of the largest group, and the shingles of a pack of candidates.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.corpus.deduplication.clusters import CLUSTERS, ClusterWriter, cluster_schema
from emma500.corpus.deduplication.copies import exact_owners
from emma500.corpus.deduplication.near import Near, ShingleRouter
from emma500.corpus.deduplication.paragraphs import PARAGRAPHS, ParagraphCounts
from emma500.corpus.deduplication.parts import Grouping, Parts, Rows
from emma500.corpus.deduplication.url_copies import UrlCopies
from emma500.corpus.staging import decided_schema, decision_schema, hexadecimal
from emma500.progress import Progress, tracked

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS = ("url", "exact", "near")
_REASONS = ("duplicate_url", "exact_duplicate", "near_duplicate")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What counts as a duplicate.

    Attributes:
        threshold: The least exact Jaccard similarity of a near-duplicate to the document it is folded into.
        across_labels: Compare documents across labels too, not pairs.
        urls: Keep one document of each URL.
        paragraphs: The documents of a group that may hold one paragraph; in more, all but the first lose it. 0: any.
        memory_rows: The most rows that are held at once.
    """

    threshold: float = 0.7
    across_labels: bool = False
    urls: bool = False
    paragraphs: int = 0
    memory_rows: int = 1 << 18


def deduplicate(
    folder: Path,
    decisions: Path,
    route: ShingleRouter,
    *,
    rules: Rules,
    progress: Progress | None = None,
) -> None:
    """Leave out copies, and near-duplicates where rows have bands.

    Writes `folder/decided/part-*.parquet`, all rows sorted by component, label, id and key, with the size of each
    cluster and the id of the row it keeps; `folder/clusters.parquet`; and, where paragraphs have a limit,
    `folder/paragraphs.arrow`, those over it.

    Args:
        folder: The folder of the stage.
        decisions: The folder of the filter's decisions.
        route: Writes the shingles of candidates, which takes one pass over the staged text.
        rules: What counts as a duplicate.
        progress: Called as the work goes on.
    """
    spilled = folder / "spilled"
    spilled.mkdir()
    parts = Parts(
        spilled / "parts",
        decisions,
        schema=decision_schema(),
        grouping=Grouping(rules.across_labels),
        memory_rows=rules.memory_rows,
    )
    urls = UrlCopies(spilled / "urls", parts, memory_rows=rules.memory_rows)
    if rules.urls:
        urls.run()
    near = Near(
        spilled / "near", parts, memory_rows=rules.memory_rows, threshold=rules.threshold
    )  # fmt: skip
    near.run(urls.places, route, progress)
    (folder / "decided").mkdir()
    clusters = ClusterWriter(folder / CLUSTERS)
    counts = ParagraphCounts(
        spilled / "paragraphs", memory_rows=4 * rules.memory_rows, n_ranges=8 * len(parts)
    )
    for part in tracked(range(len(parts)), progress, "deduplicating"):
        table = parts.read(part)
        rows = parts.rows(table)
        found = _verdicts(part, rows, near, urls)
        clusters.add(_lines(table, found))
        if rules.paragraphs:
            stays = np.flatnonzero(found.is_seen & (found.kinds < 0))
            lists = table["paragraphs"].combine_chunks().take(pa.array(stays))
            counts.add(lists, rows.groups[stays], rows.ids[stays])
        pq.write_table(
            _decided(table, found),
            folder / "decided" / f"part-{part:05}.parquet",
            compression="zstd",
        )
    clusters.close()
    if rules.paragraphs:
        counts.write(folder / PARAGRAPHS, rules.paragraphs)
    shutil.rmtree(spilled)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdicts:
    """What dedup says of the rows of a part, one entry a row.

    Attributes:
        is_seen: Whether no earlier stage left the row out.
        kinds: Place in `_KINDS` of why it is left out; -1 where it is not.
        kept_ids: (rows, 2) the id of the row that stands for it.
        jaccard: Similarity to that; NaN for a URL.
        sizes: Rows it stands for, itself included.
    """

    is_seen: "NDArray[np.bool_]"
    kinds: "NDArray[np.int64]"
    kept_ids: "NDArray[np.uint64]"
    jaccard: "NDArray[np.float32]"
    sizes: "NDArray[np.int64]"


def _verdicts(part: int, rows: Rows, near: Near, urls: UrlCopies) -> _Verdicts:
    """Put together what each rule found in a part."""
    start, size = int(near.parts.starts[part]), len(rows.keys)
    is_seen, by_url = rows.is_kept.copy(), urls.places(part)
    rows.is_kept[by_url] = False
    owners = exact_owners(rows)
    folded, grown = near.folded.read(part), near.grown.read(part)
    places = folded["node"].to_numpy() - start
    kinds = np.full(size, -1, np.int64)
    kinds[places] = _KINDS.index("near")
    kinds[owners != np.arange(size)] = _KINDS.index("exact")
    kinds[by_url] = _KINDS.index("url")
    kept_ids, jaccard = rows.ids.copy(), np.ones(size, np.float32)
    kept_ids[places] = np.stack([folded["high"].to_numpy(), folded["low"].to_numpy()], axis=1)
    jaccard[places] = folded["jaccard"].to_numpy()
    # A copy of a row that was folded goes where that went.
    kept_ids, jaccard = kept_ids[owners], jaccard[owners]
    kept_ids[by_url], jaccard[by_url] = urls.kept_ids(part), np.nan
    sizes = np.bincount(owners[rows.is_kept], minlength=size)
    np.add.at(sizes, grown["node"].to_numpy() - start, grown["copies"].to_numpy())
    return _Verdicts(is_seen=is_seen, kinds=kinds, kept_ids=kept_ids, jaccard=jaccard, sizes=sizes)


def _decided(table: pa.Table, found: _Verdicts) -> pa.Table:
    """Return the decided rows; what an earlier stage said of a row stands."""
    stays = found.is_seen & (found.kinds < 0)
    kinds = pa.array(found.kinds, mask=found.kinds < 0)
    reason = pa.array(_REASONS, pa.string()).take(kinds)
    cluster = pc.if_else(pa.array(found.is_seen), hexadecimal(found.kept_ids), None)
    columns = {name: table[name] for name in table.column_names}
    columns["stage"] = pc.coalesce(table["stage"], pc.if_else(pc.is_valid(reason), "dedup", None))
    columns["reason"] = pc.coalesce(table["reason"], reason)
    columns |= {"cluster": cluster, "cluster_size": pa.array(found.sizes, mask=~stays)}
    schema = decided_schema()
    return pa.table(
        [columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema
    )


def _lines(table: pa.Table, found: _Verdicts) -> pa.Table:
    """Return a line of the clusters for every row that is folded."""
    folded = np.flatnonzero(found.kinds >= 0)
    names = (table[name].take(pa.array(folded)) for name in ("id", "component", "label"))
    columns = [
        hexadecimal(found.kept_ids[folded]), *names,
        pa.array(_KINDS, pa.string()).take(pa.array(found.kinds[folded])),
        pa.array(found.jaccard[folded], from_pandas=True),
    ]  # fmt: skip
    return pa.table(columns, names=cluster_schema().names).cast(cluster_schema())
