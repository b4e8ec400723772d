"""Texts -> requests of token ids, by the rules of lm-evaluation-harness 0.4.13."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emma500.errors import ConfigError
from emma500.models import prefix_token


@dataclass(frozen=True, slots=True)
class Request:
    """What to score: the ids of a continuation, given the ids of its context; neither is empty."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.context:
            raise ConfigError(
                "the context of a request is empty: it holds at least the prefix token"
            )
        if not self.continuation:
            raise ConfigError("the continuation of a request is empty: there is nothing to score")


@dataclass(frozen=True, slots=True)
class Scored:
    """The log-likelihood of a continuation in nats, its tokens, and whether greedy decoding gives it."""

    loglikelihood: float
    n_tokens: int
    is_greedy: bool


def encode_pair(tokenizer: Any, context: str, continuation: str) -> Request:
    """Encode one pair of texts as `encode_pairs` does.

    Args:
        tokenizer: A tokenizer of transformers.
        context: The text before; may be empty.
        continuation: The text to score.

    Returns:
        The request.

    Raises:
        ConfigError: If no token of the continuation is left.
    """
    return encode_pairs(tokenizer, [(context, continuation)])[0]


def encode_pairs(tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> list[Request]:
    """Encode contexts and continuations as lm-evaluation-harness does.

    Spaces at the end of the context move to the continuation; both are encoded as one text, which is cut after as many
    tokens as the context has alone. Where the context is empty the prefix token (BOS, else EOS) stands for it.

    Args:
        tokenizer: A tokenizer of transformers.
        pairs: (context, continuation) each; a context may be empty.

    Returns:
        The requests, in their order.

    Raises:
        ConfigError: If no token of a continuation is left.
    """
    split = [_spaces_moved(*pair) for pair in pairs]
    texts = dict.fromkeys(context for context, _ in split if context)
    texts |= dict.fromkeys(context + continuation for context, continuation in split if context)
    with_context = _encode(tokenizer, list(texts))
    bare = _encode(
        tokenizer, [continuation for context, continuation in split if not context], special=False
    )
    requests = []
    for (context, continuation), pair in zip(split, pairs, strict=True):
        if context:
            head, whole = with_context[context], with_context[context + continuation]
            tail = whole[len(head) :]
        else:
            head, tail = _after_prefix(prefix_token(tokenizer), bare[continuation])
        if not head or not tail:
            part, text = ("continuation", pair[1]) if head else ("context", pair[0])
            raise ConfigError(
                f"the {part} {text[:80]!r} has no tokens (context {pair[0][-80:]!r}, continuation {pair[1][:80]!r}): "
                "a label or choice must not be empty, nor melt into the token before it"
            )
        requests.append(Request(head, tail))
    return requests


def rolling_requests(tokens: Sequence[int], *, prefix: int, max_length: int) -> list[Request]:
    """Cut a text into requests whose log-likelihoods add up to that of the text, each token scored once.

    As lm-evaluation-harness: windows of `max_length` tokens, the first after the prefix token, each later one after the
    last token before it; the last window is filled up with context to the left.

    Args:
        tokens: The token ids of the text, without special tokens.
        prefix: The token the text starts with.
        max_length: Tokens the model takes.

    Returns:
        The requests; none for no tokens.
    """
    stream = (prefix, *tokens)
    requests = []
    for start in range(0, len(tokens), max_length):
        stop = min(start + max_length, len(tokens))
        begin = start if start == 0 else min(start, stop - max_length)
        requests.append(Request(stream[begin : start + 1], stream[start + 1 : stop + 1]))
    return requests


def fitted(request: Request, max_length: int) -> Request:
    """Return what the model is fed of a request: its context cut on the left to the tokens that the model takes."""
    room = max(1, max_length - len(request.continuation) + 1)
    if len(request.context) <= room:
        return request
    return Request(request.context[-room:], request.continuation)


def _spaces_moved(context: str, continuation: str) -> tuple[str, str]:
    stripped = context.rstrip()
    return stripped, context[len(stripped) :] + continuation


def _after_prefix(prefix: int, tokens: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Put the prefix token before the tokens, unless they start with it."""
    if tokens[:1] == (prefix,):
        return tokens[:1], tokens[1:]
    return (prefix,), tokens


def _encode(
    tokenizer: Any, texts: list[str], *, special: bool | None = None
) -> dict[str, tuple[int, ...]]:
    """Return the tokens of each text; special tokens as the tokenizer adds them, never a second BOS."""
    bos = tokenizer.bos_token
    groups: dict[bool, list[str]] = {True: [], False: []}
    for text in texts:
        wanted = not (bos and text.startswith(bos)) if special is None else special
        groups[wanted].append(text)
    encoded: dict[str, tuple[int, ...]] = {}
    for wanted, members in groups.items():
        if members:
            ids = tokenizer(members, add_special_tokens=wanted, verbose=False)["input_ids"]
            encoded |= {text: tuple(each) for text, each in zip(members, ids, strict=True)}
    return encoded
