"""What the ledger says of messages for a reconciliation: all of it, each message once."""

import datetime as dt
from collections.abc import Iterator

import pytest

from hub.clock import JST
from hub.errors import LedgerError
from hub.ledger.leaf import microseconds
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Fact, Span, Tally, in_parts
from hub.message import MessageKey
from tests.samples import CHANGED, REGISTRY, TAX, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

DAY = dt.date(2026, 4, 30)
BEFORE_MIDNIGHT = dt.datetime(2026, 4, 30, 23, 59, 59, 999_999, tzinfo=JST)
MIDNIGHT = BEFORE_MIDNIGHT + dt.timedelta(microseconds=1)
KEYS = [MessageKey(REGISTRY, f"m-{number}") for number in range(4)]


@pytest.fixture
def ledger(url: str) -> Iterator[DatabaseLedger]:
    with opened(url) as one:
        yield one


def every(tally: Tally, span: Span) -> dict[MessageKey, list[Fact]]:
    found: dict[MessageKey, list[Fact]] = {}
    for part in tally.first_decided(span, lambda _: True):
        assert found.keys().isdisjoint(part)
        found |= part
    return found


def test_a_message_is_told_with_all_its_entries_over_the_months(ledger: DatabaseLedger) -> None:
    refused = entry(
        kind=Kind.REFUSAL, message=KEYS[0], at=BEFORE_MIDNIGHT, flow="", receiver="", resident=""
    )
    ledger.append([refused])
    ledger.append([entry(message=KEYS[0], at=MIDNIGHT), entry(2, message=KEYS[1], at=MIDNIGHT)])
    receipt = entry(
        kind=Kind.RECEIPT, message=KEYS[0], at=MIDNIGHT, code="set-aside", message_type=""
    )
    ledger.append([receipt])
    late, after = microseconds(BEFORE_MIDNIGHT), microseconds(MIDNIGHT)
    told = [
        Fact(1, late, Kind.REFUSAL, "", "", "", CHANGED),
        Fact(2, after, Kind.ACCEPTANCE, "I1", "premium-collection", "", CHANGED),
        Fact(4, after, Kind.RECEIPT, "I1", "premium-collection", "set-aside", ""),
    ]
    tally = Tally(ledger.engine)
    assert tally.about([KEYS[0], KEYS[3]]) == {KEYS[0]: told}
    assert every(tally, Span.of_day(DAY)) == {KEYS[0]: told}
    assert set(every(tally, Span.of_day(DAY + dt.timedelta(1)))) == {KEYS[1]}
    assert set(every(tally, Span())) == {KEYS[0], KEYS[1]}
    assert every(tally, Span.of_day(DAY - dt.timedelta(1))) == {}


def test_the_same_id_of_another_sender_is_another_message(ledger: DatabaseLedger) -> None:
    other = MessageKey(TAX, KEYS[0].id)
    ledger.append([entry(message=KEYS[0], at=MIDNIGHT), entry(message=other, at=MIDNIGHT)])
    found = Tally(ledger.engine).about([KEYS[0], other])
    assert [fact.number for fact in found[KEYS[0]]] == [1]
    assert [fact.number for fact in found[other]] == [2]


def test_acts_of_people_are_no_messages(ledger: DatabaseLedger) -> None:
    acts = (Kind.OPERATOR_ACTION, Kind.LOG_VIEW, Kind.EXPORT, Kind.CATALOGUE_CHANGE)
    ledger.append([entry(message=KEYS[0], kind=kind, at=MIDNIGHT) for kind in acts])
    tally = Tally(ledger.engine)
    assert tally.about(KEYS) == {}
    assert every(tally, Span()) == {}


def test_only_wanted_messages_are_looked_up(ledger: DatabaseLedger) -> None:
    ledger.append([entry(message=key, at=MIDNIGHT) for key in KEYS])
    parts = Tally(ledger.engine).first_decided(Span(), lambda key: key == KEYS[2])
    assert [list(part) for part in parts] == [[KEYS[2]]]


def test_a_message_of_many_windows_comes_once(
    ledger: DatabaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.ledger.tally.ROWS_A_TIME", 2)
    for receiver in ("union", "premium-collection"):
        ledger.append([entry(message=key, receiver=receiver, at=MIDNIGHT) for key in KEYS])
    found = every(Tally(ledger.engine), Span())
    assert {key: len(facts) for key, facts in found.items()} == dict.fromkeys(KEYS, 2)


def test_a_clock_that_was_set_back_over_the_months_end_loses_nothing(
    ledger: DatabaseLedger,
) -> None:
    ledger.append([entry(message=KEYS[0], at=MIDNIGHT)])
    ledger.append([entry(message=KEYS[1], at=BEFORE_MIDNIGHT)])
    assert set(every(Tally(ledger.engine), Span.of_day(DAY))) == {KEYS[1]}


def test_a_day_whose_entries_are_destroyed_is_not_told_as_empty(
    ledger: DatabaseLedger, url: str
) -> None:
    ledger.append([entry(message=KEYS[0], at=BEFORE_MIDNIGHT)])
    ledger.append([entry(message=KEYS[1], at=MIDNIGHT)])
    execute(url, "UPDATE ledger_months SET destroyed = 9 WHERE month = 202604")
    tally = Tally(ledger.engine)
    with pytest.raises(LedgerError, match="202604 were destroyed by entry 9"):
        every(tally, Span.of_day(DAY))
    assert set(every(tally, Span.of_day(DAY + dt.timedelta(1)))) == {KEYS[1]}


def test_messages_are_looked_up_in_parts() -> None:
    assert [len(part) for part in in_parts(iter(KEYS), 3)] == [3, 1]
    assert list(in_parts(iter(()))) == []
