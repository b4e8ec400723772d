"""What a mixture is asked to be: a rule or a published one, weights and shares on top of it, in stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from emma500.configuration import require
from emma500.errors import ConfigError
from emma500.languages.labels import RESOURCE_GROUPS
from emma500.records import COMPONENTS
from emma500.tables import read_table

Mixture = Literal[
    "proportional", "uniform", "temperature", "unimax", "emma500", "emma500-bi", "emma500-mono"
]

RULES = ("proportional", "uniform", "temperature", "unimax")
"""How labels can share tokens; the other mixtures are rows of `tables/mixtures.tsv`, and proportional within."""

MIXTURES = (*RULES, *dict.fromkeys(row["mixture"] for row in read_table("mixtures")))

ENGLISH = "English"
"""The group of English, which the published mixtures keep apart from the other languages with much text."""

GROUPS = (ENGLISH, *RESOURCE_GROUPS)
"""The groups of monolingual text."""

CODE_SHARE = 0.15
"""The share of code where nothing is said of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """How the tokens of a run, or of a part of its steps, are shared.

    Attributes:
        share: This stage's part of the run's steps.
        mixture: One of `MIXTURES`.
        temperature: For "temperature": labels share by tokens to the power of its inverse.
        weights: Factors on what the mixture gives, by component, group of monolingual text, or label; the most specific
            counts. 0 leaves out.
        shares: Parts of all tokens, by the same keys; the rest of the text shares the rest of the tokens.
        replay_share: The part of replayed text.

    Raises:
        ConfigError: If a value breaks its rule.
    """

    share: float = 1.0
    mixture: str = "proportional"
    temperature: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    replay_share: float = 0.0

    def __post_init__(self) -> None:
        require(self, "share", lambda value: 0 < value <= 1, "above 0 and at most 1")
        require(self, "mixture", lambda value: value in MIXTURES, f"one of {', '.join(MIXTURES)}")
        require(self, "temperature", lambda value: value > 0, "above 0")
        require(self, "replay_share", lambda value: 0 <= value < 1, "at least 0 and below 1")
        require(self, "weights", _all(lambda value: 0 <= value < float("inf")), "0 or more each")
        require(self, "shares", _all(lambda value: 0 <= value <= 1), "between 0 and 1 each")
        total = sum(self.shares.values()) + self.replay_share
        if total > 1 + 1e-9:
            raise ConfigError(
                f"the shares add up to {total:.1%} of the tokens ({self._told()}): lower some of them"
            )

    @property
    def is_published(self) -> bool:
        """True for a mixture of the table: it tells of all components, so nothing is replayed beside it unasked."""
        return self.mixture not in RULES

    def _told(self) -> str:
        named = {
            **self.shares,
            **({"replay_share": self.replay_share} if self.replay_share else {}),
        }
        return ", ".join(f"{key} {share:.1%}" for key, share in named.items())


def stages_of(
    given: Sequence[Mapping[str, Any]], whole: Mapping[str, Any], name: str
) -> tuple[Stage, ...]:
    """Return the stages of a run.

    Args:
        given: The fields of each stage that differ from those of the whole run; none for one stage.
        whole: The fields of `Stage` where a stage does not say.
        name: What to call the whole run in messages, as "TrainConfig".

    Returns:
        One stage or more; their shares add up to 1.

    Raises:
        ConfigError: If a stage has an unknown field, breaks a rule, or the stages are not the whole run.
    """
    one = _made(whole, name)
    known = [each.name for each in fields(Stage)]
    stages = []
    for number, each in enumerate(given, start=1):
        unknown = sorted(set(each) - set(known))
        if unknown or "share" not in each:
            raise ConfigError(
                f"{name}.stages: stage {number} has no {f'field {unknown[0]!r}' if unknown else 'share of the steps'}; "
                f"a stage needs share, and may have {', '.join(known[1:])}"
            )
        stages.append(_made({**whole, **each}, f"{name}.stages: stage {number}"))
    total = sum(each.share for each in stages)
    if stages and abs(total - 1) > 1e-6:
        raise ConfigError(
            f"{name}.stages must be the whole run together, not {total:.1%} of it: change their shares"
        )
    return tuple(stages) or (one,)


def _made(values: Mapping[str, Any], name: str) -> Stage:
    """Make a stage; an error speaks of what the user wrote."""
    try:
        return Stage(**values)
    except ConfigError as error:
        raise ConfigError(str(error).replace("Stage.", f"{name}.", 1)) from None


def components_of(stages: Sequence[Stage]) -> list[str]:
    """Return the components that stages take where none are named: the published ones, or text and pairs."""
    published = {
        row["key"]
        for each in stages
        for row in read_table("mixtures")
        if row["mixture"] == each.mixture
    }
    found = [each for each in COMPONENTS if each in published]
    return found or ["monolingual", "bilingual"]


def published_rates(mixture: str) -> dict[str, float]:
    """Return how often a published mixture reads each component and group; empty for a rule.

    A component that a published mixture lacks has the rate 0.
    """
    rows = {row["key"]: row for row in read_table("mixtures") if row["mixture"] == mixture}
    if not rows:
        return {}
    absent = dict.fromkeys((each for each in COMPONENTS if each not in rows), 0.0)
    return absent | {key: float(row["rate"]) for key, row in rows.items()}


def published_shares(mixture: str) -> dict[str, float]:
    """Return the components of a published mixture whose share of all tokens is fixed; empty for a rule."""
    return {
        row["key"]: float(row["share"])
        for row in read_table("mixtures")
        if row["mixture"] == mixture and row["share"]
    }


def _all(rule: Any) -> Any:
    """Return whether a rule holds for all values of a mapping of names to numbers."""

    def check(values: Any) -> bool:
        return isinstance(values, Mapping) and all(
            isinstance(value, int | float) and rule(value) for value in values.values()
        )

    return check
