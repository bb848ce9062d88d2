"""The folders of one connected system, and how files are put into them.

``to-hub`` and ``from-hub`` are the system's; the rest says what became of things: files that
were read are in ``processed``, what cannot be read or written is in ``set-aside`` with its
reason, refused records are listed in ``rejects``, and what the hub says is in ``notices``.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.edge import files
from hub.edge.form import BadFile

SHARED_MODE = 0o770
PRIVATE_MODE = 0o700


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders below one system's root."""

    root: Path

    @property
    def to_hub(self) -> Path:
        """Where the system writes."""
        return self.root / "to-hub"

    @property
    def from_hub(self) -> Path:
        """Where the system reads, and takes away what it has read."""
        return self.root / "from-hub"

    @property
    def processed(self) -> Path:
        """Files that were read to their end."""
        return self.root / "processed"

    @property
    def set_aside(self) -> Path:
        """Whole files and single messages that could not be used, each with its reason."""
        return self.root / "set-aside"

    @property
    def rejects(self) -> Path:
        """Lists of the records that were refused."""
        return self.root / "rejects"

    @property
    def notices(self) -> Path:
        """What the hub said about messages that it refused, a file a day."""
        return self.root / "notices"

    def make(self, *, shared: bool = True) -> None:
        """Make the folders that are missing.

        Unless they are ``shared`` with the system, nobody but the adapter's account may put files
        there: a courier's are believed to come from the interface.

        Raises:
            EdgeError: one cannot be made, or something else stands in its place.
        """
        mode = SHARED_MODE if shared else PRIVATE_MODE
        for folder in (self.to_hub, self.from_hub):
            files.make_folder(folder, mode)
        for folder in (self.rejects, self.notices):
            files.make_folder(folder, SHARED_MODE)
        for folder in (self.processed, self.set_aside):
            files.make_folder(folder, PRIVATE_MODE)

    def rejects_for(self, placed_as: str) -> Path:
        """Give the list of refused records of a processed file."""
        return self.rejects / f"{placed_as}.rejects.csv"

    def free_name(self, name: str, reserved: Collection[str]) -> str:
        """Give a name that neither ``processed`` nor ``rejects`` has, and nobody reserved."""
        return _free(
            name,
            lambda candidate: (
                candidate in reserved
                or files.exists(self.processed / candidate)
                or files.exists(self.rejects_for(candidate))
            ),
        )

    def put_aside(self, path: Path, bad: BadFile, at: dt.datetime) -> None:
        """Move a bad file to ``set-aside``, its reason first, so that none is without one.

        Raises:
            EdgeError: it cannot be moved.
        """
        name = _free(path.name, lambda candidate: files.exists(self.set_aside / candidate))
        reason = {"code": bad.code, "reason": bad.reason, "line": bad.line}
        _move_with_note(path, self.set_aside / name, "reason", reason | {"at": at.isoformat()})

    def put_away_repeated(self, path: Path, name: str, first: str, at: dt.datetime) -> None:
        """Move a file to ``processed`` that was read before, with a note that says so.

        ``name`` is its ``free_name``, ``first`` that of the file with the same content.

        Raises:
            EdgeError: it cannot be moved.
        """
        note = {"note": "the same content was read before; nothing was sent", "first": first}
        _move_with_note(path, self.processed / name, "repeated", note | {"at": at.isoformat()})


def _move_with_note(path: Path, target: Path, kind: str, note: Mapping[str, object]) -> None:
    # A note without its file is what a crash left between the two steps: it is replaced.
    text = json.dumps(note, ensure_ascii=False, indent=1) + "\n"
    files.write_whole(target.with_name(f"{target.name}.{kind}.json"), text.encode())
    files.rename(path, target)


def _free(name: str, is_taken: Callable[[str], bool]) -> str:
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    candidate, number = name, 1
    while is_taken(candidate):
        number += 1
        candidate = f"{stem}-{number}{dot}{suffix}"
    return candidate
