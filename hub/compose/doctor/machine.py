"""The machine and the program: versions, clock, limits."""

import ctypes
import importlib.metadata
import platform
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import hub
from hub.compose.doctor.model import Said, ok, unknown, warn
from monitoring.build import DISTRIBUTION

OLDEST = (3, 11)
LEAST_FILES = 1024
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_TIMEX_BYTES = 512
"""More than the kernel's ``struct timex`` has."""
_TIME_ERROR = 5


def look_at_machine() -> Iterator[Said]:
    """Look at what every site needs of the machine."""
    python = platform.python_version()
    if sys.version_info < OLDEST:
        yield warn(f"Python {python} is older than 3.11", "install a newer one, then make install")
    yield ok(f"renkei {importlib.metadata.version(DISTRIBUTION)} on Python {python}")
    yield from _packages(Path(hub.__file__).resolve().parents[1] / "requirements.lock")
    yield _clock()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < LEAST_FILES:
        yield warn(f"a process may open {files} files only", "raise LimitNOFILE of the units")


def _packages(lock: Path) -> Iterator[Said]:
    """Compare what is installed with the lock that lies beside the program."""
    try:
        text = lock.read_text(encoding="utf-8")
    except OSError:
        yield unknown(
            "there is no requirements.lock beside the program to compare with",
            "compare pip freeze with the lock of this version",
        )
        return
    others = other_versions(text)
    if others:
        yield warn(f"packages are not as locked: {', '.join(others)}", "make install")
    else:
        yield ok("the installed packages are those of the lock")


def other_versions(lock: str) -> list[str]:
    """Name the installed packages that have another version than a lock's text says."""
    found: list[str] = []
    for name, locked in _LOCKED.findall(lock):
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system, or of an extra that nobody wants here
        if installed != locked:
            found.append(f"{name} {installed} (locked: {locked})")
    return found


def _clock() -> Said:
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state < 0:
        return unknown("the kernel does not say whether its clock is right", "timedatectl")
    if state == _TIME_ERROR:
        return warn(
            "nobody keeps the clock right, as far as the kernel knows",
            "run chrony or systemd-timesyncd, here or on the machine that this one runs on",
        )
    return ok("the clock is kept right")
