"""What a text may be like and stay in the corpus: the rows of `tables/thresholds.tsv`, by language."""

from collections.abc import Mapping
from functools import cache

from emma500.languages.codes import Language
from emma500.tables import read_table


def thresholds(component: str, label: str, macrolanguage: str) -> Mapping[str, str]:
    """Return the row of the table that holds for a label.

    Args:
        component: "monolingual", "bilingual" or "code".
        label: As "arz_Arab".
        macrolanguage: ISO 639-3 of its macrolanguage, as "ara", or "".

    Returns:
        The row of the label, or of its macrolanguage in the same script, or of its script, or the general one.
    """
    rows = _rows()
    if component != "monolingual":
        return rows[component]
    script = label.partition("_")[2]
    names = (label, f"{macrolanguage}_{script}", f"*_{script}", "*")
    return next(rows[name] for name in names if name in rows)


def least_score(lid_label: str) -> float:
    """Return the score from which on an identifier's label is believed, by the row of that label.

    Args:
        lid_label: What an identifier said, as "arz_Arab", "und_Latn" or "zxx_Zyyy".

    Returns:
        The least score, 0 to 1.
    """
    code, _, script = lid_label.partition("_")
    family = "" if code in {"und", "zxx"} else Language.parse(code).macrolanguage
    return float(thresholds("monolingual", f"{code}_{script}", family)["min_lid_score"])


@cache
def _rows() -> dict[str, dict[str, str]]:
    return {row["label"]: row for row in read_table("thresholds")}
