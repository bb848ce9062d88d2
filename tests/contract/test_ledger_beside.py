"""What stands beside the entries: written with them or not at all, kept by backups, and bounded."""

import datetime as dt
import gc
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.errors import LedgerError
from hub.ledger.asides import Wanted, count_kept, listed
from hub.ledger.beside import Aside, Beside, Binding, Cause, Shelf, State, Turn
from hub.ledger.model import Entry, Kind
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.vault import Vault, vault_of
from hub.ledger.verify.ledger import verify
from hub.ledger.watch import Finding, Watch
from hub.ledger.years.backup import back_up, put_copy
from hub.ledger.years.records import Order
from hub.ledger.years.restore import open_backup
from hub.ledger.years.retention import destroy, due
from hub.message import AccessItems, MessageKey
from monitoring.health import Health
from monitoring.ledger import EVIDENCE, LEDGER, LedgerMetrics
from tests.contract.test_ledger_crashes import Killed, killed_at
from tests.samples import CHANGED, NOW, PSEUDONYMS, REGISTRY, SIGNER, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

RESIDENT = PSEUDONYMS.resident("1")
VAULT = vault_of(PSEUDONYMS)
BODY = b"a body that nobody may read"
ORDER = Order(AccessItems("職員九", "医療課", "T-09", "保存年限", "retain"), NOW, SIGNER)


def quiet(_what: str, _done: int, _whole: int) -> None:
    pass


@pytest.fixture
def ledger(url: str) -> Iterator[DatabaseLedger]:
    with opened(url) as one:
        yield one


def about(message_id: str, kind: Kind = Kind.HOLD, **changes: object) -> Entry:
    return entry(kind=kind, message=MessageKey(REGISTRY, message_id), resident=RESIDENT, **changes)


def aside(place: int, message_id: str = "held", at: dt.datetime = NOW) -> Aside:
    return Aside(
        place,
        MessageKey(REGISTRY, message_id),
        CHANGED,
        RESIDENT,
        "binding-differs",
        "403",
        at,
        partial(VAULT.seal, body=BODY),
    )


def put(ledger: DatabaseLedger, message_id: str = "held", at: dt.datetime = NOW) -> int:
    """Put a message aside, as the second of three entries; give its number."""
    entries = [entry(at=at), about(message_id, at=at), about(message_id, at=at, receiver="union")]
    before = ledger.size()
    ledger.append(entries, Beside(asides=[aside(1, message_id, at)]))
    return before + 2


def turn(ledger: DatabaseLedger, number: int, was: State, now: State) -> None:
    ledger.append([about("held", Kind.RELEASE)], Beside(turns=[Turn(number, was, now)]))


def rows(url: str) -> Sequence[tuple[int, str, bool]]:
    found = execute(url, "SELECT id, state, body FROM ledger_asides ORDER BY id")
    return [(row["id"], row["state"], row["body"] is not None) for row in found]


def test_many_are_bound_and_found_again(ledger: DatabaseLedger) -> None:
    people = {PSEUDONYMS.resident(str(n)): PSEUDONYMS.number(str(n)) for n in range(1200)}
    new = [Binding(resident, "", digest) for resident, digest in people.items()]
    ledger.append([entry()], Beside(bindings=new))
    assert ledger.bindings([*people, "nobody"]) == people
    ledger.append([entry(2)], Beside(bindings=[Binding(RESIDENT, people[RESIDENT], "x" * 32)]))
    assert ledger.bindings([RESIDENT]) == {RESIDENT: "x" * 32}
    assert ledger.bindings([]) == {}
    assert verify(ledger.engine, SIGNER.verifier).good


@pytest.mark.parametrize(("before", "after"), [("", "b" * 32), ("a" * 32, "b" * 32)])
def test_a_binding_that_another_worker_changed_is_asked_for_again(
    url: str, ledger: DatabaseLedger, before: str, after: str
) -> None:
    if before:
        ledger.append([entry()], Beside(bindings=[Binding(RESIDENT, "", before)]))
    ledger.known([entry(5).message])
    other = DatabaseLedger(url, SIGNER)
    other.append([entry(2)], Beside(bindings=[Binding(RESIDENT, before, "c" * 32)]))
    other.close()
    size = ledger.size()
    with pytest.raises(LedgerError):
        ledger.append([entry(3)], Beside(bindings=[Binding(RESIDENT, before, after)]))
    assert ledger.size() == size
    assert ledger.bindings([RESIDENT]) == {RESIDENT: "c" * 32}


