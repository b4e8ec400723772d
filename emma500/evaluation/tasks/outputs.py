"""Outputs -> metrics: answers, translations, summaries, free text and programs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from emma500.evaluation.metrics.answers import number_match
from emma500.evaluation.metrics.bertscore import bertscore, encoder_of
from emma500.evaluation.metrics.code import pass_at_k
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.metrics.outputs import empty_rate, repetition_rate, right_language_rate
from emma500.evaluation.metrics.rouge import has_words, rouge_l
from emma500.evaluation.metrics.self_bleu import self_bleu
from emma500.evaluation.metrics.translation import bleu, chrf
from emma500.evaluation.tasks.parts import Part
from emma500.processes import of_first_process

_CODE_KS = (1, 10, 100)

Texts = Sequence[str]
Metric = Callable[[Texts, Sequence[Texts], Part], Measured]


def _bleu(outputs: Texts, references: Sequence[Texts], part: Part) -> Measured:
    is_translation = part.benchmark.shape == "translation"  # the paper took spBLEU for them alone
    return bleu(
        outputs, references, tokenize=part.practice["bleu_units"] if is_translation else "13a"
    )


def _self_bleu(outputs: Texts, references: Sequence[Texts], part: Part) -> Measured:
    return self_bleu(outputs, mode="paper" if part.practice["self_bleu"] == "one" else "all")


def _rouge(outputs: Texts, references: Sequence[Texts], part: Part) -> Measured:
    mode: Any = "paper" if part.practice["rouge_units"] == "spaces" else "fixed"
    return rouge_l(outputs, references, mode=mode)


def _numbers(outputs: Texts, references: Sequence[Texts], part: Part) -> Measured:
    mode: Any = "lm-eval" if part.practice["numbers"] == "text" else "fixed"
    return number_match(outputs, references, mode=mode)


def _bertscore(outputs: Texts, references: Sequence[Texts], part: Part, **options: Any) -> Measured:
    return bertscore(outputs, [each[0] for each in references], **options)


METRICS: dict[str, Metric] = {
    "bleu": _bleu,
    "chrf": lambda outputs, references, part: chrf(outputs, references),
    "rouge_l": _rouge,
    "self_bleu": _self_bleu,
    "number_match": _numbers,
    "repetition_rate": lambda outputs, references, part: repetition_rate(outputs),
    "empty_rate": lambda outputs, references, part: empty_rate(outputs),
}
"""Metrics of outputs by name, as the column `metrics` of the table has them."""

_ON_ALL = {"number_match", "empty_rate", "repetition_rate"}
"""Metrics that nobody dropped an empty output for."""

_WITH_REFERENCE = {"bleu", "chrf", "rouge_l", "bertscore"}


def measure(
    part: Part,
    outputs: Texts,
    *,
    identifier: str | None = None,
    encoder: str | None = None,
    device: str = "cpu",
) -> list[Measured]:
    """Measure the metrics of a benchmark of outputs, and the share of empty ones.

    Args:
        part: The items.
        outputs: An output an item.
        identifier: What tells the language of outputs, as `emma500.identify` takes; None leaves the rate out.
        encoder: Encoder of the BERTScore of summaries, as `bertscore.encoder_of` takes; None leaves it out.
        device: Where the encoder computes.

    Returns:
        One a metric, each with a row an item; those dropped, or without a reference, have zeros.
    """
    names = dict.fromkeys([*part.benchmark.row["metrics"].split(), "empty_rate"])
    references = [each.targets for each in part.examples]
    found = [
        _on_kept(name, METRICS[name], outputs, part)
        for name in names
        if name in {"self_bleu", "repetition_rate", "empty_rate"} or any(references)
    ]
    if encoder is not None and part.benchmark.shape == "summary":
        model, layer = encoder_of(encoder)
        metric = partial(_bertscore, model=model, layer=layer, device=device)
        found.append(_on_kept("bertscore", metric, outputs, part))
    if identifier is not None:
        wanted = [each.fields.get("output_label", part.label) for each in part.examples]
        found.append(right_language_rate(outputs, wanted, identifier=identifier))
    return found


def _on_kept(
    name: str,
    metric: Metric,
    outputs: Texts,
    part: Part,
) -> Measured:
    """Measure the outputs that count; the others get rows of zeros."""
    references = [each.targets for each in part.examples]
    drops = part.practice["empty_outputs"] == "dropped" and name not in _ON_ALL
    kept = [
        place
        for place, (text, wanted) in enumerate(zip(outputs, references, strict=True))
        if (has_words(text) or not drops) and (wanted or name not in _WITH_REFERENCE)
    ]
    found = metric(
        [outputs[place] for place in kept],
        [references[place] for place in kept],
        part,
    )
    if len(kept) == len(outputs):
        return found
    rows = np.zeros((len(outputs), found.rows.shape[1]))
    rows[kept] = found.rows
    return replace(found, rows=rows)


def measure_code(
    part: Part,
    samples: Sequence[Texts],
    *,
    allow: bool,
    temperature: float | None = None,
    limits: Any = None,
) -> tuple[list[Measured], str]:
    """Run the programs of a part in the sandbox, in the first process alone: others would take its time from it.

    Args:
        part: The problems.
        samples: The outputs of each problem.
        allow: Whether programs of a model may be run on this machine.
        temperature: At which they were drawn, which stands in the names; None for greedy decoding.
        limits: What each may use.

    Returns:
        pass@1, and pass@10 and pass@100 where there are as many samples; and why they were not run, else "".
    """
    from emma500.evaluation.sandbox.programs import run_programs, why_not

    programs = [
        f"{example.fields['text']}{text}\n{example.fields['tests']}"
        for example, texts in zip(part.examples, samples, strict=True)
        for text in texts
    ]

    def ran() -> tuple[list[bool | None], str]:
        reason = why_not(part.label, allow=allow)
        if reason:
            return [None] * len(programs), reason
        found = run_programs(programs, part.label, limits=limits, allow=allow)
        return [each.passed for each in found], ""

    runs, reason = of_first_process(ran)
    n = len(samples[0])
    passed = [runs[start : start + n] for start in range(0, len(runs), n)]
    end = "" if temperature is None else f"_t{temperature:g}"
    found = [pass_at_k(passed, k=k) for k in _CODE_KS if k <= n]
    return [replace(each, name=f"{each.name}{end}") for each in found], reason
