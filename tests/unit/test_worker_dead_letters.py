"""What cannot be delivered is on the list once, and goes its way once, in its place, or nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, State, Step
from hub.ledger.model import Kind
from hub.ledger.verify.ledger import verify
from hub.message import partition_of
from hub.names import DEAD_QUEUE
from hub.pipeline.again import marker
from hub.pipeline.judge import Judge
from hub.ports import Sent
from hub.site import HUB_USER
from hub.statute.catalogue import Catalogue, Flow, Grant
from tests.confirmations_rig import OTHER, PREMIUM, UNION, changed, drain, ids, release, row, told
from tests.confirmations_rig import open_ones as held_ones
from tests.dead_letters_rig import (
    CLERK,
    OTHER_CLERK,
    died,
    kill_copies,
    kill_originals,
    letters,
    numbers,
    on_list,
    replay,
)
from tests.fakes import Stored
from tests.samples import (
    ADDRESSEE,
    MY_NUMBER,
    NAME,
    PSEUDONYMS,
    REGISTRY,
    SIGNER,
    judge,
    receipts_event,
    shipped,
)
from tests.worker_rig import IN, OUT, Fuse, Rig, full, shipped_four

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge())


# -- what comes on the list ------------------------------------------------------------------


def test_a_copy_that_its_receiver_rejects_is_on_the_list_with_its_cause(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (copy,) = rig.bodies(UNION)
    (number,) = died(rig, UNION)
    (one,) = on_list(rig)
    assert one.cause is not None
    assert (one.key.id, one.flow, one.receiver) == ("a1", "M1b", UNION)
    assert (one.code, one.cause.step, one.state) == ("not-accepted", Step.RECEIVE, State.OPEN)
    assert one.resident == PSEUDONYMS.resident(ADDRESSEE)
    assert one.bucket == partition_of(ADDRESSEE)
    assert told(rig, "a1")[-1] == ("dead-letter", UNION, "not-accepted")
    with letters(rig) as at:
        assert at.body(one) == copy
        assert verify(at.ledger.engine, SIGNER.verifier).good
    for text in (NAME, ADDRESSEE, MY_NUMBER):
        assert text not in repr(one)
    assert number == one.id
    assert not rig.notices(REGISTRY)


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        ("rejected", "dead-letter", "not-accepted"),
        ("delivery_limit", "dead-letter", "delivery-limit"),
        ("expired", "expiry", ""),
        ("maxlen", "dead-letter", "queue-full"),
        ("", "dead-letter", "not-accepted"),
    ],
)
def test_what_the_broker_says_is_why(rig: Rig, reason: str, kind: str, code: str) -> None:
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION, reason)
    assert told(rig, "a1")[-1] == (kind, UNION, code)
    with letters(rig) as at:
        shown = at.show(number, CLERK)
    assert shown.row.code == (code or "expired")
    assert len(shown.digest) == 64
    assert [one.kind for one in shown.history][-1] == kind


def test_an_original_that_the_hub_never_got_through_with_is_kept_as_it_was_sent(rig: Rig) -> None:
    rig.send(changed("a1"))
    (sent,) = rig.broker.queue(IN)
    kill_originals(rig)
    drain(rig)
    (one,) = on_list(rig)
    assert one.cause is not None
    assert (one.key.sender, one.key.id, one.message_type) == (REGISTRY, "a1", "resident.changed")
    assert (one.code, one.cause.step, one.receiver) == ("delivery-limit", Step.TAKE, "")
    with letters(rig) as at:
        assert at.body(one) == sent.body
    (notice,) = rig.notices(REGISTRY)
    assert notice["data"]["code"] == "delivery-limit"


@pytest.mark.parametrize("body", [b"\xff\x00", b"{}", b"[" * 5000, b'{"id": 3}'])
def test_what_nobody_can_read_is_kept_too(rig: Rig, body: bytes) -> None:
    drain(rig, changed("a1"))
    rig.broker.put(IN, body, user_id=REGISTRY)
    kill_originals(rig)
    rig.broker.queue(OUT).clear()
    rig.broker.put(OUT, body, user_id="hub")
    rig.broker.queue(OUT)[0] = type(rig.broker.queue(OUT)[0])(UNION, "hub", body)
    kill_copies(rig, UNION)
    drain(rig)
    original, copy = on_list(rig)
    with letters(rig) as at:
        assert at.body(original) == at.body(copy) == body
        for one in (original, copy):
            with pytest.raises(LedgerError, match="discard"):
                at.replay(one.id, CLERK)
            at.discard(one.id, CLERK)
    assert copy.receiver == UNION
    assert numbers(rig) == []


@pytest.mark.parametrize("is_original", [True, False])
def test_a_marker_that_dies_puts_its_message_back_on_the_list(
    rig: Rig, *, is_original: bool
) -> None:
    if is_original:
        drain(rig, changed("a1"), changed("a2", my_number=OTHER))
        (number,) = held_ones(rig)
        release(rig, number)
    else:
        drain(rig, changed("a1"))
        (number,) = died(rig, UNION)
        replay(rig, number)
    again = marker(number, "0")
    rig.broker.queue(IN).append(Stored(again.routing_key, HUB_USER, again.body))
    kill_originals(rig)
    with rig.process() as process:
        process.move()
        assert row(rig, number).state == "open"
        assert row(rig, number).body is not None
    drain(rig)
    assert row(rig, number).state == "open"
    assert [r["code"] for r in rig.rows() if r["message_id"] == f"released-{number}"] == [
        "delivery-limit"
    ]
    if not is_original:
        replay(rig, number)
        drain(rig)
        assert ids(rig, UNION) == ["a1"]


def test_the_hubs_own_notices_are_recorded_and_ask_nobody(rig: Rig) -> None:
    drain(rig, changed("a1", shoe_size=1))
    assert kill_copies(rig, REGISTRY) == 1
    drain(rig)
    assert numbers(rig, None) == []
    assert rig.rows()[-1]["kind"] == Kind.DEAD_LETTER


@pytest.mark.parametrize("is_original", [True, False])
def test_killed_at_any_step_each_is_recorded_once(tmp_path: Path, *, is_original: bool) -> None:
    step, going = 0, True
    while going:
        folder = tmp_path / str(step)
        folder.mkdir()
        rig = Rig(folder, judge=judge())
        if is_original:
            rig.send(changed("a1"), changed("a2"))
            kill_originals(rig)
        else:
            drain(rig, changed("a1"), changed("a2"))
            kill_copies(rig, UNION)
        going = not rig.drain(Fuse(step))
        assert rig.drain()
        assert [one.key.id for one in on_list(rig)] == ["a1", "a2"]
        assert len([r for r in rig.rows() if r["kind"] == Kind.DEAD_LETTER]) == 2
        assert not rig.broker.queue(DEAD_QUEUE)
        step += 1
    assert step > 4


def test_one_that_comes_again_after_it_was_decided_is_no_second_one(rig: Rig) -> None:
    drain(rig, changed("a1"))
    kill_copies(rig, UNION)
    (dead,) = rig.broker.queue(DEAD_QUEUE)
    drain(rig)
    (number,) = numbers(rig)
    replay(rig, number)
    drain(rig)
    again = type(dead)(**{**vars(dead), "redelivered": True})
    rig.broker.queue(DEAD_QUEUE).append(again)
    drain(rig)
    assert numbers(rig, None) == [number]


def test_a_replayed_copy_that_dies_in_the_same_second_is_a_second_one(rig: Rig) -> None:
    drain(rig, changed("a1"))
    (first,) = died(rig, UNION)
    replay(rig, first)
    drain(rig)
    (second,) = died(rig, UNION)
    assert second != first
    replay(rig, second)
    drain(rig)
    assert ids(rig, UNION) == ["a1"]
    assert numbers(rig, State.MOVED) == [first, second]


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
        process.worker.call(process.link, process.called, process.shift)
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


def without(ref: str) -> Judge:
    """Give the judge of a catalogue that lacks a flow."""
    whole = shipped()
    kept = tuple(flow for flow in whole.flows if flow.ref != ref)
    return judge(Catalogue(whole.systems, kept, "without"))


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
        request = at.request(rows, CLERK, discard=False)
    assert numbers(rig, State.REQUESTED) == found
    drain(rig)
    assert ids(rig, UNION) == []
    with letters(rig) as at:
        with pytest.raises(LedgerError, match="second person"):
            at.approve(request, CLERK)
        assert at.approve(request, OTHER_CLERK) == (3, True)
    drain(rig)
    assert ids(rig, UNION) == ["a0", "a1", "a2"]
    approved = [r for r in rig.rows() if r["kind"] == Kind.REPLAY and not r["code"]]
    assert {(r["staff"], r["reason"]) for r in approved} == {("職員二", CLERK.reason)}
    assert all(f"request {request} of 職員一" in r["detail"] for r in approved)


def test_a_declined_request_leaves_them_open(rig: Rig) -> None:
    drain(rig, changed("a1"), changed("a2"))
    found = died(rig, UNION)
    with letters(rig) as at:
        request = at.request(on_list(rig), CLERK, discard=True)
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


# -- what the hub itself gives up ----------------------------------------------------------------


def test_a_message_on_which_the_hub_fails_is_set_aside_and_the_others_go_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Judge.judge

    def failing(self: Judge, delivery: object, now: object) -> object:
        if b'"a2"' in delivery.body:  # type: ignore[attr-defined]
            raise ZeroDivisionError(NAME)
        return usual(self, delivery, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Judge, "judge", failing)
    drain(rig, changed("a1"), changed("a2"), changed("a3"))
    assert ids(rig, UNION) == ["a1", "a3"]
    (one,) = on_list(rig)
    assert one.cause is not None
    assert (one.key.id, one.code, one.cause.detail) == ("a2", "hub-fault", "ZeroDivisionError")
    assert told(rig, "a2") == [("dead-letter", "", "hub-fault")]
    with letters(rig) as at, pytest.raises(LedgerError, match=r"newer"):
        at.replay(one.id, CLERK)
    drain(rig, changed("a2"))
    assert len(on_list(rig)) == 1  # the same once more
    drain(rig, changed("a2", note="別の内容"))
    assert len(on_list(rig)) == 2


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
