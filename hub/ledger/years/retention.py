"""Destroys months that are past their time, with a certificate, and never what is held.

The order, for each month; after a crash at any place the next run goes on from there:

1. The certificate (``renkei.destruction/v1``) is written beside its final name.
2. One append enters the destruction, and anew what the month says that is still of force:
   legal holds, and by which entries other months and salts were destroyed.
3. The certificate gets its name.
4. The month is marked as destroyed, unless a hold stands by then. From here on its rows no
   longer count.
5. Its rows go, some thousand at a time, so that appends do not wait; then the messages, cases
   and access items that no entry refers to any more (``hub.ledger.years.pruning``); its table last.

The hashes stay: the tree still verifies.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, update

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.acts import act
from hub.ledger.evidence.certificate import certificate, plain_value, read_certificate
from hub.ledger.leaf import Recorded
from hub.ledger.model import Entry, Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import entries, months
from hub.ledger.years.archive import ClosedMonth, closed_months, tile_bytes
from hub.ledger.years.holds import Hold, carried, holding, standing
from hub.ledger.years.newfile import NewFile
from hub.ledger.years.pruning import drop_table, empty_table, forget_decided, prune
from hub.ledger.years.records import Order, dashed, has_table, records
from schemas.evidence.keys import NoteError
from schemas.evidence.merkle import HASH_BYTES, TILE_WIDTH
from schemas.evidence.tiles import Tile

KIND = "renkei.destruction/v1"
OF_MONTH = "month"
OF_SALTS = "salts"
"""The codes of destruction entries."""

_MONTH = re.compile(r"(month ([0-9]{6}) entries ([0-9]+)-([0-9]+))(?: .*)?", re.ASCII)
_DECEMBER = 12

Step = Callable[[str, int, int], None]
"""Is told what was just done, and how much of how much of it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A month that is past its time and whose entries, or some of them, are there.

    ``years`` is the rule: how long a month is kept. ``holds`` are those that keep it. ``number``
    is the entry by which it was destroyed already, or 0; then only the rest is to be done.
    """

    month: ClosedMonth
    years: int
    holds: tuple[Hold, ...] = ()
    number: int = 0

    @property
    def kept(self) -> bool:
        """Say whether a hold keeps it."""
        return bool(self.holds) and not self.month.month.destroyed


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A month that was destroyed; ``certificate`` is its file."""

    month: ClosedMonth
    number: int
    certificate: Path


