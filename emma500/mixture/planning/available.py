"""What there is of a label to train on, and the names by which a mixture speaks of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from emma500.errors import ConfigError
from emma500.folder import config_name
from emma500.languages.labels import resource_group
from emma500.mixture.planning.presets import ENGLISH, GROUPS
from emma500.mixture.planning.selection import resolve
from emma500.mixture.tokenizing.documents import Chosen
from emma500.records import COMPONENTS

REPLAY = "replay"
"""The name of the text that is there so that the model does not forget."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Available:
    """What there is of one label: its sources, documents and tokens (an end token for each document included)."""

    chosen: Chosen
    sources: list[str]
    n_documents: int
    n_tokens: int

    @property
    def component(self) -> str:
        """The component, or "replay"."""
        return REPLAY if self.chosen.replay else self.chosen.component

    @property
    def group(self) -> str:
        """English, or MaLA's resource group of the language, for monolingual text that is not replayed; else ""."""
        if self.component != "monolingual":
            return ""
        label = self.chosen.label
        return ENGLISH if label.startswith("eng_") else resource_group(label)

    @property
    def names(self) -> tuple[str, ...]:
        """What weights and shares may call it, the most specific first."""
        label = self.chosen.label
        if self.chosen.replay:
            return (label,)
        own = config_name(self.chosen.component, label)
        return tuple(filter(None, (own, label, self.group, self.chosen.component)))


def key_of(key: str, available: Sequence[Available], option: str) -> str:
    """Return the name of some text that a key of weights or shares means.

    Args:
        key: A component, a group, a label or any other code of a language.
        available: The text there is.
        option: The option the key stands in, for the message.

    Returns:
        A component, a group or a label.

    Raises:
        ConfigError: If no text is called so.
        LanguageError: If it is no component and no group, and no label meets it; the nearest are listed.
    """
    known = {name for each in available for name in each.names}
    if key in known:
        return key
    if key in COMPONENTS or key in GROUPS:
        kind = "component" if key in COMPONENTS else "group"
        there = [each for each in (COMPONENTS if key in COMPONENTS else GROUPS) if each in known]
        raise ConfigError(
            f"{option} names {key!r}, but there is no text of this {kind} to train on; there is: "
            f"{', '.join(there) or 'none'}: take it out of {option}, or add such text"
        )
    labels = sorted({each.chosen.label for each in available})
    return resolve(key, labels, f"{option} names {key!r}, but the mixture")
