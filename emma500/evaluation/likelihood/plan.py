"""What is computed once: prefixes that are kept, and trees that are packed into rows after them."""

from dataclasses import dataclass, field

from emma500.evaluation.likelihood.trie import Sequences

WORTH = 0.15
"""Share of the tokens that keeping a prefix, or sharing at all, must save."""

_SLACK = 1.25
"""A tree may be that many times as long as its longest sequence, however long this is: one row holds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """The tokens from index `start` to before `stop` of the sequences from `first` to before `last`, as a tree."""

    first: int
    last: int
    start: int
    stop: int
    n_tokens: int


@dataclass(eq=False, kw_only=True, slots=True)
class Prefix:
    """A piece that all trees of a group share: computed once, its keys and values kept."""

    piece: Piece
    parent: "Prefix | None"


@dataclass(eq=False, kw_only=True, slots=True)
class Group:
    """Trees that go on from the same prefix."""

    prefix: Prefix | None
    trees: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Groups in an order in which each prefix is needed once, and how many tokens all of it feeds."""

    groups: list[Group]
    n_tokens: int


def make_plan(found: Sequences, capacity: int) -> Plan:
    """Cut the trie into trees of at most `capacity` tokens, where no sequence is longer, and prefixes to keep.

    Args:
        found: The sequences.
        capacity: Tokens a row.

    Returns:
        The plan; its groups are in the order of the sequences.
    """
    groups: dict[Prefix | None, Group] = {}
    n_tokens = 0
    waiting: list[tuple[int, int, Prefix | None]] = [(0, len(found.tokens), None)]
    while waiting:
        first, last, prefix = waiting.pop()
        start = 0 if prefix is None else prefix.piece.stop
        size = found.n_tokens(first, last, start)
        longest = int(found.lengths[first:last].max())
        if last - first == 1 or size <= max(capacity, _SLACK * (longest - start)):
            if size:
                group = groups.setdefault(prefix, Group(prefix=prefix))
                group.trees.append(
                    Piece(first=first, last=last, start=start, stop=longest, n_tokens=size)
                )
                n_tokens += size
            continue
        depth, bounds = found.split(first, last)
        if (len(bounds) - 2) * (depth - start) >= WORTH * size:
            kept = Piece(first=first, last=last, start=start, stop=depth, n_tokens=depth - start)
            prefix = Prefix(piece=kept, parent=prefix)
            n_tokens += kept.n_tokens
        waiting += [(*pair, prefix) for pair in zip(bounds[-2::-1], bounds[:0:-1], strict=True)]
    return Plan(groups=list(groups.values()), n_tokens=n_tokens)