def test_what_is_put_aside_has_the_number_of_its_entry(ledger: DatabaseLedger) -> None:
    number = put(ledger)
    (said,) = [one for one in ledger.entries() if one.number == number]
    assert (said.kind, said.message.id) == (Kind.HOLD, "held")
    found, overtaken = ledger.confirmations([number, 99])
    assert overtaken == frozenset()
    (one,) = found.values()
    assert (one.id, one.key.id, one.state, one.bucket) == (number, "held", State.OPEN, "403")
    assert one.at == NOW
    assert VAULT.open(number, one.sealed) == BODY
    assert BODY not in one.sealed
    with pytest.raises(LedgerError, match="cannot be decrypted"):
        VAULT.open(number + 1, one.sealed)
    with pytest.raises(LedgerError, match="cannot be decrypted"):
        Vault(b"another site's key").open(number, one.sealed)
    known = ledger.known([one.key])[one.key]
    assert known.held == {("I1", "premium-collection"), ("I1", "union")}
    assert (known.held_code, known.resident) == ("", RESIDENT)


def test_a_turn_is_taken_once_and_without_it_there_is_no_entry(
    url: str, ledger: DatabaseLedger
) -> None:
    number = put(ledger)
    turn(ledger, number, State.OPEN, State.RELEASED)
    assert ledger.released() == [(number, "403")]
    size = ledger.size()
    for was in (State.OPEN, State.MOVED):
        with pytest.raises(LedgerError, match="meanwhile"):
            turn(ledger, number, was, State.RELEASED)
    with pytest.raises(LedgerError, match="meanwhile"):
        turn(ledger, 77, State.OPEN, State.RELEASED)
    assert ledger.size() == size
    ledger.append([], Beside(turns=[Turn(number, State.RELEASED, State.MOVED)]))
    assert ledger.size() == size
    assert rows(url) == [(number, "moved", False)]
    assert ledger.released() == []


def test_what_another_worker_has_put_aside_is_not_put_aside_again(
    url: str, ledger: DatabaseLedger
) -> None:
    assert ledger.known([MessageKey(REGISTRY, "held")]) == {}
    other = DatabaseLedger(url, SIGNER)
    number = put(other)
    with pytest.raises(LedgerError, match="asking again"):
        ledger.append([about("held")], Beside(asides=[aside(0)]))
    other.close()
    assert rows(url) == [(number, "open", True)]
    assert ledger.known([MessageKey(REGISTRY, "held")])


def test_they_are_listed_and_counted(ledger: DatabaseLedger) -> None:
    numbers = [put(ledger, f"m{n}") for n in range(3)]
    turn(ledger, numbers[0], State.OPEN, State.RELEASED)
    turn(ledger, numbers[1], State.OPEN, State.REJECTED)
    with ledger.engine.connect() as connection:
        kept = {state: n for (shelf, state), n in count_kept(connection).items() if n}
        assert kept == {State.OPEN: 1, State.RELEASED: 1}
        asked = [
            [one.id for one in listed(connection, wanted, most)]
            for wanted, most in (
                (Wanted(Shelf.CONFIRMATION), 9),
                (Wanted(Shelf.CONFIRMATION, State.OPEN), 9),
                (Wanted(Shelf.CONFIRMATION, sender=REGISTRY, code="binding-differs"), 2),
                (Wanted(Shelf.CONFIRMATION, sender="tax"), 9),
                (Wanted(Shelf.CONFIRMATION, code="x"), 9),
                (Wanted(Shelf.DEAD_LETTER), 9),
            )
        ]
    assert asked == [numbers, numbers[2:], numbers[:2], [], [], []]


@pytest.mark.parametrize(
    ("changes", "is_newer"),
    [
        ({}, True),
        ({"kind": Kind.REFUSAL, "code": "denied"}, False),
        ({"message_type": "income.assessed"}, False),
        ({"resident": PSEUDONYMS.resident("2")}, False),
        ({"message": MessageKey("tax", "n")}, False),
        ({"message": MessageKey(REGISTRY, "held")}, False),
        ({"at": NOW + dt.timedelta(days=70)}, True),
    ],
    ids=["newer", "refused", "type", "person", "sender", "itself", "months later"],
)
def test_only_a_newer_message_about_the_same_overtakes(
    ledger: DatabaseLedger, changes: dict[str, object], *, is_newer: bool
) -> None:
    ledger.append([about("old", Kind.ACCEPTANCE)])
    number = put(ledger)
    ledger.append([replace(about("n", Kind.ACCEPTANCE), **changes)])  # type: ignore[arg-type]
    assert ledger.confirmations([number])[1] == ({number} if is_newer else set())


def test_one_put_aside_earlier_does_not_overtake(ledger: DatabaseLedger) -> None:
    first, second = put(ledger, "m1"), put(ledger, "m2")
    ledger.append([about("m1", Kind.ACCEPTANCE)])
    assert ledger.confirmations([first, second])[1] == frozenset()
    ledger.append([about("m2", Kind.ACCEPTANCE)])
    assert ledger.confirmations([first, second])[1] == {first}


