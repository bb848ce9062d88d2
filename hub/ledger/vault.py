"""Encrypts the bodies of messages that wait for a person, so that the database alone tells nothing.

AES-256-GCM; the key is derived with HKDF-SHA-256 from the site's pseudonym key, which is no part
of the database and of no backup. The number of the row is authenticated with the body, so that
no row can be given another's. What was put aside before that key was exchanged opens with the
retired one.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import LedgerError
from hub.ledger.model import Pseudonyms

_INFO = b"renkei confirmation bodies v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    """Seals bodies with one site's key, and opens them with it or with one of the ``retired``.

    Its ``repr`` shows none.
    """

    def __init__(self, secret: bytes, retired: Sequence[bytes] = ()) -> None:
        self._cipher, *self._former = map(_cipher, (secret, *retired))

    def seal(self, row: int, body: bytes) -> bytes:
        """Encrypt a body for the row of this number."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, body, _bound_to(row))

    def open(self, row: int, sealed: bytes) -> bytes:
        """Give the body that was sealed for this row.

        Raises:
            LedgerError: it was sealed with another key or for another row, or was changed.
        """
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for cipher in (self._cipher, *self._former):
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(nonce, rest, _bound_to(row))
        raise LedgerError(
            f"the body put aside as {row} cannot be decrypted: it was changed, or "
            "pseudonym_key_file has no longer the key that it was kept with"
        )


def _cipher(secret: bytes) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret)
    return AESGCM(key)


def _bound_to(row: int) -> bytes:
    return b"ledger_confirmations %d" % row


@lru_cache(maxsize=4)
def vault_of(pseudonyms: Pseudonyms) -> Vault:
    """Give the vault of a site."""
    return Vault(pseudonyms.key, pseudonyms.retired)
