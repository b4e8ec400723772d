"""Very long texts in parts whose tokens, one behind the other, are those of the whole text.

A tokenizer needs some 400 bytes for a token until it hands over their ids, so that a text of ten million tokens would
take four gigabytes. A text is cut where two letters stand around a space or the end of a line, if no token can run
across: the tokenizer itself splits there before it looks for tokens, or its vocabulary has no such token.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

LONGEST = 1 << 18
"""Characters of a text that are tokenized at once."""

_CUT = re.compile(r"(?<=[^\W_])[ \n](?=[^\W_])")
_CONTEXT = 400
"""Characters on each side of a cut on which it is tried."""

_MOST_TRIED = 64
_MARKS = {" ": " ▁Ġ", "\n": "\nĊ"}
"""How vocabularies write a space and the end of a line."""


class Cutter:
    """Cuts the long texts of a tokenizer.

    Args:
        encode: Returns the token ids of each of some texts.
        vocabulary: All tokens.
        backend: The Rust tokenizer, or None where there is none.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[str]], list[list[int]]],
        vocabulary: Sequence[str],
        backend: Any,
    ) -> None:
        self._encode = encode
        self._vocabulary = vocabulary
        self._backend = backend

    def parts(self, text: str, longest: int) -> Iterator[str]:
        """Yield a text in parts; what cannot be cut safely is one part.

        Args:
            text: The text.
            longest: Characters a part may have.

        Yields:
            The parts. A space between two of them is left out where the tokenizer puts one before every text.
        """
        start = 0
        while len(text) - start > longest:
            found = self._cut(text, start + longest // 2, start + longest)
            if found is None:
                break
            yield text[start : found[0]]
            start = found[1]
        yield text[start:]

    def _cut(self, text: str, first: int, last: int) -> tuple[int, int] | None:
        """Return where a part ends and where the next one starts; None where no place is safe."""
        places = [each.start() for each in _CUT.finditer(text, first, last)]
        for place in places[-_MOST_TRIED:][::-1]:
            before = text[max(0, place - _CONTEXT) : place]
            for start in (place, place + 1):
                after = text[start : place + _CONTEXT]
                whole = text[max(0, place - _CONTEXT) : place + _CONTEXT]
                if self._is_safe(before, after, whole, text[place]):
                    return place, start
        return None

    def _is_safe(self, before: str, after: str, whole: str, separator: str) -> bool:
        ids = self._encode([before, after, whole])
        if ids[0] + ids[1] != ids[2]:
            return False
        split = [self._pretokens(each) for each in (before, after, whole)]
        return split[0] + split[1] == split[2] or separator in self._uncrossed

    def _pretokens(self, text: str) -> list[str]:
        """Return what tokens cannot run across; one piece where the tokenizer does not split first."""
        backend = self._backend
        if backend is None or backend.pre_tokenizer is None:
            return [text]
        if backend.normalizer is not None:
            text = backend.normalizer.normalize_str(text)
        return [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(text)]

    @cached_property
    def _uncrossed(self) -> frozenset[str]:
        """The separators that no token has behind a letter or a digit, or behind a byte that may be part of one."""
        every = "".join(_MARKS.values())
        found = set()
        for separator, marks in _MARKS.items():
            crossing = re.compile(rf"[^\x00-/:-@\[-`{{-~{every}][{marks}]")
            if not any(crossing.search(each) for each in self._vocabulary):
                found.add(separator)
        return frozenset(found)
