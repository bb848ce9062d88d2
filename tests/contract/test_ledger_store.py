"""What every ledger does, in SQLite and in PostgreSQL."""

import datetime as dt
import threading
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.model import Entry, FlowCount, Kind, commit
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.message import UNENCODABLE, AccessItems, MessageKey
from tests.samples import NOW, REGISTRY, SIGNER, entry
from tests.servers.ledgers import append_at_once, execute, opened, rows_of

pytestmark = pytest.mark.contract

HARD = "髙﨑\u3000𠮷\U000e0100 ｶﾅ '\"\\%s ${x} <&>"
COLLIDING = """
    INSERT INTO ledger_entries_202604 (seq, at, case_id, message_no, digest, salt_check, detail)
    SELECT :seq, at, case_id, message_no, digest, salt_check, detail
    FROM ledger_entries_202604 WHERE seq = 1
"""


def test_an_entry_comes_back_as_it_was_given(url: str) -> None:
    full = entry(
        code="a-code",
        basis=HARD,
        access=AccessItems(HARD, "部署", "端末", "事由", "内容"),
        released=("name", HARD),
        withheld=(),
    )
    bare = Entry(Kind.REFUSAL, NOW, MessageKey("", "unreadable-1"), "")
    with opened(url) as ledger:
        ledger.append([full, bare])
        first, second = rows_of(ledger)
    assert first["seq"] == 1
    assert first["at"] == NOW
    assert {name: first[name] for name in ("kind", "sender", "message_id", "message_type")} == {
        "kind": "acceptance",
        "sender": REGISTRY,
        "message_id": "file-1.1",
        "message_type": "resident.changed",
    }
    for name in ("flow", "receiver", "resident", "digest", "code", "basis"):
        assert first[name] == getattr(full, name)
    for name in ("staff", "department", "terminal", "reason", "operation"):
        assert first[name] == getattr(full.access, name)
    assert second["kind"] == "refusal"
    assert second["sender"] == second["staff"] == second["basis"] == ""


def test_field_lists_are_kept_as_lists(url: str) -> None:
    tricky = ("a, b", '"', "[")
    with opened(url) as ledger:
        ledger.append(
            [entry(released=tricky, withheld=("x",)), entry(released=("x",), withheld=tricky)]
        )
        rows = rows_of(ledger)
    assert rows[0]["released"] == rows[1]["withheld"]
    assert rows[0]["withheld"] == rows[1]["released"]
    assert rows[0]["released"] != rows[0]["withheld"]


def body(content: bytes) -> dict[str, Any]:
    return commit(content, content.ljust(16, b"."))._asdict()


def test_what_is_known_of_a_message(url: str) -> None:
    key = MessageKey(REGISTRY, "file-1.1")
    i1, m1b = ("I1", "premium-collection"), ("M1b", "union")
    with opened(url) as ledger:
        ledger.append(
            [
                entry(**body(b"accepted")),
                entry(**body(b"accepted"), flow="M1b", receiver="union"),
                entry(
                    **body(b"2"),
                    kind=Kind.REFUSAL,
                    flow="",
                    receiver="",
                    resident="",
                    code="id-reused",
                ),
                entry(kind=Kind.DELIVERY, **body(b"the copy")),
                entry(kind=Kind.REFUSAL, flow="M1b", receiver="union", code="withdrawn"),
                entry(kind=Kind.RECEIPT, code="delivered"),
                entry(2, kind=Kind.OUT_OF_SCOPE, **body(b"3")),
            ]
        )
        outside = MessageKey(REGISTRY, "file-1.2")
        known = ledger.known([key, outside, MessageKey("tax", "file-1.1"), MessageKey("", "x")])
    assert known.keys() == {key, outside}
    one = known[key]
    assert one.is_accepted(b"accepted")
    assert not one.is_accepted(b"the copy")
    assert one.resident == entry().resident
    assert one.accepted_at == NOW
    assert one.accepted == {i1, m1b}
    assert one.settled == {i1, m1b}
    assert one.receipted == {i1}
    assert one.decision(b"2") == "id-reused"
    assert one.decision(b"accepted") is None
    assert known[outside].decision(b"3") == ""
    assert known[outside].accepted_as is None


def test_many_messages_of_several_senders_are_looked_up_at_once(url: str) -> None:
    entries = [
        entry(n, message=MessageKey(s, f"m{n}")) for n in range(700) for s in ("tax", "bank")
    ]
    with opened(url) as ledger:
        ledger.append(entries)
        assert ledger.known([]) == {}
        wanted = {one.message for one in entries[:1300]} | {MessageKey("tax", "never")}
        assert ledger.known(wanted).keys() == {one.message for one in entries[:1300]}


