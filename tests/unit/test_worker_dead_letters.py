"""What cannot be delivered is on the list once, with its cause, and is kept as it was."""

from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.beside import State, Step
from hub.ledger.model import Kind
from hub.ledger.verify.ledger import verify
from hub.message import partition_of
from hub.names import DEAD_QUEUE
from hub.pipeline.again import marker
from hub.pipeline.judge import Judge
from hub.site import HUB_USER
from tests.confirmations_rig import OTHER, PREMIUM, UNION, changed, drain, ids, release, row, told
from tests.confirmations_rig import open_ones as held_ones
from tests.dead_letters_rig import (
    CLERK,
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
)
from tests.worker_rig import IN, OUT, Fuse, Rig, full

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
        assert at.body(at.row(one.id)[0]) == copy
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
        assert at.body(at.row(one.id)[0]) == sent.body
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
        assert [at.body(at.row(one.id)[0]) for one in (original, copy)] == [body, body]
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


@pytest.mark.slow
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


def test_a_dead_copy_beside_its_message_does_not_take_its_place_in_the_room(rig: Rig) -> None:
    rig.broker.judge = full(PREMIUM)
    rig.send(changed("a1"))
    with rig.process() as process:
        process.move()
    kill_copies(rig, UNION)
    with rig.process() as process:
        process.shift.tray.consume(())
        process.shift.tray.consume((DEAD_QUEUE, IN))
        process.link._queues = (DEAD_QUEUE, IN)  # the dead copy comes first
        process.move()
        rig.broker.judge = full()
        rig.broker.clock.advance(31)
        process.move()
    drain(rig)
    assert ids(rig, PREMIUM) == ["a1"]
    assert rig.waiting() == 0
