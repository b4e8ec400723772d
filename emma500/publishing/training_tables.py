"""Tables of a training run, from its manifest and from `training.json`: what it read, what it kept, what it took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from emma500.languages.labels import RESOURCE_GROUPS, resource_group
from emma500.mixture.planning.presets import GROUPS
from emma500.publishing.cards import MOST_ROWS
from emma500.publishing.summary import sides
from emma500.publishing.tables import (
    NO_DATA,
    Table,
    count,
    counted,
    decimal,
    duration,
    percent,
    significant,
    table,
    with_error,
)
from emma500.records import COMPONENTS

Manifest = Mapping[str, Any]
Row = Mapping[str, Any]

_REPLAY = "replay"
_ORDER = ("", *GROUPS, _REPLAY)


def group_table(manifest: Manifest) -> Table:
    """Return what a run read: one row a component and resource group, and their sum."""
    rows = manifest["plan"]
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["component"], _group(row)].append(row)
    order = sorted(
        found, key=lambda key: (key[1] == _REPLAY, COMPONENTS.index(key[0]), _ORDER.index(key[1]))
    )
    n_stages = max((len(row.get("stage_shares") or ()) for row in rows), default=0)
    stages = range(n_stages if n_stages > 1 else 0)
    cells = [
        (component, group, *_sums(found[component, group], stages)) for component, group in order
    ]
    return table(
        ("component", "resource group", "labels", "documents", "tokens available", "share",
         *(f"in stage {stage + 1}" for stage in stages), "epochs", "tokens trained"),
        "ll" + "r" * (6 + len(stages)),
        [*cells, ("**all**", "", *_sums(rows, stages))],
    )  # fmt: skip


def _group(row: Row) -> str:
    if row["replay"]:
        return _REPLAY
    if row.get("group") or row["component"] != "monolingual":
        return str(row.get("group") or "")
    return resource_group(row["label"])  # a run of before there were groups in manifests


def _sums(rows: Sequence[Row], stages: Iterable[int]) -> tuple[str, ...]:
    low, high = (decimal(of(row["epochs"] for row in rows), 2) for of in (min, max))
    return (
        count(len(rows)),
        count(sum(row["n_documents"] for row in rows)),
        count(sum(row["n_tokens_available"] for row in rows)),
        percent(sum(row["share"] for row in rows)),
        *(percent(sum(row["stage_shares"][stage] for row in rows)) for stage in stages),
        low if low == high else f"{low} to {high}",
        count(sum(row["n_tokens_trained"] for row in rows)),
    )


def mix_table(manifest: Manifest) -> Table:
    """Return what a run read: one row a component and label; none if they are too many to be read."""
    rows = manifest["plan"]
    return table(
        ("component", "label", "sources", "tokens available", "share", "epochs", "tokens trained"),
        "lllrrrr",
        [
            (row["component"], f"`{row['label']}`", ", ".join(row["sources"]), count(row["n_tokens_available"]),
             percent(row["share"]), decimal(row["epochs"], 2), count(row["n_tokens_trained"]))
            for row in (rows if len(rows) <= MOST_ROWS else [])
        ],
    )  # fmt: skip


def mix_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the rows of `mixture.csv`: the plan, with what is a list in one cell."""
    return [
        {
            name: "; ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in row.items()
        }
        for row in manifest["plan"]
    ]


def language_table(manifest: Manifest) -> Table:
    """Return the tokens of each language, in text of its own and in pairs; a pair counts for both its languages.

    None where there are no pairs, so that each label is one language, or where the languages are too many to be read.
    """
    tokens: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in manifest["plan"]:
        for label in sides(row["label"]) if row["component"] != "code" else ():
            tokens[label][row["component"] == "bilingual"] += row["n_tokens_trained"]
    is_shown = any(pairs for _, pairs in tokens.values()) and len(tokens) <= MOST_ROWS
    return table(
        ("language", "resource group", "tokens of its own", "tokens of its pairs"),
        "llrr",
        [
            (f"`{label}`", resource_group(label), count(tokens[label][0]), count(tokens[label][1]))
            for label in (sorted(tokens) if is_shown else ())
        ],
    )


def kept_step(manifest: Manifest) -> int:
    """Return the step whose weights the model has."""
    return int(manifest.get("kept_step", manifest["n_steps"]))


def validation_table(manifest: Manifest, labels: Iterable[str] | None = None) -> Table:
    """Return bits per byte on the validation split at the first step and at the one whose weights are kept.

    Args:
        manifest: The training run's manifest.
        labels: Only these; all by default. Beyond `MOST_ROWS` there is a row a resource group, with means over labels.

    Returns:
        The table; without columns where nothing was validated.
    """
    wanted = None if labels is None else set(labels)
    found = [
        row
        for row in manifest["validation"]
        if row["step"] <= kept_step(manifest) and (wanted is None or row["label"] in wanted)
    ]
    steps = sorted({row["step"] for row in found})
    if not steps:
        return table((), "", ())
    ends = (steps[0], steps[-1])
    rows: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in found:
        rows[row["label"]][row["step"]] = row
    pairs = {label: [rows[label].get(step) for step in ends] for label in sorted(rows)}
    if len(pairs) > MOST_ROWS:
        return _validation_means(pairs, ends)
    return table(
        ("label", "n", "bytes", *(f"step {step:,}" for step in ends), "change"),
        "lrrrrr",
        [_validation_cells(label, both) for label, both in pairs.items()],
    )


