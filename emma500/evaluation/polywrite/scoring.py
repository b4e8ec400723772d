"""Prompts and a translator -> rows of one language, each with what its back-translation says of it."""

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from emma500.errors import FailureError
from emma500.evaluation.metrics.translation import bleu, bleu_score, chrf, chrf_score
from emma500.evaluation.polywrite.prompts import ENGLISH, WritingPrompt
from emma500.evaluation.polywrite.translators import Translator

FIELDS = (
    "category", "name", "prompt_en", "lang_script", "prompt_translated", "prompt_backtranslated",
    "bleu", "chrf++", "uuid",
)  # fmt: skip
"""The fields of a record, as published."""

EMPTY, COPIED, BLEU, CHRF = "empty", "copied", "bleu", "chrf++"
"""Why a prompt is left out: no translation; the English text again, whose back-translation would be perfect; a score
below its threshold."""


def scored_rows(
    prompts: Sequence[WritingPrompt], translator: Translator, label: str
) -> list[dict[str, Any]]:
    """Translate prompts and back, and compare what comes back with the English.

    Args:
        prompts: The prompts.
        translator: What translates.
        label: The language; English itself needs no translator.

    Returns:
        One record a prompt, with `FIELDS`; `bleu` and `chrf++` are sacreBLEU's of the sentence, 0 to 100, two digits.

    Raises:
        FailureError: If the translator does not return a text for each.
    """
    english = [each.text for each in prompts]
    there, back = english, english
    if label != ENGLISH:
        there = _translated(translator, english, ENGLISH, label)
        back = _translated(translator, there, label, ENGLISH)
    bleus = bleu_score(bleu(back, english).rows, effective_order=True)
    chrfs = chrf_score(chrf(back, english).rows)
    return [
        {
            "category": prompt.category,
            "name": prompt.name,
            "prompt_en": prompt.text,
            "lang_script": label,
            "prompt_translated": there[n],
            "prompt_backtranslated": back[n],
            "bleu": round(float(bleus[n]), 2),
            "chrf++": round(float(chrfs[n]), 2),
            "uuid": str(uuid5(NAMESPACE_URL, f"emma500:polywrite:{label}:{prompt.category}:{prompt.name}:{there[n]}")),
        }
        for n, prompt in enumerate(prompts)
    ]  # fmt: skip


def reason_out(row: dict[str, Any], *, min_bleu: float, min_chrf: float) -> str:
    """Return why a record is left out, or "" where it is kept.

    Args:
        row: A record.
        min_bleu: The least `bleu`.
        min_chrf: The least `chrf++`.
    """
    if not row["prompt_translated"].strip():
        return EMPTY
    if row["lang_script"] != ENGLISH and row["prompt_translated"].strip() == row["prompt_en"]:
        return COPIED
    if row["bleu"] < min_bleu:
        return BLEU
    return CHRF if row["chrf++"] < min_chrf else ""


def _translated(
    translator: Translator, texts: Sequence[str], source: str, target: str
) -> list[str]:
    """Translate; an empty text stays empty and is not asked for."""
    asked = [n for n, text in enumerate(texts) if text.strip()]
    found = translator.translate([texts[n] for n in asked], source=source, target=target)
    if len(found) != len(asked) or not all(isinstance(each, str) for each in found):
        raise FailureError(
            f"the translator {translator.description['name']} returned {len(found):,} translations of {len(asked):,} "
            f"texts from {source} to {target}: it must return one string a text, in their order"
        )
    by_place = dict(zip(asked, found, strict=True))
    return [by_place.get(n, "").strip() for n in range(len(texts))]
