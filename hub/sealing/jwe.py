"""Compact JWE (RFC 7516) with a shared key, ``dir`` and ``A256GCM`` (RFC 7518, 4.5 and 5.3).

Written here because it happens for nearly every message, and joserfc takes seven times as long
for it; the tests hold each to the other. The header of all that one key encrypts is the same.
"""

import binascii
import json
import os
import re
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES, _TAG_BYTES = 12, 16
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_PADDING = (b"", b"", b"==", b"=")
_MOST_HEADERS = 16

TOKEN = rb"([\w-]{2,400})\.\.([\w-]{16})\.([\w-]{0,1000})\.([\w-]{22})"
"""Header, no key, nonce, content and tag of a token, as groups of a pattern of bytes."""
_TOKEN = re.compile(TOKEN)


class Unreadable(Exception):
    """A token cannot be opened with this key. Its text says nothing of what is in it."""


def encoded(content: bytes) -> bytes:
    """Write base64url without padding (RFC 7515, 2)."""
    return binascii.b2a_base64(content, newline=False).translate(_TO_URL).rstrip(b"=")


def decoded(text: bytes) -> bytes:
    """Read base64url without padding.

    Raises:
        ValueError: it is none.
    """
    padded = text.translate(_FROM_URL) + _PADDING[len(text) % 4]
    return binascii.a2b_base64(padded)


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

    __slots__ = ("_cipher", "_headers")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._headers: set[bytes] = set()

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
            encoded(nonce),
            encoded(sealed[:-_TAG_BYTES]),
            encoded(sealed[-_TAG_BYTES:]),
        )
        return b".".join(parts).decode("ascii")

    def decrypt(self, token: bytes) -> bytes:
        """Give the content of a token.

        Raises:
            Unreadable: it is no token of this key and of these algorithms, or was changed.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise Unreadable("this is no token")
        return self.opened(*match.groups())

    def opened(self, header: bytes, nonce: bytes, content: bytes, tag: bytes) -> bytes:
        """Give the content of a token of these parts, as ``TOKEN`` finds them.

        Raises:
            Unreadable: as above.
        """
        if header not in self._headers:
            self._check(header)
        try:
            return self._cipher.decrypt(decoded(nonce), decoded(content) + decoded(tag), header)
        except (InvalidTag, ValueError):
            raise Unreadable("a token was changed, or is of another key") from None

    def _check(self, header: bytes) -> None:
        words = header_of(header)
        extra = words.keys() - {"alg", "enc", "kid"}
        if extra or words.get("alg") != "dir" or words.get("enc") != "A256GCM":
            raise Unreadable("a token is of other algorithms")
        if len(self._headers) >= _MOST_HEADERS:
            self._headers.clear()
        self._headers.add(header)
