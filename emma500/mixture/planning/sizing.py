"""How long a run can be: one pass over its text, and the most that the cap on repetition allows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn

import numpy as np

from emma500.errors import ConfigError
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.presets import Stage
from emma500.mixture.planning.sharing import Sharing

_ROUNDING = 1e-9
_MOST_NAMES = 5


class Sizing:
    """The stages of a run, for any number of steps.

    Args:
        available: What there is of each label; none without tokens.
        stages: How tokens are shared, one stage after the other.
        tokens_per_step: Tokens of an optimizer step.
        max_epochs: How often any text may be repeated.
        required: Components that a published mixture must find text of.

    Raises:
        ConfigError: If the shares and weights leave nothing to a label they do not leave out.
        LanguageError: If weights or shares name a label that is not there.
    """

    def __init__(
        self,
        available: Sequence[Available],
        stages: Sequence[Stage],
        *,
        tokens_per_step: int,
        max_epochs: float,
        required: Sequence[str] = (),
    ) -> None:
        self._available, self._stages = available, stages
        self._tokens_per_step, self._max_epochs = tokens_per_step, max_epochs
        self._sharings = [Sharing(available, each, required=required) for each in stages]
        self._sizes = np.array([each.n_tokens for each in available], np.float64)
        self._ends = np.cumsum([each.share for each in stages])
        self._check_that_all_get_some()

    def ends(self, n_steps: int) -> list[int]:
        """Return the step at which each stage ends."""
        return [round(n_steps * float(each)) for each in self._ends]

    def shares(self, n_steps: int) -> list[np.ndarray]:
        """Return the shares of each stage, (labels,) each."""
        left = self._max_epochs * self._sizes
        found = []
        for sharing, n_tokens in zip(self._sharings, self._lengths(n_steps), strict=True):
            found.append(sharing.shares(n_tokens, left))
            left = np.maximum(left - found[-1] * n_tokens, 0)
        return found

    def epochs(self, n_steps: int) -> np.ndarray:
        """Return how often the text of each label is read, (labels,)."""
        laid = zip(self._lengths(n_steps), self.shares(n_steps), strict=True)
        return np.sum([n_tokens * shares for n_tokens, shares in laid], axis=0) / self._sizes

    def one_pass(self) -> int:
        """Return the steps of one pass over the text that is neither replay nor code, at least one a stage."""
        new = np.array([each.component not in {"replay", "code"} for each in self._available])
        new = new if new.any() else ~new
        once = np.max([each.once for each in self._sharings], axis=0)[new].sum()
        n_steps = max(1000, round(self._sizes.sum() / self._tokens_per_step))
        share = (self.epochs(n_steps) * self._sizes)[new].sum() / (n_steps * self._tokens_per_step)
        return max(len(self._stages), round(once / share / self._tokens_per_step))

    def fits(self, n_steps: int) -> bool:
        """Tell whether no label is repeated beyond the cap."""
        return bool((self.epochs(n_steps) <= self._max_epochs * (1 + _ROUNDING)).all())

    def largest(self, below: int) -> int:
        """Return the most steps that fit, 0 if none do; `below` do not."""
        low, high = 0, below
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.fits(middle) else (low, middle)
        return low

    def check_stages(self, n_steps: int) -> None:
        """Raise a ConfigError if a stage is too short for one step."""
        for number, (start, end) in enumerate(pairwise([0, *self.ends(n_steps)]), start=1):
            if start == end:
                raise ConfigError(
                    f"stage {number} is {self._stages[number - 1].share:.1%} of {n_steps:,} steps, less than one step: "
                    "raise its share or max_steps"
                )

    def refuse(self, n_steps: int, largest: int) -> NoReturn:
        """Raise the ConfigError of a run that repeats text too often.

        Raises:
            ConfigError: Always; it names the text that is repeated most, and what to change.
        """
        epochs = self.epochs(n_steps)
        worst = int(np.argmax(epochs))
        each = self._available[worst]
        n_others = int((epochs > self._max_epochs * (1 + _ROUNDING)).sum()) - 1
        share = epochs[worst] * each.n_tokens / (n_steps * self._tokens_per_step)
        labels = "label" if n_others == 1 else "labels"
        others = f" (and that of {n_others:,} more {labels} too often)" if n_others else ""
        way_out = (
            f"at most {largest:,} steps are possible ({largest * self._tokens_per_step:,} tokens): lower max_steps"
            if largest
            else "not one step is possible: lower max_length or gradient_accumulation_steps"
        )
        group = f"{each.group} " if each.group else ""
        change = (
            "lower replay_share, name more replay_languages"
            if each.component == "replay"
            else "lower its weights or shares, give what it cannot take to others with mixture=unimax"
        )
        raise ConfigError(
            f"{n_steps:,} steps of {self._tokens_per_step:,} tokens would repeat the {group}{each.component} text in "
            f"{each.chosen.label} {epochs[worst]:.1f} times ({each.n_tokens:,} tokens, share {share:.1%}){others}, "
            f"above the cap max_epochs={self._max_epochs:g}; {way_out}, add text, {change}, or "
            "raise max_epochs"
        )

    def _lengths(self, n_steps: int) -> list[int]:
        """Return the tokens of each stage."""
        ends = [0, *self.ends(n_steps)]
        return [(end - start) * self._tokens_per_step for start, end in pairwise(ends)]

    def _check_that_all_get_some(self) -> None:
        wanted = np.max([each.factors for each in self._sharings], axis=0) > 0
        if not wanted.any():
            raise ConfigError("every label has the weight 0: there is nothing to train on")
        empty = wanted & (np.max(self.shares(1000 * len(self._stages)), axis=0) <= 0)
        if empty.any():
            names = [self._available[i].chosen.label for i in np.flatnonzero(empty).tolist()]
            more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
            raise ConfigError(
                f"the shares leave nothing for {', '.join(names[:_MOST_NAMES])}{more}: replay_share must be above 0, "
                "and all shares below 1 together; a weight of 0 leaves text out"
            )
