"""Records of a fixed number of bytes, with frames before and after (``schemas.fixed_layout``).

Bytes are cut first and each slot is decoded by itself. What concerns the file as a whole is
judged in one pass: its length, its frames, what they count and sum, and that every data record
says what the frames say. A slot that is wrong in one data record refuses that record alone. The
``line`` of a fault is the place of its record in the file, frames included, from 1.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from hub.clock import midnight
from hub.edge.delimited import ensure_size, opened
from hub.edge.filetime import made_at
from hub.edge.fixed.records import Cutter, Frames
from hub.edge.fixed.totals import Tally, Totals
from hub.edge.form import BadFile, FileFacts, FileFault, Header, Part, Unfinished, endless
from hub.edge.groups import Group, groups
from hub.edge.kit import Unwritable
from hub.edge.records import Parsed
from schemas.fixed_layout import FixedPlan
from schemas.layout import Encoding, Layout

_SPOOLED = 4 * 1024 * 1024
"""Bytes of a file's records that are held in memory until their number is known."""


@dataclass(frozen=True)
class Fixed:
    """The form ``fixed``; each slot has an encoding of its own, so a site's plays no part."""

    layout: Layout
    single: bool = False

    @cached_property
    def plan(self) -> FixedPlan:
        """Where the bytes are."""
        if self.layout.fixed is None:
            raise ValueError(f"the layout {self.layout.id} does not say where its bytes are")
        return self.layout.fixed

    @property
    def suffix(self) -> str:
        """End of a file's name (``hub.edge.form.Form``)."""
        return self.plan.suffix

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Judge a file as a whole (``hub.edge.form.Form``)."""
        del encoding
        with opened(path) as file:
            ensure_size(file)
            return _Checking(self, path, file, settled=settled).facts()

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the records of a checked file in groups (``hub.edge.form.Form``)."""
        del encoding
        return groups(self._parsed(path), self.layout)

    def encoder(self, encoding: Encoding | None) -> "FixedEncoder":
        """Make a writer (``hub.edge.form.Form``)."""
        del encoding
        return FixedEncoder(self.layout, self.plan)

    def data_records(self, size: int) -> int | None:
        """Give the number of data records of a file of so many bytes; ``None`` for no number."""
        frames = sum(record.bytes for record in (*self.plan.before, *self.plan.after))
        count, rest = divmod(size - frames, self.plan.data.bytes)
        return None if rest or count < 0 else count

    def _parsed(self, path: Path) -> Iterator[Parsed]:
        cutter = Cutter(self.layout, self.plan)
        with opened(path) as file:
            count = self.data_records(os.fstat(file.fileno()).st_size)
            if count is None:
                raise BadFile(FileFault.CHANGED, "the file was changed while it was being read")
            frames = [(record, file.read(record.bytes)) for record in self.plan.before]
            common = cutter.common(frames, 1)
            for number in range(1, count + 1):
                raw = file.read(self.plan.data.bytes)
                yield cutter.parsed(number, len(frames) + number, raw, common)


