"""How a BPE tokenizer spells: by bytes, each a printable character, or by characters with a mark for spaces."""

import json
import re
import unicodedata
from collections import Counter
from typing import Any

import numpy as np

from emma500.mixture.tokenizing.pieces import bytes_of_characters

MARK = "▁"
_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")


class Alphabet:
    """The spelling of a tokenizer's pieces.

    Args:
        state: The tokenizer's JSON, as an object.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self.vocabulary: dict[str, int] = state["model"]["vocab"]
        self.byte_of: dict[str, int] = {}
        if any('"ByteLevel"' in json.dumps(state[name]) for name in ("pre_tokenizer", "decoder")):
            self.byte_of = bytes_of_characters()
        self.unknown = self.vocabulary.get(state["model"].get("unk_token") or "", 0)
        self.has_bytes = bool(state["model"].get("byte_fallback"))

    @classmethod
    def of(cls, backend: Any) -> "Alphabet":
        """Return the spelling of a tokenizer of `tokenizers`."""
        return cls(json.loads(backend.to_str()))

    def missing(self, counts: Counter[str], min_frequency: int) -> list[str]:
        """Return the characters of a text that the vocabulary lacks, the most frequent first.

        Args:
            counts: How often each character occurs.
            min_frequency: Leave out those that are rarer.

        Returns:
            The characters; white space and control characters are not among them.
        """
        if self.byte_of:
            return []
        found = [
            (-n, each)
            for each, n in counts.items()
            if n >= min_frequency and each not in self.vocabulary and not each.isspace()
            and unicodedata.category(each)[0] != "C"
        ]  # fmt: skip
        return [each for _, each in sorted(found)]

    def bytes_of(self, character: str) -> list[int]:
        """Return the ids that stand for a character the vocabulary lacks: its bytes, or the unknown token."""
        if not self.has_bytes:
            return [self.unknown]
        return [self.vocabulary.get(f"<0x{byte:02X}>", self.unknown) for byte in character.encode()]

    def spelled(self, piece: str) -> bytes:
        """Return the bytes of the text that a piece stands for, its mark as a space."""
        if self.byte_of:
            return bytes(self.byte_of[each] for each in piece if each in self.byte_of)
        if self._is_byte(piece):
            return bytes([int(piece[3:5], 16)])
        return piece.replace(MARK, " ").encode()

    def _is_byte(self, piece: str) -> bool:
        """Tell whether a piece is a byte that characters the vocabulary lacks fall back to."""
        return not self.byte_of and bool(_BYTE_TOKEN.fullmatch(piece))

    def masks(self, backend: Any) -> tuple[np.ndarray, np.ndarray]:
        """Tell which tokens stay alone, and which ones start a word, where new pieces are made.

        Digits stay alone, whatever the tokenizer; and where it does not cut its text into words before it merges, what
        is no letter does too, and a word starts at a space.

        Args:
            backend: The tokenizer.

        Returns:
            Two arrays over ids, bool.
        """
        names = backend.get_vocab(with_added_tokens=True)
        alone, opens = np.zeros((2, max(names.values()) + 1), bool)
        probe = backend.encode("aa bb cc", add_special_tokens=False)
        cuts_words = len(set(probe.word_ids)) > 1
        for piece, number in names.items():
            text = self.spelled(piece)
            body = text.removeprefix(b" ").decode(errors="ignore")
            alone[number] = any(map(str.isdigit, body)) or self._is_byte(piece)
            if not cuts_words:
                opens[number] = text.startswith(b" ")
                alone[number] |= not all(map(_is_letter, body))
        for token in backend.get_added_tokens_decoder():
            alone[token] = True
        return alone, opens


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in "\u200c\u200d"
