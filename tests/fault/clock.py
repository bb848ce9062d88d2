"""The clocks of the hub's processes step forth and back while messages pass."""

import time
from collections.abc import Iterator
from pathlib import Path

from hub.compose.ledger import open_ledger
from hub.ledger.tally import Tally
from tests.fault.drill import Drill

SHIFTED, FILE = Path(__file__).parent / "shifted", "RENKEI_DRILL_CLOCK"
MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = (90, -5 * MINUTE, HOUR, -DAY, 40 * DAY, -2 * HOUR)
"""Seconds that the clocks differ from the machine's, one after another in any order."""
TOLERANCE_SECONDS = 30


def shifted(clock: Path) -> dict[str, str]:
    """Give the environment of processes whose clocks differ by what stands in a file."""
    return {"PYTHONPATH": str(SHIFTED), FILE: str(clock)}


def recorded(drill: Drill, moment: float) -> Iterator[float]:
    """Say of what was given since a moment by how much the ledger's times differ from now."""
    site, _ = drill.ground.checked()
    ledger = open_ledger(site)
    try:
        found = Tally(ledger.engine).about([one.key for one in drill.load.since(moment)])
    finally:
        ledger.close()
    return (fact.at / 1e6 - time.time() for facts in found.values() for fact in facts)


def step(drill: Drill, seconds: float) -> None:
    """Let the clocks differ so much from the machine's, from now on."""
    clock = Path(drill.ground.environment[FILE])
    new = clock.with_suffix(".new")
    new.write_text(f"{seconds}", encoding="ascii")
    drill.wait(drill.chance.random())
    with drill.harm("clock", "step") as strike:
        new.replace(clock)
    drill.recover()
    assert any(abs(at - seconds) < TOLERANCE_SECONDS for at in recorded(drill, strike.began))


def steps(drill: Drill, times: int) -> None:
    """Let the clocks step so often through all differences, and back in the end."""
    for _ in range(times):
        for seconds in drill.chance.sample(STEPS, len(STEPS)):
            step(drill, seconds)
    step(drill, 0)
