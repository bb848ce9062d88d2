"""Verification beside a database that cannot be read, or holds what is of no column's type."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.errors import LedgerError
from hub.ledger.schema import open_engine
from hub.ledger.verify.fault import reading
from hub.ledger.verify.ledger import verify
from tests.samples import SIGNER
from tests.servers.ledger_to_verify import DECEMBER_ROWS, filled, verified

pytestmark = pytest.mark.contract


def test_a_database_that_cannot_be_read_now_is_an_error_and_not_a_fault(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'some.sqlite3'}", connect_args={"timeout": 0})
    holder = sqlite3.connect(tmp_path / "some.sqlite3", isolation_level=None)
    holder.execute("CREATE TABLE some (id)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with (
            pytest.raises(LedgerError, match="SQLITE_BUSY"),
            reading("some table"),
            engine.connect() as connection,
        ):
            connection.exec_driver_sql("SELECT * FROM some")
    finally:
        holder.close()
        engine.dispose()


def test_a_server_that_is_gone_is_an_error_and_not_a_fault() -> None:
    engine = open_engine("postgresql+pg8000://somebody@127.0.0.1:1/none")
    try:
        with pytest.raises(LedgerError):
            verify(engine, SIGNER.verifier)
        with pytest.raises(LedgerError), reading("some table"), engine.connect():
            pass
    finally:
        engine.dispose()


VALUES: dict[str, tuple[str, Callable[[sqlite3.Connection], object]]] = {
    "a text for a number": (
        "ledger_checkpoints",
        lambda d: d.execute("UPDATE ledger_checkpoints SET size = 'x' WHERE id = 1"),
    ),
    "bytes for a text": (
        DECEMBER_ROWS,
        lambda d: d.execute(f"UPDATE {DECEMBER_ROWS} SET digest = CAST(digest AS BLOB)"),  # noqa: S608
    ),
    "bytes for a message's text": (
        "ledger_messages",
        lambda d: d.execute("UPDATE ledger_messages SET sender = CAST(sender AS BLOB)"),
    ),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_value_of_another_type_is_found(tmp_path: Path, what: str) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    filled(url, 20, 20)
    table, edit = VALUES[what]
    database = sqlite3.connect(tmp_path / "ledger.sqlite3")
    with database:
        edit(database)
    database.close()
    found = verified(url)
    assert table in found.fault
    assert "not of its column's type" in found.fault


def test_an_index_that_is_not_that_of_its_rows_is_found_unless_quick(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    filled(url, 40, 40)
    database = sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)
    database.execute("PRAGMA writable_schema = ON")
    read = "SELECT name, rootpage FROM sqlite_master WHERE name IN (?, ?) ORDER BY name"
    names = ("ledger_entries_202611_case", "ledger_entries_202611_message")
    (one, first), (other, second) = database.execute(read, names).fetchall()
    update = "UPDATE sqlite_master SET rootpage = ? WHERE name = ?"
    database.executemany(update, [(second, one), (first, other)])
    database.close()
    assert "integrity_check" in verified(url).fault
    assert verified(url, quick=True).good
