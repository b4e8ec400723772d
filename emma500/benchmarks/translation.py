"""Translation in one direction: items of two languages paired by what they share with their translations."""

from functools import cached_property

from emma500.benchmarks.base import Example, Examples, likely_label
from emma500.errors import ConfigError
from emma500.languages.codes import UNKNOWN_SCRIPT, Language
from emma500.languages.labels import matching

ANY = "x"
"""Stands for the languages that are asked for."""


class Translation:
    """Sentences to translate, one label a language beside the fixed one.

    Args:
        task: The sentences by language, or pairs of them by "eng_Latn-fin_Latn".
        direction: From and to, as "eng-x" (from English), "x-eng" or "fra-deu".

    Raises:
        ConfigError: If the direction names no fixed language, or one that has no sentences.
    """

    def __init__(self, task: Examples, direction: str) -> None:
        self._task = task
        source, dash, target = direction.partition("-")
        if source == target == ANY:
            raise ConfigError("x-x needs languages to go through: name them (languages=[…])")
        if not dash or source == target:
            raise ConfigError(
                f"{direction!r} is no direction: from and to, as eng-x, x-eng or fra-deu"
            )
        self._available = {part for label in task.labels for part in label.split("-")}
        self.source = None if source == ANY else self._known(source)
        self.target = None if target == ANY else self._known(target)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The languages on the side that is not fixed; of two fixed ones, the target."""
        if self.source and self.target:
            return (self.target,)
        fixed = self.source or self.target or ""
        if any("-" in label for label in self._task.labels):
            sides = [label.split("-") for label in self._task.labels if fixed in label.split("-")]
            return tuple(sorted({each for pair in sides for each in pair if each != fixed}))
        return tuple(sorted(self._available - {fixed}))

    @property
    def fixed(self) -> tuple[str, ...]:
        """The languages that a direction names."""
        return tuple(each for each in (self.source, self.target) if each)

    def examples(self, label: str, split: str) -> list[Example]:
        """Return the sentences to translate, by their ids."""
        source, target = self.source or label, self.target or label
        names = {
            "source_name": _name(source),
            "target_name": _name(target),
            "output_label": target,
        }
        found = []
        for one, other in self._paired(source, target, split):
            fields = {"text": other[1], "source": one[1], **names}
            example = Example(
                id=one[0],
                label=label,
                parallel_id=one[0],
                fields=fields,
                targets=(other[1],),
            )
            found.append(example)
        return found

    def _paired(
        self, source: str, target: str, split: str
    ) -> list[tuple[tuple[str, str], tuple[str, str]]]:
        for pair, swapped in ((f"{source}-{target}", False), (f"{target}-{source}", True)):
            if pair in self._task.labels:
                rows = self._task.examples(pair, split)
                sides = [
                    ((each.id, each.fields["source"]), (each.id, each.fields["text"]))
                    for each in rows
                ]
                return [(b, a) for a, b in sides] if swapped else sides
        texts = {
            each.parallel_id: each.fields["text"] for each in self._task.examples(target, split)
        }
        return [
            ((each.parallel_id, each.fields["text"]), (each.parallel_id, texts[each.parallel_id]))
            for each in self._task.examples(source, split)
            if each.parallel_id in texts
        ]

    def _known(self, code: str) -> str:
        label = code if code in self._available else likely_label(code)
        found = matching(label, sorted(self._available))
        if found is None:
            raise ConfigError(
                f"there is no text in {label} to translate; there is in {len(self._available)} languages, as "
                f"{', '.join(sorted(self._available)[:5])}"
            )
        return found[0]


def _name(label: str) -> str:
    """Return the English name of a language; with its script where that is not the usual one."""
    language = Language.parse(label)
    name = language.name.partition(" (")[0]
    script = label.partition("_")[2]
    return name if script in (language.likely_script, UNKNOWN_SCRIPT) else f"{name} ({script})"
