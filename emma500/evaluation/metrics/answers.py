"""Answers that are right or wrong: texts that are equal, and numbers in any digits.

>>> lm_eval_number("... 1,234 und damit 18 Äpfel.")
'18'
>>> extract_number("সুতরাং উত্তর হল ১,২৩৪।"), extract_number("10-5"), extract_number("= -2,5")
(Decimal('1234'), Decimal('5'), Decimal('-2.5'))
"""

import re
import string
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of

Mode = Literal["fixed", "lm-eval"]

_LM_EVAL = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_LM_EVAL_NOTHING = "[invalid]"
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

_MINUS = "-\u2212\uff0d\u2010\u2011\ufe63"
_SPACES = "\u0020\u00a0\u2009\u202f"
_SIGNS = {
    "\u066c": "'",  # Arabic thousands
    "\u2019": "'",
    "\u066b": "·",  # Arabic decimal
    "\uff0c": ",",
    "\uff0e": ".",
}
_ALIKE = str.maketrans({**dict.fromkeys(_MINUS, "-"), **dict.fromkeys(_SPACES, " "), **_SIGNS})
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.,)])-)?[$€£¥₹]?(?P<body>"
    r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?(?!\d)"  # 12,34,567.8
    r"|\d{1,3}(?:(?P<group>[,.' ])\d{3})(?:(?P=group)\d{3})*(?!\d)(?:(?!(?P=group))[.,·]\d+)?"  # 1.234.567,8
    r"|\d+(?:[.,·]\d+)?)"  # 1234567.8
)
_GROUPS = re.compile(r"\d{1,3}(?:,\d{2})*,\d{3}|\d{1,3}(?:([,.' ])\d{3})(?:\1\d{3})*")


def exact_match(
    predictions: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    *,
    ignore_case: bool = False,
    ignore_punctuation: bool = False,
) -> Measured:
    """Measure the share of outputs that are equal to a reference, without the white space around them.

    Args:
        predictions: The outputs.
        references: One an item, or several, one of which is enough.
        ignore_case: Whether case counts for nothing.
        ignore_punctuation: Whether punctuation of any script counts for nothing.

    Returns:
        1 or 0 an item. Texts are compared in composed form (NFC).
    """

    def folded(text: str) -> str:
        found = unicodedata.normalize("NFC", text.strip())
        if ignore_punctuation:
            found = "".join(each for each in found if unicodedata.category(each)[0] != "P").strip()
        return found.casefold() if ignore_case else found

    values = [
        float(any(folded(output) == folded(each) for each in wanted))
        for output, wanted in _paired(predictions, references)
    ]
    return mean_of("exact_match", values)


def number_match(
    predictions: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    *,
    mode: Mode = "fixed",
) -> Measured:
    """Measure the share of outputs whose last number is that of a reference.

    Args:
        predictions: The outputs, as chains of thought.
        references: One an item, or several, one of which is enough.
        mode: "fixed": numbers are compared, in the digits of all scripts. "lm-eval": the last match of
            lm-evaluation-harness's `flexible-extract`, compared as text without ASCII punctuation (so that -5 is 5).

    Returns:
        1 or 0 an item; an output without a number is wrong.

    Raises:
        UsageError: If a reference holds no number.
    """
    values = []
    for place, (output, wanted) in enumerate(_paired(predictions, references)):
        if mode == "lm-eval":
            found = _without_punctuation(lm_eval_number(output))
            values.append(float(any(found == _without_punctuation(each) for each in wanted)))
            continue
        goals = [extract_number(each) for each in wanted]
        if None in goals:
            raise UsageError(f"the reference of item {place} holds no number: {list(wanted)}")
        values.append(float(extract_number(output) in goals))
    return mean_of("number_match", values, mode=mode)


def lm_eval_number(text: str) -> str:
    """Return what lm-evaluation-harness's `flexible-extract` takes for the answer; "[invalid]" where nothing is.

    Source: lm_eval/tasks/mgsm, filter `flexible-extract`, `group_select: -1`.
    """
    found = _LM_EVAL.findall(text)
    if not found:
        return _LM_EVAL_NOTHING
    return next((part for part in found[-1] if part), _LM_EVAL_NOTHING).strip()


def extract_number(text: str) -> Decimal | None:
    """Return the last number of a text, in the decimal digits of any script.

    Thousands may be parted by a comma, a dot, a space, an apostrophe or the Arabic sign: by any that stands before
    groups of exactly three digits (or, with commas, the Indian groups of two). Else a comma or dot is decimal. A hyphen
    between digits is no minus.

    Args:
        text: Any text.

    Returns:
        The number; None where there is none.
    """
    plain = "".join(
        str(unicodedata.decimal(each, each)) if each.isdecimal() else each for each in text
    ).translate(_ALIKE)
    numbers = list(_NUMBER.finditer(plain))
    if not numbers:
        return None
    last = numbers[-1]
    return _value(last["body"]) * (-1 if last["sign"] else 1)


def _value(body: str) -> Decimal:
    whole, mark, part = _parted(body)
    digits = re.sub(r"\D", "", whole)
    return Decimal(f"{digits}.{part}" if mark else digits)


def _parted(body: str) -> tuple[str, str, str]:
    """Return the whole part, the decimal mark ("" if there is none) and the decimals of a number."""
    if _GROUPS.fullmatch(body):
        return body, "", ""
    at = max(body.rfind(mark) for mark in ",.·")
    return (body, "", "") if at < 0 else (body[:at], body[at], body[at + 1 :])


def _without_punctuation(text: str) -> str:
    return text.lower().translate(_NO_PUNCTUATION)


def _paired(
    predictions: Sequence[str], references: Sequence[str] | Sequence[Sequence[str]]
) -> list[tuple[str, Sequence[str]]]:
    if len(predictions) != len(references):
        raise UsageError(
            f"{len(predictions):,} predictions and {len(references):,} references: give one an item"
        )
    return [
        (output, [each] if isinstance(each, str) else each)
        for output, each in zip(predictions, references, strict=True)
    ]
