"""The four stages over a work folder: each reads what the one before wrote; see `emma500.corpus.work`."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.corpus.config import BuildConfig
from emma500.corpus.deduplication import stage as dedup
from emma500.corpus.deduplication.paragraphs import PARAGRAPHS
from emma500.corpus.deduplication.shingle_index import (
    Shingle,
    ShingleIndex,
    shingle_schema,
)
from emma500.corpus.filtering import decisions as filtering
from emma500.corpus.integration import Integrate
from emma500.corpus.output import splitting
from emma500.corpus.output.decision_files import FOLDER, write_decision_files
from emma500.corpus.output.planning import plan_shards
from emma500.corpus.output.repeats import Repeats
from emma500.corpus.output.shards import write_shards
from emma500.corpus.row_groups import mapped, row_groups
from emma500.corpus.staging import (
    Decisions,
    decided_schema,
    decision_schema,
    staged_schema,
)
from emma500.progress import Progress
from emma500.storage import atomic_file, link_or_copy, write_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emma500.bundles import Task


_ROW_BYTES = 1 << 10
"""About what a row takes in memory, by `BuildConfig.memory_rows`."""


def integrate(
    folder: Path, tasks: "list[Task]", function: Integrate, progress: Progress | None
) -> None:
    """Read all tasks and write their rows, labelled and measured."""
    from emma500.engine import Flow

    done = 0

    def report() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress("reading sources", done, len(tasks))

    if progress is not None:
        progress("reading sources", 0, len(tasks))
    on_done = report if progress is not None else None
    Flow(tasks, staged_schema(), on_done=on_done, function=function).write(folder)


def filter_rows(
    folder: Path, staged: Path, function: filtering.Decide, progress: Progress | None
) -> None:
    """Decide about every row by its signals."""
    from emma500.engine import Flow

    total = sum(pq.read_metadata(each).num_rows for each in staged.rglob("*.parquet"))
    on_rows = _row_counter(progress, "filtering", total)
    tasks = mapped(staged, filtering.COLUMNS, function)
    Flow(tasks, decision_schema(), on_rows=on_rows).write(folder)


def _row_counter(
    progress: Progress | None, description: str, total: int
) -> Callable[[int], None] | None:
    """Return what reports the rows a flow has gone through, from any of its threads."""
    if progress is None:
        return None
    done, lock = 0, threading.Lock()
    progress(description, 0, total)

    def count(n_rows: int) -> None:
        nonlocal done
        with lock:  # a row that the sources hold twice under one name may be planned once
            done = min(done + n_rows, total)
            progress(description, done, total)

    return count


def deduplicate(
    folder: Path,
    decisions: Path,
    staged: Path,
    *,
    ngram: int,
    rules: dedup.Rules,
    progress: Progress | None,
) -> None:
    """Leave out copies, and near-duplicates where rows have bands."""

    def route(index: ShingleIndex, routed: Path) -> None:
        from emma500.engine import Flow

        on_rows = _row_counter(progress, "reading near-duplicates", len(index))
        tasks = [Shingle(index, ngram, each) for each in row_groups(staged)]
        Flow(tasks, shingle_schema(), on_rows=on_rows).write(routed, "pack")

    dedup.deduplicate(folder, decisions, route, rules=rules, progress=progress)


def decontaminate(folder: Path, decided: Path) -> None:
    """Leave out the rows that hold an item of a benchmark."""
    for file in sorted(decided.rglob("*.parquet")):
        rows = pq.read_table(file, schema=decided_schema())
        is_hit = pc.and_(pc.is_null(rows["reason"]), pc.is_valid(rows["contaminated"]))
        found = pc.binary_join_element_wise("contaminated", rows["contaminated"], ":")
        for name, values in (("stage", "decontaminate"), ("reason", found)):
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, pc.if_else(is_hit, values, rows[name]))
        with atomic_file(folder / file.relative_to(decided)) as temporary:
            pq.write_table(rows, temporary, compression="zstd")


def split(
    folder: Path,
    decisions: Decisions,
    staged: Path,
    *,
    repeated: Path,
    config: BuildConfig,
    progress: Progress | None,
) -> None:
    """Hold validation rows out and write all shards into `folder/corpus`; `folder/written.json` lists them.

    `folder/decided` holds the decisions that stand at the end; `repeated` is where dedup left the repeated
    paragraphs, if any were looked for.
    """
    splits = splitting.hold_out(
        decisions.parts(splitting.split_columns()),
        share=config.validation_share,
        most=config.max_validation_documents,
        least_to_split=config.min_documents_to_split,
    )
    decided = _write_decided(folder / "decided", decisions, splits)
    plan = plan_shards(
        decided,
        splits,
        shard_bytes=config.shard_bytes,
        bucket_bytes=config.memory_rows * _ROW_BYTES,
        keep_excluded=config.keep_excluded,
    )
    corpus = folder / "corpus"
    corpus.mkdir()
    paragraphs = repeated / PARAGRAPHS
    written = write_shards(
        plan,
        staged,
        corpus,
        routed=folder / "routed",
        repeats=Repeats(paragraphs, config.dedup_across_labels) if paragraphs.exists() else None,
        progress=progress,
        on_rows=_row_counter(progress, "splitting", len(plan.decided)),
    )
    told = {"shards": written.sizes, "blocks": written.blocks.rows()}
    del plan
    if config.keep_decisions:
        write_decision_files(decided, splits, staged, corpus / FOLDER)
    write_text(folder / "written.json", json.dumps(told, ensure_ascii=False) + "\n")


def _write_decided(folder: Path, decisions: Decisions, splits: "NDArray[np.uint8]") -> Decisions:
    """Write the decisions as they stand after the split; where it left nothing out, they are those before it."""
    folder.mkdir()
    start = 0
    for number, file in enumerate(decisions.files):
        place = folder / f"part-{number:05}.parquet"
        if not splitting.is_changed(splits):
            link_or_copy(file, place)
            continue
        with (
            atomic_file(place) as temporary,
            pq.ParquetWriter(temporary, decisions.schema, compression="zstd") as writer,
        ):
            for part in decisions.parts_of(file, decisions.schema.names):
                own = splits[start : start + len(part)]
                start += len(part)
                writer.write_table(splitting.amended(part, own).cast(decisions.schema))
    return Decisions(folder, decisions.schema)
