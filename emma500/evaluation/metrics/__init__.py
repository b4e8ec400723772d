"""Outputs and references -> values with n and standard error; pure functions, and `evaluate` modules of the same names.

measured.py     what every metric gives: a row of statistics an item, and the value of their sum
translation.py  BLEU, spBLEU and chrF++, with sacreBLEU inside and its signature
rouge.py        ROUGE-L in the words or characters of each script
self_bleu.py    how alike the outputs of a model are
answers.py      exact match, and numbers in the digits of all scripts
choices.py      accuracy of choices by their log-likelihoods
outputs.py      empty, repetitive and wrong-language outputs
code.py         pass@k
bertscore.py    BERTScore with a model of one's own
comet.py        COMET, read from a file
likelihood.py   bits per byte and negative log-likelihood
modules/        all of them for `evaluate.load(metric_path("chrf"))`
"""

from pathlib import Path

from emma500.errors import UsageError

MODULES = (
    "accuracy", "bits_per_byte", "bleu", "chrf", "empty_rate", "exact_match", "number_match", "nll", "pass_at_k",
    "repetition_rate", "right_language_rate", "rouge_l", "self_bleu",
)  # fmt: skip
"""The metrics that `metric_path` has a module of."""

LOWER_IS_BETTER = {
    "bits_per_byte", "empty_rate", "nll", "nll_per_token", "nll_window_sum", "repetition_rate", "self_bleu",
}  # fmt: skip
"""Metrics of scores of which less is better."""


def metric_path(name: str) -> str:
    """Return the file of a metric, which `evaluate.load` opens without a network.

    Args:
        name: One of `MODULES`.

    Returns:
        The path of its module.

    Raises:
        UsageError: If there is no such metric.
    """
    if name not in MODULES:
        raise UsageError(f"unknown metric {name!r}; it is one of {', '.join(MODULES)}")
    return str(Path(__file__).parent / "modules" / f"{name}.py")
