"""Opens a backup, proves it, and says what it cannot know; and the drill that tries all of it."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from hub.errors import LedgerError
from hub.ledger.acts import act
from hub.ledger.head import read
from hub.ledger.model import Entry, Kind
from hub.ledger.schema import ledger_errors, migrate, open_engine
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import tiles
from hub.ledger.verify.ledger import Verified, verify
from hub.ledger.years.backup import Step, copy_ledger, put_copy
from hub.ledger.years.records import Order
from hub.ledger.years.sealed import Identity, encrypt, is_encrypted
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import CosignerVerifier, NoteError, Verifier
from schemas.evidence.note import SignedNote
from schemas.evidence.tiles import HashReader

RESTORE, DRILL = "restore", "restore-drill"
"""The codes of their entries."""
_PIECE = 1 << 20
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that was opened and proved: the copy at ``path`` is good through all its entries.

    ``digest`` is the SHA-256 of the backup's file, ``cosigners`` are those whose signatures
    under checkpoints were checked.
    """

    path: Path
    size: int
    root: bytes
    digest: str
    cosigners: tuple[CosignerVerifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill did, with the seconds of each part.

    ``behind`` is how many entries the live ledger has that the backup does not.
    """

    size: int
    behind: int
    bytes: int
    seconds: dict[str, float]


def open_backup(  # noqa: PLR0913 - what it takes to open and prove a backup
    backup: Path,
    work: Path,
    identity: Identity | None,
    verifier: Verifier,
    step: Step,
    *,
    cosigners: Sequence[CosignerVerifier] = (),
) -> Opened:
    """Decrypt a backup into a folder, bring its schema up to date, and verify all of it.

    Raises:
        LedgerError: it cannot be read or decrypted, is no ledger of this key, or is not good.
    """
    copy = work / "restored.sqlite3"
    digest = _unpack(backup, copy, identity)
    url = f"sqlite:///{copy}"
    migrate(url)
    engine = open_engine(url)
    try:
        found = _proved(engine, verifier, cosigners, step)
        # The file alone is to hold all of it.
        with ledger_errors("be read"), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    return Opened(copy, found.size, found.root, digest, tuple(cosigners))


def _proved(
    engine: Engine, verifier: Verifier, cosigners: Sequence[CosignerVerifier], step: Step
) -> Verified:
    """Verify all of a ledger.

    Raises:
        LedgerError: it is not good.
    """
    with ledger_errors("be read"), engine.connect() as connection:
        size = read(connection)[0].size
    found = verify(
        engine, verifier, cosigners=cosigners, progress=lambda done: step("verify", done, size)
    )
    if not found.good:
        place = f" from entry {found.first_bad}" if found.first_bad else ""
        raise LedgerError(f"the backup does not verify{place}: {found.fault}. Take another one")
    return found


def _unpack(backup: Path, copy: Path, identity: Identity | None) -> str:
    """Write the plain copy, and give the backup's digest."""
    if is_encrypted(backup) and identity is None:
        raise LedgerError(f"{backup.name} is encrypted: give the identity file with --identity")
    try:
        with backup.open("rb") as file, copy.open("xb") as plain:
            copy.chmod(0o600)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            if is_encrypted(backup) and identity is not None:
                identity.decrypt(file, plain)
            else:
                while piece := file.read(_PIECE):
                    plain.write(piece)
        with copy.open("rb") as plain:
            magic = plain.read(len(_SQLITE))
    except OSError as error:
        raise LedgerError(f"{backup.name} cannot be opened: {error.strerror or error}") from None
    if magic != _SQLITE:
        raise LedgerError(f"{backup.name} is no backup of a ledger")
    return digest


def place(opened: Opened, url: str, verifier: Verifier, step: Step) -> None:
    """Put an opened backup where there is no ledger.

    Raises:
        LedgerError: there is one, or it cannot be written, or does not verify there.
    """
    put_copy(opened.path, url, step)
    if not url.startswith("sqlite"):
        engine = open_engine(url)  # its rows were written anew, one by one
        try:
            _proved(engine, verifier, opened.cosigners, step)
        finally:
            engine.dispose()


def missing_in(opened: Opened, later: SignedNote, verifier: Verifier) -> int:
    """Say how many entries an opened backup lacks; as ``missing_since``."""
    engine = open_engine(f"sqlite:///{opened.path}")
    try:
        return missing_since(engine, later, verifier)
    finally:
        engine.dispose()


def missing_since(engine: Engine, later: SignedNote, verifier: Verifier) -> int:
    """Say how many entries a ledger lacks of what a checkpoint from outside states.

    None is missing where the ledger goes on from the checkpoint.

    Raises:
        LedgerError: the ledger and the checkpoint contradict each other: they are not of one
            history, or the checkpoint is not of this key.
    """
    try:
        stated = open_checkpoint(later, [verifier])
    except NoteError as error:
        raise LedgerError(f"the checkpoint cannot be used: {error}") from None
    with ledger_errors("be read"), engine.connect() as connection:
        size = read(connection)[0].size
    if stated.size > size:
        return stated.size - size
    if root_at(engine, stated) != stated.root:
        message = f"the first {stated.size} entries are not those of the checkpoint"
        raise LedgerError(f"{message}: this is not the same ledger, or it was forked")
    return 0


def root_at(engine: Engine, stated: Checkpoint) -> bytes:
    """Give the root that a ledger had at an earlier size."""
    with ledger_errors("be read"), engine.connect() as connection:

        def tile(level: int, index: int, width: int) -> bytes:
            query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.n == index)
            return bytes(connection.execute(query).scalar_one())[: width * 32]

        return HashReader(stated.size, tile).root()


