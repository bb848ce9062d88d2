"""What the watch tries, each minute and for ``/health/detail``: by doing, not by opening a port."""

import datetime as dt
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, select

from hub.broker.parameters import LinkSettings
from hub.broker.roundtrip import round_trip
from hub.compose.ledger import read_witness, witness_place_fault
from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.ages import age_of
from hub.ledger.evidence.treeread import edge_at
from hub.ledger.schema import ledger_errors
from hub.ledger.tables import checkpoints
from hub.pki.ends import Ends
from hub.site import Site
from monitoring.disk import DiskMetrics
from monitoring.health import Check
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.note import NoteError, SignedNote, Verifier

LEAST_FREE = 0.03
"""With less of a disk than this the site is not well; the alert comes at 0.1."""
YOUNG = dt.timedelta(minutes=2)
"""A ledger whose first entry is younger may lack its first checkpoint, and its witness: the hub
signs half a minute after an entry, and the watch keeps what it has recomputed. As the rule
RenkeiCheckpointOld has it."""
BEHIND = dt.timedelta(hours=1)
"""So old may the first entry be that the head kept outside the database does not cover: a watch
that has just begun recomputes the whole before it keeps one."""
NONE_KEPT = "no head is kept outside the database yet"
"""The fault of a ledger of some age whose watch does not run, or may not write."""


def checks_of(  # noqa: PLR0913 - what is tried
    site: Site,
    engine: Engine,
    verifier: Verifier,
    broker: LinkSettings | None,
    write: Callable[[], None],
    *,
    disks: DiskMetrics,
    ends: Mapping[str, Ends],
) -> dict[str, Check]:
    """Give the checks of a site, in the order in which they run.

    ``write`` makes the ledger's database write, and raises ``LedgerError``.
    """

    def through_the_broker() -> str:
        if broker is None:
            return "the hub's password for the broker cannot be read"
        round_trip(broker)
        return ""

    def into_the_ledger() -> str:
        write()
        return ""

    return {
        "round-trip": through_the_broker,
        "ledger-write": into_the_ledger,
        "checkpoint": lambda: checkpoint_fault(engine, verifier),
        "witness": lambda: witness_fault(site, engine, verifier),
        "disk": lambda: disk_fault(disks.look()),
        "certificates": lambda: ends_fault(ends, dt.datetime.now(dt.UTC)),
    }


def checkpoint_fault(engine: Engine, verifier: Verifier) -> str:
    """Look at the newest kept checkpoint: by the hub's key, and with the root of its entries.

    Where there is none yet, that is a fault from the age ``YOUNG`` on; where none can be kept, it
    is one at once.

    Raises:
        LedgerError: the ledger cannot be read, or hashes of it are gone.
    """
    newest = select(checkpoints.c.note).order_by(checkpoints.c.id.desc()).limit(1)
    with ledger_errors("be read"), engine.connect() as connection:
        note = connection.execute(newest).scalar_one_or_none()
        if note is None:
            size = heads.read(connection)[0].size
            return (
                "" if _is_young(connection, size) else f"there is no checkpoint of {size} entries"
            )
        try:
            said = _said(SignedNote.parse(note), verifier)
        except NoteError as error:
            return f"the newest checkpoint is broken: {error}"
        if edge_at(connection, said.size).root() != said.root:
            return f"the checkpoint of {said.size} entries has another root than these"
    return ""


def witness_fault(site: Site, engine: Engine, verifier: Verifier) -> str:
    """Look at the head that is kept outside the database: the ledger must not end before it.

    Where there is none yet, that is a fault from the age ``YOUNG`` on; where it is no longer kept
    up, from ``BEHIND`` on.

    Raises:
        LedgerError: the file or the ledger cannot be read.
    """
    if fault := witness_place_fault(site):
        return fault
    note = read_witness(site)
    with ledger_errors("be read"), engine.connect() as connection:
        size = heads.read(connection)[0].size
        if note is None:
            young = _is_young(connection, size)
            return "" if young else NONE_KEPT
        try:
            said = _said(note, verifier)
        except NoteError as error:
            return f"the witness is broken: {error}"
        if said.size > size:
            return f"the ledger has {size} entries, and had {said.size}: it was set back"
        if edge_at(connection, said.size).root() != said.root:
            return f"the first {said.size} entries have another root than when they were kept"
        return _behind(connection, said.size, size)


def disk_fault(free: Mapping[str, float]) -> str:
    """Say which disks are nearly full, by the shares of them that are free."""
    short = [f"{place} {share:.1%}" for place, share in free.items() if share < LEAST_FREE]
    return f"nearly full: {', '.join(short)} free" if short else ""


def ends_fault(ends: Mapping[str, Ends], now: dt.datetime) -> str:
    """Say which certificates have ended.

    Raises:
        SiteError: one cannot be read.
    """
    over = [name for name, read in ends.items() if read() <= now]
    return f"ended: {', '.join(over)}" if over else ""


def _behind(connection: Connection, kept: int, size: int) -> str:
    """Say how far the head kept outside the database is behind, where it is for too long."""
    age = age_of(connection, kept + 1, dt.datetime.now(dt.UTC))
    if age is None or age <= BEHIND:
        return ""
    return (
        f"the head kept outside the database is {size - kept} entries behind, since "
        f"{age // dt.timedelta(minutes=1)} minutes: the watch's log says why"
    )


def _is_young(connection: Connection, size: int) -> bool:
    """Say whether the ledger is too young to be judged: nothing is signed or kept at once."""
    if size == 0:
        return True
    age = age_of(connection, 1, dt.datetime.now(dt.UTC))
    return age is not None and age < YOUNG


def _said(note: SignedNote, verifier: Verifier) -> Checkpoint:
    """Read what the hub signed.

    Raises:
        LedgerError: the hub's key did not sign it.
        NoteError: it cannot be read.
    """
    if not note.verified([verifier]):
        raise LedgerError(f"it is not signed by the key {verifier.text()}")
    said = Checkpoint.parse(note.text)
    if said.origin != verifier.name:
        raise LedgerError(f"it is of {said.origin}, and not of {verifier.name}")
    return said