def is_past(month: int, years: int, today: dt.date) -> bool:
    """Say whether the last day of a month (202611) lies more than so many years back."""
    year, number = divmod(month, 100)
    after = dt.date(year + number // _DECEMBER, number % _DECEMBER + 1, 1)
    return after.replace(year=after.year + years) <= today


def due(connection: Connection, years: int, today: dt.date) -> list[Due]:
    """Give the months to destroy, the earliest first; also those that hold and hinder it.

    Raises:
        LedgerError: the entry of a hold cannot be read.
    """
    holds = standing(connection)
    said = {one.detail: one.number for one in records(connection, Kind.DESTRUCTION, OF_MONTH)}
    found = []
    for month in closed_months(connection):
        table = has_table(connection, month.month)
        if not table or not (month.month.destroyed or is_past(month.month.month, years, today)):
            continue
        number = month.month.destroyed or max(
            (number for detail, number in said.items() if _is_of(detail, month)), default=0
        )
        held = () if month.month.destroyed else tuple(holding(connection, holds, month.month))
        found.append(Due(month, years, held, number))
    return found


def destroy(
    ledger: DatabaseLedger,
    what: Due,
    folder: Path,
    order: Order,
    step: Step | None = None,
) -> Destroyed:
    """Destroy a month, or go on where an earlier run ended.

    Args:
        ledger: Where it is.
        what: The month, as ``due`` gave it.
        folder: Where the certificates are.
        order: Who has it done.
        step: Is told of each step that is committed.

    Raises:
        LedgerError: a hold stands, or something could not be written; what was done stands, and
            the next run goes on.
    """
    tell = step or _quiet
    month = what.month
    path = folder / certificate_name(month)
    if not month.month.destroyed:
        number = what.number
        _refuse_held(what.holds, month)
        if not number or not (path.exists() or _pending(path).exists()):
            digest = _write_pending(ledger, what, path, order)
            tell("certificate", 1, 1)
            number = _enter(ledger, month, digest, path.name, order)
            tell("entry", 1, 1)
        _name(path, order)
        tell("named", 1, 1)
        _mark(ledger, month, number)
        tell("marked", 1, 1)
    else:
        number = month.month.destroyed
    _remove(ledger, month, tell)
    return Destroyed(month, number, path)


def certificate_name(month: ClosedMonth) -> str:
    """Give the name of the file of a month's certificate."""
    return f"destruction-{dashed(month.month.month)}.txt"


def _quiet(_what: str, _done: int, _whole: int) -> None:
    pass


def _refuse_held(holds: Sequence[Hold], month: ClosedMonth) -> None:
    if holds:
        names = ", ".join(hold.name for hold in holds)
        raise LedgerError(f"{dashed(month.month.month)} is kept by the legal hold {names}")


def _pending(path: Path) -> Path:
    return path.with_name(f"{path.name}.pending")


def _write_pending(ledger: DatabaseLedger, what: Due, path: Path, order: Order) -> str:
    """Write the certificate beside its name; give its digest."""
    if path.exists():
        raise LedgerError(f"{path} is there already: move it to where certificates are kept")
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        hashes = _leaf_hashes(connection, what.month)
    stated = certificate(KIND, _facts(what, hashes, order), order.signer)
    # An entry has the digest of the one that is final: one without an entry never counted.
    _pending(path).unlink(missing_ok=True)
    with NewFile(_pending(path)) as file:
        file.write(stated.encode())
        file.keep()
        return file.digest()


def _leaf_hashes(connection: Connection, month: ClosedMonth) -> str:
    """Give the SHA-256 of the month's leaf hashes, one after another."""
    hashed = hashlib.sha256()
    begin = month.first - 1
    while begin < month.last:
        index, place = divmod(begin, TILE_WIDTH)
        end = min(month.last, (index + 1) * TILE_WIDTH)
        tile = Tile(0, index, end - index * TILE_WIDTH)
        hashed.update(tile_bytes(connection, tile)[place * HASH_BYTES :])
        begin = end
    return hashed.hexdigest()


def _facts(what: Due, hashes: str, order: Order) -> list[tuple[str, str]]:
    month = what.month
    access = order.access
    return [
        ("log", order.signer.name),
        ("month", str(month.month.month)),
        ("entries", f"{month.first}-{month.last}"),
        ("messages", month.messages),
        ("number", str(month.count)),
        ("leaf-hashes", hashes),
        ("rule", f"kept {what.years} years after the month's end (hub.retention_years)"),
        ("archive", month.archive or "none"),
        ("at", order.at.isoformat(timespec="seconds")),
        ("staff", plain_value(access.staff)),
        ("department", plain_value(access.department)),
        ("terminal", plain_value(access.terminal)),
        ("reason", plain_value(access.reason)),
    ]


def _enter(ledger: DatabaseLedger, month: ClosedMonth, digest: str, name: str, order: Order) -> int:
    """Enter the destruction and what must outlast it; give the number of the destruction."""
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        _refuse_held(holding(connection, standing(connection), month.month), month)
        lasting = outlasting(connection, month, order)
    detail = f"{month.said()} messages {month.messages} number {month.count} certificate {name}"
    said = _act(order, OF_MONTH, detail, digest)
    ledger.append([*lasting, said])
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return _number_of(connection, month)


def _act(order: Order, code: str, detail: str, digest: str = "") -> Entry:
    return act(Kind.DESTRUCTION, order.access, order.at, code=code, detail=detail, digest=digest)


def outlasting(connection: Connection, month: ClosedMonth, order: Order) -> list[Entry]:
    """Give the entries that say anew what a month says that counts after it is destroyed."""
    holds = [one for one in standing(connection) if _is_in(one.number, month)]
    pointed = {one.month.destroyed for one in closed_months(connection)}
    gone = [
        one
        for one in records(connection, Kind.DESTRUCTION, OF_MONTH)
        if _is_in(one.number, month) and one.number in pointed
    ]
    salts = [
        one
        for one in records(connection, Kind.DESTRUCTION, OF_SALTS)
        if _is_in(one.number, month) and _is_about_kept(connection, one, month)
    ]
    return [
        *(carried(hold, order.access, order.at) for hold in holds),
        *(_act(order, one.code, one.detail, one.digest) for one in [*gone, *salts]),
    ]


def _is_in(number: int, month: ClosedMonth) -> bool:
    return month.first <= number <= month.last


def _is_about_kept(connection: Connection, erased: Recorded, month: ClosedMonth) -> bool:
    """Say whether an erasure of salts was in a month that is kept, such as a held one."""
    numbers = [int(one) for one in erased.detail.rpartition(" ")[2].split(",")]
    return any(
        not one.month.destroyed and any(one.first <= number <= one.last for number in numbers)
        for one in closed_months(connection)
        if one.month.month != month.month.month
    )


def _is_of(detail: str, month: ClosedMonth) -> bool:
    said = _MONTH.fullmatch(detail)
    return said is not None and said[1] == month.said()


def _number_of(connection: Connection, month: ClosedMonth) -> int:
    """Find the newest entry that says that a month was destroyed.

    Raises:
        LedgerError: there is none.
    """
    said = records(connection, Kind.DESTRUCTION, OF_MONTH)
    number = max((one.number for one in said if _is_of(one.detail, month)), default=0)
    if not number:
        raise LedgerError(f"no entry says that {dashed(month.month.month)} was destroyed")
    return number


def _name(path: Path, order: Order) -> None:
    """Give the certificate its name, unless it has it."""
    pending = _pending(path)
    try:
        if pending.exists():
            read_certificate(pending.read_bytes(), [order.signer.verifier])
            pending.rename(path)
    except NoteError as error:
        raise LedgerError(f"{pending} is no certificate of this ledger: {error}") from None
    except OSError as error:
        raise LedgerError(f"{path} cannot be written: {error.strerror or error}") from None


def _mark(ledger: DatabaseLedger, month: ClosedMonth, number: int) -> None:
    """Mark a month as destroyed, unless a hold was entered meanwhile."""
    with ledger_errors("record"), ledger.engine.begin() as connection:
        heads.locked(connection)  # nobody can enter a hold until this is committed
        _refuse_held(holding(connection, standing(connection), month.month), month)
        _point(connection, month, number)
        for one in closed_months(connection):
            if one.month.destroyed and _is_in(one.month.destroyed, month):
                _point(connection, one, _number_of(connection, one))


def _point(connection: Connection, month: ClosedMonth, number: int) -> None:
    where = months.c.month == month.month.month
    connection.execute(update(months).where(where).values(destroyed=number))


def _remove(ledger: DatabaseLedger, month: ClosedMonth, tell: Step) -> None:
    engine = ledger.engine
    with ledger_errors("record"):
        if engine.dialect.name == "sqlite":
            # PostgreSQL drops a table of any size at once.
            empty_table(engine, entries(month.month.month), month.first, month.last, tell)
        prune(engine, month.month, tell)
        forget_decided(engine, month.first, month.last)
        drop_table(engine, entries(month.month.month))
    tell("dropped", 1, 1)
