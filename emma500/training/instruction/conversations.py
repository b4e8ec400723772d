"""The instruction component as conversations: who said what, read back from the text of a document.

A document holds its turns one behind the other, a blank line between them, each as its source's `turn` template wrote
it (sources/turns.py). With roles in the template they are read back; by default there are none.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from emma500.folder import Corpus
from emma500.sources.turns import BETWEEN

ROLES = {
    "assistant": "assistant", "bot": "assistant", "chatbot": "assistant", "gpt": "assistant", "model": "assistant",
    "human": "user", "instruction": "user", "prompter": "user", "user": "user",
    "system": "system",
}  # fmt: skip
"""What sources call the roles, and what chat templates do."""

Conversation = list[dict[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversations:
    """Conversations of a corpus, and why other documents are none.

    Attributes:
        messages: Each a list of {"role", "content"}, ending with an assistant's turn.
        sources: The names of their sources, sorted.
        n_by_label: How many there are of each label.
        left_out: How many documents were left out, by reason.
    """

    messages: list[Conversation]
    sources: list[str]
    n_by_label: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)


def read_conversations(
    corpus: Corpus,
    labels: Sequence[str],
    split: str,
    *,
    turn: str,
    plain: str,
    most: int | None = None,
) -> Conversations:
    """Read the conversations of some labels.

    Args:
        corpus: The corpus.
        labels: Labels of its instruction component.
        split: "train" or "validation".
        turn: How turns were written, from {role} and {content}.
        plain: What to do with a document without roles: "two" takes it as a task and its answer if it has exactly two
            paragraphs, "first" takes the first paragraph as the task, "skip" leaves it out.
        most: Conversations a label at most; None for all.

    Returns:
        The conversations, in the order of labels and ids.
    """
    reader = _Reader(turn)
    found: list[Conversation] = []
    sources: set[str] = set()
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for label in labels:
        for text, source in _documents(corpus, label, split):
            if counts[label] == most:
                break
            messages = reader.messages(text, plain)
            if isinstance(messages, str):
                left_out[messages] += 1
                continue
            found.append(messages)
            sources.add(source)
            counts[label] += 1
    return Conversations(
        messages=found,
        sources=sorted(sources),
        n_by_label=dict(counts),
        left_out=dict(sorted(left_out.items())),
    )


def _documents(corpus: Corpus, label: str, split: str) -> Iterator[tuple[str, str]]:
    for file in corpus.files("instruction", label, split):
        with corpus.open_parquet(file) as opened:
            for batch in opened.iter_batches(columns=["text", "source"]):
                yield from zip(batch["text"].to_pylist(), batch["source"].to_pylist(), strict=True)


class _Reader:
    """Reads turns that a template wrote."""

    def __init__(self, turn: str) -> None:
        self.pattern = None
        if "{role}" in turn:
            before, _, after = turn.partition("{content}")
            roles = "|".join(ROLES)
            head = re.escape(before).replace(re.escape("{role}"), f"(?P<role>{roles})", 1)
            tail = f"(?:{re.escape(after)})?" if after else ""
            self.pattern = re.compile(rf"(?:\A|{tail}{BETWEEN}){head}", re.IGNORECASE)
            self.after = after

    def messages(self, text: str, plain: str) -> Conversation | str:
        """Return the turns of a text, or why there are none."""
        starts = list(self.pattern.finditer(text)) if self.pattern else []
        if not starts or starts[0].start() > 0:
            return self._without_roles(text, plain)
        ends = [*(each.start() for each in starts[1:]), len(text)]
        turns = [
            {
                "role": ROLES[start["role"].lower()],
                "content": text[start.end() : end].removesuffix(self.after).strip(),
            }
            for start, end in zip(starts, ends, strict=True)
        ]
        while turns and turns[-1]["role"] != "assistant":
            turns.pop()
        if not any(each["role"] == "user" for each in turns):
            return "no task and answer"
        return turns

    def _without_roles(self, text: str, plain: str) -> Conversation | str:
        task, gap, answer = text.partition(BETWEEN)
        if plain == "skip" or not (gap and task.strip() and answer.strip()):
            return "no roles"
        if plain == "two" and BETWEEN in answer.strip():
            return "no roles, more than two paragraphs"
        return [
            {"role": "user", "content": task.strip()},
            {"role": "assistant", "content": answer.strip()},
        ]
