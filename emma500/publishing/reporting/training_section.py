"""The report's section on training: what was read, what was learned and forgotten, what it took."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emma500.publishing import training_tables as tables
from emma500.publishing.figures import training_figure
from emma500.publishing.mixture_figures import mixture_figure
from emma500.publishing.reporting.sections import Fact, Part, Section, heading, told
from emma500.publishing.summary import trained_languages
from emma500.publishing.tables import code, count, counted, literal, percent

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
    figures = folder / "figures"
    parts = [
        Part(text=_opening(manifest)),
        heading("What it read"),
        Part(
            text="Shares of the tokens, and how often each text was read",
            figure=mixture_figure(manifest["plan"], figures),
        ),
        *told(
            (
                "What it was trained on, by component and resource group",
                tables.group_table(manifest),
            ),
            ("What it was trained on, by label", tables.mix_table(manifest)),
            ("Tokens by language; those of a pair count for both", tables.language_table(manifest)),
        ),
    ]
    if manifest["validation"]:
        text = "Training loss, and bits per byte on held-out text of the corpus, by step"
        parts += [
            heading("Curves by language"),
            Part(text=text, figure=training_figure(manifest, figures)),
            *told(
                (
                    "Bits per byte on the corpus's validation split",
                    tables.validation_table(manifest),
                )
            ),
        ]
    forgotten = told(
        ("What the languages the base model knew have lost", tables.watched_table(manifest)),
        ("Replay was raised while it trained", tables.raised_table(manifest)),
    )
    parts += [heading("Forgetting"), *forgotten] if forgotten else []
    made = _making(manifest, record)
    parts += [heading("Packing and hardware"), *made] if made else []
    return Section(title="Training", parts=tuple(parts))


def _making(manifest: Manifest, record: Manifest | None) -> list[Part]:
    parts = told(
        ("How documents were packed into rows", tables.packing_table(manifest)),
        ("Hardware and duration", tables.hardware_table(record)),
    )
    if record:
        parts.append(Part(text=tables.footprint_text(record)))
    return parts


def _opening(manifest: Manifest) -> str:
    trained = trained_languages(manifest)
    names = ", ".join(f"`{label}`" for label in trained)
    languages = (
        f"Trained languages: {names}."
        if len(trained) <= _MOST_NAMED
        else f"It learned {counted(len(trained), 'language')}."
    )
    return (
        f"{literal(manifest['base_model']['name'])} read {count(manifest['n_tokens'])} tokens in "
        f"{count(manifest['n_steps'])} steps. {languages}"
    )


def training_sentence(manifest: Manifest, after_corpus: bool) -> str:
    """Return what was trained on what, in a sentence; `after_corpus` says that the one before tells of the corpus."""
    corpus = "it" if after_corpus else code(manifest["corpus"]["name"])
    return (
        f"{literal(manifest['base_model']['name'])} was trained further on {count(manifest['n_tokens'])} tokens of "
        f"{corpus}, in {counted(len(trained_languages(manifest)), 'language')}."
    )


def training_facts(manifest: Manifest) -> list[Fact]:
    """Return how much a run read."""
    steps = counted(manifest["n_steps"], "step")
    return [Fact(value=count(manifest["n_tokens"]), name="tokens trained", note=steps)]


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
