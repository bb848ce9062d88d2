"""Copies the whole ledger while the hub works, and puts a copy where there is no ledger.

A copy is an SQLite ledger, whatever database it was made from, and as the ledger was at one
moment. A backup is such a copy, encrypted with age or plain.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, make_url, select, tuple_

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.acts import act
from hub.ledger.edge import load_edge
from hub.ledger.head import Head
from hub.ledger.model import Entry, Kind
from hub.ledger.months import all_months
from hub.ledger.schema import is_empty, ledger_errors, migrate, open_engine
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import entries, head, metadata
from hub.ledger.writing import insert_rows
from hub.ledger.years.newfile import NewFile
from hub.ledger.years.records import Order, has_table
from hub.ledger.years.sealed import encrypt
from schemas.evidence.keys import Verifier

BACKUP = "backup"
"""The code of the entry of a backup."""
ROWS_A_TIME = 2000
PAGES_A_TIME = 2000
RESTORING = "a restore was begun and not finished; run renkei ledger restore again"

_THERE = "there is a ledger already, and a restore never takes its place: move it away first"

Step = Callable[[str, int, int], None]
"""Is told what is being done, and how much of how much of it."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made; ``plain_bytes`` is the size of the copy before encryption."""

    path: Path
    size: int
    digest: str
    bytes: int
    plain_bytes: int
    seconds: float


def back_up(ledger: DatabaseLedger, path: Path, work: Path, order: Order, step: Step) -> Backup:
    """Write a backup, and enter that it was made.

    Args:
        ledger: Where it is.
        path: The new file; nothing is overwritten.
        work: A folder of this account alone, with room for a plain copy meanwhile.
        order: Who has it made; without recipients the backup is plain.
        step: Is told how far it is.

    Raises:
        LedgerError: it cannot be written or recorded, or the copy is not what was sealed.
    """
    begun = time.monotonic()
    copy = work / "copy.sqlite3"
    with NewFile(path) as file:
        copy_ledger(ledger.engine, copy, step)
        size = check_copy(copy, order.signer.verifier).size
        with _reading(copy), copy.open("rb") as plain:
            if order.recipients:
                encrypt(plain, file, order.recipients)  # type: ignore[arg-type]  # only written
            else:
                file.write_all(plain)
        plain_bytes = copy.stat().st_size
        copy.unlink()
        file.settle()
        ledger.append([_act(order, path, size, file.digest())])
        file.keep()
        seconds = time.monotonic() - begun
        return Backup(path, size, file.digest(), file.bytes, plain_bytes, seconds)


def _act(order: Order, path: Path, size: int, digest: str) -> Entry:
    how = "encrypted" if order.recipients else "plain"
    return act(
        Kind.OPERATOR_ACTION,
        order.access,
        order.at,
        code=BACKUP,
        digest=digest,
        detail=f"{path.name} entries {size} {how}",
    )


def copy_ledger(engine: Engine, path: Path, step: Step) -> None:
    """Copy a ledger as it is at one moment into a new SQLite file; appends go on meanwhile.

    Raises:
        LedgerError: it cannot be read, or the file cannot be written.
    """
    with _reading(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if engine.dialect.name == "sqlite":
        _copy_pages(engine, path, step)
    else:
        _copy_rows_to(engine, path, step)
    _make_one_file(path)


def _copy_pages(engine: Engine, path: Path, step: Step) -> None:
    target = sqlite3.connect(path)
    try:
        with ledger_errors("be copied"), engine.connect() as connection:
            # Without a transaction of its own the copy would begin anew with each append.
            connection.exec_driver_sql("BEGIN")
            connection.execute(select(head.c.size)).one()
            source: Any = connection.connection.driver_connection
            source.backup(
                target,
                pages=PAGES_A_TIME,
                progress=lambda _, left, whole: step("copy", whole - left, whole),
                sleep=0,
            )
    except sqlite3.Error as error:
        raise LedgerError(f"{path.name} could not be written: {error}") from None
    finally:
        target.close()


def _copy_rows_to(engine: Engine, path: Path, step: Step) -> None:
    url = f"sqlite:///{path}"
    migrate(url)
    target = open_engine(url)
    try:
        snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
        with ledger_errors("be copied"), snapshot.connect() as source:
            source.exec_driver_sql("SET TRANSACTION READ ONLY")
            with target.begin() as connection:
                copy_rows(source, connection, step)
    finally:
        target.dispose()


def copy_rows(source: Connection, target: Connection, step: Step) -> None:
    """Copy every row from one database into the tables of another."""
    months = [entries(one.month) for one in all_months(source) if has_table(source, one)]
    tables = [*metadata.sorted_tables, *months]
    for place, table in enumerate(tables, 1):
        table.create(target, checkfirst=True)
        target.execute(delete(table))
        for rows in _rows(source, table):
            insert_rows(target, table, rows)
        step("copy", place, len(tables))


def _rows(connection: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    key = list(table.primary_key.columns)
    places = [list(table.columns).index(column) for column in key]
    query = select(table).order_by(*key).limit(ROWS_A_TIME)
    rows = [tuple(row) for row in connection.execute(query)]
    while rows:
        yield rows
        last = tuple_(*(rows[-1][place] for place in places))
        rows = [tuple(row) for row in connection.execute(query.where(tuple_(*key) > last))]


def _make_one_file(path: Path) -> None:
    with _reading(path):
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()


def check_copy(path: Path, verifier: Verifier) -> Head:
    """See that the head of a copy is what the hub has sealed; give it.

    Raises:
        LedgerError: it is not, or it cannot be read.
    """
    engine = open_engine(f"sqlite:///{path}")
    try:
        with ledger_errors("be read"), engine.connect() as connection:
            now, _ = heads.read(connection)
            now.check(load_edge(connection, now.size).root(), verifier)
    finally:
        engine.dispose()
    _make_one_file(path)  # opening it has made it write ahead again
    return now


def put_copy(path: Path, url: str, step: Step) -> None:
    """Put a copy where there is no ledger, whole or not at all.

    Raises:
        LedgerError: there is a ledger, or what another one has left, or it cannot be written.
    """
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        _put_file(path, Path(parsed.database or ""))
        return
    if not is_empty(url) and not _is_begun(url):
        raise LedgerError(_THERE)
    migrate(url)
    target = open_engine(url, answer_seconds=None)
    source = open_engine(f"sqlite:///{path}")
    try:
        with ledger_errors("record"):
            with target.begin() as connection:
                heads.set_fault(connection, RESTORING)
            with source.connect() as from_copy, target.begin() as connection:
                copy_rows(from_copy, connection, step)
    finally:
        source.dispose()
        target.dispose()


def _is_begun(url: str) -> bool:
    """Say whether a ledger is empty: what a restore that was cut off leaves."""
    engine = open_engine(url)
    try:
        with ledger_errors("be read"), engine.connect() as connection:
            return heads.read(connection)[0].size == 0
    finally:
        engine.dispose()


def _put_file(copy: Path, path: Path) -> None:
    if path.exists():
        raise LedgerError(_THERE)
    for name in (f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        beside = path.with_name(name)
        if beside.exists():
            message = (
                f"{beside} is left from another ledger and would be read into the restored one: "
                "move it away and keep it, it may have the last entries"
            )
            raise LedgerError(message)
    with _reading(copy), copy.open("rb") as file, NewFile(path) as new:
        new.write_all(file)
        new.keep()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn errors of a file into ``LedgerError``."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise LedgerError(f"{path.name}: {said}") from None