def broken_at(ledger: DatabaseLedger, new: list[Entry], beside: Beside, step: int) -> bool:
    was_killed = False
    with killed_at(ledger.engine, step):
        try:
            ledger.append(new, beside)
        except Killed:
            was_killed = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return was_killed


def test_broken_off_at_any_step_nothing_of_it_is_there(url: str, ledger: DatabaseLedger) -> None:
    number = put(ledger)
    ledger.append([entry()], Beside(bindings=[Binding(RESIDENT, "", "a" * 32)]))
    size, before = ledger.size(), rows(url)
    new = Binding(PSEUDONYMS.resident("2"), "", "c" * 32)
    beside = Beside(
        bindings=[Binding(RESIDENT, "a" * 32, "b" * 32), new],
        asides=[aside(1, "more")],
        turns=[Turn(number, State.OPEN, State.REJECTED)],
    )
    step = 0
    new_entries = [about("held", Kind.RELEASE, code="rejected"), about("more")]
    while broken_at(ledger, new_entries, beside, step):
        assert ledger.size() == size
        assert rows(url) == before
        assert ledger.bindings([RESIDENT, new.resident]) == {RESIDENT: "a" * 32}
        step += 1
    assert step > 8
    assert rows(url) == [(number, "rejected", False), (size + 2, "open", True)]
    assert ledger.bindings([RESIDENT, new.resident]) == {
        RESIDENT: "b" * 32,
        new.resident: new.after,
    }
    assert verify(ledger.engine, SIGNER.verifier).good


def test_a_backup_has_them_and_what_is_restored_too(
    url: str, ledger: DatabaseLedger, tmp_path: Path
) -> None:
    number = put(ledger)
    ledger.append([entry()], Beside(bindings=[Binding(RESIDENT, "", "a" * 32)]))
    work = tmp_path / "work"
    work.mkdir()
    made = back_up(ledger, tmp_path / "b", work, ORDER, quiet)
    found = open_backup(made.path, work, None, SIGNER.verifier, quiet)
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere' / 'ledger.sqlite3'}"
    put_copy(found.path, elsewhere, quiet)
    again = DatabaseLedger(elsewhere, SIGNER)
    assert again.bindings([RESIDENT]) == {RESIDENT: "a" * 32}
    (one,) = again.confirmations([number])[0].values()
    again.close()
    assert VAULT.open(number, one.sealed) == BODY
    assert url != elsewhere


def test_with_its_month_goes_what_was_decided_and_stays_what_waits(
    url: str, ledger: DatabaseLedger, tmp_path: Path
) -> None:
    old = dt.datetime(2019, 4, 3, tzinfo=dt.UTC)
    decided, waits = put(ledger, "m1", old), put(ledger, "m2", old)
    turn(ledger, decided, State.OPEN, State.REJECTED)
    later = put(ledger, "m3")
    turn(ledger, later, State.OPEN, State.REJECTED)
    with ledger.engine.connect() as connection:
        months = due(connection, 7, dt.date(2026, 6, 1))
    destroy(ledger, months[0], tmp_path, replace(ORDER, at=NOW + dt.timedelta(days=61)))
    assert rows(url) == [(waits, "open", True), (later, "rejected", False)]
    assert verify(ledger.engine, SIGNER.verifier).good
    # Nobody knows any more for whom it was: it can only be rejected.
    assert ledger.known([MessageKey(REGISTRY, "m2")]) == {}


OLD_ROW = (
    "INSERT INTO ledger_confirmations (id, at, sender, message_id, message_type, resident, code, "
    "bucket, state, decided, body) SELECT id, at, sender, message_id, message_type, resident, "
    "code, '403', state, decided, body FROM ledger_asides"
)
OLD_TABLE = (
    "CREATE TABLE ledger_confirmations (id {big} NOT NULL PRIMARY KEY, at BIGINT NOT NULL, "
    "sender TEXT NOT NULL, message_id TEXT NOT NULL, message_type TEXT NOT NULL, "
    "resident TEXT NOT NULL, code TEXT NOT NULL, bucket TEXT NOT NULL, state TEXT NOT NULL, "
    "decided BIGINT NOT NULL, body {blob})"
)


