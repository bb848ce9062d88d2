"""A replay that is broken off while something newer comes is not lost, and overwrites nothing."""

from pathlib import Path

import pytest

from hub.ledger.beside import State
from hub.ledger.model import Kind
from hub.pipeline.again import marker
from hub.pipeline.waiting import ROOM_LIMITS
from hub.site import HUB_USER
from tests.confirmations_rig import UNION, changed, drain, ids, row, told
from tests.dead_letters_rig import died, replay
from tests.fakes import Stored
from tests.samples import judge
from tests.worker_rig import IN, Fuse, Rig, full

pytestmark = pytest.mark.unit


def replayed(folder: Path) -> tuple[Rig, int]:
    """Let a copy die, and be released."""
    folder.mkdir()
    rig = Rig(folder, judge=judge())
    drain(rig, changed("a1"))
    (number,) = died(rig, UNION)
    replay(rig, number)
    return rig, number


def call(rig: Rig) -> None:
    """Put the marker into its place; each process that begins puts another one behind."""
    with rig.process() as process:
        process.caller.call()


@pytest.mark.slow
def test_killed_at_any_step_it_goes_before_the_newer_one(tmp_path: Path) -> None:
    step, going = 0, True
    while going:
        rig, number = replayed(tmp_path / str(step))
        call(rig)
        rig.send(changed("a2"))
        going = not rig.drain(Fuse(step))
        assert rig.drain()
        # Between the send and its record a copy may go twice, with the same bytes.
        assert list(dict.fromkeys(ids(rig, UNION))) == ["a1", "a2"], step
        assert ids(rig, UNION)[-1] == "a2", step
        assert row(rig, number).state == "moved"
        delivered = [one.id for one in rig.facts(Kind.DELIVERY) if one.receiver == UNION]
        assert sorted(delivered) == ["a1", "a2"]
        step += 1
    assert step > 8


@pytest.mark.slow
def test_killed_at_any_step_it_does_not_follow_the_newer_one(tmp_path: Path) -> None:
    step, going = 0, True
    while going:
        rig, number = replayed(tmp_path / str(step))
        rig.send(changed("a2"))
        call(rig)
        going = not rig.drain(Fuse(step))
        assert rig.drain()
        assert set(ids(rig, UNION)) == {"a2"}, step
        assert row(rig, number).state == "refused"
        assert told(rig, "a1")[-1] == ("replay", UNION, "overtaken")
        step += 1
    assert step > 8


def test_one_whose_marker_was_lost_on_its_way_does_not_follow_what_is_delivered(
    tmp_path: Path,
) -> None:
    rig, number = replayed(tmp_path / "lost")
    call(rig)
    with rig.process() as process:
        rig.broker.judge = full(UNION)
        process.move()
    assert row(rig, number).state == State.SENDING
    rig.broker.queue(IN).clear()  # somebody has purged it
    rig.broker.judge = full()
    drain(rig, changed("a2"))
    assert rig.drain()
    rig.broker.clock.advance(100)
    assert rig.drain()
    assert ids(rig, UNION) == ["a2"]
    assert row(rig, number).state == "refused"


def test_two_of_one_person_that_are_on_their_way_both_get_there(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge())
    drain(rig, changed("a1"), changed("a2"))
    both = died(rig, UNION)
    replay(rig, *both)
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.drain()
    assert [row(rig, number).state for number in both] == [State.SENDING] * 2
    rig.broker.judge = full()
    assert rig.drain()
    assert ids(rig, UNION) == ["a1", "a2"]
    assert [row(rig, number).state for number in both] == [State.MOVED] * 2


def test_a_marker_too_many_behind_a_newer_one_ends_nothing(tmp_path: Path) -> None:
    rig, number = replayed(tmp_path / "twice")
    call(rig)
    rig.broker.judge = full(UNION)
    with rig.process() as process:
        process.move()
        rig.send(changed("a2"))
        again = marker(number, row(rig, number).bucket)
        rig.broker.queue(IN).append(Stored(again.routing_key, HUB_USER, again.body))
        process.move()
        rig.broker.judge = full()
        rig.broker.clock.advance(ROOM_LIMITS.longest_seconds)
        process.move()
    assert ids(rig, UNION) == ["a1", "a2"]
    assert row(rig, number).state == State.MOVED
    assert rig.waiting() == 0
