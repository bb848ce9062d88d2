"""Processes that a benchmark starts, watches and ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hub.processes import PARENT_ENV

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 20.0
LOG_LINES = 15


class ChildError(RuntimeError):
    """A process of a benchmark ended as it should not; the text has the end of its log."""


class Child:
    """One process: a Python module with its arguments; ``said`` is its log."""

    def __init__(self, arguments: Sequence[str], log: Path, asked: bytes = b"") -> None:
        self.log = log
        self._name = " ".join(arguments)
        environment = os.environ | {PARENT_ENV: str(os.getpid())}
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - this project's own modules
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=ROOT,
                start_new_session=True,
            )
        if self._process.stdin is not None:
            self._process.stdin.write(asked)
            self._process.stdin.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise ``ChildError`` if it has ended."""
        if self._process.poll() is not None:
            raise ChildError(f"{self._name} ended too early:\n{self.tail()}")

    def finished(self, seconds: float) -> None:
        """Wait until it has done what it is for."""
        try:
            self._settle(self._process.wait(seconds))
        except subprocess.TimeoutExpired as error:
            raise ChildError(f"{self._name} is not done after {seconds:g} s") from error

    def end(self) -> None:
        """Ask it to end, and see that it does so in good order."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._settle(self._process.wait(STOP_SECONDS))
        except subprocess.TimeoutExpired as error:
            raise ChildError(f"{self._name} does not end:\n{self.tail()}") from error

    def kill(self) -> None:
        """End it in any case."""
        self._process.kill()
        self._process.wait()

    def tail(self) -> str:
        """Give the end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def _settle(self, status: int) -> None:
        if status != 0:
            raise ChildError(f"{self._name} ended with status {status}:\n{self.tail()}")


@contextmanager
def running(arguments: Sequence[str], log: Path, asked: bytes = b"") -> Iterator[Child]:
    """Run a process as long as the block takes."""
    child = Child(arguments, log, asked)
    try:
        yield child
        child.end()
    finally:
        child.kill()


def clean_up_when_ended() -> None:
    """Let SIGTERM end this process by an exception, so that folders and servers go with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def renkei(*arguments: str) -> None:
    """Run a command of ``renkei`` to its end, as a person would."""
    done = subprocess.run(  # noqa: S603 - this project's own command
        [sys.executable, "-m", "hub.cli.main", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise ChildError(f"renkei {' '.join(arguments)}:\n{done.stderr or done.stdout}")
