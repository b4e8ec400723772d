"""Which tokens of a vocabulary are no whole characters."""

import json
import re
from typing import Any

import numpy as np

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def fallback_tokens(tokenizer: Any) -> np.ndarray:
    """Tell which tokens are pieces of characters.

    Those are the bytes that SentencePiece falls back to (`<0xE2>`), and the tokens of byte-level BPE that are no whole
    characters.

    Args:
        tokenizer: A tokenizer of transformers.

    Returns:
        True for a piece of a character, by token id, (largest id + 1,), bool.
    """
    vocabulary = tokenizer.get_vocab()
    is_piece = np.zeros(max(vocabulary.values(), default=0) + 1, bool)
    added = set(tokenizer.get_added_vocab())
    byte_of = bytes_of_characters() if _is_byte_level(tokenizer) else {}
    for token, number in vocabulary.items():
        if token not in added:
            is_piece[number] = _is_partial(token, byte_of) if byte_of else _BYTE.fullmatch(token)
    return is_piece


def _is_partial(token: str, byte_of: dict[str, int]) -> bool:
    """Tell whether a token of byte-level BPE is no whole characters; one that is not written in bytes is whole."""
    try:
        bytes(byte_of[character] for character in token).decode()
    except KeyError:
        return False
    except UnicodeDecodeError:
        return True
    return False


def _is_byte_level(tokenizer: Any) -> bool:
    """Tell whether tokens are written in the alphabet of GPT-2, a character a byte."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return False
    rules = json.loads(backend.to_str())
    return any('"ByteLevel"' in json.dumps(rules[name]) for name in ("pre_tokenizer", "decoder"))


def bytes_of_characters() -> dict[str, int]:
    """Return the byte that each character of the byte-level alphabet stands for."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }
