"""Build a PolyWrite: English prompts and a translator -> prompts in many languages.

build_polywrite("facebook/nllb-200-distilled-600M", ["sw", "fi", "hy"], "polywrite")
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500._version import __version__
from emma500.configuration import as_dict, option, require
from emma500.errors import LanguageError, OutputError, SourceError
from emma500.evaluation.polywrite.prompts import ENGLISH, writing_prompts
from emma500.evaluation.polywrite.result import (
    EXCLUDED,
    KIND,
    PolyWrite,
    read_rows,
    write_rows,
)
from emma500.evaluation.polywrite.scoring import reason_out, scored_rows
from emma500.evaluation.polywrite.translators import Translator, load_translator
from emma500.languages.codes import Language
from emma500.languages.labels import resource_group
from emma500.manifest import fingerprint, read_manifest, versions, write_manifest
from emma500.progress import Progress, tracked
from emma500.storage import locked, recover_folder, refuse_foreign, replace_folder

LICENSE = "CC0-1.0"
"""Of the English prompts; what a translator adds is under its own terms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolyWriteConfig:
    """Which prompts are translated, and which translations are kept."""

    categories: list[str] = option([], "tasks of writing, as story or e-mail; all 31 by default")
    min_bleu: float = option(20.0, "least BLEU of the back-translation, 0 to 100")
    min_chrf: float = option(20.0, "least chrF++ of the back-translation, 0 to 100")
    overwrite: bool = option(False, "replace whatever the output folder holds")

    def __post_init__(self) -> None:
        for name in ("min_bleu", "min_chrf"):
            require(self, name, lambda value: 0 <= value <= 100, "from 0 to 100")
        writing_prompts(self.categories)


def build_polywrite(
    translator: Translator | str,
    languages: Sequence[str],
    output: str | Path = "polywrite",
    config: PolyWriteConfig | None = None,
    *,
    progress: Progress | None = None,
) -> PolyWrite:
    """Translate prompts to write something, and keep those whose back-translation is like the English.

    A language that is done is kept: a killed build goes on after it, and another call with more languages or other
    thresholds translates only what is new.

    Args:
        translator: What translates, or the name of a model of transformers that does.
        languages: Codes in any convention.
        output: The folder.
        config: Which prompts, and what is kept.
        progress: Called as languages are done.

    Returns:
        The folder; the benchmark `polywrite=FOLDER` reads it, `publish` publishes it.

    Raises:
        ConfigError: If a task is unknown, or a threshold is not from 0 to 100.
        FailureError: If the translator does not return a text for each.
        LanguageError: If a code names no language, or the translator lacks some; none is translated then.
        OutputError: If the folder holds something else, or languages that were not asked for.
    """
    config = config or PolyWriteConfig()
    prompts, labels, target = writing_prompts(config.categories), _labels(languages), Path(output)
    if isinstance(translator, str):
        translator = load_translator(translator)
    _check(translator, labels)
    made_of = fingerprint(dict(translator.description), prompts)
    with locked(target):
        recover_folder(target)
        _refuse(target, made_of, labels, overwrite=config.overwrite)
        work = _work(target, made_of)
        for label in tracked(labels, progress, "translating prompts"):
            scored = work / f"{label}.jsonl"
            if not scored.is_file():
                rows = _earlier(target, made_of, label)
                write_rows(scored, rows or scored_rows(prompts, translator, label))
        staged = target.with_name(target.name + ".staged.tmp")
        _write(
            staged, work, labels, config, made_of=made_of, translator=dict(translator.description)
        )
        replace_folder(staged, target)
        shutil.rmtree(work)
    return PolyWrite(target)


def _labels(languages: Sequence[str]) -> list[str]:
    given = [languages] if isinstance(languages, str) else languages
    labels = sorted({_label(each) for each in given})
    if not labels:
        raise LanguageError("no languages: name those to translate into, as languages=['sw', 'fi']")
    return labels


def _label(code: str) -> str:
    """Return the label of a code, a member's script as its macrolanguage's where none is usual."""
    language = Language.parse(code)
    of = language.likely_script or (
        Language.parse(language.macrolanguage).likely_script if language.macrolanguage else ""
    )
    if not of:
        raise LanguageError(
            f"the usual script of {code!r} ({language.name}) is not known: name it, as {language.iso639_3}_Latn"
        )
    return f"{language.iso639_3}_{of}"


