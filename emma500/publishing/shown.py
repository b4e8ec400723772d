"""What a manifest says, made safe to be shown on a card: names and notes in it may come from anybody.

A card is Markdown, in which HTML, links and images can stand anywhere. What would begin one of them is replaced by the
full-width form of the same character, which looks alike and means nothing; line ends become spaces, so that no text
begins a block; control characters, and those that turn the direction of what follows, are left out.
"""

import re
from typing import Any

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_MARKUP = str.maketrans("<`[]\\", "＜｀［］＼")  # noqa: RUF001  # their full-width forms
_UNSAFE = re.compile(rf"[<`\[\]\\\s]|{_HIDDEN.pattern}")
_LONGEST = 2000  # characters of one string


def shown(value: Any) -> Any:
    """Return a manifest, or a part of one, whose strings are plain text in Markdown.

    Args:
        value: What JSON can hold; it stays as it is.

    Returns:
        The same with other strings, keys included; strings of more than 2,000 characters are cut.
    """
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, dict):
        return {shown(name): shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    return value


def without_hidden(text: str) -> str:
    """Return text without control characters other than line ends, and without those that turn the direction."""
    return _HIDDEN.sub("", text)


def _shown(text: str) -> str:
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    if not _UNSAFE.search(text):
        return text
    return " ".join(without_hidden(text).split()).translate(_MARKUP)
