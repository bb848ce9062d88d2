"""Months are destroyed after their time, with a certificate, unless held; the tree verifies."""

import datetime as dt
import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.edge import split
from hub.ledger.evidence.certificate import read_certificate
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.reading import leaves
from hub.ledger.schema import check_schema
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import tiles
from hub.ledger.verify.ledger import verify
from hub.ledger.years.archive import closed_months
from hub.ledger.years.erasure import erase
from hub.ledger.years.holds import LEGAL_HOLD, hold_months, hold_resident, lifted, standing
from hub.ledger.years.pruning import give_back
from hub.ledger.years.records import Order
from hub.ledger.years.retention import KIND, Due, Step, destroy, due, is_past
from hub.message import AccessItems, MessageKey
from schemas.evidence.merkle import leaf_hash
from schemas.evidence.tiles import HashReader
from tests.samples import REGISTRY, SIGNER, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

TODAY = dt.date(2026, 6, 1)
AT = dt.datetime(2026, 6, 1, 3, tzinfo=dt.UTC)
ORDER = Order(AccessItems("職員九", "医療課", "T-09", "保存年限", "retain"), AT, SIGNER)
OLD = AccessItems("職員旧", "市民課", "T-01", "転居", "x")
HELD = "a" * 32


class Killed(Exception):
    pass


def fill(ledger: DatabaseLedger, count: int = 5) -> None:
    """Append to April, May and June 2019, and June 2026; some messages go on in the next month."""
    for place, month in enumerate((4, 5, 6)):
        at = dt.datetime(2019, month, 3, tzinfo=dt.UTC)
        first = place * (count - 1)
        ledger.append(
            [
                entry(first + n, at=at, access=OLD if month == 4 else entry().access)
                for n in range(count)
            ]
        )
    ledger.append([entry(1000, at=AT, resident=HELD)])


def due_now(ledger: DatabaseLedger, today: dt.date = TODAY) -> list[Due]:
    with ledger.engine.connect() as connection:
        return due(connection, 7, today)


def retain(ledger: DatabaseLedger, folder: Path, step: Step | None = None) -> list[int]:
    done = [
        destroy(ledger, one, folder, ORDER, step).month.month.month
        for one in due_now(ledger)
        if not one.kept
    ]
    with ledger.engine.connect() as connection:
        return [one.month.month for one in closed_months(connection) if one.month.destroyed] or done


def sound(ledger: DatabaseLedger) -> list[int]:
    """See that every entry that is there has its hash and the tree is sealed; give the numbers."""
    engine: Engine = ledger.engine
    check_schema(engine)
    with engine.connect() as connection:
        now, fault = heads.read(connection)
        kept = {(row.level, row.n): bytes(row.hashes) for row in connection.execute(tiles.select())}
        said = list(leaves(connection))
    assert fault == ""
    now.check(HashReader(now.size, lambda level, n, _: kept[level, n]).root(), SIGNER.verifier)
    for number, content in said:
        tile, place = divmod(number - 1, 256)
        assert split(kept[0, tile])[place] == leaf_hash(content.encode())
    assert verify(engine, SIGNER.verifier, quick=True).fault == ""
    return [number for number, _ in said]


def count(url: str, table: str) -> int:
    return int(execute(url, f"SELECT count(*) AS n FROM {table}")[0]["n"])  # noqa: S608 - ours


@pytest.mark.parametrize(
    ("month", "today", "past"),
    [
        (201904, dt.date(2026, 4, 30), False),
        (201904, dt.date(2026, 5, 1), True),
        (201912, dt.date(2026, 12, 31), False),
        (201912, dt.date(2027, 1, 1), True),
        (202002, dt.date(2027, 2, 28), False),
        (202002, dt.date(2027, 3, 1), True),
    ],
)
def test_a_month_is_past_once_its_last_day_is_seven_years_back(
    month: int,
    today: dt.date,
    past: bool,  # noqa: FBT001 - a parameter
) -> None:
    assert is_past(month, 7, today) is past


