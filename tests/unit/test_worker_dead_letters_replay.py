"""A dead letter that staff let go takes effect once, in its place, by today's rules, or nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, State
from hub.ledger.model import Kind
from hub.ledger.verify.ledger import verify
from hub.names import DEAD_QUEUE
from hub.pipeline.again import marker
from hub.pipeline.judge import Judge
from hub.ports import Sent
from hub.site import HUB_USER
from hub.statute.catalogue import Catalogue, Flow, Grant
from tests.confirmations_rig import OTHER, PREMIUM, UNION, changed, drain, ids, row, told
from tests.confirmations_rig import open_ones as held_ones
from tests.dead_letters_rig import (
    CLERK,
    OTHER_CLERK,
    died,
    kill_originals,
    letters,
    numbers,
    on_list,
    replay,
    without,
)
from tests.fakes import Stored
from tests.samples import (
    REGISTRY,
    SIGNER,
    judge,
    receipts_event,
    shipped,
)
from tests.worker_rig import IN, Fuse, Rig, full, shipped_four

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


# -- replay ----------------------------------------------------------------------------------


def test_a_replayed_copy_is_delivered_once_byte_for_byte(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (copy,) = rig.bodies(UNION)
    (number,) = died(rig, UNION)
    replay(rig, number)
    drain(rig)
    drain(rig)
    assert rig.bodies(UNION) == [copy]
    assert told(rig, "a1")[-3:] == [
        ("dead-letter", UNION, "not-accepted"),
        ("replay", UNION, ""),
        ("delivery", UNION, ""),
    ]
    said = next(r for r in rig.rows() if r["kind"] == Kind.REPLAY)
    assert (said["staff"], said["reason"]) == (CLERK.staff, CLERK.reason)
    assert (row(rig, number).state, row(rig, number).body) == ("moved", None)
    with letters(rig) as at, pytest.raises(LedgerError, match="decided about already"):
        at.replay(number, CLERK)


def test_a_replayed_original_is_judged_as_new(rig: Rig) -> None:
    rig.send(changed("a1"))
    kill_originals(rig)
    drain(rig)
    (number,) = numbers(rig)
    replay(rig, number)
    drain(rig)
    drain(rig, changed("a2"))
    assert ids(rig, UNION) == ids(rig, PREMIUM) == ["a1", "a2"]
    assert row(rig, number).state == "moved"


@pytest.mark.slow
@pytest.mark.parametrize("is_original", [True, False])
def test_killed_at_any_step_a_replay_takes_effect_once(
    tmp_path: Path, *, is_original: bool
) -> None:
    step, going = 0, True
    while going:
        folder = tmp_path / str(step)
        folder.mkdir()
        rig = Rig(folder, judge=judge())
        if is_original:
            rig.send(changed("a1"))
            kill_originals(rig)
            drain(rig)
        else:
            drain(rig, changed("a1"))
            died(rig, UNION)
        (number,) = numbers(rig)
        replay(rig, number)
        going = not rig.drain(Fuse(step))
        rig.broker.clock.advance(100)
        assert rig.drain()
        # Between the send and its record a copy may go twice, with the same bytes.
        assert set(ids(rig, UNION)) == {"a1"}
        assert row(rig, number).state == "moved"
        delivered = [one for one in told(rig, "a1") if one[:2] == ("delivery", UNION)]
        assert len(delivered) == (1 if is_original else 2)
        step += 1
    assert step > 8


@pytest.mark.parametrize("batch", [1, 2, 500])
@pytest.mark.parametrize("is_original", [True, False])
def test_several_markers_of_one_message_move_it_once(
    rig: Rig, batch: int, *, is_original: bool
) -> None:
    rig.send(changed("a1"))
    if is_original:
        kill_originals(rig)
    drain(rig)
    (number,) = numbers(rig) if is_original else died(rig, UNION)
    replay(rig, number)
    for _ in range(3):
        again = marker(number, "0")
        rig.broker.queue(IN).append(Stored(again.routing_key, HUB_USER, again.body))
    assert rig.drain(batch=batch)
    assert ids(rig, UNION) == ["a1"]
    assert row(rig, number).state == "moved"


def test_under_load_what_was_released_gets_its_turn(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    rig.send(*(changed(f"b{n}", addressee_number=f"{n + 1}") for n in range(20)))
    replay(rig, number)
    with rig.process(batch=5) as process:
        process.shift.step(0.0)
        assert not process.shift.is_idle
        process.caller.call()
        assert process.shift.is_settled
        assert rig.broker.queue(IN)[-1].body == str(number).encode()
        process.move()
    assert ids(rig, UNION) == [*(f"b{n}" for n in range(20)), "a1"]


def test_dead_copies_of_one_person_go_in_their_order(rig: Rig) -> None:
    drain(rig, *(changed(f"a{n}") for n in range(4)))
    found = died(rig, UNION)
    replay(rig, *reversed(found))
    drain(rig)
    drain(rig, changed("a9"))
    assert ids(rig, UNION) == ["a0", "a1", "a2", "a3", "a9"]


@pytest.mark.parametrize("batch", [1, 500])
def test_nothing_older_follows_what_was_replayed(rig: Rig, batch: int) -> None:
    drain(rig, changed("a1"), changed("a2"))
    first, second = died(rig, UNION)
    replay(rig, second)
    assert rig.drain(batch=batch)
    with letters(rig) as at:
        assert at.show(first, CLERK).is_overtaken
        with pytest.raises(LedgerError, match="newer"):
            at.replay(first, CLERK)
    assert ids(rig, UNION) == ["a2"]


def test_a_newer_accepted_one_overtakes_after_the_decision_too(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    rig.send(changed("a2"))
    replay(rig, number)
    drain(rig)
    assert ids(rig, UNION) == ["a2"]
    assert told(rig, "a1")[-1] == ("replay", UNION, "overtaken")
    assert (row(rig, number).state, row(rig, number).body) == ("refused", None)


def test_of_another_receiver_nothing_is_overtaken(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2"))
    found = died(rig, UNION)
    found += [one for one in died(rig, PREMIUM) if one not in found]
    replay(rig, *found)
    drain(rig)
    assert ids(rig, UNION) == ids(rig, PREMIUM) == ["a1", "a2"]


def test_an_original_is_overtaken_by_what_came_behind_it(rig: Rig) -> None:
    rig.send(changed("a1"))
    kill_originals(rig)
    dead = rig.broker.queue(DEAD_QUEUE).pop()
    drain(rig, changed("a2"))
    # The broker took it out of the queue before the newer one was accepted.
    rig.broker.queue(DEAD_QUEUE).append(dead)
    drain(rig)
    (number,) = numbers(rig)
    with letters(rig) as at, pytest.raises(LedgerError, match="newer"):
        at.replay(number, CLERK)


def test_a_copy_that_its_receiver_has_is_not_sent(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    receipt = {"sender": REGISTRY, "id": "a1", "flow": "M1b", "result": "delivered"}
    drain(rig, receipts_event(UNION, [receipt]))
    with letters(rig) as at, pytest.raises(LedgerError, match="receipt"):
        at.replay(number, CLERK)


# -- today's rules ----------------------------------------------------------------------------


def narrowed(ref: str, keep: Callable[[str], bool]) -> Judge:
    """Give the judge of a catalogue whose flow releases these fields only."""
    whole = shipped()
    flows = tuple(_narrow(flow, keep) if flow.ref == ref else flow for flow in whole.flows)
    return judge(Catalogue(whole.systems, flows, "narrowed"))


def _narrow(flow: Flow, keep: Callable[[str], bool]) -> Flow:
    def grant(one: Grant) -> Grant:
        return one.model_copy(update={"fields": tuple(filter(keep, one.fields))})

    receivers = {name: grant(one) for name, one in flow.receivers.items()}
    return flow.model_copy(update={"receivers": receivers})


def test_a_field_that_is_not_permitted_any_more_is_left_out(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (before,) = rig.copies(UNION)
    (number,) = died(rig, UNION)
    replay(rig, number)
    rig.judge = narrowed("M1b", lambda name: name != "name")
    drain(rig)
    (after,) = rig.copies(UNION)
    assert "name" in before["data"]
    assert after["data"] == {k: v for k, v in before["data"].items() if k != "name"}
    assert after["acceptedtime"] == before["acceptedtime"]
    said = rig.rows()[-1]
    assert "name" in said["withheld"]
    assert "name" not in said["released"]


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_flow_that_is_gone_carries_nothing(rig: Rig, *, is_decided: bool) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    if is_decided:
        replay(rig, number)
        rig.judge = without("M1b")
        drain(rig)
        assert told(rig, "a1")[-1] == ("replay", UNION, "withdrawn")
        assert row(rig, number).state == "refused"
    else:
        with letters(rig, without("M1b")) as at, pytest.raises(LedgerError, match="withdrawn"):
            at.replay(number, CLERK)
    assert ids(rig, UNION) == []


def test_a_number_that_became_another_is_not_sent(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, PREMIUM)
    replay(rig, number)
    drain(rig)
    assert ids(rig, PREMIUM) == ["a1"]
    (number,) = died(rig, PREMIUM)
    drain(rig, changed("a2", my_number=OTHER, event_reason="my-number-changed"))
    # The newer one died, too; so it overtakes nothing.
    newest = died(rig, PREMIUM)[-1]
    replay(rig, number, newest)
    drain(rig)
    assert ids(rig, PREMIUM) == ["a2"]
    assert ("replay", PREMIUM, "bound-meanwhile") in told(rig, "a1")


def test_an_original_with_another_number_waits_on_the_confirmation_list(rig: Rig) -> None:
    drain(rig, changed("a1"))
    rig.send(changed("a2", my_number=OTHER))
    kill_originals(rig, second=60)
    drain(rig)
    (number,) = numbers(rig)
    replay(rig, number)
    drain(rig)
    assert row(rig, number).state == "moved"
    assert len(held_ones(rig)) == 1
    assert ids(rig, UNION) == ["a1"]


# -- several, and two persons -------------------------------------------------------------------


def test_several_need_a_second_person(rig: Rig) -> None:
    drain(rig, *(changed(f"a{n}") for n in range(3)))
    found = died(rig, UNION)
    with letters(rig) as at:
        rows = at.chosen(Wanted(Shelf.DEAD_LETTER, receiver=UNION))
        request = at.request(rows, CLERK, State.RELEASED)
    assert numbers(rig, State.REQUESTED) == found
    drain(rig)
    assert ids(rig, UNION) == []
    with letters(rig) as at:
        with pytest.raises(LedgerError, match="second person"):
            at.approve(request, CLERK)
        assert at.approve(request, OTHER_CLERK) == (3, State.RELEASED)
    drain(rig)
    assert ids(rig, UNION) == ["a0", "a1", "a2"]
    approved = [r for r in rig.rows() if r["kind"] == Kind.REPLAY and not r["code"]]
    assert {(r["staff"], r["reason"]) for r in approved} == {("職員二", CLERK.reason)}
    assert all(f"request {request} of 職員一" in r["detail"] for r in approved)


def test_a_declined_request_leaves_them_open(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2"))
    found = died(rig, UNION)
    with letters(rig) as at:
        request = at.request(on_list(rig), CLERK, State.DISCARDED)
        assert at.decline(request, OTHER_CLERK) == 2
    assert numbers(rig) == found
    replay(rig, *found)
    drain(rig)
    assert ids(rig, UNION) == ["a1", "a2"]
    with letters(rig) as at:
        assert verify(at.ledger.engine, SIGNER.verifier).good


def test_a_discarded_one_is_gone_and_its_facts_stay(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    with letters(rig) as at:
        at.discard(number, CLERK)
    drain(rig)
    assert ids(rig, UNION) == []
    assert told(rig, "a1")[-1] == ("replay", UNION, "discarded")
    assert (row(rig, number).state, row(rig, number).body) == ("discarded", None)


def test_a_full_queue_at_a_replay_sends_it_later(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    replay(rig, number)
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.drain()
        assert ids(rig, UNION) == []
        rig.broker.judge = lambda _: Sent.CONFIRMED
        rig.broker.clock.advance(60)
        process.drain()
    assert ids(rig, UNION) == ["a1"]
    assert row(rig, number).state == "moved"


def test_with_the_shipped_catalogue_too(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=shipped_four())
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    replay(rig, number)
    drain(rig)
    assert ids(rig, UNION) == ["a1"]
