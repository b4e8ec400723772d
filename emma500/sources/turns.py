"""Conversations and tasks with answers as texts.

The template is plain: turns as they stand, in their order, a blank line between them; what is blank is left out. With
`Options.turn` each is written otherwise, as "{role}: {content}". A task's input belongs to its turn.
"""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.sources.extras import Extras, document_rows, one, strings
from emma500.sources.listing import code_in_path
from emma500.sources.options import Options
from emma500.sources.reading import Given
from emma500.sources.types import Types, is_list, is_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

MESSAGE_COLUMNS = ("messages", "conversations", "conversation")

TURN_FIELDS = (("role", "content"), ("from", "value"))

TURN_COLUMNS = (
    ("instruction", "input", "output"), ("instruction", "output"), ("inputs", "targets"),
    ("prompt", "response"), ("prompt", "completion"), ("question", "answer"),
)  # fmt: skip
"""Where a task and its answer are looked for, in the order they are written."""

BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Conversations:
    """How a column holds conversations: a list of turns, or a list of roles and a list of contents."""

    role: str
    content: str
    in_columns: bool

    @classmethod
    def of(cls, kind: pa.DataType) -> "Conversations | None":
        """Return how a column of a type holds conversations, or None if it holds none."""
        in_columns = pa.types.is_struct(kind)
        turn = kind if in_columns else kind.value_type if is_list(kind) else pa.null()
        if not pa.types.is_struct(turn):
            return None
        for role, content in TURN_FIELDS:
            places = [turn.get_field_index(each) for each in (role, content)]
            if min(places) >= 0:
                kinds = [turn.field(place).type for place in places]
                if all(is_list(each) if in_columns else is_text(each) for each in kinds):
                    return cls(role, content, in_columns)
        return None

    @property
    def kind(self) -> pa.DataType:
        """The type to read the column as."""
        inner = pa.list_(pa.string()) if self.in_columns else pa.string()
        turn = pa.struct([(self.role, inner), (self.content, inner)])
        return turn if self.in_columns else pa.list_(turn)

    def texts(self, array: pa.Array, turn: str) -> pa.Array:
        """Write each conversation as one text.

        Args:
            array: The conversations, large lists and strings.
            turn: How one turn is written.

        Returns:
            The texts; null where a turn has no text at all, such as a picture or a call of a tool.
        """
        if self.in_columns:
            roles, contents = (pc.struct_field(array, name) for name in (self.role, self.content))
            lengths = lengths_of(contents)
            is_whole = lengths == lengths_of(roles)
            roles, contents = roles.flatten(), contents.flatten()
            if not is_whole.all():  # which role is whose cannot be told: all are read without
                roles = pa.repeat(pa.scalar("", contents.type), len(contents))
        else:
            turns, lengths = array.flatten(), lengths_of(array)
            is_whole = np.ones(len(lengths), bool)
            roles, contents = (pc.struct_field(turns, name) for name in (self.role, self.content))
        written = written_turn(turn, named(roles), contents)
        kept = has_text(contents).to_numpy(zero_copy_only=False)
        ends = np.cumsum(lengths)
        bounds = np.concatenate([[0], ends])
        missing = sums(np.asarray(pc.is_null(contents)), bounds)
        lists = pa.ListArray.from_arrays(
            pa.array(np.concatenate([[0], np.cumsum(kept)])[bounds], pa.int32()),
            written.filter(pa.array(kept)),
        )
        texts = pc.binary_join(lists, pa.scalar(BETWEEN, pa.large_string()))
        return pc.if_else(pa.array(is_whole & (missing == 0)), texts, pa.scalar(None, texts.type))


