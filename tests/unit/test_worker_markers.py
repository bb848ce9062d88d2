"""Markers of what cannot move now do not pile up in the partition."""

from pathlib import Path

import pytest

from hub.pipeline.again import RELEASED_TYPE
from tests.confirmations_rig import UNION, changed, drain
from tests.dead_letters_rig import died, replay
from tests.samples import judge
from tests.worker_rig import IN, Rig, full

pytestmark = pytest.mark.unit


def test_markers_do_not_pile_up_while_the_room_is_full(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge(), waiting_limit=2)
    drain(rig, *(changed(f"a{n}", addressee_number=str(n)) for n in range(1, 7)))
    which = died(rig, UNION)
    rig.broker.judge = full(UNION)
    replay(rig, *which)
    with rig.process(batch=2) as process:
        for _ in range(60):
            process.caller.call()
            process.shift.step(0.0)
            rig.broker.clock.advance(61)
        queued = [one for one in rig.broker.queue(IN) if one.routing_key == RELEASED_TYPE]
    assert len(queued) <= 2 * len(which), len(queued)


def test_markers_do_not_pile_up_behind_a_long_queue(tmp_path: Path) -> None:
    rig = Rig(tmp_path, judge=judge())
    drain(rig, changed("a1"))
    which = died(rig, UNION)
    rig.send(*(changed(f"b{n}", addressee_number=str(n)) for n in range(2, 80)))
    replay(rig, *which)
    with rig.process(batch=1) as process:  # a partition that is behind by an hour
        for _ in range(60):
            process.caller.call()
            process.shift.step(0.0)
            rig.broker.clock.advance(61)
        queued = [one for one in rig.broker.queue(IN) if one.routing_key == RELEASED_TYPE]
    assert len(queued) <= 3, len(queued)
