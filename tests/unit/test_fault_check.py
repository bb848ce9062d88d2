"""The check after a drill of faults: it names what is lost, doubled, strange or out of order."""

from dataclasses import replace

import pytest

from hub.ledger.model import Kind
from hub.ledger.tally import Fact
from hub.message import MessageKey
from tests.fault.arrivals import Copy
from tests.fault.check import Due, Verdict, compared
from tests.fault.load import Sent

pytestmark = pytest.mark.unit

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
