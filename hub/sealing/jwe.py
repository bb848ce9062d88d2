"""Compact JWE (RFC 7516) with a shared key, ``dir`` and ``A256GCM`` (RFC 7518, 4.5 and 5.3).

Written here because it happens for nearly every message, and joserfc takes seven times as long
for it; the tests hold each to the other. The header of all that one key encrypts is the same.
"""

import json
import os
import re
from binascii import a2b_base64, b2a_base64
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES, _TAG_BYTES = 12, 16
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_PADDING = (b"", b"", b"==", b"=")

_TOKEN = re.compile(rb"[\w-]{2,400}\.\.[\w-]{16}\.[\w-]{0,1000}\.[\w-]{22}")
_AFTER_HEADER, _NONCE_END, _TAG_BEGIN = 2, 18, -22
"""Where the parts of a token are, from the end of its header and from its own end."""


class Unreadable(Exception):
    """A token cannot be opened with this key. Its text says nothing of what is in it."""


def encoded(content: bytes) -> bytes:
    """Write base64url without padding (RFC 7515, 2)."""
    return b2a_base64(content, newline=False).translate(_TO_URL).rstrip(b"=")


def decoded(text: bytes) -> bytes:
    """Read base64url without padding.

    Raises:
        ValueError: it is none.
    """
    padded = text.translate(_FROM_URL) + _PADDING[len(text) % 4]
    return a2b_base64(padded)


def header_of(text: bytes) -> dict[str, Any]:
    """Read a protected header.

    Raises:
        Unreadable: it is none.
    """
    try:
        header = json.loads(decoded(text))
    except ValueError:
        raise Unreadable("the header of a token is no JSON") from None
    if not isinstance(header, dict):
        raise Unreadable("the header of a token is no object")
    return header


class Cipher:
    """Encrypts and decrypts with one key; its ``repr`` does not show it."""

    __slots__ = ("_cipher", "_header")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._header = b""

    @staticmethod
    def header(kid: str) -> bytes:
        """Give the protected header, encoded, of what is encrypted under the key of this name."""
        words = {"alg": "dir", "enc": "A256GCM", "kid": kid}
        return encoded(json.dumps(words, separators=(",", ":")).encode())

    def encrypt(self, header: bytes, content: bytes) -> str:
        """Give the token of this content, under a nonce of its own."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, content, header)
        parts = (
            header,
            b"",
            b2a_base64(nonce, newline=False),
            b2a_base64(sealed[:-_TAG_BYTES], newline=False),
            b2a_base64(sealed[-_TAG_BYTES:], newline=False),
        )
        return b".".join(parts).translate(_TO_URL, b"=").decode("ascii")

    def decrypt(self, token: bytes) -> bytes:
        """Give the content of a token.

        Raises:
            Unreadable: it is no token of this key and of these algorithms, or was changed.
        """
        header = token[: token.find(b".")]
        if header != self._header:  # nearly always one key has one
            self._check(token, header)
        rest = token[len(header) :].translate(_FROM_URL)
        content = rest[_NONCE_END + 1 : _TAG_BEGIN - 1]
        try:
            return self._cipher.decrypt(
                a2b_base64(rest[_AFTER_HEADER:_NONCE_END]),
                a2b_base64(content + _PADDING[len(content) % 4])
                + a2b_base64(rest[_TAG_BEGIN:] + b"=="),
                header,
            )
        except (InvalidTag, ValueError):
            raise Unreadable("a token was changed, or is of another key") from None

    def _check(self, token: bytes, header: bytes) -> None:
        if _TOKEN.fullmatch(token) is None:
            raise Unreadable("this is no token")
        words = header_of(header)
        extra = words.keys() - {"alg", "enc", "kid"}
        if extra or words.get("alg") != "dir" or words.get("enc") != "A256GCM":
            raise Unreadable("a token is of other algorithms")
        self._header = header
