"""Sees that a site is not run twice: two sets of processes would fight for names and ports."""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import SiteError
from hub.site import Site
from hub.stop import Stop
from monitoring.figures.scrape import Target, targets_of

LOCK = "up.lock"
PATIENCE_SECONDS = 12.0
"""Processes whose supervisor was killed have all ended by then."""
_CONNECT_SECONDS = 1.0
_AGAIN_SECONDS = 0.5


@contextmanager
def the_only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a site's supervisor, in its folder of logs, for the time of the context.

    The kernel lets go of it when this process ends, however it does.

    Raises:
        SiteError: another one runs, or the folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"the folder of logs {folder} cannot be used: {error.strerror}"
        raise SiteError(message) from error
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = (
            f"this site runs already: another renkei up holds {folder / LOCK}, and nothing was "
            f"started; {folder}/processes.json names its processes"
        )
        raise SiteError(message) from None


def answering(site: Site) -> list[Target]:
    """Give the processes of a site in whose places somebody takes connections."""
    return [one for one in targets_of(site) if takes_connections(one)]


def takes_connections(target: Target) -> bool:
    """Say whether anybody listens there."""
    try:
        socket.create_connection((target.host, target.port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def wait_for_none(
    site: Site, stop: Stop, say: Callable[[str], None], seconds: float = PATIENCE_SECONDS
) -> None:
    """Wait until nobody answers in the place of a process of the site, or until ``stop``.

    Raises:
        SiteError: somebody still does after so many seconds.
    """
    until = time.monotonic() + seconds
    found = answering(site)
    if found:
        say(f"waiting {seconds:g} s at most for {_named(found)} to end ...")
    while found and not stop() and time.monotonic() < until:
        stop.wait(_AGAIN_SECONDS)
        found = answering(site)
    if found and not stop():
        message = (
            f"this site runs already, and nothing was started: {_named(found)}. Stop that first "
            "(systemctl stop renkei.target ends all units); one unit that is down is started by "
            "systemctl restart, such as renkei-adapter@tax"
        )
        raise SiteError(message)


def _named(found: list[Target]) -> str:
    return ", ".join(f"{one.process} ({one.address})" for one in found)
