"""The English prompts: tasks of writing, some prompts each."""

from collections.abc import Sequence
from dataclasses import dataclass

from emma500.errors import ConfigError
from emma500.folder import nearest
from emma500.tables import read_table

ENGLISH = "eng_Latn"
"""The label of what is translated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WritingPrompt:
    """One English prompt; `category` is its task, as "story", and `name` tells it from others of the task."""

    category: str
    name: str
    text: str


def writing_prompts(categories: Sequence[str] = ()) -> tuple[WritingPrompt, ...]:
    """Return the English prompts, in the order of the package's table.

    Args:
        categories: Only these tasks; all 31 by default.

    Returns:
        Five prompts a task.

    Raises:
        ConfigError: If there is no such task.

    >>> len(writing_prompts())
    155
    >>> [each.name for each in writing_prompts(["fable"])][:2]
    ['crow-and-tortoise', 'river']
    """
    prompts = tuple(
        WritingPrompt(category=row["category"], name=row["name"], text=row["prompt"])
        for row in read_table("writing_prompts")
    )
    known = list(dict.fromkeys(each.category for each in prompts))
    for each in categories:
        if each not in known:
            raise ConfigError(
                f"unknown task of writing {each!r}; they are {', '.join(known)}; "
                f"nearest: {nearest(each, known) or 'none'}"
            )
    return tuple(each for each in prompts if not categories or each.category in categories)
