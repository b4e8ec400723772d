"""How much of what is trained on: shares by tokens, epochs, stages, and a cap on repetition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emma500.errors import ConfigError
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.presets import Stage
from emma500.mixture.planning.sizing import Sizing
from emma500.mixture.planning.tree import tree

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One label's part in a plan.

    Attributes:
        available: What there is of it.
        share: Its share of all tokens of the run.
        epochs: How often its text is repeated for that.
        stage_shares: Its share of the tokens of each stage.
    """

    available: Available
    share: float
    epochs: float
    stage_shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MixPlan:
    """A mixture of labels, by tokens: what is read how often, and when.

    `n_steps` optimizer steps of `tokens_per_step` tokens are to be filled. It prints as a tree.

    Attributes:
        parts: The labels that are read.
        n_steps: Optimizer steps.
        tokens_per_step: Tokens of a step.
        stages: What was asked for, in order.
        stage_steps: The step at which each stage ends.
        left_out: The labels with text whose weight is 0.
        unit: What is counted: "tokens", or what an estimate before tokenizing counts.
    """

    parts: tuple[Part, ...]
    n_steps: int
    tokens_per_step: int
    stages: tuple[Stage, ...] = (Stage(),)
    stage_steps: tuple[int, ...] = ()
    left_out: tuple[Available, ...] = ()
    unit: str = "tokens"

    @property
    def n_tokens(self) -> int:
        """How many tokens are to be trained on."""
        return self.n_steps * self.tokens_per_step

    @property
    def stage_ends(self) -> tuple[int, ...]:
        """The position in tokens at which each stage ends; the last is `n_tokens`."""
        return tuple(step * self.tokens_per_step for step in self.stage_steps)

    def tokens_before(self, part: int, position: float) -> float:
        """Return how many tokens of one part's stream are laid when some tokens of the run are.

        Args:
            part: The index of the part.
            position: Tokens of the whole run that are laid, from 0 to `n_tokens`.

        Returns:
            Tokens of the part: 0 at the start, never falling; linear within a stage.
        """
        laid, start = 0.0, 0
        for share, end in zip(self.parts[part].stage_shares, self.stage_ends, strict=True):
            laid += share * max(min(position, end) - start, 0)
            start = end
        return laid

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
                "group": part.available.group,
                "label": part.available.chosen.label,
                "replay": part.available.chosen.replay,
                "sources": part.available.sources,
                "n_documents": part.available.n_documents,
                "n_tokens_available": part.available.n_tokens,
                "share": round(part.share, 6),
                "stage_shares": [round(share, 6) for share in part.stage_shares],
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
        return "\n".join(tree(self))


def plan(
    available: Sequence[Available],
    *,
    tokens_per_step: int,
    n_steps: int | None,
    stages: Sequence[Stage] = (Stage(),),
    max_epochs: float = 4.0,
    required: Sequence[str] = (),
    unit: str = "tokens",
) -> MixPlan:
    """Share out the tokens of a training run.

    Args:
        available: What there is of each label.
        tokens_per_step: Tokens of an optimizer step.
        n_steps: Optimizer steps; None for one pass over the text that is neither replay nor code, or as many as the cap
            allows.
        stages: How the tokens are shared, one stage after the other.
        max_epochs: How often any text may be repeated.
        required: Components that a published mixture must find text of.
        unit: What `n_tokens` of the available text counts.

    Returns:
        The plan.

    Raises:
        ConfigError: If a label would be repeated too often; the message states the largest run that is possible. Also
            if weights or shares are given to text that is not there.
    """
    kept = [each for each in available if each.n_tokens]
    if not kept:
        raise ConfigError(
            "there is no text to train on: no training row is left of the languages and sources asked for"
        )
    sizing = Sizing(
        kept, stages, tokens_per_step=tokens_per_step, max_epochs=max_epochs, required=required
    )
    wanted = sizing.one_pass() if n_steps is None else n_steps
    if not sizing.fits(wanted):
        largest = sizing.largest(wanted)
        if n_steps is not None or not largest:
            sizing.refuse(wanted, largest)
        wanted = largest
    sizing.check_stages(wanted)
    shares, epochs = sizing.shares(wanted), sizing.epochs(wanted)
    return MixPlan(
        parts=tuple(
            Part(
                available=each,
                share=float(epochs[i] * each.n_tokens / (wanted * tokens_per_step)),
                epochs=float(epochs[i]),
                stage_shares=tuple(float(stage[i]) for stage in shares),
            )
            for i, each in enumerate(kept)
            if epochs[i]
        ),
        n_steps=wanted,
        tokens_per_step=tokens_per_step,
        stages=tuple(stages),
        stage_steps=tuple(sizing.ends(wanted)),
        left_out=tuple(each for i, each in enumerate(kept) if not epochs[i]),
        unit=unit,
    )
