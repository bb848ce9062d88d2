"""The ledger's database is restarted, killed, frozen and locked under load."""

import signal
import sqlite3
from contextlib import closing

from tests.fault.drill import Drill

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


def struck(drill: Drill, times: int) -> None:
    """Restart, kill and freeze PostgreSQL in each of the ways, so often."""
    for _ in range(times):
        restarted(drill, signal.SIGINT)
        restarted(drill, signal.SIGQUIT)
        connection_killed(drill)
        frozen(drill)


def locked(drill: Drill, times: int) -> None:
    """Hold the write lock of an SQLite ledger from outside for a while, so often."""
    for _ in range(times):
        drill.wait(drill.chance.random())
        file = drill.ground.state.ledger
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            with drill.harm("ledger", "locked") as strike:
                drill.wait(drill.chance.uniform(*LOCKED_SECONDS))
                drill.bites(strike.began)
                database.execute("ROLLBACK")
        drill.recover()
