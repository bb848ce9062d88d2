"""Ledgers that are gone, locked, frozen, foreign, old or new: a clear error, and no value in it."""

import gc
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pg8000.dbapi
import pytest
import sqlalchemy as sa
from alembic import op
from pydantic import SecretStr

import hub.ledger.schema as schema_module
from hub.errors import LedgerError
from hub.ledger.identity import with_password
from hub.ledger.schema import (
    ledger_errors,
    migrate,
    open_engine,
)
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import metadata
from tests.samples import SIGNER, entry
from tests.servers.ledgers import execute, opened, rows_of
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.contract


@pytest.fixture
def own_server() -> Iterator[PostgresqlServer]:
    """Give a server that the test may stop."""
    with PostgresqlServer() as server:
        yield server


def recorded(ledger: DatabaseLedger) -> list[object]:
    return [row["seq"] for row in rows_of(ledger)]


# -- the schema ----------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    migrate(url)
    engine = open_engine(url)
    found = sa.inspect(engine)
    catalogue = "sqlite_master" if engine.dialect.name == "sqlite" else "pg_class"
    column = "name" if engine.dialect.name == "sqlite" else "relname"
    names = {row[column] for row in execute(url, f"SELECT {column} FROM {catalogue}")}  # noqa: S608 - fixed
    for table in metadata.tables.values():
        columns = {c["name"]: c for c in found.get_columns(table.name)}
        assert columns.keys() == {column.name for column in table.columns}
        assert {name for name, c in columns.items() if c["nullable"]} == {
            column.name for column in table.columns if column.nullable
        }
        assert {index.name for index in table.indexes} <= names
        assert len(found.get_foreign_keys(table.name)) == len(table.foreign_keys)
    engine.dispose()


def test_migrating_again_changes_nothing(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry()])
    migrate(url)
    with opened(url) as ledger:
        assert recorded(ledger) == [1]


def test_several_may_migrate_at_once(url: str) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            migrate(url)
        except LedgerError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with opened(url) as ledger:
        assert ledger.size() == 0


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    # SQLite turns the second one away that sets the mode of a new file, now and then.
    for number in range(15):
        test_several_may_migrate_at_once(f"sqlite:///{tmp_path / str(number)}")


def test_a_migration_that_breaks_off_leaves_nothing_behind(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenOff(Exception):
        pass

    def break_off(*_: object, **__: object) -> None:
        raise BrokenOff

    with monkeypatch.context() as patched:
        patched.setattr(op, "create_index", break_off)
        with pytest.raises(BrokenOff):
            migrate(url)
    with opened(url) as ledger:
        ledger.append([entry()])
        assert ledger.size() == 1


def test_an_empty_database_says_what_to_run(url: str) -> None:
    engine = open_engine(url, make=True)
    with engine.connect() as connection:
        connection.commit()
    engine.dispose()
    with pytest.raises(LedgerError, match=r"restore .* only a new site .* 'renkei ledger migrate'"):
        DatabaseLedger(url, SIGNER)


def test_an_older_schema_says_what_to_run(url: str) -> None:
    migrate(url)
    execute(url, "UPDATE ledger_version SET version_num = '0003'")
    with pytest.raises(LedgerError, match=r"is 0003 and should be 000[4-9]: run 'renkei ledger"):
        DatabaseLedger(url, SIGNER)


def test_a_newer_schema_is_left_alone(url: str) -> None:
    migrate(url)
    execute(url, "UPDATE ledger_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="9999, newer than this program's"):
        DatabaseLedger(url, SIGNER)
    with pytest.raises(LedgerError, match="could not be brought up to date"):
        migrate(url)


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense s3cret",
        "postgresql://u:s3cret@h/db",
        "postgresql+pg8000://u:s3cret@h:port/db",
        "mysql://u:s3cret@h/db",
        "",
    ],
)
def test_a_wrong_address_shows_no_password(wrong: str) -> None:
    with pytest.raises(LedgerError) as caught:
        DatabaseLedger(wrong, SIGNER)
    assert "s3cret" not in str(caught.value)


def test_a_password_of_any_characters_gets_into_the_address() -> None:
    hard = "p@s/s:w%20#髙"
    address = with_password("postgresql+pg8000://user@host:5433/db", SecretStr(hard))
    assert sa.make_url(address).password == hard
    assert sa.make_url(address).host == "host"
    with pytest.raises(LedgerError) as caught:
        with_password("nonsense", SecretStr("s3cret"))
    assert "s3cret" not in str(caught.value)


# -- SQLite --------------------------------------------------------------------------------


def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'ledger'}") as ledger, ledger._engine.connect() as used:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        found = {name: used.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
    assert found == wanted


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    file.write_bytes(b"something of somebody's\n" * 100)
    before = file.read_bytes()
    for use in (migrate, lambda url: DatabaseLedger(url, SIGNER)):
        with pytest.raises(LedgerError, match="not a database"):
            use(f"sqlite:///{file}")
    assert file.read_bytes() == before


