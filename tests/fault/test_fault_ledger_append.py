"""Kill a process that appends, at any moment, again and again: the ledger verifies and goes on."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from tests.samples import SIGNER
from tests.servers.ledgers import opened, rows_of
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.fault

ROUNDS, LONG_ROUNDS = 6, 300
ENDED_SECONDS = 30.0
_APPEND = """
import sys
from hub.ledger.store import DatabaseLedger
from tests.samples import SIGNER, entry

ledger = DatabaseLedger(sys.argv[1], SIGNER)
first = int(sys.argv[2])
print("ready", flush=True)
for batch in range(1_000_000):
    start = first + batch * 40
    numbers = range(start, start + 40)
    ledger.append([entry(n, basis=f"{n % 7}", code=f"c{batch % 5}") for n in numbers])
    print(start + 40, flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
        return
    with PostgresqlServer() as server, server.database() as address:
        yield address


def killed_while_appending(url: str, first: int, chance: random.Random) -> int:
    """Let a process append, kill it after some batches and an instant; give what it had told."""
    process = subprocess.Popen(
        [sys.executable, "-c", _APPEND, url, str(first)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "ready\n"
        told = first
        for _ in range(chance.randrange(1, 6)):
            told = int(process.stdout.readline())
        # The moment within the next append is the machine's; a busy loop spreads it.
        for _ in range(chance.randrange(60_000)):
            pass
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    return int(rest[-1]) if rest else told


def alone(ledger: DatabaseLedger) -> None:
    """Wait until the server has ended what it did for the process that was killed."""
    if ledger.engine.dialect.name == "postgresql":
        others = sa.text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND state <> 'idle'"
        )
        with ledger.engine.connect() as connection:
            until = time.monotonic() + ENDED_SECONDS
            while connection.execute(others).scalar_one():
                assert time.monotonic() < until
                connection.rollback()  # its statistics stay the same within a transaction


def test_killed_at_any_moment_it_verifies_and_goes_on(
    url: str, request: pytest.FixtureRequest
) -> None:
    rounds = LONG_ROUNDS if request.config.getoption("--long") else ROUNDS
    chance = random.Random(20_261_125)  # noqa: S311 - no secret
    with opened(url) as ledger:
        for _ in range(rounds):
            before = ledger.size()
            told = killed_while_appending(url, before, chance)
            alone(ledger)
            size = ledger.size()
            # What was told is there; of the append that was cut off there is all or nothing.
            assert size in {told, told + 40}
            found = verify(ledger.engine, SIGNER.verifier, quick=True)
            assert (found.fault, found.size) == ("", size)
        ids = [row["message_id"] for row in rows_of(ledger)]
        assert ids == [f"file-1.{n}" for n in range(ledger.size())]
        assert verify(ledger.engine, SIGNER.verifier).good
