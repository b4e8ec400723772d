"""What a model reads and what is scored: rows of `tables/prompts.tsv`, filled with an item and its language's words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from emma500.benchmarks.base import Example
from emma500.errors import ConfigError, SourceError
from emma500.languages.labels import matching
from emma500.tables import read_table

MODES = ("fixed", "faithful", "lm-eval")
"""The sets of prompts: repaired, the paper's, and those of lm-evaluation-harness 0.4.13."""

UNSPACED = {"Hani", "Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"}
"""Scripts that put no space between words (Tibetan: between syllables a mark of its own)."""

_ANY = "*"
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """The prompt of a benchmark in one language.

    Attributes:
        name: Its name in the table.
        header: Stands before the examples.
        shot: An example with its answer.
        between: Stands after each example.
        query: The item.
        choice: What is scored after it, with each option.
        delimiter: Stands between query and choice.
        stop: What ends a generation.
        labels: The options of a classification.
        words: The words of the language by name.
    """

    name: str
    header: str
    shot: str
    between: str
    query: str
    choice: str
    delimiter: str
    stop: tuple[str, ...]
    labels: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)

    def options(self, example: Example) -> tuple[str, ...]:
        """Return what an item is answered with: its own options, or the labels of a classification."""
        return example.options or self.labels

    def gold(self, example: Example) -> int:
        """Return the place of the right option.

        Raises:
            SourceError: If the item's class is none of the labels.
        """
        if example.gold >= 0:
            return example.gold
        if example.targets[0] not in self.labels:
            raise SourceError(
                f"the item {example.id} of {example.label} is of the class {example.targets[0]!r}, which is none of "
                f"{', '.join(self.labels)}: mend its file, or leave the item out"
            )
        return self.labels.index(example.targets[0])

    def context(
        self, example: Example, shots: Sequence[Example] = (), option: str | None = None
    ) -> str:
        """Return what the model reads: header, examples and query."""
        parts = [self._filled(self.header, example)]
        parts += [self._shot(each) + self.between for each in shots]
        return "".join(parts) + self._filled(self.query, example, option)

    def pairs(self, example: Example, shots: Sequence[Example] = ()) -> list[tuple[str, str]]:
        """Return (context, continuation) for each option of an item."""
        return [
            (
                self.context(example, shots, option),
                self.delimiter + self._filled(self.choice, example, option),
            )
            for option in self.options(example)
        ]

    def stops(self, example: Example) -> tuple[str, ...]:
        """Return the strings that end a generation for an item."""
        filled = [self._filled(each, example) for each in self.stop]
        return tuple(part for each in filled for part in each.split("\f") if part)

    def _shot(self, example: Example) -> str:
        options = self.options(example)
        target = options[self.gold(example)] if options else next(iter(example.targets), "")
        return self._filled(self.shot, example, target)

    def _filled(self, template: str, example: Example, option: str | None = None) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in {"option", "target"} and option is not None:
                return option
            if name == "connector":
                return self._word(example.fields["question"], example)
            if name in {"word", "target_word"}:
                return self._word(option or "", example)
            found = example.fields.get(name)
            return self._word(name, example) if found is None else found

        return _NAME.sub(value, template)

    def _word(self, name: str, example: Example) -> str:
        if name not in self.words:
            raise ConfigError(
                f"the prompt {self.name} has no word {name!r} in {example.label}: it has {', '.join(self.words)}; "
                "leave the language out (languages=[…])"
            )
        return self.words[name]


@cache
def load_prompt(name: str, mode: str, label: str) -> Prompt:
    """Read a prompt.

    Args:
        name: Its name in `tables/prompts.tsv`.
        mode: One of `MODES`.
        label: The language of the items, as "swh_Latn".

    Returns:
        The prompt.

    Raises:
        ConfigError: If there is no such mode.
    """
    if mode not in MODES:
        raise ConfigError(f"unknown mode {mode!r}; it is one of {', '.join(MODES)}")
    (row,) = [
        each
        for each in read_table("prompts")
        if each["prompt"] == name and mode in each["sets"].split()
    ]
    gap = "" if label.partition("_")[2] in UNSPACED else " "
    words = _words("xlsum" if name == "massivesumm" else name, mode, label) | {"gap": gap}
    texts = {
        key: _unescaped(row[key])
        for key in ("header", "shot", "between", "query", "choice", "stop")
    }
    stop = tuple(texts.pop("stop").split("\f"))
    return Prompt(
        name=name,
        delimiter={"space": " ", "script": gap, "none": ""}[row["delimiter"]],
        stop=stop,
        labels=tuple(filter(None, row["labels"].split("|"))),
        words=words,
        **texts,
    )


def _words(name: str, mode: str, label: str) -> dict[str, str]:
    by_label: dict[str, dict[str, str]] = {}
    for row in read_table("prompt_words"):
        if row["prompt"] == name and mode in row["sets"].split():
            by_label.setdefault(row["label"], {})[row["name"]] = row["word"]
    found = matching(label, [each for each in by_label if each != _ANY])
    return by_label[found[0]] if found else by_label.get(_ANY, {})


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\f", "\f")
