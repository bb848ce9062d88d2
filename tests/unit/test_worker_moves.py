"""What one batch after another does: moved once, refused once, told to whom it may concern."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest

from hub.clock import JST
from hub.ledger.model import Kind
from hub.pipeline.judge import Judge
from hub.ports import Sent
from hub.statute.catalogue import Catalogue, State
from tests.samples import (
    ADDRESSEE,
    CHANGED,
    NAME,
    NOW,
    PSEUDONYMS,
    REGISTRY,
    delivery,
    event,
    income,
    judge,
    resident,
    tax_event,
)
from tests.worker_rig import Fact, Fuse, Rig, full, shipped_four

pytestmark = pytest.mark.unit

PREMIUM = "premium-collection"
UNION = "union"
MOVED = {("I1", PREMIUM), ("M1b", UNION)}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=shipped_four())


def snapshot(rig: Rig) -> tuple[Any, ...]:
    return (rig.facts(), rig.bodies(PREMIUM), rig.bodies(UNION), rig.notices(REGISTRY))


def pairs(rig: Rig, kind: Kind) -> list[tuple[str, str]]:
    return sorted((fact.flow, fact.receiver) for fact in rig.facts(kind).elements())


def test_a_fresh_message_is_recorded_and_sent_to_each_receiver(rig: Rig) -> None:
    rig.send(event())
    rig.drain()
    assert pairs(rig, Kind.ACCEPTANCE) == pairs(rig, Kind.DELIVERY) == sorted(MOVED)
    for receiver in (PREMIUM, UNION):
        (copy,) = rig.copies(receiver)
        assert copy["data"]["name"] == NAME
        assert copy["id"] == "file-1.7"
        assert copy["source"] == f"/systems/{REGISTRY}"
    for row in rig.rows():
        assert row["resident"] == PSEUDONYMS.resident(ADDRESSEE)
        assert row["basis"]
        assert "note" in str(row["withheld"])
        assert row["staff"] == "職員一"
    assert rig.waiting() == 0
    assert rig.notices(REGISTRY) == []
    (body,) = rig.bodies(UNION)
    delivered = [r for r in rig.rows() if r["kind"] == "delivery" and r["receiver"] == UNION]
    assert [row["body"].is_of(body) for row in delivered] == [True]


def test_a_second_arrival_with_the_same_content_changes_nothing(rig: Rig) -> None:
    rig.send(event())
    rig.drain()
    before = snapshot(rig)
    rig.send(event(), event())
    rig.drain()
    assert snapshot(rig) == before
    assert rig.waiting() == 0


def test_the_same_message_twice_in_a_batch_moves_once(rig: Rig) -> None:
    rig.send(event(), event())
    rig.drain()
    assert pairs(rig, Kind.ACCEPTANCE) == pairs(rig, Kind.DELIVERY) == sorted(MOVED)
    assert len(rig.copies(UNION)) == 1


@pytest.mark.parametrize("batch", [1, 500])
def test_the_same_id_with_other_content_is_refused_and_reported(rig: Rig, batch: int) -> None:
    rig.send(event(), event(resident(name="別人")), event(), event(resident(name="別人")))
    rig.drain(batch=batch)
    assert [copy["data"]["name"] for copy in rig.copies(UNION)] == [NAME]
    refusals = rig.facts(Kind.REFUSAL)
    assert list(refusals.elements()) == [Fact("refusal", REGISTRY, "file-1.7", "", "", "id-reused")]
    (notice,) = rig.notices(REGISTRY)
    assert notice["data"]["code"] == "id-reused"
    assert notice["data"]["id"] == "file-1.7"
    assert "別人" not in str(notice)


def test_other_content_is_refused_under_the_id_of_a_refused_or_unsent_message(rig: Rig) -> None:
    outside = resident(scope={"insurance": "none"})
    rig.send(event(outside, id="a"), event(id="a"), event(resident(sex="x" * 9), id="b"))
    rig.drain()
    rig.send(event(id="b"))
    rig.drain()
    assert rig.copies(UNION) == []
    codes = sorted((fact.id, fact.code) for fact in rig.facts(Kind.REFUSAL))
    assert codes == [("a", "id-reused"), ("b", "id-reused"), ("b", "invalid")]


def test_a_person_out_of_scope_is_counted_and_sent_to_nobody(rig: Rig) -> None:
    rig.send(event(resident(scope={"insurance": "none"})))
    rig.drain()
    rig.send(event(resident(scope={"insurance": "none"})))
    rig.drain()
    assert pairs(rig, Kind.OUT_OF_SCOPE) == sorted(MOVED)
    assert all(row["resident"] == "" for row in rig.rows())
    assert len(rig.rows()) == len(MOVED)
    assert not rig.bodies(UNION)
    assert not rig.bodies(PREMIUM)
    assert not rig.notices(REGISTRY)


def test_a_refusal_is_told_once_and_again_only_on_a_redelivery(rig: Rig) -> None:
    rig.send(event(resident(shoe_size=1)))
    rig.drain()
    (notice,) = rig.notices(REGISTRY)
    assert notice["data"]["code"] == "field-not-permitted"
    assert "data.shoe_size" in notice["data"]["reason_ja"]
    rig.send(event(resident(shoe_size=1)))
    rig.drain()
    assert rig.notices(REGISTRY) == [notice]
    rig.send(event(resident(shoe_size=1)))
    with rig.process() as process:
        process.link.take(1, 0.0)
    rig.drain()
    assert [told["id"] for told in rig.notices(REGISTRY)] == [notice["id"]] * 2
    assert sum(rig.facts(Kind.REFUSAL).values()) == 1


@pytest.mark.parametrize("user", ["", "guest", "hub", "family-registry"])
def test_nobody_without_a_queue_is_told(rig: Rig, user: str) -> None:
    rig.put(delivery(event(), user_id=user))
    rig.drain()
    assert len(rig.broker.queue("out")) == 0
    assert [fact.sender for fact in rig.facts(Kind.REFUSAL)] == [user]


def test_what_was_refused_for_the_way_it_was_sent_moves_when_sent_rightly(rig: Rig) -> None:
    rig.put(delivery(routing_key="income.assessed"), delivery(copied=True), delivery())
    rig.drain()
    assert pairs(rig, Kind.DELIVERY) == sorted(MOVED)
    assert [fact.code for fact in rig.facts(Kind.REFUSAL).elements()] == ["type-mismatch"]


def without(catalogue: Catalogue, *refs: str) -> Judge:
    flows = tuple(flow for flow in catalogue.flows if flow.ref not in refs)
    return judge(Catalogue(catalogue.systems, flows, "other"))


def closed(catalogue: Catalogue, ref: str) -> Judge:
    flows = tuple(
        flow.model_copy(update={"state": State.DENIED}) if flow.ref == ref else flow
        for flow in catalogue.flows
    )
    return judge(Catalogue(catalogue.systems, flows, "other"))


def test_a_message_refused_yesterday_moves_when_the_catalogue_permits_it(rig: Rig) -> None:
    whole = rig.judge
    rig.judge = without(whole.catalogue, "I1", "M1b")
    rig.send(event())
    rig.drain()
    rig.judge = whole
    rig.send(event())
    rig.drain()
    assert pairs(rig, Kind.DELIVERY) == sorted(MOVED)
    rig.send(event())
    rig.drain()
    assert len(rig.copies(UNION)) == 1


def test_a_redelivery_of_a_refused_message_is_no_new_try(rig: Rig) -> None:
    whole = rig.judge
    rig.judge = without(whole.catalogue, "I1", "M1b")
    rig.send(event())
    assert not rig.drain(Fuse(4))  # after the record, before the notice
    rig.judge = whole
    rig.drain()
    assert pairs(rig, Kind.ACCEPTANCE) == []
    assert [told["data"]["code"] for told in rig.notices(REGISTRY)] == ["no-flow"]


@pytest.mark.parametrize("change", [without, closed])
def test_what_is_no_longer_permitted_at_delivery_is_withdrawn_once(
    rig: Rig,
    change: Any,  # noqa: ANN401 - one of two functions
) -> None:
    rig.send(event())
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.move()
    rig.broker.judge = full()
    rig.judge = change(rig.judge.catalogue, "M1b")
    for _ in range(3):
        rig.send(event())
        rig.drain()
    assert rig.copies(UNION) == []
    assert len(rig.copies(PREMIUM)) == 1
    refused = Fact("refusal", REGISTRY, "file-1.7", "M1b", UNION, "withdrawn")
    assert list(rig.facts(Kind.REFUSAL).elements()) == [refused]
    assert pairs(rig, Kind.DELIVERY) == [("I1", PREMIUM)]


def ending(catalogue: Catalogue, last: dt.date) -> Judge:
    """Let the newest article of every flow end after this day."""
    flows = []
    for flow in catalogue.flows:
        newest = flow.basis[-1].model_copy(update={"valid_to": last})
        flows.append(flow.model_copy(update={"basis": (*flow.basis[:-1], newest)}))
    return judge(Catalogue(catalogue.systems, tuple(flows), "ending"))


def test_what_was_accepted_on_an_articles_last_day_is_delivered_on_the_next(rig: Rig) -> None:
    rig.judge = ending(rig.judge.catalogue, NOW.astimezone(JST).date())
    rig.send(event())
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.move()
    rig.broker.judge = full()
    rig.ticks = itertools.count(24 * 3600)
    rig.send(event(id="too-late"))
    rig.drain()
    assert pairs(rig, Kind.DELIVERY) == sorted(MOVED)
    assert {fact.code for fact in rig.facts(Kind.REFUSAL)} == {"not-in-force"}


def test_everything_of_a_message_is_withdrawn_when_no_flow_is_left(rig: Rig) -> None:
    rig.send(event())
    rig.broker.judge = full(UNION, PREMIUM)
    with rig.process() as process:
        process.move()
    rig.broker.judge = full()
    rig.judge = without(rig.judge.catalogue, "M1b", "I1")
    rig.drain()
    rig.send(event())
    rig.drain()
    assert pairs(rig, Kind.REFUSAL) == sorted(MOVED)
    assert {fact.code for fact in rig.facts(Kind.REFUSAL)} == {"withdrawn"}
    assert pairs(rig, Kind.DELIVERY) == []


def test_one_residents_messages_keep_their_order_to_each_receiver(rig: Rig) -> None:
    for number in range(1, 6):
        rig.send(
            event(resident(history_number=number), id=f"m{number}"),
            event(resident(addressee_number="9", history_number=number), id=f"n{number}"),
            tax_event(income(correction_number=number), id=f"t{number}"),
        )
    rig.drain(batch=4)
    for receiver in (PREMIUM, UNION):
        ids = [copy["id"] for copy in rig.copies(receiver)]
        for letter in "mnt":
            assert [one for one in ids if one[0] == letter] == [f"{letter}{n}" for n in range(1, 6)]
        own = [one for one in ids if one[0] in "mt"]
        assert own == [f"{letter}{n}" for n in range(1, 6) for letter in "mt"]


def test_the_observer_is_told_what_is_recorded(rig: Rig) -> None:
    rig.send(event())
    rig.drain()
    assert [entry.kind for entry in rig.observed.entries] == [Kind.ACCEPTANCE] * 2 + [
        Kind.DELIVERY
    ] * 2
    assert {entry.message_type for entry in rig.observed.entries} == {CHANGED}


def test_an_unroutable_copy_is_not_taken_for_sent(rig: Rig) -> None:
    rig.send(event())
    rig.broker.judge = lambda message: (
        Sent.UNROUTABLE if message.routing_key == UNION else Sent.CONFIRMED
    )
    with rig.process() as process:
        process.move()
    assert pairs(rig, Kind.DELIVERY) == [("I1", PREMIUM)]
    assert rig.waiting() == 1
