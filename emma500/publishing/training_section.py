"""The report's section on training: what was read, what was learned and forgotten, what it took."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emma500.publishing import training_tables as tables
from emma500.publishing.figures import training_figure
from emma500.publishing.mixture_figures import mixture_figure
from emma500.publishing.sections import Fact, Part, Section
from emma500.publishing.summary import trained_languages
from emma500.publishing.tables import count, counted, percent

Manifest = Mapping[str, Any]

_MOST_NAMED = 60


def training_section(manifest: Manifest, folder: Path, record: Manifest | None = None) -> Section:
    """Describe a training run.

    Args:
        manifest: Its manifest.
        folder: The folder of the report, for the figures.
        record: What `training.json` says, if it is there.

    Returns:
        The section; tables with nothing to say are left out.
    """
    parts = [Part(text=_opening(manifest))]
    if manifest["validation"]:
        text = "Training loss, and bits per byte on held-out text of the corpus, by step"
        parts.append(Part(text=text, figure=training_figure(manifest, folder / "figures")))
    mixture = mixture_figure(manifest["plan"], folder / "figures")
    parts.append(
        Part(text="Shares of the tokens, and how often each text was read", figure=mixture)
    )
    for text, found in (
        ("What it was trained on, by component and resource group", tables.group_table(manifest)),
        ("What it was trained on, by label", tables.mix_table(manifest)),
        ("Tokens by language; those of a pair count for both", tables.language_table(manifest)),
        ("Bits per byte on the corpus's validation split", tables.validation_table(manifest)),
        ("What the languages the base model knew have lost", tables.watched_table(manifest)),
        ("Replay was raised while it trained", tables.raised_table(manifest)),
        ("How documents were packed into rows", tables.packing_table(manifest)),
        ("Hardware and duration", tables.hardware_table(record)),
    ):
        if found.rows:
            parts.append(Part(text=text, table=found))
    if record:
        parts.append(Part(text=tables.footprint_text(record)))
    return Section(title="Training", parts=tuple(parts))


def _opening(manifest: Manifest) -> str:
    trained = trained_languages(manifest)
    names = ", ".join(f"`{label}`" for label in trained)
    told = (
        f"Trained languages: {names}."
        if len(trained) <= _MOST_NAMED
        else f"It learned {counted(len(trained), 'language')}."
    )
    return (
        f"{manifest['base_model']['name']} read {count(manifest['n_tokens'])} tokens in "
        f"{count(manifest['n_steps'])} steps. {told}"
    )


def forgetting_facts(manifest: Manifest) -> list[Fact]:
    """Return what was lost on held-out text by the language that lost most, of those the base knew; or nothing."""
    lost = tables.losses_of_watched(manifest)
    note = "on the validation split"
    if len(lost) > 1:
        note += f", the worst of {len(lost):,} watched languages"
    return [
        Fact(
            value=percent(share, sign=True),
            name=f"bits per byte, {label}",
            note=note,
        )
        for label, share in list(lost.items())[:1]
    ]
