"""Child processes: start them, keep them running, stop them, and never leave one behind."""

import ctypes
import gc
import json
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import SiteError

log = logging.getLogger(__name__)

STOP_SECONDS = 9.2
"""How long after SIGTERM a process is killed. It ends itself before (``hub.stop``), unless it is
stopped or hangs where no thread of its own can run."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 30.0
"""A process that ran this long has the shortest pause again when it ends."""
LOG_MODE = 0o640
WORKER = "hub"
"""The name of the first hub worker, and of its process."""
PARENT_ENV = "RENKEI_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the process that supervises this one is gone.

    Raises:
        OSError: the kernel refuses.
    """
    parent = os.environ.get(PARENT_ENV)
    if parent is None:
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # It may have gone before the kernel was asked.
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)


def no_dumps() -> None:
    """Let no crash write this process's memory to a disk, and no other process read it.

    Numbers and keys stand in it in clear. Processes that it starts write no dumps either. Only
    root can still look into it, also into its environment and its open files.

    Raises:
        OSError: the kernel refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


def collect_rarely() -> None:
    """Let the cyclic collector pass over what is there by now, and look at the rest rarely.

    A batch makes some ten thousand objects, which go by themselves, and no cycles: to look at all
    of them every 700 allocations took a third of a worker's time. Call it once, when all that
    lasts is made.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def worker_names(count: int) -> tuple[str, ...]:
    """Name so many hub workers of one machine: ``hub``, ``hub-2`` and so on."""
    return (WORKER, *(f"{WORKER}-{number}" for number in range(2, count + 1)))


def commands_of(
    site: Path,
    systems: Iterable[str],
    workers: Iterable[str] = (WORKER,),
    *,
    console: bool = False,
) -> dict[str, tuple[str, ...]]:
    """Give the command of each process by its name.

    They are the hub's workers, the ledger's watch, the adapters, and the console where there is
    one.
    """
    where = ("--site", str(site.resolve()))
    return {
        **{name: ("hub", "--name", name, *where) for name in workers},
        "ledger-watch": ("ledger", "watch", *where),
        **{f"adapter-{system}": ("adapter", system, *where) for system in systems},
        **({"console": ("console", *where)} if console else {}),
    }


@dataclass(slots=True)
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    restarts: int = 0
    ended: str = ""
    is_asked: bool = False


@dataclass(slots=True)
class Supervisor:
    """Runs one child for each name; a child that ends is started again, after a growing pause.

    ``folder`` gets one log file a child, appended to, and ``processes.json`` with the process
    ids of those that run. Call every method on the same thread: a child ends when the thread
    that started it does.
    """

    folder: Path
    children: dict[str, Child] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    held: frozenset[str] = frozenset()
    """Who is asked to end, and not started again as long as its name stands here."""

    def start(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Start one process a name; ``commands`` are arguments of ``renkei``.

        Raises:
            SiteError: the folder cannot be used.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        except OSError as error:
            message = f"the folder of logs {self.folder} cannot be made: {error.strerror}"
            raise SiteError(message) from error
        for name, arguments in commands.items():
            self.start_one(name, arguments)

    def start_one(self, name: str, arguments: Sequence[str]) -> None:
        """Start one process; where it cannot be started, ``tend`` tries again."""
        child = Child(name, (sys.executable, "-m", "hub.cli.main", *arguments))
        self.children[name] = child
        self._launch(child)
        self._note()

    def tend(self) -> list[str]:
        """Start again what has ended and is due; give the names of those started."""
        started: list[str] = []
        ended = False
        for child in self.children.values():
            held = child.name in self.held
            if child.process is not None and child.process.poll() is not None:
                self._schedule(child, quietly=held)
                ended = True
            if held:
                self._hold(child)
            elif child.process is None and self.clock() >= child.due:
                child.restarts += 1
                self._launch(child)
                if child.process is not None:
                    started.append(child.name)
        if started or ended:
            self._note()
        return started

    def stop(self) -> None:
        """Ask all to drain and end; kill those that have not after ``STOP_SECONDS``."""
        running = [c for c in self.children.values() if c.process is not None]
        for child in running:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = self.clock() + STOP_SECONDS
        for child in running:
            self._wait(child, deadline)
        self.children.clear()
        try:
            (self.folder / "processes.json").unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s/processes.json stays: %s", self.folder, error.strerror)

    def _wait(self, child: Child, deadline: float) -> None:
        if child.process is None:
            return
        try:
            child.process.wait(max(0.0, deadline - self.clock()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end within %g s and is killed", child.name, STOP_SECONDS)
            child.process.kill()
            child.process.wait()

    def _hold(self, child: Child) -> None:
        if child.process is not None and not child.is_asked:
            child.process.terminate()
            child.is_asked = True
        child.due = self.clock()

    def _schedule(self, child: Child, *, quietly: bool) -> None:
        code = child.process.returncode if child.process is not None else 0
        child.process = None
        child.ended = _said(code)
        if quietly or child.is_asked:
            return
        if self.clock() - child.started >= STEADY_SECONDS:
            child.pause = FIRST_PAUSE
        self._delay(child)
        log.warning(
            "%s %s; starting it again in %.1f s",
            child.name,
            child.ended,
            child.due - self.clock(),
        )

    def _delay(self, child: Child) -> None:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
        child.due = self.clock() + child.pause * jitter
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _launch(self, child: Child) -> None:
        """Start a child; where that cannot be (a full disk, say) it is tried again later."""
        child.started = self.clock()
        child.is_asked = False
        try:
            self._open(child)
        except OSError as error:
            log.warning("%s cannot be started: %s", child.name, error.strerror)
            self._delay(child)

    def _open(self, child: Child) -> None:
        environment = os.environ | {PARENT_ENV: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        log_file = self.folder / f"{child.name}.log"
        handle = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, LOG_MODE)
        with os.fdopen(handle, "ab") as output:
            child.process = subprocess.Popen(  # noqa: S603 - our own command line
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )

    def _note(self) -> None:
        """Write down who runs: a help for people, so a full disk must not end anything."""
        pids = {c.name: c.process.pid for c in self.children.values() if c.process is not None}
        temporary = self.folder / ".processes.json.tmp"
        try:
            temporary.write_text(json.dumps(pids, indent=2) + "\n", encoding="utf-8")
            temporary.replace(self.folder / "processes.json")
        except OSError as error:
            log.warning("%s/processes.json cannot be written: %s", self.folder, error.strerror)


def _said(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
