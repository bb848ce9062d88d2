"""The console's own small database: every row sealed, so nobody who can write it gains by that.

A row is bound to its kind and id; one that does not open is damaged, and counts as locked. An older
copy of a row does open: the ledger has every change of an account, and the review report compares.
"""

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from hub.errors import RenkeiError

NAME = "console.sqlite3"
PRIVATE = 0o600
_NONCE = 12
_BUSY_SECONDS = 10.0


class StoreError(RenkeiError):
    """The console's database cannot be used."""


class Store:
    """Rows by kind and id; may be used from several threads, and by other processes as well."""

    def __init__(self, folder: Path, key: SecretStr) -> None:
        """Open the database in a folder, made anew where it is missing.

        Raises:
            StoreError: it cannot be.
        """
        secret = key.get_secret_value().encode()
        self._cipher = AESGCM(hmac.digest(secret, b"renkei console rows", hashlib.sha256))
        self.token_key = hmac.digest(secret, b"renkei console tokens", hashlib.sha256)
        self._lock = RLock()
        self._depth = 0
        path = folder / NAME
        with self._mapped():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(PRIVATE)
            path.chmod(PRIVATE)
            self._database = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._database.execute("PRAGMA secure_delete = ON")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, id TEXT NOT NULL, "
                "sealed BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
            )

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Do what is inside as a whole or not at all; nobody else changes anything meanwhile.

        Raises:
            StoreError: it cannot be written.
        """
        with self._lock:
            if self._depth:
                yield
                return
            with self._mapped():
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            else:
                with self._mapped():
                    self._database.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, kind: str, row: str) -> bytes | None:
        """Give a row's content; none where there is no such row, or it is damaged.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._lock, self._mapped():
            found = self._database.execute(
                "SELECT sealed FROM rows WHERE kind = ? AND id = ?", (kind, row)
            ).fetchone()
        return None if found is None else self._opened(kind, row, found[0])

    def all(self, kind: str) -> list[tuple[str, bytes | None]]:
        """Give all rows of a kind by their ids; a damaged one has no content.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._lock, self._mapped():
            found = self._database.execute(
                "SELECT id, sealed FROM rows WHERE kind = ? ORDER BY id", (kind,)
            ).fetchall()
        return [(row, self._opened(kind, row, sealed)) for row, sealed in found]

    def put(self, kind: str, row: str, content: bytes) -> None:
        """Write a row, in place of what was there.

        Raises:
            StoreError: it cannot be written.
        """
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, content, _bound(kind, row))
        with self._lock, self._mapped():
            self._database.execute(
                "INSERT OR REPLACE INTO rows (kind, id, sealed) VALUES (?, ?, ?)",
                (kind, row, sealed),
            )

    def drop(self, kind: str, row: str) -> None:
        """Delete a row, if there is one.

        Raises:
            StoreError: it cannot be.
        """
        with self._lock, self._mapped():
            self._database.execute("DELETE FROM rows WHERE kind = ? AND id = ?", (kind, row))

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _opened(self, kind: str, row: str, sealed: bytes) -> bytes | None:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(kind, row))
        except (InvalidTag, ValueError):
            return None

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the console's database cannot be used: {error}") from error


def _bound(kind: str, row: str) -> bytes:
    return f"{kind}\0{row}".encode()
