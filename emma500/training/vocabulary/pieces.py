"""New pieces for a BPE tokenizer: its own training, gone on with on new text.

The text is first cut into the tokens of the base tokenizer. BPE then goes on where it stopped: the most frequent pair
of neighbours becomes a piece, and its merge is put behind all merges there are. So a new piece is reached by the merges
that made it, and text without a new pair keeps its tokens. A vocabulary that was trained apart and appended, as in
MaLA-500, has pieces that no merge leads to. `tokenizers` counts and merges: each token stands there as one character.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emma500.errors import ConfigError
from emma500.training.vocabulary.alphabet import Alphabet

_TEXTS_A_BATCH = 1000
_FIRST_CHARACTER = 0x4000
_SURROGATES = (0xD800, 0x800)
_SPACE = 0x20


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """New pieces and the tokenizer that has them.

    Attributes:
        backend: The extended tokenizer, as the JSON of `tokenizers`.
        names: The new pieces as the vocabulary spells them, in the order of their ids.
        ids: Their ids, (pieces,), int64.
        parts: The old ids they are made of, one piece behind the other.
        offsets: Where each piece's parts start, and where the last ones end, (pieces + 1,), int64.
    """

    backend: str
    names: tuple[str, ...]
    ids: np.ndarray
    parts: np.ndarray
    offsets: np.ndarray


def learn_pieces(
    backend: Any, texts: Sequence[str], *, n_pieces: int, min_frequency: int, max_piece_length: int
) -> Pieces:
    """Go on training a BPE tokenizer on new text.

    Args:
        backend: The base tokenizer, of `tokenizers`.
        texts: The text.
        n_pieces: New pieces at most.
        min_frequency: How often a piece must occur when it is made.
        max_piece_length: How many old tokens a piece may be made of.

    Returns:
        The new pieces. Characters that the vocabulary lacks come first (a byte-level one lacks none).

    Raises:
        ConfigError: If the tokenizer is no BPE that merges can be put behind, or the text gives no new piece.
    """
    state = json.loads(backend.to_str())
    _check(state)
    extended = _Extended(state)
    missing = extended.alphabet.missing(_characters(backend, texts), min_frequency)
    for character in missing[:n_pieces]:
        extended.add_character(character)
    room = n_pieces - len(extended.parts)
    if room:
        tokenizer = backend.from_str(extended.text)
        merges = _train(
            tokenizer, texts, room, min_frequency=min_frequency, max_length=max_piece_length
        )
        names = {value: key for key, value in tokenizer.get_vocab(with_added_tokens=True).items()}
        extended.add_merges(merges, names, room)
    if not extended.parts:
        raise ConfigError(
            f"{sum(map(len, texts)):,} characters of text give no piece that occurs {min_frequency} times: lower "
            "min_frequency, or give more text (max_bytes, languages)"
        )
    return extended.pieces()


def _check(state: dict[str, Any]) -> None:
    model = state["model"]
    affixes = [model.get(name) for name in ("continuing_subword_prefix", "end_of_word_suffix")]
    if model["type"] != "BPE" or any(affixes) or model.get("dropout"):
        raise ConfigError(
            f"the vocabulary of a {model['type']} tokenizer"
            f"{' with affixes or dropout' if model['type'] == 'BPE' else ''} cannot be extended here: it must be BPE, "
            "byte-level (GPT-2, Llama 3) or with characters (Llama 2)"
        )


def _characters(backend: Any, texts: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    normalizer = backend.normalizer
    for text in texts:
        counts.update(normalizer.normalize_str(text) if normalizer else text)
    return counts


class _Extended:
    """A tokenizer's JSON while pieces are added."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.vocabulary: dict[str, int] = state["model"]["vocab"]
        for token in state["added_tokens"]:  # else they would be numbered anew when it is loaded
            self.vocabulary.setdefault(token["content"], token["id"])
        self.alphabet = Alphabet(state)
        self.first = max(self.vocabulary.values()) + 1
        self.parts: dict[str, list[int]] = {}

    @property
    def text(self) -> str:
        return json.dumps(self.state, ensure_ascii=False)

    def _add(self, piece: str, parts: list[int]) -> None:
        self.vocabulary[piece] = self.first + len(self.parts)
        self.parts[piece] = parts

    def add_character(self, character: str) -> None:
        self._add(character, self.alphabet.bytes_of(character))

    def add_merges(
        self,
        merges: Sequence[tuple[Sequence[int], Sequence[int]]],
        names: dict[int, str],
        room: int,
    ) -> None:
        """Append merges of id sequences, in their order, until there is room for no more pieces.

        A merge that makes an old piece is left out, and those that build on it: merges of the base would follow it
        that training did not see.
        """
        old = set(self.vocabulary) - set(self.parts)
        end = len(self.parts) + room
        for left, right in merges:
            sides = ["".join(names[each] for each in side) for side in (left, right)]
            piece = "".join(sides)
            is_built = all(
                len(side) == 1 or name in self.parts
                for side, name in zip((left, right), sides, strict=True)
            )
            if piece in old or not is_built:
                continue
            if piece not in self.parts:
                if len(self.parts) == end:
                    return
                self._add(piece, self._old_parts([*left, *right], names))
            self.state["model"]["merges"].append(sides)

    def _old_parts(self, ids: Sequence[int], names: dict[int, str]) -> list[int]:
        """Return the old ids of a sequence in which characters that were added may stand."""
        return [part for each in ids for part in self.parts.get(names[each], [each])]

    def pieces(self) -> Pieces:
        sizes = [len(each) for each in self.parts.values()]
        return Pieces(
            backend=self.text,
            names=tuple(self.parts),
            ids=self.first + np.arange(len(sizes)),
            parts=np.array([part for each in self.parts.values() for part in each], np.int64),
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        )


