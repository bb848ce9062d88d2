"""The single records of fixed-length files: cut, checked, counted and put together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hub.edge.fixed.fields import Lacking, SlotCodec, Wrong, slot_codec
from hub.edge.fixed.totals import COUNTED, Totals
from hub.edge.form import BadFile, FileFault
from hub.edge.kit import BadRecord, Row, Unencodable, Unwritable
from hub.edge.records import Parsed, column_fault, ensure_fields
from schemas.fixed_layout import FixedPlan, Holds, Record, Slot
from schemas.layout import Column, Layout

Frames = Sequence[tuple[Record, bytes]]


class _Valued(NamedTuple):
    """A slot that has a column's value."""

    field: str
    place: slice
    codec: SlotCodec


def _place(start: int, slot: Slot) -> slice:
    return slice(start, start + slot.bytes)


class Cutter:
    """Cuts the records of one layout into values, and puts them together again."""

    def __init__(self, layout: Layout, plan: FixedPlan) -> None:
        self._plan = plan
        self._columns = {column.field: column for column in layout.columns}
        self._names = tuple(self._columns)
        self._data = tuple(self._valued(plan.data))
        self._data_of = {one.field: one for one in self._data}
        self._fixed = tuple(_constants(plan.data))
        self._kind = next(
            (place for place, slot, _ in self._fixed if slot.holds is Holds.KIND), slice(0)
        )
        self._unfilled = _blank(plan.data)
        self._heads = tuple(self._first_slots())

    def _valued(self, record: Record) -> Iterator[_Valued]:
        for start, slot in record.positions():
            if slot.holds is Holds.FIELD:
                codec = slot_codec(slot, self._columns[slot.field])
                yield _Valued(slot.field, _place(start, slot), codec)

    def _first_slots(self) -> Iterator[tuple[str, Slot, SlotCodec]]:
        seen = set()
        for record in (*self._plan.before, *self._plan.after):
            for slot in record.slots:
                if slot.holds is Holds.FIELD and slot.field not in seen:
                    seen.add(slot.field)
                    yield slot.field, slot, slot_codec(slot, self._columns[slot.field])

    # -- reading -----------------------------------------------------------------------

    def is_data(self, raw: bytes) -> bool:
        """Tell whether a record is a data record, by its kind."""
        return self.is_record(self._plan.data, raw)

    def is_record(self, record: Record, raw: bytes) -> bool:
        """Tell whether a record has the kind of this one."""
        kind = record.slots[0]
        return kind.holds is not Holds.KIND or raw.startswith(kind.text.encode("ascii"))

    def value(self, raw: bytes, field: str) -> str:
        """Read one value of a data record.

        Raises:
            Wrong: its bytes cannot be read.
        """
        one = self._data_of[field]
        return one.codec.read(raw[one.place])

    def common(self, frames: Frames, line: int) -> dict[str, str]:
        """Read what the frames say of the whole file.

        Raises:
            BadFile: a frame is another record, or has a value against the layout.
        """
        values: dict[str, str] = {}
        self._agree(frames, values, line, FileFault.HEADER)
        fault = self._first_fault(values)
        if fault is not None:
            raise BadFile(FileFault.HEADER, f"{fault[0]} of the header {fault[1]}", line)
        return values

    def agree(self, frames: Frames, common: Mapping[str, str], line: int) -> None:
        """Make sure that the frames after the data say what those before it say.

        Raises:
            BadFile: they do not.
        """
        self._agree(frames, dict(common), line, FileFault.TRAILER)

    def _agree(self, frames: Frames, values: dict[str, str], line: int, code: FileFault) -> None:
        for at, (record, raw) in enumerate(frames, start=line):
            for place, slot, expected in _constants(record):
                if raw[place] != expected:
                    reason = f"{slot.name} of {record.name} is not what the layout says"
                    raise BadFile(code, reason, at)
            for field, place, codec in self._valued(record):
                try:
                    value = codec.read(raw[place])
                except Wrong as wrong:
                    raise BadFile(code, f"{field} of {record.name} {wrong}", at) from None
                if values.setdefault(field, value) != value:
                    reason = f"{field} of {record.name} is not that of the header"
                    raise BadFile(code, reason, at)

    def said(self, common: Mapping[str, str]) -> list[tuple[str, slice, bytes]]:
        """Give what every data record has to say too: field, place and bytes."""
        return [
            (one.field, one.place, one.codec.write(common[one.field]))
            for one in self._data
            if one.field in common
        ]

    def check_totals(self, frames: Frames, totals: Totals, line: int) -> None:
        """Make sure that the frames count and sum what the data records come to.

        Raises:
            BadFile: they do not.
        """
        for at, (record, raw) in enumerate(frames, start=line):
            for start, slot in record.positions():
                wanted = self._total(slot, totals)
                if wanted is None:
                    continue
                found = raw[_place(start, slot)]
                if not found.isdigit() or int(found) != wanted:
                    reason = f"{slot.name} of {record.name} is not what the data records come to"
                    raise BadFile(FileFault.TRAILER, reason, at)

    def _total(self, slot: Slot, totals: Totals) -> int | None:
        if slot.holds is Holds.RECORDS:
            length = self._plan.data.bytes
            frames = (*self._plan.before, *self._plan.after)
            return totals.records + sum(record.bytes == length for record in frames)
        return totals.in_slot(slot) if slot.holds in COUNTED else None

    def parsed(self, number: int, line: int, raw: bytes, common: Mapping[str, str]) -> Parsed:
        """Read a data record; one that is refused still has what could be read of it."""
        values = {**dict.fromkeys(self._names, ""), **common}
        fault: tuple[str, str] | None = None
        for field, place, codec in self._data:
            try:
                values[field] = codec.read(raw[place])
            except Wrong as wrong:
                fault = fault or (field, str(wrong))
        fault = fault or self._first_fault(values) or self._constant_fault(raw)
        if fault is None:
            return Parsed(Row(number, line, values), None)
        return Parsed(Row(number, line, values, sound=False), BadRecord(number, line, *fault))

    def _constant_fault(self, raw: bytes) -> tuple[str, str] | None:
        for place, slot, expected in self._fixed:
            if raw[place] != expected:
                return "", f"{slot.name} at byte {place.start + 1} is not what the layout says"
        return None

    def _first_fault(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        for field, value in values.items():
            column = self._columns[field]
            reason = column_fault(column, value) or _dependent_fault(column, value, values)
            if reason is not None:
                return field, reason
        return None

    def season_fault(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        """Say which rule of months the values break."""
        for season in self._plan.seasons:
            month = int(values[season.date][5:7])
            if values[season.field] in season.values and month not in season.months:
                return season.date, f"is in a month that has none of this {season.field}"
        return None

    def part_fault(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        """Say what is wrong with the number of a part of a delivery."""
        part = self._plan.part
        return (part, "is not a number from 1 on") if part and int(values[part]) < 1 else None

    # -- writing -----------------------------------------------------------------------

    def encoded(self, values: Mapping[str, str]) -> bytes:
        """Write what a record says of its file, then its own bytes.

        Raises:
            Unencodable: a value has characters that its slot's encoding lacks.
            Unwritable: a value that a reader would refuse or not get back.
        """
        ensure_fields(self._columns.keys(), values)
        fault = self._first_fault(values) or self.season_fault(values) or self.part_fault(values)
        if fault is not None:
            raise Unwritable(*fault)
        heading = b"".join(_written(codec, f, values[f]) for f, _, codec in self._heads)
        raw = bytearray(self._unfilled)
        for field, place, codec in self._data:
            raw[place] = _written(codec, field, values[field])
        return heading + bytes(raw)

    def frame(self, record: Record, heading: bytes, totals: Totals) -> bytes:
        """Write a frame by the heading of the file's records and what they come to.

        Raises:
            Unwritable: a total has no room.
        """
        values, start = {}, 0
        for field, slot, codec in self._heads:
            values[field] = codec.read(heading[start : start + slot.bytes])
            start += slot.bytes
        raw = bytearray(_blank(record))
        for field, place, codec in self._valued(record):
            raw[place] = codec.write(values[field])
        for start, slot in record.positions():
            total = self._total(slot, totals)
            if total is not None:
                digits = str(total).zfill(slot.bytes)
                if len(digits) > slot.bytes:
                    raise Unwritable(slot.field, f"{slot.name} has no room for the total")
                raw[_place(start, slot)] = digits.encode("ascii")
        return bytes(raw)


def _constants(record: Record) -> Iterator[tuple[slice, Slot, bytes]]:
    for start, slot in record.positions():
        if slot.holds in {Holds.KIND, Holds.CONSTANT, Holds.BLANK}:
            yield _place(start, slot), slot, slot.text.encode("cp932").ljust(slot.bytes)


def _blank(record: Record) -> bytes:
    raw = bytearray(b" " * record.bytes)
    for place, _, content in _constants(record):
        raw[place] = content
    return bytes(raw)


def _written(codec: SlotCodec, field: str, value: str) -> bytes:
    try:
        return codec.write(value)
    except Lacking as lacking:
        raise Unencodable(field, lacking.encoding, lacking.characters) from None
    except Wrong as wrong:
        raise Unwritable(field, str(wrong)) from None


def _dependent_fault(column: Column, value: str, values: Mapping[str, str]) -> str | None:
    if not column.codes_by:
        return None
    allowed: Iterable[str] = column.codes_of.get(values.get(column.codes_by, ""), ())
    if value and allowed and value not in allowed:
        return f"is not one of the codes for this {column.codes_by}"
    return None
