"""The supervisor's rules, with processes and a clock that obey the test."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import hub.processes
from hub.errors import SiteError
from hub.processes import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PARENT_ENV,
    STEADY_SECONDS,
    STOP_SECONDS,
    Supervisor,
    commands_of,
    end_with_parent,
)

pytestmark = pytest.mark.unit


@dataclass
class World:
    """Gives out processes, and tells what became of them."""

    seconds: float = 100.0
    processes: list["FakeProcess"] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def popen(self, command: tuple[str, ...], **options: Any) -> "FakeProcess":  # noqa: ANN401
        process = FakeProcess(self, command, options, pid=1000 + len(self.processes))
        self.processes.append(process)
        return process

    def latest(self) -> "FakeProcess":
        return self.processes[-1]


@dataclass
class FakeProcess:
    world: World
    command: tuple[str, ...]
    options: dict[str, Any]
    pid: int
    returncode: int | None = None
    stubborn: bool = False
    told: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self.told.append("terminate")
        if not self.stubborn:
            self.returncode = -15

    def kill(self) -> None:
        self.told.append("kill")
        self.returncode = -9

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            assert timeout is not None
            self.world.seconds += timeout
            raise subprocess.TimeoutExpired("renkei", timeout)
        return self.returncode


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    one = World()
    monkeypatch.setattr(hub.processes.subprocess, "Popen", one.popen)
    monkeypatch.setattr(hub.processes.random, "uniform", lambda _low, _high: 1.0)
    return one


@pytest.fixture
def supervisor(tmp_path: Path, world: World) -> Supervisor:
    one = Supervisor(tmp_path / "logs", clock=world.now)
    one.start({"hub": ("hub", "--site", "s")})
    return one


def pause_until_restart(world: World, supervisor: Supervisor) -> float:
    """Let the process end; say how long it stayed away."""
    world.latest().returncode = 1
    ended = world.seconds
    while not supervisor.tend():
        world.seconds += 0.01
    return world.seconds - ended


def listed(supervisor: Supervisor) -> object:
    return json.loads((supervisor.folder / "processes.json").read_text())


def test_commands_name_the_site_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site = str(tmp_path.resolve() / "site.toml")
    assert commands_of(Path("site.toml"), ["tax", "union"]) == {
        "hub": ("hub", "--name", "hub", "--site", site),
        "ledger-watch": ("ledger", "watch", "--site", site),
        "adapter-tax": ("adapter", "tax", "--site", site),
        "adapter-union": ("adapter", "union", "--site", site),
    }
    workers = commands_of(Path("site.toml"), [], ["hub", "hub-2"])
    assert workers["hub-2"] == ("hub", "--name", "hub-2", "--site", site)
    console = commands_of(Path("site.toml"), [], console=True)["console"]
    assert console == ("console", "--site", site)


def test_a_process_gets_its_log_its_session_and_its_supervisor(
    world: World, supervisor: Supervisor
) -> None:
    options = world.latest().options
    assert world.latest().command[1:] == ("-m", "hub.cli.main", "hub", "--site", "s")
    assert options["start_new_session"]
    assert options["env"][PARENT_ENV] == str(os.getpid())
    log = supervisor.folder / "hub.log"
    assert options["stdout"].name == options["stderr"].name
    assert options["stdout"].closed
    assert log.stat().st_mode & 0o007 == 0


def test_one_that_is_held_ends_and_comes_back_when_it_is_let_go(
    world: World, supervisor: Supervisor
) -> None:
    supervisor.held = frozenset({"hub"})
    assert supervisor.tend() == []
    assert supervisor.tend() == []
    assert world.latest().told == ["terminate"]
    assert listed(supervisor) == {}
    world.seconds += 100.0
    assert supervisor.tend() == []
    supervisor.held = frozenset()
    assert supervisor.tend() == ["hub"]
    assert len(world.processes) == 2
    assert supervisor.tend() == []


def test_what_runs_is_left_alone(world: World, supervisor: Supervisor) -> None:
    assert supervisor.tend() == []
    assert len(world.processes) == 1
    assert listed(supervisor) == {"hub": 1000}


def test_pauses_grow_up_to_a_limit(world: World, supervisor: Supervisor) -> None:
    pauses = [pause_until_restart(world, supervisor) for _ in range(9)]
    expected = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(9)]
    assert pauses == pytest.approx(expected, abs=0.02)
    assert supervisor.children["hub"].restarts == 9


def test_a_steady_process_comes_back_soon_again(world: World, supervisor: Supervisor) -> None:
    for _ in range(5):
        pause_until_restart(world, supervisor)
    world.seconds += STEADY_SECONDS
    assert pause_until_restart(world, supervisor) == pytest.approx(FIRST_PAUSE, abs=0.02)


def test_the_list_has_only_those_that_run(world: World, supervisor: Supervisor) -> None:
    world.latest().returncode = 1
    assert supervisor.tend() == []
    assert listed(supervisor) == {}
    world.seconds += LONGEST_PAUSE
    assert supervisor.tend() == ["hub"]
    assert listed(supervisor) == {"hub": 1001}


def test_one_that_ends_does_not_touch_the_others(tmp_path: Path, world: World) -> None:
    supervisor = Supervisor(tmp_path, clock=world.now)
    supervisor.start({"a": ("a",), "b": ("b",)})
    world.processes[0].returncode = 0
    supervisor.tend()
    world.seconds += LONGEST_PAUSE
    assert supervisor.tend() == ["a"]
    assert [process.command[-1] for process in world.processes] == ["a", "b", "a"]


def test_stopping_lets_all_drain_before_any_is_waited_for(tmp_path: Path, world: World) -> None:
    supervisor = Supervisor(tmp_path, clock=world.now)
    supervisor.start({"a": ("a",), "b": ("b",)})
    supervisor.stop()
    assert [process.told for process in world.processes] == [["terminate"], ["terminate"]]
    assert not (tmp_path / "processes.json").exists()
    supervisor.stop()  # safe to call again
    assert supervisor.tend() == []


def test_one_deadline_for_all_and_then_they_are_killed(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor(tmp_path, clock=world.now)
    supervisor.start({"a": ("a",), "b": ("b",)})
    for process in world.processes:
        process.stubborn = True
    began = world.seconds
    supervisor.stop()
    assert world.seconds - began == pytest.approx(STOP_SECONDS)
    assert [process.told for process in world.processes] == [["terminate", "kill"]] * 2
    assert f"a did not end within {STOP_SECONDS:g} s and is killed" in caplog.text


def test_one_that_has_ended_by_itself_is_not_signalled(
    world: World, supervisor: Supervisor
) -> None:
    world.latest().returncode = 3
    supervisor.stop()
    assert world.latest().told == []


def test_logs_are_appended_to(tmp_path: Path, world: World) -> None:
    (tmp_path / "hub.log").write_text("before\n")
    supervisor = Supervisor(tmp_path, clock=world.now)
    supervisor.start({"hub": ("hub",)})
    assert (tmp_path / "hub.log").read_text() == "before\n"


def test_a_folder_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SiteError, match="folder of logs"):
        Supervisor(tmp_path / "file" / "logs").start({})


def test_an_orphan_asks_itself_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(hub.processes.ctypes, "CDLL", lambda *_, **__: _Kernel())
    monkeypatch.setattr(os, "kill", lambda *what: asked.append(what))
    end_with_parent()
    monkeypatch.setenv(PARENT_ENV, str(os.getppid()))
    end_with_parent()
    assert asked == []
    monkeypatch.setenv(PARENT_ENV, "1" if os.getppid() != 1 else "2")
    end_with_parent()
    assert asked == [(os.getpid(), signal.SIGTERM)]


def test_a_kernel_that_refuses_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.processes.ctypes, "CDLL", lambda *_, **__: _Kernel(-1))
    monkeypatch.setenv(PARENT_ENV, str(os.getppid()))
    with pytest.raises(OSError, match="PDEATHSIG"):
        end_with_parent()


@dataclass
class _Kernel:
    answer: int = 0

    def prctl(self, _what: int, _signal: int) -> int:
        return self.answer
