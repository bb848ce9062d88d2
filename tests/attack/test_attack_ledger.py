"""A database administrator: has all rights in the ledger's database, but not the hub's keys."""

import json
import re

import pytest
import sqlalchemy as sa

from tests.attack.conftest import WORKERS, Report
from tests.attack.results import Party
from tests.attack.victim import Victim

pytestmark = pytest.mark.attack

HALTED, FIRST_BAD = "renkei_ledger_halted", "renkei_ledger_first_bad_entry"
THROUGH = "renkei_ledger_verified_through_entry"
FOUND_SECONDS, MENDED_SECONDS = 120.0, 120.0


def months(connection: sa.Connection) -> list[str]:
    names = sa.inspect(connection).get_table_names()
    return sorted(name for name in names if name.startswith("ledger_entries_"))


def halts(victim: Victim) -> None:
    victim.until(lambda: victim.metric(HALTED) == 1, "halt", FOUND_SECONDS)


def mended(victim: Victim) -> None:
    victim.until(lambda: victim.metric(HALTED) == 0, "end of the halt", MENDED_SECONDS)
    victim.passes(60)


def size(victim: Victim) -> int:
    with victim.rights() as connection:
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
    with victim.rights() as connection:
        (table, *_) = months(connection)
        (seq,) = connection.execute(sa.text(f"SELECT min(seq) FROM {table}")).one()  # noqa: S608
        change = f"UPDATE {table} SET at = at + :by WHERE seq = :seq"  # noqa: S608
        connection.execute(sa.text(change), {"by": 1, "seq": seq})
    try:
        halts(victim)
        assert victim.metric(FIRST_BAD) == seq
        moves_nothing(victim)
    finally:
        with victim.rights() as connection:
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
    with victim.rights() as connection:
        table = months(connection)[-1]
        newest = connection.execute(sa.text(f"SELECT max(seq) FROM {table}")).scalar_one()  # noqa: S608
        delete = sa.text(f"DELETE FROM {table} WHERE seq = :seq RETURNING *")  # noqa: S608
        (row,) = connection.execute(delete, {"seq": newest - 3}).mappings()
    try:
        halts(victim)
        moves_nothing(victim)
    finally:
        with victim.rights() as connection:
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
    dump = ("pg_dump", "--clean", "--if-exists")
    restore = ("psql", "-q", "-1", "-v", "ON_ERROR_STOP=1")
    victim.passes()
    older = victim.with_database(*dump)
    victim.passes()
    seen = size(victim)
    victim.until(lambda: victim.metric(THROUGH) >= seen, "look of the watch at what is newer")
    newer = victim.with_database(*dump)
    victim.with_database(*restore, said=older)
    try:
        halts(victim)
        moves_nothing(victim)
    finally:
        victim.with_database(*restore, said=newer)
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
    with victim.rights() as connection:
        said = []
        for table in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608
            said += [str(row) for row in rows]
    text = "\n".join(said)
    assert str(event["id"]) in text
    assert event["data"]["addressee_number"] not in text
    income = event["data"]["total_income"]
    assert re.search(rf"(?<![0-9a-f]){income}(?![0-9a-f])", text) is None  # digests have digits
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
