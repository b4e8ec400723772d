"""How much of what is trained on: shares by tokens, epochs, and a cap on repetition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from emma500.errors import ConfigError
from emma500.mixture.documents import Chosen

if TYPE_CHECKING:
    import pandas as pd

Weights = Literal["proportional", "uniform", "temperature"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Available:
    """What there is of one label: its sources, documents and tokens (an end token for each document included)."""

    chosen: Chosen
    sources: list[str]
    n_documents: int
    n_tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One label's part in a plan: its share of all tokens, and how often its text is repeated for that."""

    available: Available
    share: float
    epochs: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MixPlan:
    """A mixture of labels, by tokens.

    `n_steps` optimizer steps of `tokens_per_step` tokens are to be filled.
    """

    parts: tuple[Part, ...]
    n_steps: int
    tokens_per_step: int

    @property
    def n_tokens(self) -> int:
        """How many tokens are to be trained on."""
        return self.n_steps * self.tokens_per_step

    def rows(self, n_tokens_trained: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """Return one row a label, as the manifest holds it.

        Args:
            n_tokens_trained: How many tokens of each part the packed rows predict, if they are known already.

        Returns:
            The rows, in the order of the parts.
        """
        planned = [round(part.share * self.n_tokens) for part in self.parts]
        return [
            {
                "component": part.available.chosen.component,
                "label": part.available.chosen.label,
                "replay": part.available.chosen.replay,
                "sources": part.available.sources,
                "n_documents": part.available.n_documents,
                "n_tokens_available": part.available.n_tokens,
                "share": round(part.share, 6),
                "epochs": round(trained / part.available.n_tokens, 4),
                "n_tokens_trained": trained,
            }
            for part, trained in zip(self.parts, n_tokens_trained or planned, strict=True)
        ]

    def to_pandas(self) -> "pd.DataFrame":
        """Return the plan as a table, one row a label."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"MixPlan: {self.n_steps:,} steps x {self.tokens_per_step:,} tokens = {self.n_tokens:,} tokens"
        )
        groups: dict[str, list[Part]] = {}
        for part in self.parts:
            chosen = part.available.chosen
            groups.setdefault("replay" if chosen.replay else chosen.component, []).append(part)
        for number, (group, parts) in enumerate(groups.items(), start=1):
            last = number == len(groups)
            yield f"{'└─' if last else '├─'} {group} {sum(part.share for part in parts):.1%}"
            for index, part in enumerate(parts, start=1):
                branch = ("   " if last else "│  ") + ("└─" if index == len(parts) else "├─")
                yield (
                    f"{branch} {part.available.chosen.label} {part.share:.1%}: {part.epochs:.2f} epochs "
                    f"of {part.available.n_tokens:,} tokens ({', '.join(part.available.sources)})"
                )


def plan(
    available: Sequence[Available],
    *,
    tokens_per_step: int,
    n_steps: int | None,
    replay_share: float = 0.0,
    code_share: float = 0.0,
    weights: Weights = "proportional",
    temperature: float = 1.0,
    max_epochs: float = 4.0,
) -> MixPlan:
    """Share out the tokens of a training run.

    Args:
        available: What there is of each label.
        tokens_per_step: Tokens of an optimizer step.
        n_steps: Optimizer steps; None for one pass over the text that is neither replay nor code, or as many as the cap
            allows.
        replay_share: The share of replayed text, between 0 and 1.
        code_share: The share of code, between 0 and 1.
        weights: How the rest is shared: by tokens ("proportional"), equally among the labels ("uniform"), or by
            tokens to the power of `1 / temperature` ("temperature").
        temperature: 1 is proportional, infinity is uniform.
        max_epochs: How often any text may be repeated.

    Returns:
        The plan.

    Raises:
        ConfigError: If a label would be repeated too often; the message states the largest run that is possible.
    """
    kept = [each for each in available if each.n_tokens]
    if not kept:
        raise ConfigError(
            "there is no text to train on: no training row is left of the languages and sources asked for"
        )
    fixed = {"replay": replay_share, "code": code_share}
    shares = _shares(
        kept, fixed, 1.0 if weights == "proportional" else temperature, weights == "uniform"
    )
    sizes = np.array([each.n_tokens for each in kept])
    capped = int((max_epochs * sizes / shares).min() // tokens_per_step)
    if n_steps is None:
        new = [_group(each.chosen) == "" for each in kept]
        once = sizes[new].sum() / shares[new].sum()
        n_steps = min(capped, max(1, round(once / tokens_per_step)))
    if n_steps > capped or n_steps < 1:
        _refuse(
            kept,
            shares,
            max(n_steps, 1),
            tokens_per_step=tokens_per_step,
            max_epochs=max_epochs,
            capped=capped,
        )
    epochs = shares * n_steps * tokens_per_step / sizes
    return MixPlan(
        parts=tuple(
            Part(available=each, share=float(share), epochs=float(times))
            for each, share, times in zip(kept, shares, epochs, strict=True)
        ),
        n_steps=n_steps,
        tokens_per_step=tokens_per_step,
    )


def _group(chosen: Chosen) -> str:
    """Return the name of the group whose share is fixed, or "" for the text that shares the rest."""
    return "replay" if chosen.replay else "code" if chosen.component == "code" else ""


def _shares(
    kept: Sequence[Available], fixed: dict[str, float], temperature: float, uniform: bool
) -> np.ndarray:
    power = 0.0 if uniform else 1.0 / temperature
    weights = np.array([each.n_tokens for each in kept], np.float64) ** power
    groups = [_group(each.chosen) for each in kept]
    present = {name: share for name, share in fixed.items() if name in groups}
    present[""] = 1.0 - sum(present.values())
    if "" not in groups:
        raise ConfigError(
            "there is nothing to train on beside replay and code: name languages with text of their own"
        )
    shares = np.zeros(len(kept))
    for name, share in present.items():
        members = np.array([each == name for each in groups])
        shares[members] = share * weights[members] / weights[members].sum()
    if (shares <= 0).any():
        empty = [each.chosen.label for each, share in zip(kept, shares, strict=True) if share <= 0]
        raise ConfigError(
            f"the shares leave nothing for {', '.join(empty)}: replay_share and code_share must be "
            "above 0, and below 1 together"
        )
    return shares


def _refuse(
    kept: Sequence[Available],
    shares: np.ndarray,
    n_steps: int,
    *,
    tokens_per_step: int,
    max_epochs: float,
    capped: int,
) -> None:
    epochs = [
        share * n_steps * tokens_per_step / each.n_tokens
        for each, share in zip(kept, shares, strict=True)
    ]
    worst = int(np.argmax(epochs))
    chosen = kept[worst].chosen
    way_out = (
        f"at most {capped:,} steps are possible: lower max_steps"
        if capped
        else "not one step is possible: lower max_length or gradient_accumulation_steps"
    )
    raise ConfigError(
        f"{n_steps:,} steps of {tokens_per_step:,} tokens would repeat the {chosen.component} text in {chosen.label} "
        f"{epochs[worst]:.1f} times ({kept[worst].n_tokens:,} tokens, share {shares[worst]:.1%}), above the cap "
        f"max_epochs={max_epochs:g}; {way_out}, add text, change the weights, or raise max_epochs"
    )
