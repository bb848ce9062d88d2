"""What a worker tells of its batches: stages, what came again, what went again."""

from pathlib import Path

import pytest

from hub.observe import Stage
from hub.pipeline.waiting import LOOK_AGAIN_SECONDS
from tests.samples import event, judge, resident
from tests.worker_rig import Rig, full, shipped_four

pytestmark = pytest.mark.unit

PREMIUM = "premium-collection"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, judge=judge(shipped_four().catalogue))


def history(number: int) -> dict[str, object]:
    return event(resident(history_number=number), id=f"a{number}")


def test_each_stage_of_a_batch_is_told_once_and_none_of_nothing(rig: Rig) -> None:
    rig.send(history(1), history(2))
    with rig.process() as process:
        process.drain()
        told = rig.observed.stages.copy()
        assert told[Stage.JUDGE] == told[Stage.PUBLISH] == told[Stage.CONFIRM] == 1
        assert told[Stage.RECORD] == 2  # the acceptances, and after the confirms the deliveries
        assert rig.observed.again == 0
        process.drain()
        assert rig.observed.stages == dict(told)


def test_what_the_broker_gives_out_once_more_is_counted(rig: Rig) -> None:
    rig.send(history(1))
    with rig.process() as process:
        assert process.shift.tray.batch(500, 0.0)  # it is taken, and the process ends
    rig.send(history(2))
    with rig.process() as process:
        process.drain()
        assert rig.observed.again == 1


def test_a_copy_that_waits_is_counted_each_time_it_is_tried_again(rig: Rig) -> None:
    rig.broker.judge = full(PREMIUM)
    rig.send(history(1))
    with rig.process() as process:
        process.move()
        assert rig.observed.retries == {}
        for tries in (1, 2):
            rig.broker.clock.advance(LOOK_AGAIN_SECONDS)
            process.move()
            assert rig.observed.retries == {PREMIUM: tries}
        assert rig.observed.again == 0
