"""Exchanges the keys of a site: what is pseudonymised, and what signs the ledger.

The new key is written beside the old one first, then the exchange is entered in the ledger, then
the file with the new key gets the old one's name. Where that breaks off, one of the two is in
place, and the same command goes on with the key that it made.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hub.compose.install import SECRET_BYTES
from hub.compose.ledger import ledger_signer, open_ledger, pseudonyms
from hub.errors import LedgerError, SiteError
from hub.ledger.acts import Act
from hub.ledger.keyfile import PseudonymKeys, pseudonym_keys
from hub.ledger.model import Pseudonyms
from hub.ledger.rotation import (
    enter,
    put_signer,
    refuse_lost_keys,
    refuse_workers,
    resident_holds,
    silent,
    was_exchanged,
)
from hub.ledger.store import DatabaseLedger
from hub.ledger.years.records import Order
from hub.secret import SecretPlace, read_secret
from hub.site import Site
from schemas.evidence.note import NoteError, Signer

_SECRET_MODE = 0o600
_SHOWN = 10
MadeT = TypeVar("MadeT")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a site by its id; ``last`` is the entry up to which a retired one was in use."""

    which: Act
    id: str
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What an exchange did: which key it put in place of which, at how many entries, and where.

    ``holds`` are legal holds of a resident that name them by the old key alone.
    """

    old: str
    new: str
    entries: int
    file: Path
    holds: tuple[str, ...] = ()


def exchange_pseudonym_key(site: Site, order: Order, *, anyway: bool = False) -> Exchanged:
    """Put a new key of pseudonyms in use; the hub is stopped.

    ``anyway`` goes on although messages wait that could not move any more.

    Raises:
        SiteError: the key is in no file, or the file cannot be written.
        LedgerError: a worker is alive, messages wait that do not say about whom they are, or the
            ledger cannot be used.
    """
    file = _file_of(site.hub.pseudonym_key_file, "pseudonym_key_file")
    old = pseudonym_keys(file, read_secret(file))
    ledger = open_ledger(site)
    try:
        refuse_workers(ledger.engine)
        keyed = pseudonyms(site)
        refuse_lost_keys(ledger.engine, Act.PSEUDONYM_KEY, keyed.key_ids)
        _refuse_silent(silent(ledger, keyed), anyway=anyway)
        holds = tuple(one.name for one in resident_holds(ledger))
        key = _next(file, lambda text: PseudonymKeys.parse(text).key, _fresh)
        new_id = PseudonymKeys(key).pseudonyms().key_ids[0]
        size = enter(ledger, Act.PSEUDONYM_KEY, keyed.key_ids[0], new_id, order)
    finally:
        ledger.close()
    _write(_beside(file), old.rotated(key, size).text(), file)
    _rename(_beside(file), file)
    return Exchanged(keyed.key_ids[0], new_id, size, file, holds)


def exchange_ledger_key(site: Site, order: Order) -> Exchanged:
    """Let a new key sign the ledger from now on; the hub is stopped.

    Raises:
        SiteError: the key is in no file, or the file cannot be written.
        LedgerError: a worker is alive, or the ledger cannot be used.
    """
    file = _file_of(site.hub.ledger_key_file, "ledger_key_file")
    old = ledger_signer(site)
    ledger = open_ledger(site)

    def put(signer: Signer) -> None:
        _write(_beside(file), signer.text(), file)
        _rename(_beside(file), file)

    try:
        refuse_workers(ledger.engine)
        new = _next(file, _signer_of(old.name), lambda: Signer.generate(old.name))
        ids = _id(old), _id(new)
        enter(ledger, Act.LEDGER_KEY, *ids, order)
        signer = put_signer(ledger, old, new, put)
    finally:
        ledger.close()
    return Exchanged(*ids, signer.verifier.retired[0].last, file)


def keys_of(site: Site) -> list[Key]:
    """Give the keys of a site, each kind's own first, and see that none is lost.

    Raises:
        SiteError: a secret cannot be read.
        LedgerError: the ledger cannot be read, or has entries made by a key that is not there.
    """
    source = site.hub.pseudonym_key_file
    keys, keyed = pseudonym_keys(source, read_secret(source)), pseudonyms(site)
    verifier = ledger_signer(site).verifier
    lasts = [None, *(one.last for one in keys.retired)]
    found = [
        Key(Act.PSEUDONYM_KEY, name, last) for name, last in zip(keyed.key_ids, lasts, strict=True)
    ]
    found.append(Key(Act.LEDGER_KEY, f"{verifier.key_id:08x}"))
    found += (Key(Act.LEDGER_KEY, f"{one.key_id:08x}", one.last) for one in verifier.retired)
    ledger = open_ledger(site)
    try:
        for which in (Act.PSEUDONYM_KEY, Act.LEDGER_KEY):
            known = [one.id for one in found if one.which is which]
            refuse_lost_keys(ledger.engine, which, known)
    finally:
        ledger.close()
    return found


def see_all_keys(ledger: DatabaseLedger, keyed: Pseudonyms) -> None:
    """See that a key of pseudonyms that was retired was not thrown away: bindings rest on it.

    Raises:
        LedgerError: it was, or the ledger cannot be read.
    """
    if not keyed.retired and was_exchanged(ledger.engine, Act.PSEUDONYM_KEY):
        refuse_lost_keys(ledger.engine, Act.PSEUDONYM_KEY, keyed.key_ids)


def _id(signer: Signer) -> str:
    return f"{signer.verifier.key_id:08x}"


def _file_of(source: SecretPlace, key: str) -> Path:
    if isinstance(source, Path):
        return source
    message = (
        f"hub.{key} is no file but a secret {source}, where nothing can be written from here: "
        "exchange it there as docs/operations/keys.md says, while the hub is stopped"
    )
    raise SiteError(message)


def _refuse_silent(waiting: list[int], *, anyway: bool) -> None:
    if not waiting or anyway:
        return
    shown = ", ".join(map(str, waiting[:_SHOWN])) + (", …" if len(waiting) > _SHOWN else "")
    message = (
        f"{len(waiting)} messages wait that do not say about whom they are ({shown}): with "
        "another key they could not move any more, for nothing would tell whether a newer one "
        "came first. Decide about them (renkei confirmations, renkei dead-letters), or go on "
        "with --anyway and have them sent anew"
    )
    raise LedgerError(message)


# -- files -------------------------------------------------------------------------------------


def _fresh() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _signer_of(name: str) -> Callable[[str], Signer]:
    def read(text: str) -> Signer:
        signer = Signer(text.partition("\n")[0])
        if signer.name != name:
            raise NoteError(f"it is not of the log {name}")
        return signer

    return read


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.next")


def _next(file: Path, read: Callable[[str], MadeT], make: Callable[[], MadeT]) -> MadeT:
    """Give the key that is to come: what an exchange that broke off has made, or a new one."""
    path = _beside(file)
    if path.exists():
        try:
            return read(read_secret(path).get_secret_value())
        except ValueError as error:
            message = f"{path} is left from an exchange, but is no key ({error}): remove it"
            raise SiteError(message) from None
    made = make()
    _write(path, made.text() if isinstance(made, Signer) else str(made), file)
    return made


def _write(path: Path, text: str, like: Path) -> None:
    """Write a secret durably, for the account that the secret ``like`` belongs to."""
    part = path.with_name(f"{path.name}.part")
    try:
        owner = like.stat()
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _SECRET_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            if os.geteuid() == 0:
                os.fchown(handle, owner.st_uid, owner.st_gid)
            opened.write(f"{text}\n")
            opened.flush()
            os.fsync(handle)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SiteError(f"{path} cannot be written: {error.strerror}") from None
    _rename(part, path)


def _rename(path: Path, to: Path) -> None:
    try:
        path.replace(to)
        folder = os.open(to.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise SiteError(f"{to} cannot be written: {error.strerror}") from None
