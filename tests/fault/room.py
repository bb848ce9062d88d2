"""No room on the disk: of the ledger, and at the broker."""

import sqlite3
import subprocess
import time
from contextlib import closing

from hub.broker.install import find_installation
from hub.broker.node import PrivateNode
from tests.fault.drill import Drill

FULL_SECONDS = (1.0, 5.0)
COMMAND_SECONDS = 30.0
ALL_THERE_IS = "{mem_relative,1000.0}"
"""A limit of free space that no disk has: the alarm is raised at once."""
USUAL = "256MB"


def ledger_full(drill: Drill, times: int) -> None:
    """Let the disk of the ledger be full for a while, so often."""
    disk = drill.ground.disk
    assert disk is not None
    for _ in range(times):
        drill.wait(drill.chance.random())
        empty_the_log(drill)
        pids = drill.ground.pids()
        writers = [pid for name, pid in pids.items() if name.startswith(("hub", "ledger"))]
        with drill.harm("ledger", "disk full") as strike, disk.full(writers):
            drill.wait(drill.chance.uniform(*FULL_SECONDS))
            drill.bites(strike.began)
        drill.recover()


def broker_alarmed(drill: Drill, times: int) -> None:
    """Let the broker take nothing from publishers for a while, so often."""
    node = drill.ground.node
    for _ in range(times):
        drill.wait(drill.chance.random())
        with drill.harm("broker", "disk alarm"):
            limit_free_space(node, ALL_THERE_IS)
            try:
                assert drill.until(lambda: has_alarm(drill), COMMAND_SECONDS)
                raised = time.monotonic()
                drill.wait(drill.chance.uniform(*FULL_SECONDS))
                drill.bites(raised)
            finally:
                limit_free_space(node, USUAL)
            assert drill.until(lambda: not has_alarm(drill), COMMAND_SECONDS)
        drill.recover()


def empty_the_log(drill: Drill) -> None:
    """Let the ledger's next append need room: what SQLite's log holds already it would reuse."""
    with closing(sqlite3.connect(drill.ground.state.ledger, timeout=30)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def has_alarm(drill: Drill) -> bool:
    with drill.ground.broker().management() as management:
        return any(row.get("disk_free_alarm") for row in management.get("nodes"))


def limit_free_space(node: PrivateNode, limit: str) -> None:
    """Tell the broker below how much free space it takes nothing more from publishers."""
    installation = find_installation()
    assert installation is not None
    command = [str(installation.server.with_name("rabbitmqctl")), "-q"]
    words = ["mem_relative", "1000.0"] if limit == ALL_THERE_IS else [limit]
    subprocess.run(
        [*command, "set_disk_free_limit", *words],
        env=node.environment(installation),
        cwd=node.folder,
        check=True,
        capture_output=True,
        timeout=COMMAND_SECONDS,
    )
