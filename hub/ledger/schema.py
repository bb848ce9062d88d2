"""Open the ledger's database and bring its schema up to date."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from hub.errors import LedgerError
from hub.ledger.identity import read_url

BUSY_SECONDS = 10.0
"""How long somebody else may be writing into an SQLite ledger before it counts as lost."""
ANSWER_SECONDS = 15.0
"""How long PostgreSQL may take to answer before the ledger counts as lost."""
PROMPT_SECONDS = 4.0
"""The same, of either, for a process that has a link to keep alive and is to stop within seconds.

It may meet it twice in a row: where a connection of the pool is silent, a new one is opened.
"""
MIGRATION_LOCK = 0x72656E6B
"""The number that migrating programs lock in PostgreSQL, so that one goes after the other."""
VERSION_TABLE, _VERSIONS = "ledger_version", "hub.ledger.migrations.versions"
"""Where Alembic notes the newest step that was taken, and where the steps are."""
_WITHOUT_TREE = frozenset({"0001", "0002"})
"""The schemas before entries were hashed."""
_WITH_VALUES = ("22", "23")
"""SQLSTATE classes (data, integrity) whose texts may quote what was to be written."""


@contextmanager
def ledger_errors(doing: str) -> Iterator[None]:
    """Turn the database's errors into ``LedgerError``; statements and values are left out."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        message = f"the ledger could not {doing}: {_said(getattr(error, 'orig', None) or error)}"
        raise LedgerError(message) from None


def _said(cause: BaseException) -> str:
    """Give what the database said, without what it was about to write."""
    answer = cause.args[0] if cause.args else None
    if isinstance(answer, dict):  # PostgreSQL's fields: C is the SQLSTATE, M its sentence
        state = str(answer.get("C", ""))
        sentence = "" if state.startswith(_WITH_VALUES) else str(answer.get("M", ""))
        return f"SQLSTATE {state} {sentence}".rstrip()[:200]
    lines = str(cause).splitlines()
    return lines[0][:200] if lines else type(cause).__name__


def open_engine(
    url: str, answer_seconds: float | None = ANSWER_SECONDS, *, make: bool = False
) -> Engine:
    """Open ``sqlite:///…`` or ``postgresql+pg8000://…`` with full durability.

    ``answer_seconds`` is how long one answer of the database may take; none, as long as it likes.
    PostgreSQL takes the locks from a process that was silent for twice as long amidst a
    transaction: one that is frozen, or cut off, must not stop the others.
    ``make`` lets SQLite make a file that is not there. Without it nobody who only looks takes
    the place of a file that is away: SQLite would throw away the write-ahead file beside it.

    Raises:
        LedgerError: the URL is none of these, the file is not there, or cannot be made.
    """
    parsed = read_url(url)
    with ledger_errors("be opened"):
        if parsed.drivername not in {"sqlite", "postgresql+pg8000"}:
            message = f"the ledger is sqlite:///… or postgresql+pg8000://…, not {parsed.drivername}"
            raise LedgerError(message)
        path = _path_in(parsed)
        if path is not None and make:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif path is not None:
            _must_be_there(path)
            parsed = parsed.set(
                database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"}
            )
        settings: dict[str, Any] = {}
        if parsed.drivername == "postgresql+pg8000":
            # A server may be set to answer before it has synced; this ledger's sessions wait.
            told = {"synchronous_commit": "on"}
            if answer_seconds is not None:
                told["idle_in_transaction_session_timeout"] = f"{round(2000 * answer_seconds)}ms"
            settings = {"timeout": answer_seconds, "startup_params": told}
        engine = create_engine(
            parsed, hide_parameters=True, pool_pre_ping=True, connect_args=settings
        )
        if parsed.drivername == "sqlite":
            busy = BUSY_SECONDS if answer_seconds is None else min(BUSY_SECONDS, answer_seconds)
            event.listen(engine, "connect", partial(_durable_sqlite, busy))
        else:
            from hub.ledger.connecting import connect_at_once  # noqa: PLC0415 - its driver's weight

            event.listen(engine, "do_connect", connect_at_once)
    return engine


def sqlite_path(engine: Engine) -> Path | None:
    """Give the file of a ledger in SQLite; none of one in PostgreSQL."""
    return _path_in(engine.url)


def _path_in(url: URL) -> Path | None:
    if url.drivername != "sqlite" or not url.database:
        return None
    if url.database.startswith("file:"):
        return Path(unquote(url.database.removeprefix("file:")))
    return Path(url.database)


def _must_be_there(path: Path) -> None:
    if not path.exists():
        beside = path.with_name(f"{path.name}-wal")
        kept = f", and keep {beside.name} beside it" if beside.exists() else ""
        raise LedgerError(
            f"there is no ledger at {path}: put the same file back{kept}, or restore its newest "
            "backup; only a new site makes an empty one, with 'renkei ledger migrate'"
        )


