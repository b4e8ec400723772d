"""The report's section on a model that was made without a training run: extended, merged or instructed."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from emma500.publishing import made_tables as tables
from emma500.publishing.figures import training_figure
from emma500.publishing.model_card import origins
from emma500.publishing.reporting.sections import Fact, Part, Section, heading, told
from emma500.publishing.shown import shown
from emma500.publishing.tables import count, counted, percent, table
from emma500.publishing.training_tables import footprint_text, hardware_table
from emma500.publishing.vocabulary_figures import vocabulary_figure
from emma500.training.made import EXTENDED, INSTRUCTED, MERGED

Manifest = Mapping[str, Any]

_TITLES = {EXTENDED: "Vocabulary", MERGED: "Merge", INSTRUCTED: "Instruction tuning"}
_MOST_NAMED = 60


def made_section(manifest: Manifest, folder: Path, record: Manifest | None = None) -> Section:
    """Describe a model that was extended, merged or instructed: of what, how, in which languages, and what it took.

    Args:
        manifest: Its manifest.
        folder: The folder of the report, for the figures.
        record: What `training.json` says, if it is there.

    Returns:
        The section; tables with nothing to say are left out.
    """
    plain: Manifest = shown(manifest)
    parts = [
        Part(text=_opening(plain)),
        Part(text="What it was made of", table=table(("what", "which"), "ll", origins(plain))),
        *_DONE[plain["kind"]](plain, folder / "figures"),
    ]
    taken = hardware_table(shown(record))
    if record and taken.rows:
        parts += [
            heading("Hardware"),
            Part(text="Hardware and duration", table=taken),
            Part(text=footprint_text(record)),
        ]
    return Section(title=_TITLES[plain["kind"]], parts=tuple(parts))


def made_sentence(manifest: Manifest) -> str:
    """Return what was made of what, in a sentence."""
    return f"This is {shown(manifest)['summary']}."


def made_facts(manifest: Manifest) -> list[Fact]:
    """Return the numbers of a made model that head its report."""
    if manifest["kind"] == EXTENDED:
        return _extended_facts(manifest)
    if manifest["kind"] == MERGED:
        method = manifest["config"]["method"]
        return [Fact(value=count(len(manifest["models"])), name="models merged", note=method)]
    note = counted(manifest["n_steps"], "step")
    facts = [Fact(value=count(manifest["n_conversations"]), name="conversations", note=note)]
    held = manifest["held_out_loss"]
    if held["before"] and held["after"] is not None:
        change = percent(held["after"] / held["before"] - 1, sign=True)
        facts.append(Fact(value=change, name="loss on held-out conversations"))
    return facts


def _extended_facts(manifest: Manifest) -> list[Fact]:
    facts = [Fact(value=count(manifest["n_pieces"]), name="new pieces")]
    kept = manifest.get("keep_languages", ())
    changes = [
        new["tokens_per_word"] / old["tokens_per_word"] - 1
        for old, new in tables.vocabulary_pairs(manifest)
        if new["label"] not in kept and old["tokens_per_word"] and new["tokens_per_word"]
    ]
    if changes:
        note = f"mean of {counted(len(changes), 'language')}"
        facts.append(Fact(value=percent(fmean(changes), sign=True), name="tokens a word", note=note))  # fmt: skip
    return facts


def _opening(manifest: Manifest) -> str:
    labels = manifest.get("languages", ())
    if not labels:
        return "Nothing was trained for it: its languages are those of its models."
    named = ", ".join(f"`{label}`" for label in labels)
    languages = named if len(labels) <= _MOST_NAMED else counted(len(labels), "language")
    return f"Languages: {languages}."


def _extended(manifest: Manifest, figures: Path) -> list[Part]:
    parts = told(("How the vocabulary grew", tables.piece_table(manifest)))
    pairs = tables.vocabulary_pairs(manifest)
    if pairs:
        text = "Tokens a word and bits per byte of each language, before and after, without any training in between"
        parts += [
            heading("Fertility"),
            Part(text=text, figure=vocabulary_figure(pairs, figures)),
            *told(("Held-out text, before and then after", tables.vocabulary_table(manifest))),
        ]
    return parts


def _merged(manifest: Manifest, _figures: Path) -> list[Part]:
    caption = f"Models and their weights, {manifest['config']['method']}"
    return told((caption, tables.merge_table(manifest)))


def _instructed(manifest: Manifest, figures: Path) -> list[Part]:
    parts = [
        Part(text=f"The loss counts {manifest['loss_on']}. The chat template is {manifest['chat_template']}."),
        *told(
            ("Conversations by language", tables.conversation_table(manifest)),
            ("What was left out of the corpus's conversations", tables.left_out_table(manifest)),
            ("Loss of a token on held-out conversations, in nats", tables.held_out_table(manifest)),
        ),
    ]  # fmt: skip
    if manifest.get("log"):
        parts.append(Part(text="Training loss by step", figure=training_figure(manifest, figures)))
    return parts


_DONE = {EXTENDED: _extended, MERGED: _merged, INSTRUCTED: _instructed}