def restored(order: Order, backup: Path, opened: Opened, compared: str) -> Entry:
    """Give the entry of a restore; ``compared`` says what is known to be missing."""
    return act(
        Kind.OPERATOR_ACTION,
        order.access,
        order.at,
        code=RESTORE,
        digest=opened.digest,
        detail=f"{backup.name} entries {opened.size} {compared}",
    )


def drill(  # noqa: PLR0913 - what a drill takes, and what it may be given
    ledger: DatabaseLedger,
    work: Path,
    order: Order,
    step: Step,
    given: tuple[Path, Identity | None] | None = None,
    *,
    cosigners: Sequence[CosignerVerifier] = (),
) -> Drilled:
    """Restore a backup into a folder, verify it, hold it to the live ledger, and enter that.

    Without a given backup one is made, encrypted with a key that is thrown away.

    Raises:
        LedgerError: the backup is of no use, or not of this ledger.
    """
    seconds: dict[str, float] = {}
    begun = time.monotonic()

    def lap(what: str) -> None:
        nonlocal begun
        now = time.monotonic()
        seconds[what], begun = now - begun, now

    backup, identity = given or _made(ledger, work, step)
    lap("back up")
    opened = open_backup(backup, work, identity, order.signer.verifier, step, cosigners=cosigners)
    lap("open and verify")
    url = f"sqlite:///{work / 'place' / 'ledger.sqlite3'}"
    place(opened, url, order.signer.verifier, step)
    again = DatabaseLedger(url, order.signer)
    try:
        again.checkpoint()  # it can be written, and its head is sealed
    finally:
        again.close()
    lap("put in place")
    live = ledger.size()
    stated = Checkpoint(order.signer.name, opened.size, opened.root)
    if live < opened.size or root_at(ledger.engine, stated) != opened.root:
        raise LedgerError("the backup is not of this ledger, or this ledger was set back")
    lap("compare")
    detail = f"{backup.name} entries {opened.size} behind {live - opened.size}"
    ledger.append(
        [
            act(
                Kind.OPERATOR_ACTION,
                order.access,
                order.at,
                code=DRILL,
                digest=opened.digest,
                detail=detail,
            )
        ]
    )
    return Drilled(opened.size, live - opened.size, backup.stat().st_size, seconds)


def _made(ledger: DatabaseLedger, work: Path, step: Step) -> tuple[Path, Identity]:
    identity = Identity.fresh()
    copy, backup = work / "copy.sqlite3", work / "drill.sqlite3.age"
    copy_ledger(ledger.engine, copy, step)
    with copy.open("rb") as plain, backup.open("xb") as file:
        encrypt(plain, file, [identity.recipient])
    copy.unlink()
    return backup, identity
