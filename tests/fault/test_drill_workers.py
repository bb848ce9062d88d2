"""Hub workers come, leave, freeze and die under load; the others take over what they had."""

import signal
import time
from pathlib import Path

import pytest

from hub.broker.free import free_ports
from hub.ledger.roster import SILENT_SECONDS
from tests.demo_rig import Renkei
from tests.fault.conftest import Grounds
from tests.fault.drill import Drill

pytestmark = pytest.mark.fault

SHORT_FREEZE, LONG_FREEZE = SILENT_SECONDS, 40.0
"""Seconds at least; it lasts until the others have given the frozen one up."""
PATIENCE = 60.0
"""Seconds until a worker has noticed what takes some; others want the cores too."""
LEAVES_SECONDS = 10.0
GUEST = "host-b"


def guest(drill: Drill, folder: Path, name: str) -> Renkei:
    """Start a worker by hand, as on another host."""
    (port,) = free_ports(1)
    site = str(drill.ground.state.site_file)
    return Renkei(folder, ("hub", "--name", name, "--metrics-port", str(port), "--site", site))


def shared(drill: Drill, worker: str) -> str:
    """Give what a worker said last about who works on what."""
    log = (drill.ground.state.logs / f"{worker}.log").read_text()
    return [line for line in log.splitlines() if "the hub's workers are" in line][-1]


def see(drill: Drill, text: str) -> None:
    """Wait until the first worker has said so of its share."""
    assert drill.until(lambda: text in shared(drill, "hub"), PATIENCE), shared(drill, "hub")


def test_workers_come_and_go(grounds: Grounds, seed: int, tmp_path: Path) -> None:
    rounds, freeze = (5, LONG_FREEZE) if grounds.long else (1, SHORT_FREEZE)

    def one_comes_and_leaves(drill: Drill, number: int) -> None:
        run = guest(drill, tmp_path / f"guest-{number}", GUEST)
        try:
            with drill.harm(GUEST, "started"):
                run.until_said("this one takes")
                see(drill, f"are {GUEST}, hub, ")
            drill.recover()
            with drill.harm(GUEST, "SIGTERM"):
                assert run.stopped(seconds=LEAVES_SECONDS) == 0, run.err
                see(drill, "are hub, hub-2, hub-3;")
            drill.recover()
        finally:
            run.end()

    def one_freezes(drill: Drill) -> None:
        began = time.monotonic()
        drill.ground.strike("hub-2", signal.SIGSTOP, 2 * PATIENCE)
        see(drill, "are hub, hub-3;")
        drill.wait(max(0.0, freeze - (time.monotonic() - began)))
        drill.ground.strikes.thaw(all_of_them=True)
        see(drill, "are hub, hub-2, hub-3;")
        drill.recover()

    def one_dies(drill: Drill) -> None:
        drill.ground.strike("hub-3", signal.SIGKILL)
        drill.recover()

    def one_has_anothers_name(drill: Drill, number: int) -> None:
        run = guest(drill, tmp_path / f"double-{number}", "hub-2")
        try:
            assert run.ended() == 1
            assert "another hub process is called hub-2: give this one another --name" in run.err
            assert "Traceback" not in run.err
        finally:
            run.end()
        drill.recover()

    def act(drill: Drill) -> None:
        see(drill, "are hub, hub-2, hub-3;")
        for number in range(rounds):
            one_comes_and_leaves(drill, number)
            one_freezes(drill)
            one_dies(drill)
            one_has_anothers_name(drill, number)

    grounds.taken("wide").conduct("workers come, leave, freeze and die", seed, act)
