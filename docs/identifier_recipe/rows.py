"""Rows of labelled text, and the label a code means in these sources."""

from typing import NamedTuple

import pyarrow as pa

from emma500.errors import LanguageError
from emma500.languages.codes import Language
from emma500.languages.writing.script_detection import scripts

# What a code of a macrolanguage means in these sources: one class for one language.
MEMBERS = {
    "ara": "arb", "aze": "azj", "aym": "ayr", "din": "dik", "est": "ekk", "fas": "pes",
    "grn": "gug", "kau": "knc", "kok": "gom", "kur": "kmr", "lav": "lvs", "mlg": "plt",
    "mon": "khk", "msa": "zsm", "nep": "npi", "nor": "nob", "ori": "ory", "orm": "gaz",
    "pus": "pbt", "que": "quy", "sqi": "als", "swa": "swh", "uzb": "uzn", "yid": "ydd",
    "src": "srd", "sro": "srd", "kng": "kon",
    "zho": "cmn", "fil": "tgl", "aka": "twi", "bik": "bcl", "ful": "fuv", "ajp": "apc",
}  # fmt: skip
# Declarations in another language than their code says: Turkish as `azb`, Kurmanji as `ckb`, and Salar in so many words
# of the Turkish one that Turkish would be taken for it; sentences with kana among Cantonese ones.
MISLABELLED = {"azb_Latn", "ckb_Latn", "slr_Latn", "yue_Jpan"}
# Chinese languages that one short text each in common characters cannot tell from Mandarin: with them, plain Mandarin
# would be undecided.
INSEPARABLE = {
    f"{code}_{form}"
    for code in ("cjy", "cdo", "gan", "hak", "hsn", "lzh", "nan", "wuu")
    for form in ("Hani", "Hans", "Hant")
} | {"dty_Deva"}  # Doteli's few messages would take one in twenty sentences of Nepali.
WITHOUT_LANGUAGE = {"und", "mis", "mul", "zxx", "ber", "qaa"}


class Row(NamedTuple):
    """One passage.

    Attributes:
        text: What it says.
        code: The language, as the source has it.
        source: What the source is called.
        convention: Whose codes the source uses, where they differ from the standard.
    """

    text: str
    code: str
    source: str
    convention: str | None = None


def labels_of(rows: list[Row]) -> list[str | None]:
    """Return the label of each row: what its code says, in the script its text is in; None where either is unknown."""
    found = scripts(pa.array([row.text for row in rows]))[0].to_pylist()
    read: dict[tuple[str, str | None], str | None] = {}
    labels: list[str | None] = []
    for row, script in zip(rows, found, strict=True):
        if row.code == "zxx":
            labels.append("zxx_Latn")
            continue
        key = row.code, row.convention
        if key not in read:
            read[key] = _language(*key)
        code = read[key]
        known = code is not None and code not in WITHOUT_LANGUAGE and script not in ("Zyyy", "Zzzz")
        label = f"{MEMBERS.get(code or '', code)}_{script}"
        is_right = label not in MISLABELLED and label not in INSEPARABLE
        labels.append(label if known and is_right else None)
    return labels


def _language(code: str, convention: str | None) -> str | None:
    try:
        return Language.parse(code, convention=convention).iso639_3
    except LanguageError:
        return None