class SameFile:
    """Sees that an SQLite ledger's file is still the one that was opened.

    SQLite goes on writing into a file that was removed or replaced: it would record where
    nobody can read it.
    """

    def __init__(self, engine: Engine) -> None:
        self._path = sqlite_path(engine)
        self._identity = self._there()

    def check(self) -> None:
        """Look whether it is there and the same.

        Raises:
            LedgerError: it is gone, or another file has its name.
        """
        if self._there() == self._identity:
            return
        message = (
            f"the ledger's file {self._path} is gone or was replaced: nothing may move; put the "
            "same file back, or restore its newest backup and start the hub again"
        )
        raise LedgerError(message)

    def _there(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        except OSError as error:
            raise LedgerError(f"the ledger's file cannot be seen: {error.strerror}") from None
        return (found.st_dev, found.st_ino)


def _durable_sqlite(busy: float, connection: Any, _record: object) -> None:  # noqa: ANN401 - a DB-API object
    # WAL lets others read while the hub writes; FULL syncs each commit before it returns.
    cursor = connection.cursor()
    (pages,) = cursor.execute("PRAGMA page_count").fetchone()
    if pages == 0:
        # Before anything is in the file: later it would take a rewrite to give space back.
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {round(busy * 1000)}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    # The file remembers the mode. Of several who set it on a new file SQLite turns all but one
    # away at once, without waiting as it does elsewhere.
    tries = Retrying(
        retry=retry_if_exception(_is_busy),
        stop=stop_after_delay(BUSY_SECONDS),
        wait=wait_random(0.01, 0.05),
        reraise=True,
    )
    tries(cursor.execute, "PRAGMA journal_mode = WAL")


def _is_busy(error: BaseException) -> bool:
    # The lowest byte of SQLite's codes is the kind; the rest says which of the kind.
    if not isinstance(error, sqlite3.OperationalError):
        return False
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def migrate(url: str) -> None:
    """Bring the ledger's schema to the newest step, whole or not at all.

    Makes a ledger where there is none; does nothing when it is up to date. Several programs may
    ask at once.

    Raises:
        LedgerError: the database cannot be reached or changed, or is newer than this code.
    """
    engine = open_engine(url, answer_seconds=None, make=True)
    try:
        with ledger_errors("be brought up to date"), engine.begin() as connection:
            _alone(connection)
            _refuse_without_tree(_revision(connection))
            upgrade(connection)
    finally:
        engine.dispose()


def upgrade(connection: Connection) -> None:
    """Run the steps that a database still lacks; ``verify`` compares with an empty one's."""
    # Only here: who works with a ledger that is up to date needs no Alembic in memory.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "hub.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(f"the ledger could not be brought up to date: {error}") from None


def is_empty(url: str) -> bool:
    """Say whether there is no ledger yet; a missing SQLite file is not made by looking.

    Raises:
        LedgerError: the database cannot be reached.
    """
    parsed = read_url(url)
    if parsed.drivername == "sqlite" and not Path(parsed.database or "").exists():
        return True
    engine = open_engine(url)
    try:
        with ledger_errors("be read"), engine.connect() as connection:
            return _revision(connection) is None
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    """Give the step that Alembic has noted in the ledger; none where there is no ledger."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - ours
    return found.scalar_one_or_none()


def _steps() -> list[str]:
    """Give all steps of this program, the newest last: ``0003`` of ``v0003_evidence.py``."""
    names = (one.name for one in files(_VERSIONS).iterdir())
    return sorted(name[1:5] for name in names if name.startswith("v") and name.endswith(".py"))


def _refuse_without_tree(revision: str | None) -> None:
    if revision in _WITHOUT_TREE:
        message = (
            "the ledger was made by a program that did not hash its entries yet, and cannot be "
            "carried over: keep it as it is, and name another place for the new one"
        )
        raise LedgerError(message)


def _alone(connection: Connection) -> None:
    """Keep other migrations out until this transaction ends."""
    if connection.dialect.name == "sqlite":
        # Python's driver begins no transaction for CREATE TABLE by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def check_schema(engine: Engine) -> None:
    """Make sure that the schema is the one that this code writes.

    Raises:
        LedgerError: it is older or newer; the text says what to run.
    """
    with ledger_errors("be read"), engine.connect() as connection:
        found = _revision(connection)
    steps = _steps()
    wanted = steps[-1]
    _refuse_without_tree(found)
    if found is not None and found not in steps:
        message = f"the ledger's schema is {found}, newer than this program's {wanted}"
        raise LedgerError(message)
    if found is None:
        message = (
            "there is no ledger: restore its newest backup; only a new site makes an empty one, "
            "with 'renkei ledger migrate'"
        )
        raise LedgerError(message)
    if found != wanted:
        message = (
            f"the ledger's schema is {found} and should be {wanted}: run 'renkei ledger migrate'"
        )
        raise LedgerError(message)
