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
"""Seconds that the clocks differ from the machine's, one after another in any order."""
LONG = 3
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


def step(drill: Drill, clock: Path, seconds: float) -> None:
    """Let the clocks differ so much from the machine's, from now on."""
    new = clock.with_suffix(".new")
    new.write_text(f"{seconds}", encoding="ascii")
    drill.wait(drill.chance.random())
    with drill.harm("clock", "step") as strike:
        new.replace(clock)
    drill.recover()
    assert any(abs(at - seconds) < TOLERANCE_SECONDS for at in recorded(drill, strike.began))


def test_the_clock_steps(grounds: Grounds, tmp_path: Path) -> None:
    clock = tmp_path / "clock"

    def act(drill: Drill) -> None:
        for _ in range(LONG if grounds.long else 1):
            for seconds in drill.chance.sample(STEPS, len(STEPS)):
                step(drill, clock, seconds)
        step(drill, clock, 0)

    for seed in grounds.seeds():
        ready = grounds.plain()
        ready.ground.restart({"PYTHONPATH": str(SHIFTED), "RENKEI_DRILL_CLOCK": str(clock)})
        ready.ground.until_working()
        try:
            ready.conduct("clock steps", seed, act)
        finally:
            ready.ground.restart({})
