"""The clocks of the hub's processes step forth and back while messages pass."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.compose.ledger import open_ledger
from hub.ledger.tally import Tally
from tests.fault.conftest import Grounds
from tests.fault.drill import Drill

pytestmark = pytest.mark.fault

SHIFTED = Path(__file__).parent / "shifted"
MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = (90, -5 * MINUTE, HOUR, -DAY, 40 * DAY, -2 * HOUR)
"""Seconds that the clocks differ from the machine's, one after another."""
LONG_ROUNDS = 17
TOLERANCE_SECONDS = 30


def recorded(drill: Drill, moment: float) -> Iterator[float]:
    """Say of what was given since a moment by how much the ledger's times differ from now."""
    site, _ = drill.ground.checked()
    ledger = open_ledger(site)
    try:
        found = Tally(ledger.engine).about([one.key for one in drill.load.since(moment)])
    finally:
        ledger.close()
    return (fact.at / 1e6 - time.time() for facts in found.values() for fact in facts)


def test_the_clock_steps(grounds: Grounds, seed: int, tmp_path: Path) -> None:
    ready = grounds.plain()
    clock = tmp_path / "clock"

    def step(drill: Drill, seconds: float) -> None:
        new = clock.with_suffix(".new")
        new.write_text(f"{seconds}", encoding="ascii")
        drill.wait(drill.chance.random())
        with drill.harm("clock", "step") as strike:
            new.replace(clock)
        drill.recover()
        assert any(abs(at - seconds) < TOLERANCE_SECONDS for at in recorded(drill, strike.began))

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
