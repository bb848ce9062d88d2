"""Kills and stops of any process, at random moments."""

import signal

from tests.fault.drill import Drill
from tests.fault.ground import BROKER, DATABASE, SUPERVISOR

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
    """Kill one after another, each after all has recovered from the one before."""
    for _ in range(times):
        drill.wait(drill.chance.random())
        victim(drill, signal.SIGKILL)
        drill.recover()


def storm(drill: Drill, times: int) -> None:
    """Kill and stop without waiting for anything."""
    for _ in range(times):
        drill.wait(drill.chance.expovariate(1 / PAUSE_SECONDS))
        stops = drill.chance.random() < STOP_SHARE
        victim(drill, signal.SIGSTOP if stops else signal.SIGKILL)


def nothing(drill: Drill, times: int) -> None:
    """Do no harm, so that there is something to compare with."""
    for _ in range(times):
        drill.wait(drill.chance.random())
        with drill.harm("nobody", "nothing"):
            pass
        drill.recover()