def _validation_cells(label: str, ends: Sequence[Row | None]) -> tuple[str, ...]:
    known = [each for each in ends if each is not None]
    values = [each["bits_per_byte"] for each in known]
    return (
        f"`{label}`",
        count(known[-1]["n_documents"] if known else None),
        count(known[-1]["n_bytes"] if known else None),
        *(with_error(each["bits_per_byte"], each["stderr"]) if each else NO_DATA for each in ends),
        percent(values[1] / values[0] - 1, sign=True) if len(values) == len(ends) else NO_DATA,
    )


def _validation_means(pairs: Mapping[str, Sequence[Row | None]], ends: tuple[int, int]) -> Table:
    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for label, (first, last) in pairs.items():
        if first is not None and last is not None:
            groups[resource_group(label)].append((first["bits_per_byte"], last["bits_per_byte"]))
    cells = []
    for group in (each for each in RESOURCE_GROUPS if groups[each]):
        before, after = (fmean(values) for values in zip(*groups[group], strict=True))
        change = percent(after / before - 1, sign=True)
        cells.append((group, count(len(groups[group])), decimal(before), decimal(after), change))
    return table(
        ("resource group", "labels", *(f"step {step:,}" for step in ends), "change"), "lrrrr", cells
    )


def watched_table(manifest: Manifest) -> Table:
    """Return what became of the languages the base knows: before, after, and the limit of what may be lost."""
    found = validation_table(manifest, manifest.get("watched", ()))
    limit = manifest["config"].get("forgetting_limit")
    if not found.rows or limit is None or len(found.rows) > MOST_ROWS:
        return found
    lost = losses_of_watched(manifest)
    cells = [
        (*row, NO_DATA if label not in lost else "more than that" if lost[label] > limit else "yes")
        for row in found.rows
        for label in [row[0].strip("`")]
    ]
    return table((*found.columns, f"within {100 * limit:g}%"), f"{found.align}l", cells)


def losses_of_watched(manifest: Manifest) -> dict[str, float]:
    """Return the change of bits per byte of each watched language from step 0 to the kept step, the worst first."""
    values = {(row["step"], row["label"]): row["bits_per_byte"] for row in manifest["validation"]}
    last = kept_step(manifest)
    changes = {
        label: values[last, label] / values[0, label] - 1
        for label in manifest.get("watched", ())
        if (0, label) in values and (last, label) in values
    }
    return dict(sorted(changes.items(), key=lambda item: -item[1]))


def raised_table(manifest: Manifest) -> Table:
    """Return where replay was raised while it trained: after which step, to which share, and for which loss."""
    return table(
        ("after step", "share of replay from there", "lost by then"),
        "rrl",
        [
            (count(row["step"]), percent(row["replay_share"]),
             ", ".join(f"`{label}` {percent(lost, sign=True)}" for label, lost in row["lost"].items()))
            for row in manifest.get("replay_raised", ())
        ],
    )  # fmt: skip


def packing_table(manifest: Manifest) -> Table:
    """Return how documents were packed into rows, and what that cost."""
    packed = manifest.get("packing")
    if not packed:
        return table(("packing", "value"), "ll", ())
    rows = [
        ("mode", packed["mode"]),
        ("tokens a row", count(packed["max_length"])),
        ("rows", count(packed["n_rows"])),
        ("pieces of documents in them", count(packed["n_pieces"])),
        ("places that are padding", percent(packed["padding_share"], 2)),
        ("places that are context only", percent(packed["context_share"], 2)),
        ("tokens in documents that were cut", percent(packed["cut_share"])),
    ]
    return table(("packing", "value"), "ll", rows)


def hardware_table(record: Manifest | None) -> Table:
    """Return what a run was computed on and how long it took, from `training.json`; no rows without one."""
    if not record:
        return table(("what", "value"), "ll", ())
    found = record["hardware"]
    rows = [
        ("device", found["device"]),
        ("devices", count(found["n_devices"])),
        ("memory of a device", f"{decimal(found['memory_gb'], 1)} GB"),
        ("processor cores", count(found["n_cores"])),
        ("processes", count(record["n_processes"])),
        ("duration of training" if "mfu" in record else "duration", duration(record["seconds"])),
    ]
    if "mfu" in record:
        rows += [
            ("tokens a second", count(record["tokens_per_second"])),
            ("share of the measured peak", percent(record["mfu"])),
        ]
    return table(("what", "value"), "ll", rows)


def footprint_text(record: Manifest | None) -> str:
    """Return the estimate of energy and carbon with its formula, or that there is none; "" without a record."""
    if not record:
        return ""
    found, n_devices = record["footprint"], record["hardware"]["n_devices"]
    if found["kwh"] is None:
        return "Energy and carbon are not estimated: what the device draws is not known."
    formula = (
        f"{significant(record['seconds'] / 3600)} hours x {counted(n_devices, 'device')} x "
        f"{significant(found['watts_a_device'])} W / 1000 x {significant(found['data_centre_factor'])}"
    )
    return (
        f"Energy and carbon, **an estimate and no measurement**: {formula} (the data centre's share) = "
        f"{significant(found['kwh'])} kWh; x {significant(found['kg_co2e_a_kwh'])} kg of CO2 equivalents a kWh (the "
        f"world's mean) = **{significant(found['kg_co2e'])} kg CO2e**. Watts are what a device may draw at most."
    )


def emissions(record: Manifest | None, training_type: str | None) -> dict[str, Any] | None:
    """Return the estimate in the form the Hub reads (grams), or None; also where nothing was trained."""
    if training_type is None or not record or record["footprint"]["kg_co2e"] is None:
        return None
    found = record["hardware"]
    return {
        "emissions": float(significant(1000 * record["footprint"]["kg_co2e"])),
        "source": "estimate by emma500: hours x devices x watts of the data sheet x data centre x world's mean",
        "training_type": training_type,
        "hardware_used": f"{found['n_devices']} x {found['device']}",
    }
