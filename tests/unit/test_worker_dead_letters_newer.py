"""A replay that is broken off while something newer comes is not lost, and overwrites nothing."""

from pathlib import Path

import pytest

from hub.ledger.model import Kind
from tests.confirmations_rig import UNION, changed, drain, ids, row, told
from tests.dead_letters_rig import died, replay
from tests.samples import judge
from tests.worker_rig import Fuse, Rig

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
