"""Helps the tests to look into a ledger's database, and to append from other processes."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import make_url

from hub.demo.state import DemoState, write_atomically
from hub.ledger.model import Commitment
from hub.ledger.months import all_months
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import entries
from tests.samples import SIGNER

_APPEND = """
import sys
from hub.ledger.store import DatabaseLedger
from tests.samples import SIGNER, entry

url, who, batches, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ledger = DatabaseLedger(url, SIGNER)
print("ready", flush=True)
sys.stdin.readline()
for batch in range(batches):
    ledger.append([
        entry(batch * size + n, receiver=who, basis=f"basis {batch}", code=f"{batch}")
        for n in range(size)
    ])
ledger.close()
"""


def ledger_on(url: str, state: DemoState) -> dict[str, str]:
    """Give what a demo's site file says of its ledger, and what it is to say with a database.

    The password, which may not stand in the address, is written among the site's secrets.
    """
    parsed, name = make_url(url), "ledger-database"
    write_atomically(state.secret(name), f"{parsed.password}\n")
    bare = parsed._replace(password=None)  # set() takes None for what stays as it is
    return {
        'ledger = "sqlite:///ledger/ledger.sqlite3"': f'ledger = "{bare}"\n'
        f'ledger_password_file = "secrets/{name}"'
    }


@contextmanager
def opened(url: str) -> Iterator[DatabaseLedger]:
    """Open a ledger, its schema brought up to date."""
    migrate(url)
    ledger = DatabaseLedger(url, SIGNER)
    try:
        yield ledger
    finally:
        ledger.close()


def rows_of(ledger: DatabaseLedger) -> list[dict[str, Any]]:
    """Give what every entry says, by the names of its parts, and its ``body`` commitment."""
    # First the entries: a ledger that grows meanwhile has a salt for each of them.
    found = list(ledger.entries())
    with ledger.engine.connect() as connection:
        months = [entries(month.month).c for month in all_months(connection)]
        salts = {
            number: bytes(salt or b"")
            for month in months
            for number, salt in connection.execute(sa.select(month.seq, month.salt))
        }
    return [
        {
            "seq": entry.number,
            "at": entry.at,
            "kind": entry.kind.value,
            "sender": entry.message.sender,
            "message_id": entry.message.id,
            "code": entry.code,
            **{name: getattr(entry, name) for name in _SAID},
            **entry.access._asdict(),
            "body": Commitment(entry.digest, salts[entry.number]),
        }
        for entry in found
    ]


_SAID = ("message_type", "flow", "receiver", "resident", "digest", "detail", "basis", "purpose")
_SAID += ("released", "withheld")


def execute(url: str, statement: str, **values: object) -> Sequence[Mapping[str, Any]]:
    """Run a statement behind the ledger's back; give the rows, if it has any."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []
    finally:
        engine.dispose()


def append_at_once(url: str, names: Sequence[str], batches: int, size: int) -> None:
    """Let one process for each name append, all of them from the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _APPEND, url, name, str(batches), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.wait(60) for process in processes] == [0] * len(names)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
