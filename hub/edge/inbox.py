"""Picks up files from ``to-hub``: whole ones only, each content once, bad ones set aside."""

import datetime as dt
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hub.edge import files
from hub.edge.folders import Folders
from hub.edge.form import BadFile, FileFacts, FileFault, Form, Unfinished
from hub.edge.forms import form_of
from hub.edge.journal import InboundFile, InboundState, Journal
from hub.edge.kit import Inbound
from hub.edge.observe import EdgeObserver
from hub.edge.survey import being_written, pattern_of
from hub.edge.wall import Walls
from hub.errors import EdgeError
from schemas.layout import Encoding


class Stamp(NamedTuple):
    """What tells that a file was not touched: inode, size, time of change in nanoseconds."""

    inode: int
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class Picked:
    """A whole file that is to be read, and how far it was read before."""

    path: Path
    stamp: Stamp
    wire: Inbound
    form: Form
    facts: FileFacts
    entry: InboundFile

    def ensure_unchanged(self) -> None:
        """Make sure that it is still the file that was judged.

        Raises:
            BadFile: it was written to, or replaced.
            EdgeError: it is gone.
        """
        if stamp_of(self.path) != self.stamp:
            raise BadFile(FileFault.CHANGED, "the file was changed while it was being read")


@dataclass(slots=True)
class _Watched:
    """An unfinished file: as it was last seen, since when, and whether it was read like that."""

    stamp: Stamp
    since: float
    checked: bool


def stamp_of(path: Path) -> Stamp | None:
    """Give the stamp of a regular file; ``None`` for a link, or anything else.

    Raises:
        EdgeError: it is gone, or cannot be looked at.
    """
    seen = files.status(path)
    if seen is None:
        raise EdgeError(f"{files.shown(path)} is gone")
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Stamp(seen.st_ino, seen.st_size, seen.st_mtime_ns)