def test_others_with_the_same_id_are_others(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1, message=MessageKey("tax", "same"), kind=Kind.REFUSAL, receiver="")])
        assert ledger.known([MessageKey(REGISTRY, "same")]) == {}


def test_counts_and_size(url: str) -> None:
    with opened(url) as ledger:
        assert ledger.size() == 0
        assert ledger.counts() == []
        ledger.append([])
        assert ledger.size() == 0
        ledger.append([entry(1), entry(2), entry(1, kind=Kind.DELIVERY)])
        ledger.append([entry(3, kind=Kind.REFUSAL, flow="", receiver="", code="held")])
        assert ledger.size() == 4
        assert sorted(ledger.counts(), key=lambda count: count.kind) == [
            FlowCount(REGISTRY, "resident.changed", "I1", "premium-collection", kind, "", number)
            for kind, number in ((Kind.ACCEPTANCE, 2), (Kind.DELIVERY, 1))
        ] + [FlowCount(REGISTRY, "resident.changed", "", "", Kind.REFUSAL, "held", 1)]


def test_it_is_all_there_when_opened_again(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1), entry(2, basis="another")])
    with opened(url) as ledger:
        ledger.append([entry(3, basis="another"), entry(4)])
        rows = rows_of(ledger)
    assert [(row["seq"], row["basis"]) for row in rows] == [
        (1, entry().basis),
        (2, "another"),
        (3, "another"),
        (4, entry().basis),
    ]
    assert len(execute(url, "SELECT id FROM ledger_terms")) == 2
    assert len(execute(url, "SELECT id FROM ledger_access")) == 1


def numbers_are_dense(ledger: DatabaseLedger) -> bool:
    numbers = [row["seq"] for row in rows_of(ledger)]
    return numbers == list(range(1, ledger.size() + 1))


def test_an_append_that_fails_half_way_leaves_nothing(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1)])
        execute(url, COLLIDING, seq=3)
        failing = [entry(2), entry(3, basis=HARD), entry(4, access=AccessItems(HARD))]
        with pytest.raises(LedgerError, match="could not record") as caught:
            ledger.append(failing)
        execute(url, "DELETE FROM ledger_entries_202604 WHERE seq = 3")
        assert ledger.size() == 1
        assert numbers_are_dense(ledger)
        for table in ("ledger_terms", "ledger_access"):
            assert len(execute(url, f"SELECT id FROM {table}")) == 1  # noqa: S608 - fixed names
        said = str(caught.value)
        assert caught.value.__cause__ is None
        for value in (HARD, "髙", "file-1", "職員", entry().digest, entry().resident, "INSERT"):
            assert value not in said


def test_texts_of_a_failed_append_are_not_taken_for_recorded(url: str) -> None:
    with opened(url) as ledger, opened(url) as other:
        ledger.append([entry(1, basis="first")])
        execute(url, COLLIDING, seq=3)
        with pytest.raises(LedgerError):
            ledger.append([entry(2, basis="lost"), entry(3, basis="lost too")])
        execute(url, "DELETE FROM ledger_entries_202604 WHERE seq = 3")
        # Another process may get the numbers that the failed append had seen for its texts.
        other.append([entry(2, basis="theirs"), entry(3, basis="theirs too")])
        ledger.append([entry(4, basis="lost"), entry(5, basis="lost too"), entry(6, basis="first")])
        assert [row["basis"] for row in rows_of(ledger)] == [
            "first",
            "theirs",
            "theirs too",
            "lost",
            "lost too",
            "first",
        ]


