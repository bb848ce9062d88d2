"""Debian packages for tests, installed by one process at a time."""

import contextlib
import fcntl
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from hub.broker.provide import URL, Machine
from hub.packages import NotInstalled, Say, Wanted, install, privilege

FoundT = TypeVar("FoundT")
LOCK = Path(__file__).parents[2] / ".cache" / "packages.lock"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let no other test process of this checkout install anything meanwhile."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("wb") as lock:
        # The kernel lets go of it when this process ends, however it ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def found_or_installed(find: Callable[[], FoundT | None], wanted: Wanted) -> FoundT:
    """Give what ``find`` gives; where that is nothing, once the packages are installed.

    Raises:
        NotInstalled: they cannot be installed; the text says what to do.
    """
    found = find()
    if found is None:
        with alone():
            if find() is None:
                install(wanted, _say, privilege(wanted))
        found = find()
    if found is None:
        raise NotInstalled(f"{wanted.program} is not here. {wanted.by_hand}.")
    return found


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@functools.cache
def rabbitmq_is_here(say: Say) -> None:
    """Install RabbitMQ where ``provide`` would.

    Raises:
        BrokerUnavailable: it cannot be installed; the text says what to do.
    """
    machine = Machine()
    if URL in machine.environment or machine.find() is not None:
        return
    with alone():
        if machine.find() is None and not machine.docker_answers():
            machine.install(say)