def go_back(url: str) -> None:
    """Make the tables of schema 0004 of those of today."""
    is_sqlite = url.startswith("sqlite")
    kinds = {"big": "INTEGER", "blob": "BLOB"} if is_sqlite else {"big": "BIGINT", "blob": "BYTEA"}
    for step in (
        OLD_TABLE.format(**kinds),
        OLD_ROW,
        "CREATE INDEX ledger_confirmations_kept ON ledger_confirmations (state)",
        "DROP TABLE ledger_asides",
        "DROP TABLE hub_workers",
        "DROP TABLE IF EXISTS hub_suspects",
        "DROP TABLE hub_maintenance",
        "UPDATE ledger_version SET version_num = '0004'",
    ):
        execute(url, step)


def test_a_ledger_of_the_schema_before_is_brought_up_to_date(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(300)])
        waits, decided = put(ledger, "m1"), put(ledger, "m2")
        turn(ledger, decided, State.OPEN, State.REJECTED)
        before = rows(url)
    go_back(url)
    with pytest.raises(LedgerError, match="run 'renkei ledger migrate'"):
        DatabaseLedger(url, SIGNER)
    migrate(url)
    assert rows(url) == before
    with opened(url) as ledger:
        (one,) = ledger.confirmations([waits])[0].values()
        assert VAULT.open(waits, one.sealed) == BODY
        assert (one.shelf, one.key.id, one.at) == (Shelf.CONFIRMATION, "m1", NOW)
        assert one.bucket == str(403 % 16)  # the bucket of its resident as it is counted today
        assert put(ledger, "m3") > decided
        assert verify(ledger.engine, SIGNER.verifier).good


def test_one_before_the_confirmations_too(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(300)])
    later = ("ledger_bindings", "ledger_asides", "hub_workers", "hub_suspects", "hub_maintenance")
    for table in later:
        execute(url, f"DROP TABLE IF EXISTS {table}")
    execute(url, "UPDATE ledger_version SET version_num = '0003'")
    migrate(url)
    with opened(url) as ledger:
        assert put(ledger) == 302
        assert verify(ledger.engine, SIGNER.verifier).good


def test_the_watch_shows_how_many_wait(ledger: DatabaseLedger, tmp_path: Path) -> None:
    registry = CollectorRegistry()
    numbers = [put(ledger, f"m{n}") for n in range(3)]
    turn(ledger, numbers[0], State.OPEN, State.RELEASED)
    with ThreadPoolExecutor(1) as sweeper:
        watch = Watch(
            ledger.engine,
            lambda _: Finding(0),
            tmp_path / "witness",
            LedgerMetrics(registry, Health(LEDGER, EVIDENCE)),
            sweeper,
            clock=lambda: NOW,
            monotonic=lambda: 0.0,
        )
        watch.tick()
        shown = {
            state: registry.get_sample_value("renkei_confirmations", {"state": state})
            for state in ("open", "released")
        }
        assert shown == {"open": 2, "released": 1}
        dead = entry(kind=Kind.DEAD_LETTER, message=MessageKey(REGISTRY, "m0"))
        letter = replace(aside(0, "m0"), cause=Cause("take"))
        ledger.append([dead], Beside(asides=[letter]))
        watch.tick()
        assert registry.get_sample_value("renkei_dead_letters", {"state": "open"}) == 1
        turn(ledger, numbers[0], State.RELEASED, State.MOVED)
        watch.tick()
    assert registry.get_sample_value("renkei_confirmations", {"state": "released"}) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_asides SET body = NULL WHERE state = 'open'",
        "UPDATE ledger_asides SET state = 'open' WHERE state = 'rejected'",
        "UPDATE ledger_asides SET state = 'x'",
        "UPDATE ledger_asides SET sender = 'tax' WHERE state = 'open'",
        "UPDATE ledger_asides SET list = 'dead-letter' WHERE state = 'open'",
        "UPDATE ledger_asides SET list = 'x'",
        "UPDATE ledger_asides SET id = id - 1 WHERE state = 'open'",
        "UPDATE ledger_asides SET id = 1000 WHERE state = 'open'",
        "UPDATE ledger_asides SET decided = 1 WHERE state = 'rejected'",
        "UPDATE ledger_asides SET state = 'released' WHERE state = 'open'",
    ],
    ids=[
        "a body that is gone",
        "a decision that is undone",
        "no state",
        "another message",
        "another list",
        "no list",
        "another entry",
        "an entry that there is not",
        "another decision",
        "a decision that nobody made",
    ],
)
def test_what_is_not_as_it_was_written_is_found(
    url: str, ledger: DatabaseLedger, change: str
) -> None:
    decided, _ = put(ledger, "m1"), put(ledger, "m2")
    turn(ledger, decided, State.OPEN, State.REJECTED)
    assert verify(ledger.engine, SIGNER.verifier).good
    execute(url, change)
    assert "ledger_asides" in verify(ledger.engine, SIGNER.verifier).fault
    with ledger.engine.connect() as connection:
        count_kept(connection)  # the watch goes on, whatever stands there
