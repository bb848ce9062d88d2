"""A copy whose receiver's encoding lacks characters of it: listed, released once, receipted."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.desks.confirmations import Desk, listed
from hub.errors import LedgerError
from hub.ledger.beside import State
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Tally
from hub.message import RELEASE_TYPE, AccessItems, MessageKey
from hub.ports import Sent
from hub.reconcile.compare import judge as reconciled
from hub.reconcile.model import Message, Origin
from tests.samples import (
    NOW,
    REGISTRY,
    SIGNER,
    event,
    income,
    judge,
    receipts_event,
    tax_event,
)
from tests.worker_rig import Rig

pytestmark = pytest.mark.unit

UNION = "union"
CLERK = AccessItems("確認係", "後期高齢", "T-9", "本人に確認した", "confirmations release")
KEY = MessageKey(REGISTRY, "a1")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, judge=judge())
    drain(made, event(id="a1"))
    return made


@contextmanager
def desk(rig: Rig) -> Iterator[Desk]:
    ledger = DatabaseLedger(rig.url, SIGNER)
    try:
        yield Desk(ledger, rig.judge, lambda: NOW + dt.timedelta(hours=1))
    finally:
        ledger.close()


def drain(rig: Rig, *events: dict[str, Any]) -> None:
    rig.send(*events)
    assert rig.drain()


def receipt(result: str, code: str, event_id: str = "r-1") -> dict[str, Any]:
    facts = {"sender": REGISTRY, "id": "a1", "flow": "M1b", "result": result, "code": code}
    return receipts_event(UNION, [facts], id=event_id)


def lacking(rig: Rig) -> int:
    drain(rig, receipt("set-aside", "unencodable"))
    with desk(rig) as at:
        (one,) = listed(at.ledger, State.OPEN)
    assert (one.key, one.code, one.message_type) == (KEY, "unencodable", RELEASE_TYPE)
    return one.id


def receipts(rig: Rig) -> list[tuple[str, str]]:
    return [(r["kind"], r["code"]) for r in rig.rows() if r["kind"] in {"receipt", "release"}]


def orders(rig: Rig) -> list[dict[str, Any]]:
    return [copy["data"] for copy in rig.copies(UNION) if copy["type"] == RELEASE_TYPE]


def test_such_a_copy_waits_on_the_list_and_says_where(rig: Rig) -> None:
    number = lacking(rig)
    assert receipts(rig) == [("receipt", "unencodable")]
    assert next(r["seq"] for r in rig.rows() if r["kind"] == "receipt") == number
    with desk(rig) as at:
        shown = at.show(number, CLERK)
    assert shown.fields == [("receiver", UNION), ("flow", "M1b")]
    assert orders(rig) == []


def test_a_release_goes_to_the_receiver_and_its_second_receipt_is_entered(rig: Rig) -> None:
    number = lacking(rig)
    with desk(rig) as at:
        at.release(number, CLERK)
        with pytest.raises(LedgerError, match="decided about already"):
            at.reject(number, CLERK)
    assert rig.drain()
    assert orders(rig) == [{"sender": REGISTRY, "id": "a1", "flow": "M1b"}]
    with desk(rig) as at:
        assert [one.id for one in listed(at.ledger, State.MOVED)] == [number]
    # The adapter repeats its first receipt, then says what it did, twice.
    drain(rig, receipt("set-aside", "unencodable", "r-2"))
    drain(rig, receipt("delivered", "marked", "r-3"), receipt("delivered", "marked", "r-4"))
    assert receipts(rig) == [("receipt", "unencodable"), ("release", ""), ("receipt", "marked")]
    with desk(rig) as at:
        assert len(listed(at.ledger, None)) == 1
        facts = Tally(at.ledger.engine).about([KEY])[KEY]
    message = Message(KEY, Origin.UNKNOWN, "", facts, {})
    assert reconciled(message, ()).gaps == []


def test_one_that_a_newer_message_has_overtaken_can_only_be_rejected(rig: Rig) -> None:
    drain(rig, event(id="a2"))  # accepted before the receiver said what it lacks
    number = lacking(rig)
    with desk(rig) as at:
        with pytest.raises(LedgerError, match="a newer message of the same kind"):
            at.release(number, CLERK)
        at.reject(number, CLERK)
    assert rig.drain()
    assert orders(rig) == []


def test_one_that_is_overtaken_after_its_release_goes_nowhere(rig: Rig) -> None:
    number = lacking(rig)
    with desk(rig) as at:
        at.release(number, CLERK)
    drain(rig, event(id="a2"))  # ahead of the order, in one batch with it
    assert orders(rig) == []
    drain(rig)
    assert orders(rig) == []
    assert receipts(rig)[-1] == ("release", "overtaken")
    with desk(rig) as at:
        assert [one.id for one in listed(at.ledger, State.REFUSED)] == [number]


def test_another_kind_about_the_same_person_overtakes_nothing(rig: Rig) -> None:
    number = lacking(rig)
    with desk(rig) as at:
        at.release(number, CLERK)
    drain(rig, tax_event(income(), id="t1"))
    drain(rig)
    assert len(orders(rig)) == 1


def test_a_rejected_one_is_ended_and_ordered_nowhere(rig: Rig) -> None:
    number = lacking(rig)
    with desk(rig) as at:
        at.reject(number, CLERK)
    assert rig.drain()
    assert orders(rig) == []
    assert receipts(rig) == [("receipt", "unencodable"), ("release", "rejected")]
    drain(rig, receipt("delivered", "marked", "r-3"))
    assert receipts(rig)[2:] == []


def test_an_order_that_the_queue_did_not_take_is_sent_again(rig: Rig) -> None:
    number = lacking(rig)
    with desk(rig) as at:
        at.release(number, CLERK)
    rig.broker.judge = lambda message: (
        Sent.REFUSED if message.message_type == RELEASE_TYPE else Sent.CONFIRMED
    )
    rig.drain()
    with desk(rig) as at:
        assert [one.id for one in listed(at.ledger, State.RELEASED)] == [number]