def _check(translator: Translator, labels: Sequence[str]) -> None:
    asked = [each for each in labels if each != ENGLISH]
    missing = [each for each in (ENGLISH, *asked) if asked and not translator.supports(each)]
    if missing:
        raise LanguageError(
            f"the translator {translator.description['name']} does not know {', '.join(missing)}: leave "
            f"{'it' if len(missing) == 1 else 'them'} out, or take another translator"
        )


def _refuse(target: Path, made_of: str, labels: Sequence[str], *, overwrite: bool) -> None:
    refuse_foreign(target, kind=KIND, overwrite=overwrite)
    if overwrite or not target.is_dir() or not any(target.iterdir()):
        return
    manifest = read_manifest(target)
    if manifest["made_of"] != made_of:
        raise OutputError(
            f"{target} was made with another translator ({manifest['translator']['name']}) or of other prompts: choose "
            "another output, or pass overwrite=True (--overwrite) to replace it"
        )
    lost = sorted({row["label"] for row in manifest["languages"]} - set(labels))
    if lost:
        raise OutputError(
            f"{target} also has {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}, which this call leaves out: name "
            "them too (they are not translated again), or pass overwrite=True (--overwrite)"
        )


def _work(target: Path, made_of: str) -> Path:
    """Return the folder of what is done; that of another translator or other prompts is emptied."""
    work = target.with_name(target.name + ".work.tmp")
    try:
        known = read_manifest(work)["made_of"] if work.is_dir() else None
    except SourceError:
        known = None
    if known != made_of:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_manifest(work, {"kind": f"{KIND}-work", "made_of": made_of})
    return work


def _earlier(target: Path, made_of: str, label: str) -> list[dict[str, Any]]:
    """Return all records of a language from the finished folder, if it was made of the same."""
    try:
        manifest = read_manifest(target)
    except SourceError:
        return []
    if manifest.get("made_of") != made_of:
        return []
    excluded = (row for row in read_rows(target / EXCLUDED) if row["lang_script"] == label)
    rows = [*read_rows(target / f"{label}.jsonl"), *excluded]
    places = {(each.category, each.name): n for n, each in enumerate(writing_prompts())}
    rows.sort(key=lambda row: places[row["category"], row["name"]])
    return [{key: value for key, value in row.items() if key != "reason"} for row in rows]


def _write(
    staged: Path, work: Path, labels: Sequence[str], config: PolyWriteConfig, **made: Any
) -> None:
    shutil.rmtree(staged, ignore_errors=True)
    languages: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    tasks: dict[str, dict[str, Any]] = {}
    for label in labels:
        rows = list(read_rows(work / f"{label}.jsonl"))
        reasons = [
            reason_out(row, min_bleu=config.min_bleu, min_chrf=config.min_chrf) for row in rows
        ]
        judged = list(zip(rows, reasons, strict=True))
        write_rows(staged / f"{label}.jsonl", [row for row, reason in judged if not reason])
        excluded += [row | {"reason": reason} for row, reason in judged if reason]
        languages.append(_language_row(label, rows, reasons))
        for row, reason in judged:
            task = tasks.setdefault(
                row["category"], {"category": row["category"], "n": 0, "n_kept": 0}
            )
            task["n"] += 1
            task["n_kept"] += not reason
    write_rows(staged / EXCLUDED, excluded)
    settings = {name: value for name, value in as_dict(config).items() if name != "overwrite"}
    write_manifest(
        staged,
        {
            "kind": KIND,
            "fingerprint": fingerprint(__version__, made["made_of"], labels, settings),
            **made,
            "license": LICENSE,
            "config": settings,
            "versions": versions(),
            "languages": languages,
            "tasks": list(tasks.values()),
        },
    )  # fmt: skip


def _language_row(
    label: str, rows: Sequence[dict[str, Any]], reasons: Sequence[str]
) -> dict[str, Any]:
    return {
        "label": label,
        "name": Language.parse(label).name,
        "resource_group": resource_group(label),
        "n_prompts": len(rows),
        "n_kept": reasons.count(""),
        "reasons": dict(sorted(Counter(filter(None, reasons)).items())),
        "bleu": round(sum(row["bleu"] for row in rows) / len(rows), 2),
        "chrf++": round(sum(row["chrf++"] for row in rows) / len(rows), 2),
    }
