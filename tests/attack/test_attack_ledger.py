"""A database administrator: has all rights in the ledger's database, but not the hub's keys."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from hub.compose.ledger import ledger_url
from tests.attack.conftest import WORKERS, Report
from tests.attack.results import Party
from tests.attack.victim import Victim
from tests.servers.postgresql import programs

pytestmark = pytest.mark.attack

HALTED, FIRST_BAD = "renkei_ledger_halted", "renkei_ledger_first_bad_entry"
FOUND_SECONDS, MENDED_SECONDS = 45.0, 45.0


@contextmanager
def rights(victim: Victim) -> Iterator[sa.Connection]:
    """Give a connection with all rights; what was done is committed."""
    site, _ = victim.ground.checked()
    engine = sa.create_engine(ledger_url(site))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def months(connection: sa.Connection) -> list[str]:
    names = sa.inspect(connection).get_table_names()
    return sorted(name for name in names if name.startswith("ledger_entries_"))


def halts(victim: Victim) -> None:
    victim.until(lambda: victim.metric(HALTED) == 1, "halt", FOUND_SECONDS)


def mended(victim: Victim) -> None:
    victim.until(lambda: victim.metric(HALTED) == 0, "end of the halt", MENDED_SECONDS)
    victim.passes(60)


def size(victim: Victim) -> int:
    with rights(victim) as connection:
        return int(connection.execute(sa.text("SELECT size FROM ledger_head")).scalar_one())


def moves_nothing(victim: Victim) -> None:
    """A message that comes now waits, whichever worker has it."""
    before = size(victim)
    assert not victim.publish(victim.event())
    victim.until(
        lambda: victim.metric("renkei_ledger_available") < WORKERS, "worker that may not write"
    )
    assert size(victim) == before


def test_rewritten(victim: Victim, report: Report) -> None:
    """An entry says another time: the watch finds it, and nothing moves until it is mended."""
    victim.passes()
    with rights(victim) as connection:
        (table, *_) = months(connection)
        (seq,) = connection.execute(sa.text(f"SELECT min(seq) FROM {table}")).one()  # noqa: S608
        change = f"UPDATE {table} SET at = at + :by WHERE seq = :seq"  # noqa: S608
        connection.execute(sa.text(change), {"by": 1, "seq": seq})
    try:
        halts(victim)
        assert victim.metric(FIRST_BAD) == seq
        moves_nothing(victim)
    finally:
        with rights(victim) as connection:
            connection.execute(sa.text(change), {"by": -1, "seq": seq})
    report(
        Party.DATABASE,
        "ledger rewritten",
        "UPDATE of one entry while the hub runs",
        refused="nothing moves any more",
        recorded=f"ledger's head: halted at entry {seq}; `ledger verify` names it",
        alerted=f"`{HALTED}`, `{FIRST_BAD}`",
    )
    mended(victim)


def test_removed(victim: Victim, report: Report) -> None:
    """An entry is taken away, with all rights."""
    victim.passes()
    with rights(victim) as connection:
        table = months(connection)[-1]
        newest = connection.execute(sa.text(f"SELECT max(seq) FROM {table}")).scalar_one()  # noqa: S608
        delete = sa.text(f"DELETE FROM {table} WHERE seq = :seq RETURNING *")  # noqa: S608
        (row,) = connection.execute(delete, {"seq": newest - 3}).mappings()
    try:
        halts(victim)
        moves_nothing(victim)
    finally:
        with rights(victim) as connection:
            columns = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(
                sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"),  # noqa: S608
                dict(row),
            )
    report(
        Party.DATABASE,
        "entry removed",
        "DELETE of one entry while the hub runs",
        refused="nothing moves any more",
        recorded="ledger's head: halted; `ledger verify` names it",
        alerted=f"`{HALTED}`",
    )
    mended(victim)


def test_rolled_back(victim: Victim, report: Report) -> None:
    """The whole database as it was an hour ago, seal and all: only what is kept outside tells."""
    site, _ = victim.ground.checked()
    url = sa.make_url(ledger_url(site))
    environment = {"PGPASSWORD": str(url.password), "LC_ALL": "C.UTF-8"}
    where = ["-h", str(url.host), "-p", str(url.port), "-U", str(url.username)]
    dump = [programs() / "pg_dump", *where, "--clean", "--if-exists", str(url.database)]
    victim.passes()
    older = subprocess.run(dump, env=environment, capture_output=True, check=True).stdout
    victim.passes()
    psql = [
        programs() / "psql",
        *where,
        "-q",
        "-1",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        str(url.database),
    ]
    newer = subprocess.run(dump, env=environment, capture_output=True, check=True).stdout
    subprocess.run(psql, env=environment, input=older, capture_output=True, check=True)
    try:
        halts(victim)
        moves_nothing(victim)
    finally:
        subprocess.run(psql, env=environment, input=newer, capture_output=True, check=True)
    report(
        Party.DATABASE,
        "checkpoint rolled back",
        "an older dump of the whole database, with its seal",
        refused="nothing moves any more",
        recorded="ledger's head: halted; the witness beside the database is newer",
        alerted=f"`{HALTED}`",
    )
    mended(victim)


def test_reads(victim: Victim, report: Report) -> None:
    """What the database says of a person: pseudonyms, and of a message its digest."""
    event = victim.event({"name": "架空　太郎"} if "name" in victim.event()["data"] else {})
    assert not victim.publish(event)
    victim.recorded(str(event["id"]), "delivered")
    with rights(victim) as connection:
        said = []
        for table in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608
            said += [str(row) for row in rows]
    text = "\n".join(said)
    assert str(event["id"]) in text
    assert event["data"]["addressee_number"] not in text
    assert str(event["data"]["total_income"]) not in text
    report(
        Party.DATABASE,
        "reads everything",
        "SELECT of every table",
        refused="pseudonyms and digests; bodies that wait are encrypted",
        recorded="no: PostgreSQL's own log, if it is told to",
        alerted="no",
    )


def test_the_ledger_is_right_at_the_end(victim: Victim) -> None:
    status, printed = victim.ground.renkei("ledger", "verify", "--json")
    assert status == 0, printed
    assert json.loads(printed.splitlines()[-1])