class Inbox:
    """The ``to-hub`` folder of one system.

    Files of one kind are read in the order of their names: one that is unfinished holds back
    those after it, for a later file may say something newer about the same resident.
    """

    def __init__(  # noqa: PLR0913 - what one inbox is made of
        self,
        folders: Folders,
        wires: Sequence[Inbound],
        journal: Journal,
        observe: EdgeObserver,
        *,
        walls: Walls,
        encoding: Encoding | None,
        settle_seconds: float,
        monotonic: Callable[[], float],
        now: Callable[[], dt.datetime],
        begun: Callable[[str], str] | None = None,
    ) -> None:
        """Read what lies there; ``begun`` gives a file's ``traceparent`` by its digest."""
        self._begun = begun
        self._folders = folders
        self._wires = {wire.pattern: (wire, form_of(wire.layout)) for wire in wires}
        self._journal = journal
        self._observe = observe
        self._walls = walls
        self._encoding = encoding
        self._settle_seconds = settle_seconds
        self._monotonic = monotonic
        self._now = now
        self._watched: dict[Path, _Watched] = {}

    def recover(self) -> None:
        """Note what a crash kept from being noted: files that were moved away after all.

        Raises:
            EdgeError: the folder or the journal cannot be used.
        """
        for entry in self._journal.unplaced():
            waiting = files.exists(self._folders.to_hub / entry.name)
            moved = files.exists(self._folders.processed / entry.placed_as)
            if entry.state == InboundState.READ and (moved or not waiting):
                self._journal.placed(entry.digest)

    def next_file(self) -> Picked | None:
        """Find the next file to read; files that are not to be read are put away meanwhile.

        Raises:
            EdgeError: the folder, a file or the journal cannot be used.
        """
        held_back: set[str] = set()
        for path, wire, form in self._listed():
            if wire.pattern in held_back:
                continue
            stamp = stamp_of(path)
            if stamp is None:
                continue
            try:
                facts = self._judged(path, stamp, form)
                may_go = facts is not None and self._may_go(wire)
            except BadFile as bad:
                self.set_aside(path, bad)
                continue
            if facts is None or not may_go:
                held_back.add(wire.pattern)
                continue
            self._watched.pop(path, None)
            entry = self._entered(path, facts)
            if entry.state == InboundState.READING:
                return Picked(path, stamp, wire, form, facts, entry)
            self._put_away(path, entry)
        return None

    def set_aside(self, path: Path, bad: BadFile) -> None:
        """Put a bad file where somebody will look at it.

        Raises:
            EdgeError: it cannot be moved.
        """
        self._watched.pop(path, None)
        self._folders.put_aside(path, bad, self._now())
        self._observe.file_set_aside(path.name, bad.code, bad.line)

    def rejects_path(self, picked: Picked) -> Path:
        """Give the list of the refused records of this file."""
        return self._folders.rejects_for(picked.entry.placed_as)

    def finish(self, picked: Picked, rejected: int) -> None:
        """Put away a file that was read to its end.

        Raises:
            EdgeError: it cannot be moved, or the journal cannot be used.
        """
        self._journal.finish(picked.entry.digest, rejected)
        kind, records = picked.wire.message_type, picked.facts.records
        self._observe.file_read(picked.path.name, kind, records, rejected)
        files.rename(picked.path, self._folders.processed / picked.entry.placed_as)
        self._journal.placed(picked.entry.digest)

    def _listed(self) -> Iterator[tuple[Path, Inbound, Form]]:
        names = files.names_in(self._folders.to_hub)
        present = {self._folders.to_hub / name for name in names}
        self._watched = {path: seen for path, seen in self._watched.items() if path in present}
        for name in names:
            pattern = None if being_written(name) else pattern_of(name, self._wires)
            if pattern is not None:
                yield self._folders.to_hub / name, *self._wires[pattern]

    def _judged(self, path: Path, stamp: Stamp, form: Form) -> FileFacts | None:
        """Give the facts of a whole file; ``None`` while it may still be written."""
        watched = self._watched.get(path)
        settled = False
        if watched is not None:
            if watched.stamp != stamp:  # it grows: look again when it has stood still
                self._watched[path] = _Watched(stamp, self._monotonic(), checked=False)
                return None
            settled = self._monotonic() - watched.since >= self._settle_seconds
            if watched.checked and not settled:
                return None
            watched.checked = True
        try:
            facts = form.check(path, self._encoding, settled=settled)
            self._ensure_next_part(facts, settled=settled)
        except Unfinished:
            self._watched.setdefault(path, _Watched(stamp, self._monotonic(), checked=True))
            return None
        return facts

    def _ensure_next_part(self, facts: FileFacts, *, settled: bool) -> None:
        """Make sure that the parts of a delivery are read in order, and each is one file.

        Raises:
            BadFile: another file was this part, or the part before it still has not come.
            Unfinished: it may yet come.
        """
        part = facts.part
        if part is None:
            return
        known = self._journal.part(part)
        if known is not None and known.digest != facts.digest:
            reason = f"part {part.number} of this delivery was read before, with another content"
            raise BadFile(FileFault.PART_REPEATED, reason)
        before = part._replace(number=part.number - 1)
        if known is None and before.number and self._journal.part(before) is None:
            reason = f"part {before.number} of this delivery was not read; this one comes after it"
            if settled:
                raise BadFile(FileFault.PART_MISSING, reason)
            raise Unfinished(reason)

    def _may_go(self, wire: Inbound) -> bool:
        """Say whether the system may send this kind of message; false while that is unsure.

        Raises:
            BadFile: it may not: the broker would refuse the message and cut the connection.
        """
        if self._walls.current().may_send(wire.message_type, self._now()):
            return True
        if self._walls.changing():
            return False
        reason = f"no flow lets this system send {wire.message_type}"
        raise BadFile(FileFault.NOT_PERMITTED, reason)

    def _entered(self, path: Path, facts: FileFacts) -> InboundFile:
        known = self._journal.inbound(facts.digest)
        if known is not None:
            return known
        reserved = self._reserved()
        entry = InboundFile(
            digest=facts.digest,
            name=path.name,
            placed_as=self._folders.free_name(path.name, reserved),
            state=InboundState.READING,
            records=facts.records,
            read_at=int(self._now().timestamp()),
            delivery=facts.part.delivery if facts.part else "",
            part=facts.part.number if facts.part else 0,
            traceparent=self._begun(facts.digest) if self._begun is not None else "",
        )
        self._journal.begin(entry)
        return entry

    def _put_away(self, path: Path, entry: InboundFile) -> None:
        """Move a file whose content was read before: the same one, or a repetition."""
        if entry.state == InboundState.READ and entry.name == path.name:
            files.rename(path, self._folders.processed / entry.placed_as)
            self._journal.placed(entry.digest)
            return
        name = self._folders.free_name(path.name, self._reserved())
        self._folders.put_away_repeated(path, name, entry.placed_as, self._now())
        self._observe.file_repeated(path.name)

    def _reserved(self) -> frozenset[str]:
        return frozenset(entry.placed_as for entry in self._journal.unplaced())
