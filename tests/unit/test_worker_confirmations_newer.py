"""What is newer overtakes a held message, and today's rules decide when it goes."""

from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.beside import State
from hub.pipeline.again import marker
from hub.pipeline.judge import Judge
from hub.statute.catalogue import Catalogue
from tests.confirmations_rig import (
    CLERK,
    OTHER,
    PREMIUM,
    UNION,
    changed,
    desk,
    drain,
    held,
    ids,
    open_ones,
    release,
    row,
    told,
)
from tests.samples import REGISTRY, income, judge, shipped, tax_event
from tests.worker_rig import IN, Rig, Stored, shipped_four

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


def test_a_newer_one_was_accepted_then_it_can_only_be_rejected(rig: Rig) -> None:
    (number,) = held(rig)
    drain(rig, changed("a3"))
    with desk(rig) as at:
        with pytest.raises(LedgerError, match="newer message"):
            at.release(number, CLERK)
        assert at.show(number, CLERK).is_overtaken
        at.reject(number, CLERK)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a3"]


def test_a_newer_one_ahead_in_the_queue_overtakes_it(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    drain(rig, changed("a3"))
    assert ids(rig, UNION) == ["a1", "a3"]
    assert told(rig, "a2")[-2:] == [
        ("release", PREMIUM, "overtaken"),
        ("release", UNION, "overtaken"),
    ]
    assert (row(rig, number).state, row(rig, number).body) == ("refused", None)
    assert rig.notices(REGISTRY)[-1]["data"]["code"] == "overtaken"


def test_a_release_for_another_doubt_does_not_let_another_number_pass(rig: Rig) -> None:
    drain(rig, changed("a1", my_number=OTHER) | {"doubt": "ambiguous"})
    (number,) = open_ones(rig)
    drain(rig, tax_event(income(), id="t1"))
    release(rig, number)
    assert rig.drain()
    assert "a1" not in ids(rig, PREMIUM) + ids(rig, UNION)
    assert {code for kind, _, code in told(rig, "a1") if kind == "release"} >= {"bound-meanwhile"}
    assert open_ones(rig, State.REFUSED) == [number]


def test_other_kinds_and_persons_overtake_nobody(rig: Rig) -> None:
    (number,) = held(rig)
    drain(rig, tax_event(id="t"), changed("b", addressee_number="1", my_number=OTHER))
    release(rig, number)
    drain(rig)
    assert ids(rig, PREMIUM) == ["a1", "t", "b", "a2"]


@pytest.mark.parametrize("batch", [1, 500])
def test_of_two_held_ones_the_older_never_follows_the_newer(rig: Rig, batch: int) -> None:
    drain(rig, changed("a1"), changed("a2", my_number=OTHER), changed("a3", my_number=OTHER))
    older, newer = open_ones(rig)
    release(rig, newer)
    release(rig, older)
    newest_first = [marker(newer, "1"), marker(older, "1")]
    for one in newest_first:
        rig.broker.queue(IN).append(Stored(one.routing_key, "hub", one.body))
    assert rig.drain(batch=batch)
    assert ids(rig, UNION) == ["a1", "a3"]
    assert row(rig, older).state == "refused"


def test_of_two_held_ones_the_newer_follows_the_older(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2", my_number=OTHER), changed("a3", my_number=OTHER))
    older, newer = open_ones(rig)
    release(rig, older)
    drain(rig)
    release(rig, newer)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a2", "a3"]


def without(ref: str) -> Judge:
    catalogue = shipped()
    kept = tuple(flow for flow in catalogue.flows if flow.ref != ref)
    return judge(Catalogue(catalogue.systems, kept, catalogue.digest))


def test_today_the_flow_is_gone_then_it_cannot_be_released(rig: Rig) -> None:
    blank = tax_event(income(my_number=OTHER), id="t")
    drain(rig, changed("a1"), blank)
    (number,) = open_ones(rig)
    gone = shipped_four().catalogue
    none = judge(
        Catalogue(
            gone.systems, tuple(f for f in gone.flows if f.ref[0] != "M" and f.ref != "I2"), "x"
        )
    )
    with desk(rig, none) as at, pytest.raises(LedgerError, match="today's rules"):
        at.release(number, CLERK)
    assert open_ones(rig) == [number]


def test_a_flow_that_ends_after_the_release_carries_nothing(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    rig.judge = without("M1b")
    drain(rig)
    assert ids(rig, PREMIUM) == ["a1", "a2"]
    assert ids(rig, UNION) == ["a1"]
    assert ("release", UNION, "withdrawn") in told(rig, "a2")
    assert row(rig, number).state == "moved"


def test_all_flows_end_after_the_release_then_it_is_refused(rig: Rig) -> None:
    (number,) = held(rig)
    release(rig, number)
    gone = shipped()
    kept = tuple(flow for flow in gone.flows if flow.message_type != "resident.changed")
    rig.judge = judge(Catalogue(gone.systems, kept, gone.digest))
    drain(rig)
    assert ids(rig, UNION) == ["a1"]
    assert row(rig, number).state == "refused"
    assert {code for kind, _, code in told(rig, "a2")[4:] if kind == "release"} == {"no-flow"}