def test_what_is_past_goes_and_what_is_not_stays(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        fill(ledger)
        before = count(url, "ledger_messages")
        assert retain(ledger, tmp_path) == [201904, 201905]
        assert sound(ledger) == [11, 12, 13, 14, 15, 16, 17, 18]
        assert due_now(ledger) == []
        entries = list(ledger.entries())
    (april, may) = [one for one in entries if one.kind is Kind.DESTRUCTION]
    assert april.detail == (
        "month 201904 entries 1-5 messages 1-5 number 5 certificate destruction-2019-04.txt"
    )
    assert (april.code, april.access, april.number) == ("month", ORDER.access, 17)
    assert may.detail.startswith("month 201905 entries 6-10 messages 6-9 ")
    note = (tmp_path / "destruction-2019-04.txt").read_bytes()
    assert hashlib.sha256(note).hexdigest() == april.digest
    kind, facts = read_certificate(note, [SIGNER.verifier])
    assert (kind, dict(facts)["entries"], dict(facts)["number"]) == (KIND, "1-5", "5")
    assert dict(facts)["rule"].startswith("kept 7 years")
    # Eight messages were of April and May alone; the ninth is June's, too.
    assert count(url, "ledger_messages") == before + 2 - 8
    found = execute(url, "SELECT staff FROM ledger_access ORDER BY staff")
    assert {row["staff"] for row in found} == {"職員一", "職員九"}
    destroyed = execute(url, "SELECT month, destroyed FROM ledger_months ORDER BY month")
    assert [row["destroyed"] for row in destroyed] == [17, 18, 0, 0]


def test_the_certificate_can_be_held_to_the_hashes_that_stay(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        fill(ledger, 300)
        with ledger.engine.connect() as connection:
            said = [leaf_hash(text.encode()) for number, text in leaves(connection, 301, 601)]
        retain(ledger, tmp_path)
    facts = dict(
        read_certificate((tmp_path / "destruction-2019-05.txt").read_bytes(), [SIGNER.verifier])[1]
    )
    assert facts["entries"] == "301-600"
    assert facts["leaf-hashes"] == hashlib.sha256(b"".join(said)).hexdigest()


STEPS = ("certificate", "entry", "named", "marked", "entries", "messages", "cases", "access items")


@pytest.mark.parametrize("deadly", STEPS)
def test_a_crash_at_any_step_is_gone_on_from(url: str, tmp_path: Path, deadly: str) -> None:
    if deadly == "entries" and url.startswith("postgresql"):
        deadly = "dropped"  # a table of any size is dropped at once there

    def kill(what: str, _done: int, _whole: int) -> None:
        if what == deadly:
            raise Killed(what)

    with opened(url) as ledger:
        fill(ledger)
        with pytest.raises(Killed):
            retain(ledger, tmp_path, kill)
        sound(ledger)
        ledger.append([entry(2000, at=AT), entry(2, at=AT, code="again")])
        sound(ledger)
    with opened(url) as ledger:
        retain(ledger, tmp_path)
        assert due_now(ledger) == []
        sound(ledger)
        said = [one.detail for one in ledger.entries() if one.kind is Kind.DESTRUCTION]
        assert [one[:20] for one in said] == ["month 201904 entries", "month 201905 entries"]
    assert sorted(path.name for path in tmp_path.glob("destruction-*")) == [
        "destruction-2019-04.txt",
        "destruction-2019-05.txt",
    ]
    tables = "sqlite_master WHERE type = 'table' AND name"
    if url.startswith("postgresql"):
        tables = "pg_tables WHERE tablename"
    assert count(url, f"{tables} LIKE 'ledger_entries_2019%'") == 1


def test_a_hub_that_runs_meanwhile_remembers_no_number_that_is_gone(
    url: str, tmp_path: Path
) -> None:
    """Its terms, access items, cases and messages are known to it from before."""
    with opened(url) as hub, opened(url) as other:
        fill(hub)
        hub.known([MessageKey(REGISTRY, "file-1.1")])
        numbers = itertools.count(3000)

        def meanwhile(what: str, _done: int, _whole: int) -> None:
            if what == "marked":
                hub.append([entry(next(numbers), at=AT, kind=Kind.DELIVERY)])
                hub.known([MessageKey(REGISTRY, "file-1.1"), MessageKey(REGISTRY, "file-1.6")])

        retain(other, tmp_path, meanwhile)
        again = {"at": AT, "access": OLD, "kind": Kind.DELIVERY}
        hub.append([entry(1, **again), entry(6, **again)])
        kept = sound(hub)
        assert [one.access for one in list(hub.entries())[-2:]] == [OLD, OLD]
        assert kept[-2:] == [hub.size() - 1, hub.size()]


def test_a_hold_keeps_its_months_until_it_is_lifted(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        fill(ledger)
        name, held = hold_months(201905, 201905, "訴訟 令和8年(ワ)1号", ORDER.access, AT)
        ledger.append([held])
        assert retain(ledger, tmp_path) == [201904]
        (one,) = due_now(ledger)
        assert (one.kept, one.holds[0].name) == (True, name)
        with pytest.raises(LedgerError, match=name):
            destroy(ledger, one, tmp_path, ORDER)
        ledger.append([lifted(one.holds[0], "ended", ORDER.access, AT)])
        with ledger.engine.connect() as connection:
            assert standing(connection) == []
        assert retain(ledger, tmp_path) == [201904, 201905]
        sound(ledger)


def test_a_resident_s_hold_keeps_every_month_with_an_entry_about_him(
    url: str, tmp_path: Path
) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1, at=dt.datetime(2019, 3, 3, tzinfo=dt.UTC), resident=HELD)])
        fill(ledger)
        _, held = hold_resident(HELD, "審査請求", ORDER.access, AT)
        ledger.append([held])
        assert retain(ledger, tmp_path) == [201904, 201905]
        (one,) = due_now(ledger)
        assert one.month.month.month == 201903
        assert one.holds[0].resident == HELD
        assert sound(ledger)[0] == 1


