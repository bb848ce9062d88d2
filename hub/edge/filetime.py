"""When a file was made: as it says itself, or where nothing inside it says so.

A message's time must not change when its file is read again: a name and a time of change stay
the same, and the hour of reading does not.
"""

import datetime as dt
import re
from pathlib import Path

from hub.clock import JST
from hub.edge import files
from hub.edge.form import BadFile, FileFault
from hub.errors import EdgeError

_IN_NAME = re.compile(r"(?<![0-9])([0-9]{14})(?:[0-9]{3})?(?![0-9])")


def moment_of(text: str) -> dt.datetime | None:
    """Give the moment that a text says (ISO 8601); ``None`` for none, or one without an offset."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.utcoffset() is None else moment


def made_at(path: Path) -> dt.datetime:
    """Give the ``yyyymmddhhmmss`` of a file's name, as Japan's time, else its time of change.

    Raises:
        BadFile: its time of change is no time.
        EdgeError: it is gone or cannot be looked at.
    """
    found = _IN_NAME.search(path.name)
    if found is not None:
        try:
            return dt.datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=JST)
        except ValueError:
            pass  # fourteen digits that are another number
    seen = files.status(path)
    if seen is None:
        raise EdgeError(f"{files.shown(path)} is gone")
    try:
        return dt.datetime.fromtimestamp(int(seen.st_mtime), JST)
    except (OverflowError, ValueError, OSError) as error:
        raise BadFile(FileFault.HEADER, "the file's time of change is no time") from error
