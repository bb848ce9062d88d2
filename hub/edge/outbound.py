"""Puts what the hub sends into files for the system: each message in one file, once.

The order of the steps is the guarantee (``docs/adr/0003-files-in-and-out.md``): file whole on
disk under a temporary name, journal, name, receipts, acknowledgement. Whatever is repeated
after a crash finds in the journal what was done.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from hub.edge import files
from hub.edge.aside import Aside
from hub.edge.folders import Folders
from hub.edge.form import Headed, Header
from hub.edge.journal import Journal, OutboundFile, Taken, TakenKey
from hub.edge.kit import Unwritable
from hub.edge.observe import EdgeObserver
from hub.edge.receipting import Receipting
from hub.edge.released import recalled
from hub.edge.sorting import Line, NoticeLine, Release, Sorter, Wire
from hub.edge.traced import files_written
from hub.edge.wall import Wall, WallCode, Walls
from hub.errors import EdgeError, KeyMissing, SiteError
from hub.ports import Delivery, Link
from hub.site import AccessSite
from hub.traces import Traces


@dataclass(slots=True)
class _Sorted:
    """A batch in its parts.

    ``repeated`` is what the journal already had; ``released`` are the names in ``set-aside`` of
    copies that are lines now.
    """

    lines: dict[str, list[Line]] = field(default_factory=dict)
    asides: list[Aside] = field(default_factory=list)
    notices: list[NoticeLine] = field(default_factory=list)
    repeated: list[Taken] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def add(self, one: Line | NoticeLine | Aside) -> None:
        """Put one to its kind."""
        match one:
            case Line():
                self.lines.setdefault(one.prefix, []).append(one)
            case Aside():
                self.asides.append(one)
            case NoticeLine():
                self.notices.append(one)


class Outbox:
    """The ``from-hub`` folder of one system, filled from its queue over one link."""

    def __init__(  # noqa: PLR0913 - what one outbox is made of
        self,
        system: str,
        access: AccessSite,
        *,
        sorter: Sorter,
        walls: Walls,
        folders: Folders,
        journal: Journal,
        observe: EdgeObserver,
        file_records: int,
        file_seconds: float,
        monotonic: Callable[[], float],
        now: Callable[[], dt.datetime],
        traces: Traces | None = None,
    ) -> None:
        self._traces = traces
        self._access = access
        self._sorter = sorter
        self._walls = walls
        self._folders = folders
        self._journal = journal
        self._observe = observe
        self._file_records = file_records
        self._file_seconds = file_seconds
        self._monotonic = monotonic
        self._now = now
        self._receipting = Receipting(system, access, journal, observe, now)
        self.delivered = 0
        """Batches delivered to the end so far."""
        self._held: list[Delivery] = []
        self._first_at = 0.0

    def check_headers(self) -> None:
        """Make sure that the site's access items have a place in every file.

        Raises:
            SiteError: one of them has a character that a file's encoding lacks.
        """
        system, header = self._receipting.system, _header(self._access, self._now())
        for prefix, wire in self._sorter.wires.items():
            try:
                list(wire.encoder.framed(header, ()))
            except Unwritable as error:
                raise SiteError(f"access of {system}, in files {prefix}: {error}") from error

    def recover(self) -> None:
        """End what a crash interrupted: give files their names, remove half-written ones.

        Raises:
            EdgeError: the folder or the journal cannot be used.
        """
        self._name_files()
        patterns = [f".{prefix}_*.tmp" for prefix in self._sorter.wires]
        for name in files.names_in(self._folders.from_hub):
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                files.remove(self._folders.from_hub / name)

    def step(self, link: Link, wait: float) -> bool:
        """Take what there is, waiting at the most ``wait`` seconds; write it when it is time.

        False says to try again later: the hub does not take receipts at the moment, or the
        catalogue is being changed and what it would refuse has to wait.

        Raises:
            LinkLost: the link is gone, and what was taken will be delivered again.
            EdgeError: a folder, the disk or the journal cannot be used; what was taken is
                kept, and the next step tries again.
        """
        room = self._file_records - len(self._held)
        if room > 0:
            self._hold(link.take(room, self._patience(wait)))
        if not self._held or self._patience(wait) > 0:
            return True
        if not self._deliver(link, self._held):
            return False
        self._held = []
        self.delivered += 1
        return True

    def _hold(self, taken: Sequence[Delivery]) -> None:
        if taken and not self._held:
            self._first_at = self._monotonic()
        self._held.extend(taken)

    def _patience(self, wait: float) -> float:
        """Give how long to wait for more: not at all once a batch is full or old enough."""
        if not self._held:
            return wait
        if len(self._held) >= self._file_records:
            return 0.0
        age = self._monotonic() - self._first_at
        return max(0.0, min(wait, self._file_seconds - age))

    # -- one batch ---------------------------------------------------------------------

    def _deliver(self, link: Link, batch: Sequence[Delivery]) -> bool:
        self._name_files()
        began = time.time_ns()
        try:
            parts = self._sort(batch)
        except KeyMissing as missing:
            # Set aside it would be lost to the system; so it waits, and what is behind it too.
            raise EdgeError(f"no copy can be delivered: {missing}") from missing
        stopped = any(isinstance(aside.code, WallCode) for aside in parts.asides)
        if stopped and self._walls.changing():
            return False
        taken = self._store(parts)
        self._name_files()
        self._tell(parts)
        if self._traces is not None:
            system, wires = self._receipting.system, self._sorter.wires
            files_written(self._traces, system, wires, parts.lines, parts.asides, began)
        if not self._receipting.send(link, [*parts.repeated, *taken]):
            return False
        link.ack(batch)
        return True

    def _sort(self, batch: Sequence[Delivery]) -> _Sorted:
        wall = self._walls.current()
        judged = [self._sorter.judge(delivery, wall) for delivery in batch]
        keys = {one.key for one in judged if one.key is not None}
        known = self._journal.taken(keys)
        parts = _Sorted()
        seen: set[tuple[bool, TakenKey]] = set()
        for one in judged:
            if one.key is not None:
                mark = isinstance(one, Release), one.key
                if mark in seen:
                    continue
                seen.add(mark)
            if isinstance(one, Release):
                self._release(one, known.get(one.key), wall, parts)
            elif one.key in known:
                parts.repeated.append(known[one.key])
            else:
                parts.add(one)
        return parts

    def _release(self, order: Release, known: Taken | None, wall: Wall, parts: _Sorted) -> None:
        found = recalled(order, known, self._folders.set_aside)
        match found:
            case Taken():
                parts.repeated.append(found)
            case Aside():
                parts.add(found)
            case Delivery():
                judged = self._sorter.judge_copy(found, wall, marks=True)
                if isinstance(judged, Line) and known is not None:
                    parts.released.append(known.file)
                parts.add(judged)

    def _store(self, parts: _Sorted) -> list[Taken]:
        """Write everything down, and then in one transaction what was written."""
        at = self._now()
        for aside in parts.asides:
            path = self._folders.set_aside / aside.file_name()
            files.write_whole(path, aside.document(at), files.PRIVATE_MODE)
        for notice in parts.notices:
            day = at.strftime("%Y%m%d")
            files.append_line(self._folders.notices / f"notices-{day}.jsonl", notice.line)
        written: list[OutboundFile] = []
        taken: list[Taken] = []
        for prefix, lines in parts.lines.items():
            sequence = self._journal.last_sequence(prefix)
            for portion in _portions(lines, self._sorter.wires[prefix]):
                file = self._write(prefix, sequence, portion, at)
                sequence = file.sequence
                written.append(file)
                taken += [Taken(line.key, file.name, line.code) for line in portion]
        taken += _without_file(parts)
        if taken:
            asked = [one for lines in parts.lines.values() for line in lines for one in line.asked]
            self._journal.deliver(written, taken, int(at.timestamp()), asked)
        for name in parts.released:
            files.remove(self._folders.set_aside / name)
        return taken

    def _write(
        self, prefix: str, last: int, lines: Sequence[Line], at: dt.datetime
    ) -> OutboundFile:
        began = self._monotonic()
        wire = self._sorter.wires[prefix]
        sequence, name = last, ""
        # Where the journal was lost, what the system has not yet read stays.
        while not name or files.exists(self._folders.from_hub / name):
            sequence += 1
            name = wire.outbound.file_name(prefix, sequence, at, wire.form.suffix)
        file = OutboundFile(prefix, sequence, name, len(lines))
        temporary = files.temporary_name(self._folders.from_hub / file.name)
        records = (line.record for line in lines)
        files.write_synced(temporary, wire.encoder.framed(_header(self._access, at), records))
        self._observe.file_took("out", self._monotonic() - began)
        return file

    def _name_files(self) -> None:
        """Give files that the journal knows their names; one that is gone was read already."""
        unnamed = self._journal.unnamed()
        for file in unnamed:
            path = self._folders.from_hub / file.name
            temporary = files.temporary_name(path)
            if files.exists(temporary):
                files.rename(temporary, path)
        if unnamed:
            self._journal.named(unnamed)
        for file in unnamed:
            message_type = self._sorter.message_type(file.prefix)
            self._observe.file_written(file.name, message_type, file.records)

    def _tell(self, parts: _Sorted) -> None:
        for aside in parts.asides:
            self._observe.message_set_aside(aside.file_name(), aside.code, aside.key)
        if parts.notices:
            self._observe.notices_written(len(parts.notices))
        marked = sum(bool(line.code) for lines in parts.lines.values() for line in lines)
        if marked:
            self._observe.messages_marked(marked)
        if parts.repeated:
            self._observe.message_repeated(len(parts.repeated))
        self._tell_times(line for lines in parts.lines.values() for line in lines)

    def _tell_times(self, lines: Iterable[Line]) -> None:
        now = self._now().timestamp()
        critical: dict[str, Counter[int]] = {}
        delivery: dict[str, Counter[int]] = {}
        for line in lines:
            flow = line.key.flow
            critical.setdefault(flow, Counter())[int(now - line.occurred)] += 1
            delivery.setdefault(flow, Counter())[int(now - line.accepted)] += 1
        for flow, seconds in critical.items():
            self._observe.arrived(flow, seconds, delivery[flow])


def _header(access: AccessSite, at: dt.datetime) -> Header:
    return Header(at, access.department, access.terminal, access.staff)


def _portions(lines: Sequence[Line], wire: Wire) -> Iterator[Sequence[Line]]:
    """Share lines out among files: all in one, or one in each, or by what a file says of all."""
    if wire.form.single:
        yield from ([line] for line in lines)
    elif isinstance(wire.encoder, Headed):
        for places in wire.encoder.shared([line.record for line in lines]):
            yield [lines[place] for place in places]
    else:
        yield lines


def _without_file(parts: _Sorted) -> list[Taken]:
    taken = [
        Taken(aside.key, aside.file_name(), aside.code)
        for aside in parts.asides
        if aside.key is not None
    ]
    return taken + [Taken(notice.key, "", "") for notice in parts.notices]
