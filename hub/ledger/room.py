"""How many bytes the ledger takes on its disk."""

from sqlalchemy import Engine, text

from hub.ledger.schema import ledger_errors, sqlite_path

_BESIDE = ("", "-wal")
"""SQLite's file, and the one with what was written and is not in it yet."""


def bytes_of(engine: Engine) -> int:
    """Give them: of SQLite's file and its write-ahead log, or of the whole database.

    Raises:
        LedgerError: it cannot be read.
    """
    with ledger_errors("be read"):
        path = sqlite_path(engine)
        if path is not None:
            files = [path.with_name(f"{path.name}{suffix}") for suffix in _BESIDE]
            return sum(file.stat().st_size for file in files if file.exists())
        with engine.connect() as connection:
            asked = text("SELECT pg_database_size(current_database())")
            return int(connection.execute(asked).scalar_one())
