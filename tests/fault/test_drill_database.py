"""The ledger's database is restarted, killed, frozen and locked under load."""

import signal
import sqlite3
from contextlib import closing

import pytest

from tests.fault.conftest import Grounds
from tests.fault.drill import Drill

pytestmark = pytest.mark.fault

LONG = 4
FROZEN_SECONDS = (1.0, 6.0)
LOCKED_SECONDS = (2.0, 8.0)


def restarted(drill: Drill, how: signal.Signals) -> None:
    """End the server in this way, and start it again."""
    server = drill.ground.database
    assert server is not None
    drill.wait(drill.chance.random())
    with drill.harm("postgresql", how.name):
        server.stop(how)
        server.restart()
    drill.recover()


def connection_killed(drill: Drill) -> None:
    """Kill the process of one connection; the server then ends all of them and recovers."""
    server = drill.ground.database
    assert server is not None
    drill.wait(drill.chance.random())
    backends = server.connections()
    assert backends
    drill.ground.strike_process(
        "postgresql's connection", drill.chance.choice(backends), signal.SIGKILL
    )
    drill.recover()


def frozen(drill: Drill) -> None:
    server = drill.ground.database
    assert server is not None
    drill.wait(drill.chance.random())
    with drill.harm("postgresql", "frozen") as strike, server.frozen():
        drill.wait(drill.chance.uniform(*FROZEN_SECONDS))
        drill.bites(strike.began)
    drill.recover()


def test_postgresql_is_restarted_killed_and_frozen(grounds: Grounds) -> None:
    def act(drill: Drill) -> None:
        for _ in range(LONG if grounds.long else 1):
            restarted(drill, signal.SIGINT)
            restarted(drill, signal.SIGQUIT)
            connection_killed(drill)
            frozen(drill)

    for seed in grounds.seeds():
        grounds.wide().conduct("database restarted, killed, frozen", seed, act)


def test_another_process_locks_the_ledger(grounds: Grounds) -> None:
    def act(drill: Drill) -> None:
        file = drill.ground.state.ledger
        for _ in range(LONG if grounds.long else 2):
            drill.wait(drill.chance.random())
            with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                with drill.harm("ledger", "locked") as strike:
                    drill.wait(drill.chance.uniform(*LOCKED_SECONDS))
                    drill.bites(strike.began)
                    database.execute("ROLLBACK")
            drill.recover()

    for seed in grounds.seeds():
        grounds.plain().conduct("ledger locked by another", seed, act)