@dataclass(frozen=True, kw_only=True, slots=True)
class Messages:
    """Records with a conversation: `[{"role": …, "content": …}, …]` or `[{"from": …, "value": …}, …]`."""

    column: str
    conversations: Conversations
    turn: str
    extras: Extras
    component: str

    @classmethod
    def of(cls, types: Types, options: Options) -> "Messages | None":
        """Return the shape if there is a conversation."""
        named = options.column("messages")
        for name in (named,) if named else MESSAGE_COLUMNS:
            found = Conversations.of(types[name]) if name in types else None
            if found is not None:
                return cls(
                    column=name,
                    conversations=found,
                    turn=options.turn,
                    extras=Extras.of(types, options, (name,)),
                    component=options.component or "instruction",
                )
        return None

    @property
    def fields(self) -> pa.Schema:
        """The columns to read."""
        names = [(each, pa.string()) for each in self.extras.names]
        return pa.schema([(self.column, self.conversations.kind), *dict(names).items()])

    @property
    def texts(self) -> frozenset[str]:
        """The conversation."""
        return frozenset({self.column})

    def placed(self, parts: list[str]) -> "Messages":
        """Return it with the language a path says."""
        return replace(self, extras=self.extras.placed(code_in_path(parts)))

    def rows(self, table: pa.Table, given: Given) -> pa.RecordBatch:
        """Build a row a conversation."""
        texts = self.conversations.texts(one(table, self.column), self.turn)
        return document_rows(given, self.component, texts, extras=self.extras, table=table)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turns:
    """Records with a task, perhaps its input, and its answer, each a column."""

    columns: tuple[str, ...]
    turn: str
    extras: Extras
    component: str

    @classmethod
    def of(cls, types: Types, options: Options) -> "Turns | None":
        """Return the shape if there is a task and its answer."""
        asked = (options.column("prompt"), options.column("response"))
        forms = (asked,) if all(asked) else TURN_COLUMNS
        for form in forms:
            names = tuple(each for each in form if each)
            if all(each in types and is_text(types[each]) for each in names):
                extras = Extras.of(types, options, names)
                component = options.component or "instruction"
                return cls(columns=names, turn=options.turn, extras=extras, component=component)
        return None

    @property
    def fields(self) -> pa.Schema:
        """The columns to read."""
        return strings(*self.columns, *self.extras.names)

    @property
    def texts(self) -> frozenset[str]:
        """The task and its answer."""
        return frozenset(self.columns)

    def placed(self, parts: list[str]) -> "Turns":
        """Return it with the language a path says."""
        return replace(self, extras=self.extras.placed(code_in_path(parts)))

    def rows(self, table: pa.Table, given: Given) -> pa.RecordBatch:
        """Build a row a task; one without a task or without an answer is refused."""
        task, *inputs, answer = (one(table, name) for name in self.columns)
        asked = written_turn(self.turn, "user", joined([task, *inputs]))
        both = joined([asked, written_turn(self.turn, "assistant", answer)])
        is_whole = pc.and_(has_text(task), has_text(answer))
        texts = pc.if_else(is_whole, both, pa.scalar(None, both.type))
        return document_rows(given, self.component, texts, extras=self.extras, table=table)


def written_turn(turn: str, role: pa.Array | str, contents: pa.Array) -> pa.Array:
    """Write turns by a template of {role} and {content}; one without text stays as it is."""
    said = {"{role}": role, "{content}": contents}
    parts = [said.get(each, each) for each in re.split(r"(\{role\}|\{content\})", turn) if each]
    arrays = [
        pa.scalar(each, pa.large_string()) if isinstance(each, str) else each for each in parts
    ]
    written = pc.binary_join_element_wise(*arrays, pa.scalar("", pa.large_string()))
    return pc.if_else(has_text(contents), written, contents)


def named(roles: pa.Array) -> pa.Array:
    """Return roles by their usual names: ShareGPT's human and gpt are user and assistant."""
    for other, usual in (("human", "user"), ("gpt", "assistant")):
        roles = pc.if_else(pc.equal(roles, other), pa.scalar(usual, roles.type), roles)
    return pc.fill_null(roles, "")


def joined(sides: list[pa.Array]) -> pa.Array:
    """Join texts by blank lines; those that are blank or null are left out."""
    # Not binary_join_element_wise with null_handling="skip": Arrow (25.0) loses the rows where all are null.
    none, between = pa.scalar(None, pa.large_string()), pa.scalar(BETWEEN, pa.large_string())
    texts = pa.nulls(len(sides[0]), pa.large_string())
    for side in sides:
        given = pc.if_else(has_text(side), side, none)
        both = pc.binary_join_element_wise(texts, given, between)
        texts = pc.coalesce(both, texts, given)
    return texts


def has_text(texts: pa.Array) -> pa.Array:
    """Tell which texts are neither null nor blank."""
    blank = pc.or_(pc.equal(pc.binary_length(texts), 0), pc.utf8_is_space(texts))
    return pc.fill_null(pc.invert(blank), False)


def lengths_of(lists: pa.Array) -> "NDArray[np.int64]":
    """Return how many items each list has; null has none."""
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0), np.int64)


def sums(values: "NDArray[np.bool_]", bounds: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Return how many of the values are true between each bound and the next."""
    return np.diff(np.concatenate([[0], np.cumsum(values)])[bounds])
