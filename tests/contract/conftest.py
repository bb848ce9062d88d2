"""What the contract tests share."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.servers.ledger_to_verify import filled
from tests.servers.postgresql import PostgresqlServer


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """Give a private PostgreSQL server; that there is none is a failure, never a skip."""
    with PostgresqlServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('tmp_path') / 'new folder' / 'ledger.sqlite3'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database() as address:
        yield address


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a ledger of 600 entries over two months, to be copied."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite3"
    filled(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def on_postgresql(postgresql: PostgresqlServer) -> Iterator[str]:
    """Make the same on PostgreSQL."""
    with postgresql.database() as address:
        filled(address)
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a copy of that ledger, of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("on_sqlite"), tmp_path / "ledger.sqlite3")
        yield f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
        return
    template = sa.make_url(request.getfixturevalue("on_postgresql"))
    name = f"copy{secrets.token_hex(6)}"
    server = sa.create_engine(template.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template.database}")
        try:
            yield template.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()
