"""What is new in a ledger: counted once, by sort, with the delays of what was receipted."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.clock import JST
from hub.ledger.acts import act
from hub.ledger.model import Entry, Kind
from hub.ledger.newest import newest_act, newest_of_flows
from hub.ledger.room import bytes_of
from hub.ledger.store import DatabaseLedger
from hub.ledger.tail import Delay, Sort, Tail, Turn
from hub.message import AccessItems
from tests.samples import NOW, REGISTRY, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract

SECOND = dt.timedelta(seconds=1)
RECEIVER = "premium-collection"
MIDNIGHT = dt.datetime(2026, 5, 1, tzinfo=JST)


@pytest.fixture
def ledger(url: str) -> Iterator[DatabaseLedger]:
    with opened(url) as one:
        yield one


def receipt(of: Entry, seconds: float, code: str = "delivered") -> Entry:
    return entry(
        kind=Kind.RECEIPT,
        message=of.message,
        at=of.at + seconds * SECOND,
        flow=of.flow,
        receiver=of.receiver,
        code=code,
        message_type="",
    )


def counted(turn: Turn) -> dict[tuple[Kind, str, str], int]:
    return {(one.sort.kind, one.sort.flow, one.sort.code): one.number for one in turn.counts}


def test_the_first_look_begins_at_the_end_and_each_entry_is_counted_once(
    ledger: DatabaseLedger,
) -> None:
    ledger.append([entry(1)])
    tail = Tail(ledger.engine)
    assert tail.look() == Turn(1, 1)
    assert tail.look() == Turn(1, 1)
    staff = AccessItems(staff="another")
    ledger.append([entry(2), replace(entry(3), access=staff, at=NOW + SECOND)])
    turn = tail.look()
    assert (turn.size, turn.through) == (3, 3)
    ((sort, number, newest),) = turn.counts
    assert sort == Sort(Kind.ACCEPTANCE, entry().message_type, "I1", REGISTRY, RECEIVER, "")
    assert (number, newest) == (2, (NOW + SECOND).timestamp())
    assert tail.look().counts == ()


def test_a_delay_is_from_the_acceptance_of_the_same_flow_to_the_receipt(
    ledger: DatabaseLedger,
) -> None:
    first, second = entry(1), entry(2)
    ledger.append([first, second, replace(first, receiver="union", at=first.at - 9 * SECOND)])
    tail = Tail(ledger.engine)
    tail.look()
    ledger.append([receipt(first, 2.5), receipt(second, 4, code="unwritable")])
    turn = tail.look()
    assert turn.delays == (Delay("I1", RECEIVER, 2.5),)
    assert counted(turn)[Kind.RECEIPT, "I1", "unwritable"] == 1


def test_a_look_counts_over_the_turn_of_a_month_and_no_more_than_it_may(
    ledger: DatabaseLedger,
) -> None:
    ledger.append([entry(0)])
    tail = Tail(ledger.engine, most=3)
    tail.look()
    ledger.append([entry(number, at=MIDNIGHT - SECOND) for number in (1, 2)])
    ledger.append([entry(number, at=MIDNIGHT) for number in (3, 4)])
    assert [(turn.size, turn.through) for turn in (tail.look(), tail.look())] == [(5, 4), (5, 5)]
    again = Tail(ledger.engine, most=3)
    again._through = 1
    (whole,) = again.look().counts
    assert (whole.number, whole.newest) == (3, MIDNIGHT.timestamp())


def test_a_ledger_that_was_set_back_is_followed_from_its_new_end(ledger: DatabaseLedger) -> None:
    tail = Tail(ledger.engine)
    tail._through = 50
    ledger.append([entry(1)])
    assert tail.look() == Turn(1, 1)


def test_the_newest_of_each_flow_and_of_an_act(ledger: DatabaseLedger) -> None:
    assert newest_of_flows(ledger.engine, ["I1"]) == {}
    assert newest_act(ledger.engine, "reconciled") is None
    access = AccessItems(staff="0412")
    ledger.append(
        [
            entry(1),
            entry(2, at=NOW + SECOND),
            entry(3, at=NOW + 2 * SECOND, kind=Kind.DELIVERY),
            act(Kind.OPERATOR_ACTION, access, NOW, code="reconciled", detail="day 2026-03-31"),
            act(Kind.OPERATOR_ACTION, access, NOW, code="gap", detail="day 2026-04-01"),
            act(Kind.LOG_VIEW, access, NOW, code="reconciled"),
        ]
    )
    newest = newest_of_flows(ledger.engine, ["I1", "M1d"])
    assert newest == {"I1": NOW + SECOND}
    found = newest_act(ledger.engine, "reconciled")
    assert found is not None
    assert found.detail == "day 2026-03-31"


def test_a_ledger_takes_room_and_more_with_more_in_it(ledger: DatabaseLedger) -> None:
    before = bytes_of(ledger.engine)
    ledger.append([entry(number) for number in range(1000)])
    assert 0 < before < bytes_of(ledger.engine)
