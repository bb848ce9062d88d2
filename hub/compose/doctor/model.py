"""What a look at an installation finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from hub.site import Site
from hub.statute.model import Catalogue


class Mark(StrEnum):
    """How it stands: well; soon or partly wrong; wrong; could not be looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Said(NamedTuple):
    """One thing that was looked at: how it stands, in a sentence, and what to run or do."""

    mark: Mark
    text: str
    todo: str = ""


class Finding(NamedTuple):
    """What was said, and by which look."""

    check: str
    mark: Mark
    text: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The installation: its site file by name and read, and its catalogue."""

    path: Path
    site: Site
    catalogue: Catalogue

    def command(self, words: str) -> str:
        """Give a command about this site."""
        return f"renkei {words} --site {self.path}"


Look = Callable[[Patient], Iterable[Said]]
"""Looks at one thing; raises ``RenkeiError`` or ``OSError`` where it cannot."""


def ok(text: str) -> Said:
    """Say that something is well."""
    return Said(Mark.OK, text)


def warn(text: str, todo: str) -> Said:
    """Say that something is not as it should be, though all works."""
    return Said(Mark.WARN, text, todo)


def fail(text: str, todo: str) -> Said:
    """Say that something is wrong."""
    return Said(Mark.FAIL, text, todo)


def unknown(text: str, todo: str) -> Said:
    """Say that something could not be looked at."""
    return Said(Mark.UNKNOWN, text, todo)