class _Checking:
    """One pass over a file."""

    def __init__(self, form: Fixed, path: Path, file: BinaryIO, *, settled: bool) -> None:
        self._plan = form.plan
        self._cutter = Cutter(form.layout, form.plan)
        self._form = form
        self._path = path
        self._file = file
        self._settled = settled
        self._hasher = hashlib.sha256()

    def facts(self) -> FileFacts:
        size = os.fstat(self._file.fileno()).st_size
        count = self._form.data_records(size)
        if count is None:
            raise self._unwhole(size)
        frames = [(record, self._read(record.bytes)) for record in self._plan.before]
        common = self._cutter.common(frames, 1)
        tally = Tally(self._plan, self._cutter.value)
        said = self._cutter.said(common)
        for line in range(len(frames) + 1, len(frames) + count + 1):
            raw = self._read(self._plan.data.bytes)
            self._judge(raw, line, said)
            tally.add(raw, line)
        self._check_after(frames, common, tally.totals())
        self._check_season(common)
        facts = FileFacts(self._hasher.hexdigest(), Header(self._made(common)), count)
        return self._with_part(facts, common)

    def _read(self, size: int) -> bytes:
        raw = self._file.read(size)
        if len(raw) != size:
            raise self._unwhole(os.fstat(self._file.fileno()).st_size)
        self._hasher.update(raw)
        return raw

    def _unwhole(self, size: int) -> BadFile | Unfinished:
        frames = sum(record.bytes for record in (*self._plan.before, *self._plan.after))
        formula = f"{frames} + n × {self._plan.data.bytes}"
        reason = f"the file has {size} bytes, which is not {formula}"
        if self._settled and not size:
            return BadFile(FileFault.EMPTY, "the file is empty")
        return endless(reason, settled=self._settled)

    def _judge(self, raw: bytes, line: int, said: Iterable[tuple[str, slice, bytes]]) -> None:
        if not self._cutter.is_data(raw):
            reason = "a record in the place of a data record is another: is the file whole?"
            if not self._settled:
                raise Unfinished(reason)
            raise BadFile(FileFault.LINE, reason, line)
        for field, place, expected in said:
            if raw[place] != expected:
                reason = f"the {field} of a data record is not that of the header"
                raise BadFile(FileFault.LINE, reason, line)

    def _check_after(
        self,
        before: Frames,
        common: Mapping[str, str],
        totals: Totals,
    ) -> None:
        line = len(before) + totals.records + 1
        after = [(record, self._read(record.bytes)) for record in self._plan.after]
        for offset, (record, raw) in enumerate(after):
            if not self._cutter.is_record(record, raw):
                reason = f"the record in the place of {record.name} is another: is the file whole?"
                if not self._settled:
                    raise Unfinished(reason)
                raise BadFile(FileFault.TRUNCATED, reason, line + offset)
        if self._file.read(1):
            raise BadFile(FileFault.AFTER_TRAILER, "there is data after the last record")
        self._cutter.agree(after, common, line)
        self._cutter.check_totals(before, totals, 1)
        self._cutter.check_totals(after, totals, line)

    def _check_season(self, common: Mapping[str, str]) -> None:
        fault = self._cutter.season_fault(common)
        if fault is not None:
            raise BadFile(FileFault.OUT_OF_SEASON, f"{fault[0]}: {fault[1]}")

    def _made(self, common: Mapping[str, str]) -> dt.datetime:
        if not self._plan.created:
            return made_at(self._path)
        return midnight(dt.date.fromisoformat(common[self._plan.created]))

    def _with_part(self, facts: FileFacts, common: Mapping[str, str]) -> FileFacts:
        if not self._plan.part:
            return facts
        fault = self._cutter.part_fault(common)
        if fault is not None:
            raise BadFile(FileFault.HEADER, " ".join(fault))
        delivery = " ".join((self._form.layout.id, *(common[n] for n in self._plan.delivery)))
        part = Part(delivery, int(common[self._plan.part]))
        return FileFacts(facts.digest, facts.header, facts.records, part)


class FixedEncoder:
    """Writes files of one layout.

    An encoded record is what it says of its whole file, then its own bytes, so that records of
    one heading can be told before a file is made of them.
    """

    def __init__(self, layout: Layout, plan: FixedPlan) -> None:
        self._plan = plan
        self._cutter = Cutter(layout, plan)

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a data record (``hub.edge.form.Encoder``)."""
        return self._cutter.encoded(values)

    def shared(self, records: Sequence[bytes]) -> Iterator[list[int]]:
        """Share encoded records out among files (``hub.edge.form.Headed``)."""
        files: list[list[int]] = []
        filling: dict[bytes, tuple[Tally, list[int]]] = {}
        for place, record in enumerate(records):
            heading, raw = self._cut(record)
            tally, places = filling.get(heading, (None, []))
            if tally is None or not tally.has_room_for(raw):
                tally, places = Tally(self._plan, self._cutter.value), []
                filling[heading] = tally, places
                files.append(places)
            tally.add(raw, 0)
            places.append(place)
        yield from files

    def _cut(self, record: bytes) -> tuple[bytes, bytes]:
        size = self._plan.data.bytes
        return record[:-size], record[-size:]

    def framed(self, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the parts of a whole file; none where no record says what the frames have to say.

        The frames say what the records say, and nothing of ``header``.

        Raises:
            Unwritable: the records are of several headings, or a total has no room.
        """
        del header
        heading = None if self._plan.common() else b""
        tally = Tally(self._plan, self._cutter.value)
        with SpooledTemporaryFile(_SPOOLED) as spool:
            for record in records:
                said, raw = self._cut(record)
                if heading not in {None, said}:
                    raise Unwritable("", "the records of one file are of several headings")
                heading = said
                tally.add(raw, 0)
                spool.write(raw)
            if heading is None:
                return
            yield self._frames(heading, tally.totals(), before=True)
            spool.seek(0)
            while part := spool.read(65_536):
                yield part
            yield self._frames(heading, tally.totals(), before=False)

    def _frames(self, heading: bytes, totals: Totals, *, before: bool) -> bytes:
        frames = self._plan.before if before else self._plan.after
        return b"".join(self._cutter.frame(record, heading, totals) for record in frames)
