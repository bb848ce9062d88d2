"""The check after a drill can fail: whatever is broken by hand, it finds."""

import signal
from dataclasses import replace

import pytest
import sqlalchemy as sa

from hub.compose.ledger import ledger_url
from hub.ledger.model import Kind
from hub.ledger.tally import Fact
from hub.message import MessageKey
from hub.names import outbound_queue
from tests.fault.arrivals import Copy
from tests.fault.check import Due, Verdict, check, compared
from tests.fault.conftest import Grounds
from tests.fault.drill import Drill
from tests.fault.ground import SUPERVISOR
from tests.fault.load import Sent

pytestmark = pytest.mark.fault

WAITING_SECONDS = 2.0
"""Long enough for the load to leave something in a queue that nobody reads."""
RESIDENT, FLOW, RECEIVER = "000000000900001", "I2", "premium-collection"
KEYS = [MessageKey("tax", f"t-{number}") for number in (1, 2, 3)]
SENT = {
    key: Sent(key, "income.assessed", RESIDENT, number, float(number))
    for number, key in enumerate(KEYS, 1)
}
COPIES = [Copy(key, FLOW, RECEIVER, RESIDENT) for key in KEYS]
DUE = [Due(key, FLOW, RECEIVER) for key in KEYS]
FACTS = {
    key: [Fact(number, 0, Kind.ACCEPTANCE, FLOW, RECEIVER, "", "")]
    for number, key in enumerate(KEYS, 1)
}


def verdict(copies: list[Copy], facts: dict[MessageKey, list[Fact]] | None = None) -> Verdict:
    return compared(DUE, copies, SENT, FACTS if facts is None else facts)


def test_all_is_well() -> None:
    assert verdict(COPIES) == Verdict(3, 3, 0, 0, 0, [])


def test_a_lost_copy_is_named() -> None:
    found = verdict(COPIES[:2])
    assert (found.lost, found.aside) == (1, 0)
    assert found.faults == [
        "tax/t-3 (I2 to premium-collection), of which the ledger has ['acceptance'], is lost"
    ]


def test_a_copy_that_the_ledger_tells_of_is_set_aside() -> None:
    why = Fact(4, 0, Kind.DEAD_LETTER, FLOW, RECEIVER, "not-taken", "")
    found = verdict(COPIES[:2], FACTS | {KEYS[2]: [*FACTS[KEYS[2]], why]})
    assert (found.lost, found.aside, found.faults) == (0, 1, [])


def test_a_reason_for_another_receiver_explains_nothing() -> None:
    why = Fact(4, 0, Kind.DEAD_LETTER, "M1d", "union", "not-taken", "")
    assert verdict(COPIES[:2], FACTS | {KEYS[2]: [why]}).lost == 1


def test_a_doubled_copy_is_named() -> None:
    found = verdict([*COPIES, COPIES[2]])
    assert (found.lost, found.doubled) == (0, 1)
    assert found.faults == ["tax/t-3 (I2 to premium-collection) is there more than once"]


def test_a_copy_at_a_wrong_receiver_is_named() -> None:
    found = verdict([*COPIES, COPIES[2]._replace(receiver="union")])
    assert found.faults == [
        "tax/t-3 (I2 to union) arrived, although nobody sent it to there",
    ]


def test_an_older_one_after_a_newer_one_is_named() -> None:
    found = verdict([COPIES[1], COPIES[0], COPIES[2]])
    assert found.faults == ["tax/t-1 (I2 to premium-collection) stands after a newer one"]


def test_what_was_given_out_of_order_stands_as_it_was_accepted() -> None:
    unordered = {key: replace(one, number=None) for key, one in SENT.items()}
    assert compared(DUE, COPIES, unordered, FACTS).faults == []
    assert compared(DUE, COPIES[::-1], unordered, FACTS).faults != []


def test_what_is_broken_by_hand_is_found(grounds: Grounds) -> None:
    with grounds.plain().loaded("broken by hand", seed=1) as drill:
        take_out_of_a_queue(drill)
    found = check(drill.ground, drill.arrivals, drill.load.sent, stall=3)
    assert found.lost > 0
    assert found.doubled == 0
    assert "to union), of which the ledger has ['acceptance" in found.faults[0]
    assert "neither receipted nor in the receiver's queue" in found.faults[-1]

    change_an_entry(drill)
    found = check(drill.ground, drill.arrivals, drill.load.sent, stall=3)
    assert any("renkei ledger verify" in fault for fault in found.faults)


def take_out_of_a_queue(drill: Drill) -> None:
    ground = drill.ground
    ground.strike(SUPERVISOR, signal.SIGSTOP, 60)  # it would start the adapter again
    ground.strike("adapter-union", signal.SIGKILL)
    drill.wait(WAITING_SECONDS)
    with ground.broker().management() as management:
        management.delete("queues", ground.vhost, outbound_queue("union"), "contents")


def change_an_entry(drill: Drill) -> None:
    site, _ = drill.ground.checked()
    engine = sa.create_engine(ledger_url(site))
    with engine.begin() as database:
        tables = sa.inspect(database).get_table_names()
        entries = max(name for name in tables if name.startswith("ledger_entries_"))
        database.execute(sa.text(f"UPDATE {entries} SET at = at + 1 WHERE seq = 5"))  # noqa: S608
    engine.dispose()
