"""Open the ledger's database and bring its schema up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import LedgerError

BUSY_SECONDS = 10


@contextmanager
def ledger_errors(doing: str) -> Iterator[None]:
    """Turn the database's errors into ``LedgerError``; statements and values are left out."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        message = f"the ledger could not {doing}: {text[:200]}"
        raise LedgerError(message) from None


def open_engine(url: str) -> Engine:
    """Open ``sqlite:///…`` or ``postgresql+pg8000://…``; SQLite gets full durability.

    Raises:
        LedgerError: the URL is none of these, or the folder cannot be made.
    """
    with ledger_errors("be opened"):
        parsed = make_url(url)
        if parsed.drivername not in {"sqlite", "postgresql+pg8000"}:
            message = f"the ledger is sqlite:///… or postgresql+pg8000://…, not {parsed.drivername}"
            raise LedgerError(message)
        if parsed.drivername == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
        if parsed.drivername == "sqlite":
            event.listen(engine, "connect", _durable_sqlite)
    return engine


def _durable_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DB-API object
    # WAL lets others read while the hub writes; FULL syncs each commit before it returns.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "hub.ledger:migrations")
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: str) -> None:
    """Bring the ledger's schema to the newest step; does nothing when it is there.

    Raises:
        LedgerError: the database cannot be reached or changed.
    """
    engine = open_engine(url)
    with ledger_errors("be brought up to date"), engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def check_schema(engine: Engine) -> None:
    """Make sure that the schema is the one that this code writes.

    Raises:
        LedgerError: it is older or newer; the text says what to run.
    """
    with ledger_errors("be read"), engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "ledger_version"})
        found = context.get_current_revision()
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if found != wanted:
        message = (
            f"the ledger's schema is {found or 'empty'} and should be {wanted}: "
            "run 'renkei ledger migrate'"
        )
        raise LedgerError(message)
