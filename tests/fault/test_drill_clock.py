"""The clocks of the hub's processes step forth and back while messages pass."""

from pathlib import Path

import pytest

from tests.fault.conftest import Grounds
from tests.fault.drill import Drill

pytestmark = pytest.mark.fault

SHIFTED = Path(__file__).parent / "shifted"
MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = (90, -5 * MINUTE, HOUR, -DAY, 40 * DAY, -2 * HOUR)
"""Seconds that the clocks differ from the machine's, one after another."""
LONG_ROUNDS = 17


def test_the_clock_steps(grounds: Grounds, seed: int, tmp_path: Path) -> None:
    ready = grounds.plain()
    clock = tmp_path / "clock"

    def step(drill: Drill, seconds: float) -> None:
        new = clock.with_suffix(".new")
        new.write_text(f"{seconds}", encoding="ascii")
        drill.wait(drill.chance.random())
        with drill.harm("clock", "step"):
            new.replace(clock)
        drill.recover()

    def act(drill: Drill) -> None:
        for number in range(LONG_ROUNDS if grounds.long else 1):
            for seconds in STEPS if number == 0 else drill.chance.sample(STEPS, len(STEPS)):
                step(drill, seconds)
        step(drill, 0)

    ready.ground.restart({"PYTHONPATH": str(SHIFTED), "RENKEI_DRILL_CLOCK": str(clock)})
    ready.ground.until_working()
    try:
        ready.conduct("clock steps", seed, act)
    finally:
        ready.ground.restart({})