@pytest.mark.parametrize("where", ["", "file/ledger"])
def test_a_place_where_no_file_can_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError):
        migrate(f"sqlite:///{tmp_path / where}")


def test_a_locked_ledger_is_an_error_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_module, "BUSY_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path / 'ledger'}"
    with opened(url) as ledger:
        other = open_engine(url)
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            with pytest.raises(LedgerError, match="could not record: database is locked"):
                ledger.append([entry()])
        other.dispose()
        ledger.append([entry()])
        assert recorded(ledger) == [1]


def test_a_full_disk_is_an_error_until_there_is_room(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'ledger'}") as ledger:
        ledger.append([entry()])
        with ledger._engine.connect() as connection:  # the pool gives this one again
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        many = [entry(n) for n in range(2, 500)]
        with pytest.raises(LedgerError, match="could not record: database or disk is full"):
            ledger.append(many)
        assert recorded(ledger) == [1]
        with ledger._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        ledger.append(many)
        assert recorded(ledger) == list(range(1, 500))


# -- PostgreSQL ----------------------------------------------------------------------------


def test_postgresql_waits_for_the_disk_whatever_the_server_is_set_to(
    postgresql: PostgresqlServer,
) -> None:
    with postgresql.database() as url:
        assert execute(url, "SHOW synchronous_commit") == [{"synchronous_commit": "off"}]
        with opened(url) as ledger, ledger._engine.connect() as used:
            assert used.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


def test_a_process_that_freezes_amidst_a_transaction_stops_nobody_for_long(
    postgresql: PostgresqlServer,
) -> None:
    with postgresql.database() as url, opened(url) as ledger:
        frozen = open_engine(url, answer_seconds=1.0)
        held = frozen.connect()
        held.execute(sa.text("SELECT size FROM ledger_head FOR UPDATE"))  # and no more is heard
        began = time.monotonic()
        ledger.append([entry()])
        assert 0.3 < time.monotonic() - began < 10
        with pytest.raises(sa.exc.DBAPIError):
            held.execute(sa.text("SELECT 1"))
        held.close()
        frozen.dispose()
        assert recorded(ledger) == [1]


def test_what_postgresql_cannot_keep_is_told_without_it(postgresql: PostgresqlServer) -> None:
    with postgresql.database() as url, opened(url) as ledger:
        with pytest.raises(LedgerError) as caught:
            ledger.append([entry(code="髙\x00﨑")])
        assert "髙" not in str(caught.value)
        assert re.search(r"SQLSTATE 22", str(caught.value))
        ledger.append([entry()])
        assert recorded(ledger) == [1]


@pytest.mark.parametrize(
    ("state", "told"),
    [("22P02", "SQLSTATE 22P02"), ("23505", "SQLSTATE 23505"), ("57P03", "SQLSTATE 57P03 of 髙")],
)
def test_only_texts_that_quote_no_row_are_told(state: str, told: str) -> None:
    answer = {"S": "ERROR", "C": state, "M": "of 髙", "D": "Failing row contains (髙)"}
    error = sa.exc.DBAPIError("INSERT", {"name": "髙"}, pg8000.dbapi.DatabaseError(answer))
    with pytest.raises(LedgerError) as caught, ledger_errors("record"):
        raise error
    assert str(caught.value) == f"the ledger could not record: {told}"


def test_a_wrong_password_is_told_without_it(postgresql: PostgresqlServer) -> None:
    with postgresql.database() as url:
        wrong = url.replace(postgresql.password, "s3cret")
        with pytest.raises(LedgerError, match="could not be brought up to date") as caught:
            migrate(wrong)
    assert "s3cret" not in str(caught.value)
    assert "password authentication failed" in str(caught.value)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_is_gone_is_an_error_until_it_is_back(
    own_server: PostgresqlServer, how: signal.Signals
) -> None:
    with own_server.database() as url, opened(url) as ledger:
        ledger.append([entry(1)])
        own_server.stop(how)
        with pytest.raises(LedgerError):
            ledger.append([entry(2)])
        with pytest.raises(LedgerError):
            ledger.known([entry().message])
        with pytest.raises(LedgerError):
            DatabaseLedger(url, SIGNER)
        own_server.start()
        ledger.append([entry(2)])
        assert recorded(ledger) == [1, 2]


# The driver leaves the socket of a connection that timed out to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_server_that_says_nothing_is_an_error_until_it_speaks(
    own_server: PostgresqlServer,
) -> None:
    with own_server.database() as url:
        migrate(url)
        ledger = DatabaseLedger(url, SIGNER, answer_seconds=0.5)
        ledger.append([entry(1)])
        with own_server.frozen():
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(LedgerError):
                    ledger.append([entry(2)])
                assert time.monotonic() - began < 5  # twice, as the old connection is tried first
        size = ledger.size()
        ledger.append([entry(3)])
        assert recorded(ledger) == list(range(1, size + 2))
        ledger.close()
        gc.collect()