def _train(
    backend: Any, texts: Sequence[str], n_merges: int, *, min_frequency: int, max_length: int
) -> list[tuple[Sequence[int], Sequence[int]]]:
    """Return merges of the most frequent pairs, as sequences of the backend's ids, in their order."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    size = backend.get_vocab_size(with_added_tokens=True)
    counts = np.zeros(
        max(backend.get_vocab(with_added_tokens=True).values(), default=size) + 1, bool
    )
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    written = list(_written(backend, texts, counts))
    trainer = trainers.BpeTrainer(
        vocab_size=int(counts.sum()) + 2 * n_merges,  # merges that make an old piece are left out
        min_frequency=min_frequency,
        max_token_length=max_length + 1,  # what the trainer takes is not reached
        show_progress=False,
    )
    trained.train_from_iterator(written, trainer)
    merges = json.loads(trained.to_str())["model"]["merges"]
    return [(_ids(left), _ids(right)) for left, right in merges]


def _written(backend: Any, texts: Sequence[str], seen: np.ndarray) -> Iterator[str]:
    """Yield each text with a character for each token and a space between words; marks the ids that are seen."""
    alphabet = Alphabet.of(backend)
    alone, opens = alphabet.masks(backend)
    for start in range(0, len(texts), _TEXTS_A_BATCH):
        batch = backend.encode_batch(
            list(texts[start : start + _TEXTS_A_BATCH]), add_special_tokens=False
        )
        for encoding in batch:
            ids = np.array(encoding.ids, np.int64)
            if not len(ids):
                continue
            seen[ids] = True
            word = np.array([-1 if each is None else each for each in encoding.word_ids])
            starts = np.flatnonzero(
                (np.diff(word, prepend=word[0]) != 0)
                | opens[ids]
                | alone[ids]
                | np.concatenate([[False], alone[ids[:-1]]])
            )
            codes = ids + _FIRST_CHARACTER
            codes += _SURROGATES[1] * (codes >= _SURROGATES[0])
            yield np.insert(codes, starts, _SPACE).astype("<u4").tobytes().decode("utf-32-le")


def _ids(text: str) -> Sequence[int]:
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.int64)
    codes -= _SURROGATES[1] * (codes >= sum(_SURROGATES))
    return (codes - _FIRST_CHARACTER).tolist()
