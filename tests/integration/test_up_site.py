"""``renkei up``: everything of a site runs, comes back, and ends together; real processes."""

import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import adapters
from hub.broker.apply import apply
from hub.clock import today
from hub.compose.broker import broker_plan
from hub.compose.checked import load_checked, passwords_of
from hub.demo.site_file import write_site
from hub.demo.state import Parameters, opened
from hub.processes import STOP_SECONDS
from tests.conftest import Vhost
from tests.demo_rig import Renkei, alive, gone, supervised

pytestmark = pytest.mark.integration

NAMES = {"hub", "hub-2", "ledger-watch", *(f"adapter-{system}" for system in adapters.systems())}


@dataclass
class Up:
    """A site that runs."""

    run: Renkei
    site: Path
    logs: Path

    def pids(self) -> dict[str, int]:
        return supervised(self.logs)

    def until_working(self, name: str, times: int = 1) -> None:
        log = self.logs / f"{name}.log"
        self.run.until(
            lambda: log.exists() and log.read_text().count(" is working") >= times,
            f"work of {name}",
        )


@pytest.fixture
def up(vhost: Vhost, tmp_path: Path) -> Iterator[Up]:
    with opened(tmp_path / "site", Parameters(1, 0, 1, workers=2)) as state:
        served = [one for one in adapters.systems() if adapters.simulator(one).served]
        write_site(state, vhost.broker, vhost.name, adapters.systems(), served)
    site, catalogue = load_checked(state.site_file)
    topology = broker_plan(site, catalogue, today())
    apply(vhost.management, vhost.name, topology, passwords_of(site), settle=lambda _: None)
    run = Renkei(tmp_path, ("up", "--site", str(state.site_file)))
    try:
        run.until(lambda: set(supervised(state.logs)) == NAMES, "list of processes")
        yield Up(run, state.site_file, state.logs)
    finally:
        run.end()


def zombies(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children if not alive(int(child))]


def open_files(pid: int) -> int:
    """Count them; -1 where only root may, as of every process that leaves no dumps."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:
        return -1


def test_all_run_one_comes_back_and_sigterm_ends_all(up: Up) -> None:
    for name in NAMES:
        up.until_working(name)
    before, files = up.pids(), open_files(up.run.process.pid)
    victims = ("adapter-tax", "hub-2")
    for victim in victims:
        os.kill(before[victim], signal.SIGKILL)
    for victim in victims:
        up.until_working(victim, times=2)  # and its log was appended to
        up.run.until_said(f"{victim} was ended by SIGKILL and was started again")
    after = up.pids()
    assert {name for name in NAMES if before[name] != after[name]} == set(victims)
    assert zombies(up.run.process.pid) == []
    assert open_files(up.run.process.pid) == files

    began = time.monotonic()
    assert up.run.stopped(signal.SIGTERM) == 0, up.run.err
    assert time.monotonic() - began < STOP_SECONDS
    assert gone(after, 0)
    assert up.pids() == {}
    assert "is killed" not in up.run.err
    for name in NAMES:
        assert "has stopped" in (up.logs / f"{name}.log").read_text()


def test_no_child_outlives_a_supervisor_that_was_killed(up: Up) -> None:
    up.until_working("adapter-tax")  # the others may be anywhere in their start
    pids = up.pids()
    up.run.process.kill()
    up.run.process.wait()
    assert gone(pids, STOP_SECONDS)


def test_a_stubborn_child_is_killed_in_the_end(up: Up) -> None:
    up.until_working("adapter-union")
    pids = up.pids()
    os.kill(pids["adapter-union"], signal.SIGSTOP)
    began = time.monotonic()
    assert up.run.stopped(signal.SIGINT) == 0
    assert STOP_SECONDS <= time.monotonic() - began < STOP_SECONDS + 5
    assert gone(pids, 1)
    assert "adapter-union did not end within 9.2 s and is killed" in up.run.err


def test_a_single_process_ends_well_when_asked(up: Up, tmp_path: Path) -> None:
    up.until_working("adapter-tax")
    assert up.run.stopped() == 0
    for command, number in ((("hub",), signal.SIGTERM), (("adapter", "tax"), signal.SIGINT)):
        run = Renkei(tmp_path / command[0], (*command, "--site", str(up.site)))
        try:
            run.until_said(" is working")
            assert run.stopped(number, seconds=10) == 0, run.err
            assert " has stopped" in run.err
            assert "Traceback" not in run.err
        finally:
            run.end()


def test_the_port_of_the_metrics_is_named_when_it_is_taken(up: Up, tmp_path: Path) -> None:
    up.until_working("adapter-tax")
    run = Renkei(tmp_path / "again", ("adapter", "tax", "--site", str(up.site)))
    try:
        assert run.ended() == 1
        assert re.search(r"cannot be used at \S+: Address already in use", run.err)
        assert "Traceback" not in run.err
    finally:
        run.end()