def test_a_hold_that_comes_between_entry_and_deletion_still_keeps(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger, opened(url) as other:
        fill(ledger)

        def hold(what: str, _done: int, _whole: int) -> None:
            if what == "named":
                other.append([hold_months(201904, 201904, "x", ORDER.access, AT)[1]])

        with pytest.raises(LedgerError, match="legal hold"):
            retain(ledger, tmp_path, hold)
        assert sound(ledger)[:5] == [1, 2, 3, 4, 5]
        with ledger.engine.connect() as connection:
            (one,) = standing(connection)
        ledger.append([lifted(one, "x", ORDER.access, AT)])
        assert retain(ledger, tmp_path) == [201904, 201905]


def later(years: int) -> tuple[dt.datetime, Order]:
    at = AT.replace(year=AT.year + years)
    return at, replace(ORDER, at=at)


def test_what_is_of_force_outlasts_the_month_of_its_entry(url: str, tmp_path: Path) -> None:
    """The entry of a hold, of a destruction and of an erasure are seven years old one day."""
    with opened(url) as ledger:
        fill(ledger)
        name, held = hold_months(201905, 201905, "x", ORDER.access, AT)
        ledger.append([held])
        retain(ledger, tmp_path)
        erase(ledger, MessageKey(REGISTRY, "file-1.5"), ORDER)
        at, order = later(8)
        ledger.append([entry(5000, at=at)])
        for one in due_now(ledger, at.date()):
            if not one.kept:
                destroy(ledger, one, tmp_path, order)
        sound(ledger)
        with ledger.engine.connect() as connection:
            (hold,) = standing(connection)
            gone = {one.month.month: one.month.destroyed for one in closed_months(connection)}
        entries: dict[int, Recorded] = {one.number: one for one in ledger.entries()}
    assert (hold.name, hold.at, hold.first) == (name, at, 201905)
    assert gone.pop(201905) == 0
    assert {entries[number].detail.split(" ")[1] for number in gone.values()} == {
        "201904",
        "201906",
        "202606",
    }
    salts = [one for one in entries.values() if one.code == "salts"]
    assert [one.at for one in salts] == [at]
    assert [one.code for one in entries.values() if one.kind is Kind.OPERATOR_ACTION] == [
        LEGAL_HOLD
    ]


def test_a_hold_that_cannot_be_read_stops_everything(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        fill(ledger)
        _, held = hold_months(201905, 201905, "x", ORDER.access, AT)
        ledger.append([replace(held, detail="hold everything")])
        with pytest.raises(LedgerError, match="cannot be read"):
            retain(ledger, tmp_path)
        with pytest.raises(LedgerError, match="reason"):
            hold_resident(HELD, " ", ORDER.access, AT)


def test_salts_are_erased_after_they_were_named(url: str) -> None:
    key = MessageKey(REGISTRY, "file-1.4")
    with opened(url) as ledger:
        fill(ledger)
        assert ledger.known([key])[key].is_accepted(b"body 4")
        assert erase(ledger, key, ORDER) == [5, 6]
        assert not ledger.known([key])[key].is_accepted(b"body 4")
        *_, said = ledger.entries()
        sound(ledger)
        with pytest.raises(LedgerError, match="no entry"):
            erase(ledger, key, ORDER)
    assert (said.kind, said.code) == (Kind.DESTRUCTION, "salts")
    assert said.detail == f"salts of message {REGISTRY}/file-1.4 entries 5,6"
    salts = execute(url, "SELECT count(salt) AS n FROM ledger_entries_201905")
    assert salts[0]["n"] == 4


def test_an_erasure_that_was_cut_off_is_not_entered_twice(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    with opened(url) as ledger:
        fill(ledger)
        with monkeypatch.context() as patched:
            patched.setattr("hub.ledger.years.erasure._erase_in", killed)
            with pytest.raises(Killed):
                erase(ledger, MessageKey(REGISTRY, "file-1.4"), ORDER)
        assert erase(ledger, MessageKey(REGISTRY, "file-1.4"), ORDER) == [5, 6]
        assert [one.code for one in ledger.entries()].count("salts") == 1


def test_space_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    told: list[tuple[str, int, int]] = []
    with opened(f"sqlite:///{path}") as ledger:
        fill(ledger, 4000)
        retain(ledger, tmp_path / "certificates")
        before = path.stat().st_size
        assert give_back(ledger.engine, lambda *what: told.append(what))
        after = path.stat().st_size
        sound(ledger)
    assert after < before * 0.6
    assert told[-1][0] == "space"
    assert b"file-1.77" not in path.read_bytes()
    assert not Path(f"{path}-wal").exists() or b"file-1.77" not in Path(f"{path}-wal").read_bytes()
