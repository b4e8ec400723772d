"""Choice and classification: the log-likelihood of each option after its context."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from emma500.benchmarks.base import Example
from emma500.errors import ConfigError
from emma500.evaluation.metrics.choices import accuracy
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.tasks.parts import Part
from emma500.progress import Progress

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import Request, Scored


class Scorer(Protocol):
    """What scores continuations, as `likelihood.LikelihoodScorer`."""

    max_length: int

    def score(
        self,
        requests: "Sequence[Request]",
        *,
        names: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> "list[Scored]":
        """Return the result of each request, in their order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An item as the model sees it: a request an option, their characters, and whether its prompt was cut."""

    example: Example
    options: tuple[str, ...]
    gold: int
    lengths: tuple[float, ...]
    context: str
    n_shots: int
    requests: "tuple[Request, ...]"
    is_truncated: bool


def ask(part: Part, tokenizer: Any, max_length: int) -> list[Asked]:
    """Turn items into requests.

    Args:
        part: The items.
        tokenizer: The model's tokenizer.
        max_length: Tokens the model takes; how a longer prompt is cut is the switch "truncation".

    Returns:
        One an item.

    Raises:
        ConfigError: If an option has no tokens.
        SourceError: If the class of an item is none of the labels.
    """
    drawn = list(zip(part.examples, part.shots, strict=True))
    encoded = _encoded(part, drawn, tokenizer)
    window = _Window(tokenizer, max_length)
    return [
        _asked(part, each, requests, window) for each, requests in zip(drawn, encoded, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Window:
    tokenizer: Any
    max_length: int


def _asked(
    part: Part,
    drawn: tuple[Example, Sequence[Example]],
    requests: "list[Request]",
    window: _Window,
) -> Asked:
    """Fit the prompt of an item into the window."""
    (example, shots), max_length = drawn, window.max_length
    kept = list(shots)
    while _too_long(requests, max_length) and kept and part.practice["truncation"] == "shots":
        kept = kept[1:]
        (requests,) = _encoded(part, [(example, kept)], window.tokenizer)
    is_truncated = len(kept) < len(shots) or _too_long(requests, max_length)
    if _too_long(requests, max_length):
        requests = [_cut(each, max_length, part.practice["truncation"]) for each in requests]
    options, gold = part.prompt.options(example), part.prompt.gold(example)
    delimiter = len(part.prompt.delimiter)
    pairs = part.prompt.pairs(example, kept)
    return Asked(
        example=example,
        options=options,
        gold=gold,
        lengths=tuple(float(len(text) - delimiter) for _, text in pairs),
        context=pairs[gold][0],
        n_shots=len(kept),
        requests=tuple(requests),
        is_truncated=is_truncated,
    )


def measure(
    part: Part, asked: Sequence[Asked], logliks: Sequence[Sequence[float]]
) -> list[Measured]:
    """Measure the metrics of a benchmark of choices.

    Args:
        part: The items.
        asked: What the model was asked.
        logliks: The log-likelihood of each option of each item, in nats.

    Returns:
        Accuracy, and by the length of the options in characters where the benchmark has it.
    """
    orders = [_order(part, each) for each in asked]
    scores = [
        [row[place] for place in order] for row, order in zip(logliks, orders, strict=True)
    ]  # fmt: skip
    gold = [order.index(each.gold) for each, order in zip(asked, orders, strict=True)]
    ties: Any = "split" if part.practice["ties"] == "split" else "first"
    found = [accuracy(scores, gold, ties=ties)]
    if "acc_norm" in part.benchmark.row["metrics"].split():
        lengths = [
            [each.lengths[place] for place in order]
            for each, order in zip(asked, orders, strict=True)
        ]
        found.append(accuracy(scores, gold, lengths=lengths, ties=ties))
    return found


def _order(part: Part, asked: Asked) -> list[int]:
    """Return the order in which the first of the best options wins."""
    places = list(range(len(asked.options)))
    if part.practice["ties"] == "last_label":
        places.sort(key=lambda place: asked.options[place], reverse=True)
    return places


def _encoded(
    part: Part, drawn: Sequence[tuple[Example, Sequence[Example]]], tokenizer: Any
) -> "list[list[Request]]":
    """Return the requests of each item, encoded together."""
    from emma500.evaluation.likelihood import encode_pairs

    pairs = [part.prompt.pairs(example, shots) for example, shots in drawn]
    flat = [pair for group in pairs for pair in group]
    is_label = part.benchmark.shape == "classification"
    encode = (
        _last_pieces
        if is_label and part.practice["label_scoring"] == "last_piece"
        else encode_pairs
    )
    try:
        requests = iter(encode(tokenizer, flat))
    except ConfigError as error:
        raise ConfigError(f"{part.benchmark.name}, {part.label}: {error}") from error
    return [[next(requests) for _ in group] for group in pairs]


def _last_pieces(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> "list[Request]":
    """Score the last token of each label alone, as the paper's scripts did."""
    from emma500.evaluation.likelihood import Request

    contexts = {text: () for text, _ in pairs}
    ids = tokenizer(list(contexts), verbose=False)["input_ids"]
    heads = {text: tuple(each) for text, each in zip(contexts, ids, strict=True)}
    requests = []
    for context, label in pairs:
        pieces = tokenizer(label, verbose=False)["input_ids"]
        if not pieces:
            raise ConfigError(f"the label {label!r} has no tokens: a label must not be empty")
        requests.append(Request(heads[context], (pieces[-1],)))
    return requests


def _too_long(requests: "Sequence[Request]", max_length: int) -> bool:
    return any(len(each.context) + len(each.continuation) - 1 > max_length for each in requests)


def _cut(request: "Request", max_length: int, truncation: str) -> "Request":
    """Cut a context: its end as the paper's scripts did, else its start."""
    from emma500.evaluation.likelihood import Request

    room = max_length - len(request.continuation) + 1
    if room < 1:
        raise ConfigError(
            f"an answer of {len(request.continuation)} tokens is longer than the window of {max_length}: "
            "give a longer one (max_prompt), or leave the benchmark out"
        )
    cut = request.context[:room] if truncation == "right" else request.context[-room:]
    return Request(cut, request.continuation)
