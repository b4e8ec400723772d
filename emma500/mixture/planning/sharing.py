"""How one stage of a run shares its tokens among labels: fixed shares first, then a rule within each of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from emma500.errors import ConfigError
from emma500.mixture.planning.available import REPLAY, Available, key_of
from emma500.mixture.planning.presets import CODE_SHARE, Stage, published_rates, published_shares

_REST = ""
"""The name of the text whose share is not fixed."""


class Sharing:
    """The shares of one stage, as a function of how many tokens there are to share.

    Every label belongs to one pot: that of its own share, of its group's, of its component's, that of replay, or the
    rest. Within a pot the labels share by the stage's mixture.

    Args:
        available: What there is of each label; none without tokens.
        stage: What is asked for.
        required: Components that must have text.

    Raises:
        ConfigError: If a share is given to text that is not there, or the shares leave tokens for no text.
        LanguageError: If weights or shares name a label that is not there.
    """

    def __init__(
        self, available: Sequence[Available], stage: Stage, *, required: Sequence[str] = ()
    ) -> None:
        self._stage = stage
        self._sizes = np.array([each.n_tokens for each in available], np.float64)
        self.factors = _factors(available, stage)
        fixed = {key_of(key, available, "shares"): share for key, share in stage.shares.items()}
        names = [_pot(each, stage, fixed) for each in available]
        self.factors[[fixed.get(name, 1) == 0 for name in names]] = 0
        present = {name for name, factor in zip(names, self.factors, strict=True) if factor > 0}
        _check_components(available, stage, required)
        _check_shares(fixed, present, names)
        shares = _pot_shares(present, fixed, stage)
        self._pots = [
            (np.array([each == name for each in names]), share) for name, share in shares.items()
        ]

    def shares(self, n_tokens: float, room: np.ndarray) -> np.ndarray:
        """Return the share of each label.

        Args:
            n_tokens: The tokens of the stage.
            room: How many tokens of each label may still be laid; only "unimax" asks, (labels,).

        Returns:
            Shares that add up to 1, (labels,), float64.
        """
        found = np.zeros(len(self._sizes))
        for members, share in self._pots:
            found[members] = share * self._within(members, share * n_tokens, room)
        return found

    def _within(self, members: np.ndarray, n_tokens: float, room: np.ndarray) -> np.ndarray:
        sizes, factors = self._sizes[members], self.factors[members]
        if self._stage.mixture == "unimax":
            weights = unimax(np.where(factors > 0, room[members], 0), factors, n_tokens)
            if not weights.any():
                weights = factors * sizes
        elif self._stage.mixture == "uniform":
            weights = factors
        elif self._stage.mixture == "temperature":
            weights = factors * sizes ** (1 / self._stage.temperature)
        else:
            weights = factors * sizes
        return weights / weights.sum()

    @property
    def once(self) -> np.ndarray:
        """How many tokens of each label one pass reads: by its weight where labels share by tokens, else all once."""
        by_tokens = self._stage.mixture == "proportional" or self._stage.is_published
        return self._sizes * (self.factors if by_tokens else self.factors > 0)


def unimax(room: np.ndarray, factors: np.ndarray, n_tokens: float) -> np.ndarray:
    """Share tokens equally, but no label beyond its cap: what one cannot take goes to the others (2304.09151).

    Args:
        room: The most tokens each label may have, (labels,).
        factors: Relative parts of labels that are not capped, (labels,).
        n_tokens: The tokens to share.

    Returns:
        Tokens of each label, (labels,), float64; less than `n_tokens` together where there is too little text.
    """
    order = np.argsort(room / np.where(factors > 0, factors, 1), kind="stable")
    caps, parts = room[order], factors[order]
    left = n_tokens - (np.cumsum(caps) - caps)
    levels = left / np.maximum(np.cumsum(parts[::-1])[::-1], np.finfo(float).tiny)
    fits = np.flatnonzero((levels * parts <= caps) & (parts > 0))
    return np.minimum(room, levels[fits[0]] * factors) if len(fits) else room


def _factors(available: Sequence[Available], stage: Stage) -> np.ndarray:
    """Return the published rate of each label times the weight that was asked for."""
    rates = published_rates(stage.mixture)
    asked = {key_of(key, available, "weights"): value for key, value in stage.weights.items()}
    return np.array(
        [(1.0 if each.chosen.replay else _of(each, rates)) * _of(each, asked) for each in available]
    )


def _of(each: Available, values: Mapping[str, float]) -> float:
    """Return the value under the most specific of a label's names; 1 if there is none."""
    return next((values[name] for name in each.names if name in values), 1.0)


def _pot(each: Available, stage: Stage, fixed: Mapping[str, float]) -> str:
    """Return the name of the pot that a label belongs to."""
    if each.chosen.replay:
        return REPLAY
    found = next((name for name in each.names if name in fixed), _REST)
    is_fixed = each.component == "code" or each.component in published_shares(stage.mixture)
    return each.component if not found and is_fixed else found


def _pot_shares(present: set[str], fixed: Mapping[str, float], stage: Stage) -> dict[str, float]:
    """Return the share of each pot: what was asked for stands, published shares fill what is left."""
    shares = {name: share for name, share in fixed.items() if name in present}
    if REPLAY in present:
        shares[REPLAY] = stage.replay_share
    published = published_shares(stage.mixture)
    if "code" in present and not published:
        shares.setdefault("code", CODE_SHARE)
    left = max(1.0 - sum(shares.values()), 0.0)
    relative = {
        name: published[name] for name in published if name in present and name not in shares
    }
    if _REST in present:
        relative[_REST] = max(1.0 - sum(published.values()), 0.0)
    if left > 1e-9 and not sum(relative.values()):
        raise ConfigError(
            f"the shares add up to {1 - left:.1%} of the tokens, and there is no other text to train on: raise them, "
            "or name languages with text of their own"
        )
    total = sum(relative.values())
    return shares | {name: left * each / total for name, each in relative.items()}


def _check_shares(fixed: Mapping[str, float], present: set[str], names: Sequence[str]) -> None:
    """Raise a ConfigError if a share is given to nothing."""
    for name, share in fixed.items():
        if share and name not in present:
            why = "its weight is 0" if name in names else "its labels have shares of their own"
            raise ConfigError(
                f"shares gives {name!r} {share:.1%} of the tokens, but leaves it no text: {why}"
            )


def _check_components(
    available: Sequence[Available], stage: Stage, required: Sequence[str]
) -> None:
    """Raise a ConfigError if a component that a published mixture reads is empty."""
    there = {each.component for each in available}
    rates = published_rates(stage.mixture)
    for component in required:
        if component not in there and rates.get(component, 0) > 0:
            own = [each for each in required if each in there]
            raise ConfigError(
                f"the mixture {stage.mixture} has {component}, but there is no such text to train on: name the "
                f"components there are (components={own}), or add {component} to the corpus"
            )
