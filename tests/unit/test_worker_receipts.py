"""Receipts: what a receiver says of the copies that it was sent, and of no others."""

from pathlib import Path

import pytest

from hub.ledger.model import Kind
from tests.samples import REGISTRY, event, receipts_event
from tests.worker_rig import Fact, Rig, shipped_four

pytestmark = pytest.mark.unit

PREMIUM = "premium-collection"
UNION = "union"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=shipped_four())


def receipt(**changes: object) -> dict[str, object]:
    return {"sender": REGISTRY, "id": "file-1.7", "flow": "M1b", **changes}


def test_a_receipt_is_recorded_once(rig: Rig) -> None:
    rig.send(event())
    rig.drain()
    rig.send(receipts_event(UNION, [receipt(), receipt()]))
    rig.send(receipts_event(UNION, [receipt()], id="r-2"))
    rig.drain()
    rig.send(receipts_event(UNION, [receipt()]))
    rig.drain()
    expected = Fact("receipt", REGISTRY, "file-1.7", "M1b", UNION, "delivered")
    assert list(rig.facts(Kind.RECEIPT).elements()) == [expected]
    assert rig.facts(Kind.REFUSAL) == {}


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"result": "set-aside", "code": "unwritable"}, "unwritable"),
        ({"result": "set-aside"}, "set-aside"),
        ({"result": "delivered", "code": "set-aside"}, "delivered"),
    ],
)
def test_a_receipt_says_what_became_of_the_copy(
    rig: Rig, result: dict[str, object], code: str
) -> None:
    rig.send(event(), receipts_event(UNION, [receipt(**result)]))
    rig.drain()
    assert [fact.code for fact in rig.facts(Kind.RECEIPT)] == [code]


@pytest.mark.parametrize(
    ("receiver", "wrong"),
    [
        (UNION, {"id": "never-sent"}),
        (UNION, {"sender": "tax"}),
        (UNION, {"flow": "I1"}),
        (UNION, {"flow": "M1d"}),
        ("tax", {}),
        (REGISTRY, {}),
        (PREMIUM, {}),
    ],
)
def test_a_receipt_for_what_one_was_not_sent_is_refused(
    rig: Rig, receiver: str, wrong: dict[str, object]
) -> None:
    rig.send(event())
    rig.drain()
    for _ in range(2):
        rig.send(receipts_event(receiver, [receipt(**wrong)]))
        rig.drain()
    assert rig.facts(Kind.RECEIPT) == {}
    refused = Fact("refusal", receiver, "r-1", "", "", "receipt-unknown")
    assert list(rig.facts(Kind.REFUSAL).elements()) == [refused]
    assert len(rig.notices(receiver)) == 1


def test_the_good_receipts_of_an_event_count_beside_a_bad_one(rig: Rig) -> None:
    rig.send(event(), receipts_event(UNION, [receipt(id="never-sent"), receipt()]))
    rig.drain()
    assert sum(rig.facts(Kind.RECEIPT).values()) == 1
    assert sum(rig.facts(Kind.REFUSAL).values()) == 1