def test_texts_count_for_others_only_once_they_are_committed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads share a ledger: one fails after it numbered a text, the other waits for it."""
    failing, waiting = threading.Event(), threading.Event()
    with opened(url) as ledger:
        ledger.append([entry(1)])
        execute(url, COLLIDING, seq=3)
        locked = heads.locked

        def locked_and_meet(connection: Connection) -> heads.Head:
            if threading.current_thread().name == "second":
                waiting.set()
                failing.wait(5)
            return locked(connection)

        monkeypatch.setattr(heads, "locked", locked_and_meet)
        second = threading.Thread(
            target=lambda: ledger.append([entry(7, basis="shared")]), name="second"
        )
        second.start()
        waiting.wait(5)
        with pytest.raises(LedgerError):
            ledger.append([entry(2, basis="other"), entry(3, basis="shared")])
        execute(url, "DELETE FROM ledger_entries_202604 WHERE seq = 3")
        failing.set()
        second.join(10)
        assert [row["basis"] for row in rows_of(ledger)] == [entry().basis, "shared"]


@pytest.mark.parametrize("shared", [True, False])
def test_threads_append_at_once(url: str, shared: bool) -> None:  # noqa: FBT001 - a parameter
    with opened(url) as one, opened(url) as two:
        failures: list[BaseException] = []

        def work(ledger: DatabaseLedger, who: str) -> None:
            try:
                for n in range(15):
                    ledger.append([entry(n, receiver=who, basis=f"b{n}") for _ in range(3)])
            except LedgerError as error:
                failures.append(error)

        threads = [
            threading.Thread(target=work, args=(ledger, who))
            for ledger, who in ((one, "a"), (one if shared else two, "b"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert one.size() == 90
        assert numbers_are_dense(one)
        for who in ("a", "b"):
            told = [row["basis"] for row in rows_of(one) if row["receiver"] == who]
            assert told == [f"b{n}" for n in range(15) for _ in range(3)]


def test_processes_append_at_once(url: str) -> None:
    with opened(url) as ledger:
        append_at_once(url, ("a", "b"), batches=20, size=4)
        assert ledger.size() == 160
        assert numbers_are_dense(ledger)
        rows = rows_of(ledger)
    for who in ("a", "b"):
        own = [row for row in rows if row["receiver"] == who]
        assert [row["basis"] for row in own] == [f"basis {b}" for b in range(20) for _ in range(4)]
        numbers = [cast("int", row["seq"]) for row in own]
        assert numbers == [start + n for start in numbers[::4] for n in range(4)]


def test_a_month_that_another_has_begun_takes_what_comes_late(url: str) -> None:
    later = replace(entry(2), at=NOW.replace(month=5))
    with opened(url) as one, opened(url) as other:
        one.append([entry(1)])
        other.append([later])
        one.append([entry(3)])
        assert [row["seq"] for row in rows_of(one)] == [1, 2, 3]
        assert verify(one.engine, SIGNER.verifier).fault == ""


def test_a_ledger_that_was_set_back_is_not_written_on(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1)])
        (head,) = execute(url, "SELECT * FROM ledger_head")
        tiles = execute(url, "SELECT * FROM ledger_tiles")
        ledger.append([entry(2)])
        execute(url, "UPDATE ledger_tiles SET hashes = :hashes", hashes=tiles[0]["hashes"])
        names = ", ".join(f"{name} = :{name}" for name in head)
        execute(url, f"UPDATE ledger_head SET {names}", **head)  # noqa: S608 - its own columns
        with pytest.raises(LedgerError, match="set back or replaced"):
            ledger.append([entry(3)])


def test_counts_that_somebody_changed_are_not_signed(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(1)])
        execute(url, "UPDATE ledger_head SET messages = messages + 5")
        with pytest.raises(LedgerError, match="not what was sealed"):
            ledger.append([entry(2)])


def test_two_who_asked_before_either_accepted_accept_once(url: str) -> None:
    with opened(url) as one, opened(url) as other:
        one.append([entry(9)])
        for ledger in (one, other):
            assert ledger.known([entry(1).message]) == {}
        one.append([entry(1)])
        with pytest.raises(LedgerError, match="asking again"):
            other.append([entry(1)])
        assert other.known([entry(1).message])[entry(1).message].accepted
        assert one.size() == 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [(Kind.RECEIPT, "delivered"), (Kind.RECEIPT, UNENCODABLE), (Kind.OUT_OF_SCOPE, "")],
)
def test_two_who_asked_before_either_recorded_record_once(url: str, kind: Kind, code: str) -> None:
    first, other_flow = (entry(1, kind=kind, code=code, flow=flow) for flow in ("I1", "M1b"))
    with opened(url) as one, opened(url) as other:
        one.append([entry(1), entry(1, flow="M1b")])
        for ledger in (one, other):
            ledger.known([first.message])
        one.append([first])
        with pytest.raises(LedgerError, match="asking again"):
            other.append([first])
        assert other.known([first.message])
        other.append([other_flow])
        assert one.size() == 4


def test_a_receipt_may_follow_a_release_that_another_has_recorded(url: str) -> None:
    lacking = entry(1, kind=Kind.RECEIPT, code=UNENCODABLE)
    released = entry(1, kind=Kind.RELEASE, code="")
    marked = entry(1, kind=Kind.RECEIPT, code="marked")
    with opened(url) as one, opened(url) as other:
        one.append([entry(1), lacking])
        other.known([lacking.message])
        one.append([released])
        other.append([marked])
        assert one.size() == 4


def test_one_who_slept_between_confirm_and_record_delivers_nothing_twice(url: str) -> None:
    accepted = entry(1)
    delivered = replace(accepted, kind=Kind.DELIVERY)
    with opened(url) as sleeper, opened(url) as heir:
        sleeper.known([accepted.message])
        sleeper.append([accepted])
        assert heir.known([accepted.message])[accepted.message].accepted
        heir.append([delivered])
        with pytest.raises(LedgerError, match="asking again"):
            sleeper.append([delivered])
        sleeper.append([replace(entry(2), kind=Kind.DELIVERY)])
        assert sleeper.size() == 3


def test_one_who_inherits_delivers_nothing_that_the_one_before_has_still_recorded(url: str) -> None:
    accepted = entry(1)
    delivered = replace(accepted, kind=Kind.DELIVERY)
    with opened(url) as waking, opened(url) as heir:
        waking.known([accepted.message])
        waking.append([accepted])
        # The heir gets the message anew and sends its copy; meanwhile the other one wakes up.
        heir.known([accepted.message])
        asked_at = heir.asked_at
        waking.append([delivered])
        heir.append([entry(2)])
        heir.known([entry(3).message])
        with pytest.raises(LedgerError, match="asking again"):
            heir.append([delivered, entry(3)], since=asked_at)
        assert heir.known([accepted.message])[accepted.message].delivered
        heir.append([entry(3)])
        assert heir.size() == 4


@pytest.mark.parametrize(
    ("kind", "code", "detail"),
    [
        (Kind.DEAD_LETTER, "not-taken", "send"),
        (Kind.EXPIRY, "expired", "send"),
        (Kind.REFUSAL, "withdrawn", ""),
    ],
)
def test_one_who_slept_gives_up_nothing_that_another_has_delivered(
    url: str, kind: Kind, code: str, detail: str
) -> None:
    accepted = entry(1)
    given_up = replace(accepted, kind=kind, code=code, detail=detail)
    with opened(url) as sleeper, opened(url) as heir:
        heir.append([accepted])
        sleeper.known([accepted.message])
        heir.append([replace(accepted, kind=Kind.DELIVERY)])
        with pytest.raises(LedgerError, match="asking again"):
            sleeper.append([given_up])
        assert sleeper.known([accepted.message])[accepted.message].delivered
        assert sleeper.size() == 2


def test_what_another_has_delivered_may_die_at_its_receiver(url: str) -> None:
    accepted = entry(1)
    died = replace(accepted, kind=Kind.DEAD_LETTER, code="delivery-limit", detail="receive")
    with opened(url) as one, opened(url) as other:
        one.append([accepted])
        other.known([accepted.message])
        one.append([replace(accepted, kind=Kind.DELIVERY)])
        other.append([died])
        assert other.size() == 3


def test_one_who_appends_alone_is_not_told_to_ask_again(url: str) -> None:
    accepted = entry(1)
    with opened(url) as other, opened(url) as alone:
        other.append([entry(9)])
        alone.known([accepted.message])
        alone.append([accepted])
        alone.append([replace(accepted, kind=Kind.DELIVERY)], since=0)
        alone.append([replace(accepted, kind=Kind.DEAD_LETTER, code="x", detail="receive")])
        assert alone.size() == 4


def test_times_in_any_zone_are_one_time(url: str) -> None:
    zone = dt.timezone(dt.timedelta(hours=9))
    with opened(url) as ledger:
        ledger.append([entry(1), replace(entry(2), at=NOW.astimezone(zone))])
        first, second = rows_of(ledger)
    assert first["at"] == second["at"]


def test_what_another_accepted_meanwhile_is_not_refused_by_one_who_refused_it_before(
    url: str,
) -> None:
    refused = entry(kind=Kind.REFUSAL, flow="", receiver="", resident="", code="unreadable")
    with opened(url) as first, opened(url) as other:
        first.append([refused])
        first.known([refused.message])
        other.append([entry()])
        with pytest.raises(LedgerError, match="asking again"):
            first.append([refused])
        assert first.known([refused.message])[refused.message].accepted
