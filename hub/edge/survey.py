"""Looks over ``to-hub`` as a whole: how much waits there, and what nobody will ever read."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from hub.edge import files
from hub.edge.ignored import Ignored, no_file
from hub.edge.observe import EdgeObserver
from hub.edge.records import CONTROL
from hub.limits import limits

WATCHED = 1000
"""The most names that are watched because nobody will read them; more are not counted."""

_WRITING = (".tmp", ".part")


def being_written(name: str) -> bool:
    """Say whether a name is one that a writer uses until its file is whole."""
    return name.startswith(".") or name.lower().endswith(_WRITING)


def pattern_of(name: str, patterns: Iterable[str]) -> str | None:
    """Give the pattern that a name matches; none for one that no file to be read may have."""
    if _name_fault(name):
        return None
    return next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)


def _name_fault(name: str) -> Ignored | None:
    """Say why no file of this name is read; nothing where one may be."""
    if not _is_text(name):
        return Ignored.ENCODING
    if CONTROL.search(name):
        return Ignored.CONTROL
    return Ignored.LENGTH if len(name) > limits().name_length else None


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # the folder has bytes that are no UTF-8
        return False
    return True


@dataclass(slots=True)
class _Stray:
    """A name that nobody will read: as it was last seen, since when, and whether it was told."""

    stamp: tuple[int, ...]
    since: float
    reason: Ignored
    told: bool = False


class Survey:
    """Watches the folder ``to-hub`` of one system, whatever becomes of link and journal.

    A name that nobody will read is told once, after it stayed as it is for
    ``settle_seconds``, and nothing is done to it.
    """

    def __init__(
        self,
        to_hub: Path,
        patterns: Iterable[str],
        *,
        settle_seconds: float,
        monotonic: Callable[[], float],
        observe: EdgeObserver,
    ) -> None:
        self._to_hub = to_hub
        self._patterns = tuple(patterns)
        self._settle_seconds = settle_seconds
        self._monotonic = monotonic
        self._observe = observe
        self._strays: dict[str, _Stray] = {}

    def look(self) -> None:
        """Look at every name once, and tell what there is.

        Raises:
            EdgeError: the folder cannot be used.
        """
        since: list[float] = []
        strays: dict[str, _Stray] = {}
        room = WATCHED - len(self._strays)
        for name in files.names_in(self._to_hub):
            if being_written(name):
                continue
            seen = files.status(self._to_hub / name)
            if seen is None:
                continue
            fault = self._fault(name, seen)
            if fault is None:
                since.append(seen.st_ctime)
                continue
            known = self._strays.get(name)
            if known is None:
                room -= 1
            if known is not None or room >= 0:
                strays[name] = self._watched(name, seen, fault, known)
        self._strays = strays
        oldest = dt.datetime.fromtimestamp(min(since), dt.UTC) if since else None
        ignored = Counter(stray.reason for stray in strays.values() if stray.told)
        self._observe.surveyed(len(since), oldest, ignored)

    def _fault(self, name: str, seen: os.stat_result) -> Ignored | None:
        if why := _name_fault(name):
            return why
        if pattern_of(name, self._patterns) is None:
            return Ignored.PATTERN
        return no_file(seen.st_mode)

    def _watched(
        self, name: str, seen: os.stat_result, fault: Ignored, known: _Stray | None
    ) -> _Stray:
        now = self._monotonic()
        stamp = (seen.st_mode, seen.st_ino, seen.st_size, seen.st_mtime_ns)
        if known is not None and known.told:
            return known
        if known is None or known.stamp != stamp:
            return _Stray(stamp, now, fault)
        if now - known.since >= self._settle_seconds:
            known.told = True
            self._observe.file_ignored(name, fault)
        return known
