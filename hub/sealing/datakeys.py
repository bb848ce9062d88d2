"""Data keys: made for one reader, a day at the most, and given to them in every event.

A data key is 32 random bytes. It is in memory only, and travels as a JWE of its own,
``ECDH-ES+A256KW`` with ``A256GCM`` (RFC 7518, 4.6), for the reader's encryption certificate, whose
name is its ``kid``.
"""

import datetime as dt
import os
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hub.pki.parties import Party
from hub.sealing.jwe import KEY_BYTES, Cipher, Unreadable, header_of

ALGORITHM, ENCRYPTION = "ECDH-ES+A256KW", "A256GCM"
_ALGORITHMS = [ALGORITHM, ENCRYPTION]
MOST_USES = 1 << 24
"""A random nonce of 96 bits is good for far more (NIST SP 800-38D: 2^32)."""
DATAKEY = rb"[\w-]{40,600}\.[\w-]{40,100}\.[\w-]{16}\.[\w-]{43}\.[\w-]{22}"
"""How an encrypted data key looks, as a pattern of bytes."""
_DATAKEY = re.compile(DATAKEY)
_WORDS = frozenset({"alg", "enc", "kid", "epk"})


ReaderKey = Party
"""The public encryption key of an account: who is to read what is encrypted with it."""


@dataclass(slots=True)
class DataKey:
    """A data key for one reader; ``wrapped`` is how it travels, ``left`` how often it may serve."""

    wrapped: str
    header: bytes = field(repr=False)
    cipher: Cipher = field(repr=False)
    left: int = MOST_USES

    def encrypt(self, content: bytes) -> str:
        """Give the token of this content."""
        self.left -= 1
        return self.cipher.encrypt(self.header, content)


def new_data_key(reader: ReaderKey, day: dt.date) -> DataKey:
    """Make a data key for a reader; ``day`` and a random part make its name."""
    key = os.urandom(KEY_BYTES)
    kid = f"{day:%Y%m%d}-{os.urandom(4).hex()}"
    protected = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": reader.kid}
    wrapped = jwe.encrypt_compact(protected, key, ECKey.import_key(reader.key), _ALGORITHMS)
    return DataKey(wrapped, Cipher.header(kid), Cipher(key))


def kid_of(wrapped: bytes) -> str:
    """Say for which key a data key is encrypted.

    Raises:
        Unreadable: it is none, or of other algorithms.
    """
    if _DATAKEY.fullmatch(wrapped) is None:
        raise Unreadable("this is no data key")
    words = header_of(wrapped.split(b".", 1)[0])
    if (
        words.keys() != _WORDS
        or words["alg"] != ALGORITHM
        or words["enc"] != ENCRYPTION
        or not isinstance(words["kid"], str)
    ):
        raise Unreadable("a data key is of other algorithms")
    return str(words["kid"])


def opened_data_key(wrapped: bytes, own: ec.EllipticCurvePrivateKey) -> Cipher:
    """Decrypt a data key that ``kid_of`` has looked at.

    Raises:
        Unreadable: it is of another key, or was changed.
    """
    try:
        key = jwe.decrypt_compact(wrapped, ECKey.import_key(own), _ALGORITHMS).plaintext
    except (JoseError, ValueError, TypeError, KeyError):
        raise Unreadable("a data key cannot be decrypted") from None
    if key is None or len(key) != KEY_BYTES:
        raise Unreadable("a data key has another length")
    return Cipher(key)
