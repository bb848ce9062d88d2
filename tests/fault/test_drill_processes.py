"""Kill and stop every process at random moments under load: nothing is lost, doubled or moved."""

import signal

import pytest

from tests.fault.conftest import Grounds
from tests.fault.drill import Drill
from tests.fault.ground import BROKER, DATABASE, SUPERVISOR

pytestmark = pytest.mark.fault

SHORT, LONG = 6, 50
"""Kills of one process after another, each after all has recovered from the one before, a round."""
SHORT_STORM, LONG_STORM = 12, 60
"""Kills and stops without waiting for anything, a round."""
PAUSE_SECONDS = 1.5
STOP_SHARE = 0.25
LONGEST_STOP_SECONDS = 12.0
RARE = {BROKER: 0.25, DATABASE: 0.5, SUPERVISOR: 0.4}
"""How likely a process that takes long to come back is struck, against the others."""


def victim(drill: Drill, number: signal.Signals) -> None:
    """Strike one process by chance."""
    while True:
        names = sorted(drill.ground.pids())
        weights = [RARE.get(name, 1.0) for name in names]
        name = drill.chance.choices(names, weights)[0]
        seconds = drill.chance.uniform(0.2, LONGEST_STOP_SECONDS)
        if drill.ground.strike(name, number, seconds if number is signal.SIGSTOP else 0.0):
            return
        drill.wait(0.1)


def in_turn(drill: Drill, times: int) -> None:
    for _ in range(times):
        drill.wait(drill.chance.random())
        victim(drill, signal.SIGKILL)
        drill.recover()


def storm(drill: Drill, times: int) -> None:
    for _ in range(times):
        drill.wait(drill.chance.expovariate(1 / PAUSE_SECONDS))
        stops = drill.chance.random() < STOP_SHARE
        victim(drill, signal.SIGSTOP if stops else signal.SIGKILL)


def nothing(drill: Drill, times: int) -> None:
    for _ in range(times):
        drill.wait(drill.chance.random())
        with drill.harm("nobody", "nothing"):
            pass
        drill.recover()


def test_nothing_happens_for_comparison(grounds: Grounds) -> None:
    times = LONG if grounds.long else 2
    for seed in grounds.seeds():
        ready = grounds.plain()
        ready.conduct("nothing, for comparison", seed, lambda drill: nothing(drill, times))


@pytest.mark.parametrize("kind", ["plain", "wide"])
def test_any_process_killed(grounds: Grounds, kind: str) -> None:
    times = LONG if grounds.long else SHORT
    for seed in grounds.seeds():
        ready = grounds.taken(kind)
        ready.conduct("one process killed", seed, lambda drill: in_turn(drill, times))


@pytest.mark.parametrize("kind", ["plain", "wide"])
def test_a_storm_of_kills_and_stops(grounds: Grounds, kind: str) -> None:
    times = LONG_STORM if grounds.long else SHORT_STORM
    for seed in grounds.seeds():
        ready = grounds.taken(kind)
        ready.conduct("storm of kills and stops", seed, lambda drill: storm(drill, times))
