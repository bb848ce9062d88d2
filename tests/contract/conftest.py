"""What the contract tests share."""

from collections.abc import Iterator

import pytest

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
