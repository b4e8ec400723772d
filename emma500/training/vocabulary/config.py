"""What an extension of the vocabulary can be told."""

from dataclasses import dataclass
from typing import Any, Literal

from emma500.configuration import as_dict, option, require
from emma500.records import COMPONENTS

INITS = ("subtokens", "mean", "normal", "similarity")


@dataclass(frozen=True, kw_only=True, slots=True)
class VocabularyConfig:
    """Configuration of `extend_vocabulary`.

    Raises:
        ConfigError: If a value breaks its rule.
    """

    languages: list[str] = option(
        [], "labels or codes whose text gives the pieces; empty: all but keep_languages"
    )
    components: list[str] = option(
        ["monolingual", "bilingual"], "kinds of text they are learned from; code is not among them"
    )
    keep_languages: list[str] = option(
        ["eng_Latn"], "languages the base knows: they give no pieces, and the report shows them"
    )
    n_pieces: int = option(8000, "new pieces at most; fewer if the text has no more")
    min_frequency: int = option(10, "a piece must occur so often in the text that is read")
    max_piece_length: int = option(16, "old tokens a new piece may be made of")
    max_bytes: int = option(5_000_000, "bytes of training text a language")
    init: Literal["subtokens", "mean", "normal", "similarity"] = option(
        "subtokens",
        "rows of new pieces: mean of their old tokens, mean of all, random, or of similar tokens",
    )
    pad_to_multiple_of: int = option(1, "rows of the embeddings are rounded up to a multiple")
    max_validation_bytes: int = option(20_000, "bytes of held-out text a language; 0: no report")
    max_length: int = option(512, "tokens a row when held-out text is scored")
    seed: int = option(42, "seed of init=normal and init=similarity")
    overwrite: bool = option(False, "replace whatever is in the output folder")
    model_revision: str | None = option(None, "branch, tag or commit of the model on the Hub")

    def __post_init__(self) -> None:
        for name in (
            "n_pieces", "min_frequency", "max_bytes", "pad_to_multiple_of",
        ):  # fmt: skip
            require(self, name, lambda value: value > 0, "above 0")
        for name in ("max_piece_length", "max_length"):
            require(self, name, lambda value: value >= 2, "at least 2")
        for name in ("max_validation_bytes", "seed"):
            require(self, name, lambda value: value >= 0, "0 or more")
        kinds = [each for each in COMPONENTS if each != "code"]
        require(
            self,
            "components",
            lambda value: value and set(value) <= set(kinds) and len(set(value)) == len(value),
            f"some of {', '.join(kinds)}, each once",
        )
        require(self, "init", lambda value: value in INITS, f"one of {', '.join(INITS)}")

    @property
    def settings(self) -> dict[str, Any]:
        """The fields that decide what comes out."""
        return {name: value for name, value in as_dict(self).items() if name != "overwrite"}
