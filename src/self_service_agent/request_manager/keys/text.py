"""The text of an API key: easy to recognise, hard to mistype, impossible to guess."""

import hashlib
import re
import zlib
from enum import StrEnum
from typing import Final

RANDOM_BYTES: Final = 32

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_WIDTH = 43  # 62 ** 43 > 2 ** 256
_CHECK_WIDTH = 6  # 62 ** 6 > 2 ** 32
_HINT_WIDTH = 9  # the prefix, the kind and 4 of the 43 secret characters
_SHORTEST_WITH_HINT = 16
_FORM = re.compile(rf"ssa_[pt][{_ALPHABET}]{{{_SECRET_WIDTH + _CHECK_WIDTH}}}")


class KeyKind(StrEnum):
    """Whom a key belongs to, as its fifth character says."""

    PERSON = "p"
    TOOL = "t"


def format_key(kind: KeyKind, random: bytes) -> str:
    """Return the key that these 32 random bytes make: `ssa_`, the kind, the bytes in base 62, and a checksum."""
    start = f"ssa_{kind}{_base62(int.from_bytes(random), width=_SECRET_WIDTH)}"
    return start + _checksum(start)


def kind_of(key: str) -> KeyKind | None:
    """Return the kind of a key of ours, or None for any other text, among it every key with a typing error."""
    if not _FORM.fullmatch(key) or key[-_CHECK_WIDTH:] != _checksum(key[:-_CHECK_WIDTH]):
        return None
    return KeyKind(key[4])


def digest(key: str) -> str:
    """Return what is stored in place of a key.

    One round of SHA-256 is enough: slow hashes protect what people make up, and nobody can try out 256 random bits.
    """
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def hint_of(key: str) -> str:
    """Return the first characters, by which its owner recognises a key; none of a key too short to give any away."""
    if kind_of(key) is not None:
        return key[:_HINT_WIDTH]
    return key[:3] if len(key) >= _SHORTEST_WITH_HINT else ""


def _base62(number: int, *, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _checksum(start: str) -> str:
    """Return the CRC-32 in base 62; it differs whenever one character does, and is no secret."""
    return _base62(zlib.crc32(start.encode()), width=_CHECK_WIDTH)
