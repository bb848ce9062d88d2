"""The rows of a file in groups: a household at a time, evidence and all.

A record whose group cannot be read is evidence about both its neighbours: it goes, not sound,
with the group before it and with the one after.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hub.edge.kit import BadRecord, Row
from hub.edge.records import Parsed, column_fault, split
from hub.limits import limits
from schemas.layout import Column, Kind, Layout


class Group(NamedTuple):
    """The rows of one group for the mapping, and what is already refused of them."""

    rows: list[Row]
    faults: list[BadRecord]


def group_column(layout: Layout) -> Column | None:
    """Give the column that groups the rows, if the layout has one."""
    return next((c for c in layout.columns if c.field == layout.group_by), None)


def readable_group(column: Column, text: str) -> str:
    """Give a group's value, or nothing where the layout refuses it."""
    return "" if column_fault(column, text) is not None else text


def groups(parsed: Iterable[Parsed], layout: Layout) -> Iterator[Group]:
    """Put records of equal ``group_by`` together; without it each record is a group.

    A group whose value is lower than one before it is refused whole: the file was to be in
    ascending order, so a part of the same group may be anywhere, and evidence is incomplete.
    """
    column = group_column(layout)
    if column is None:
        yield from (Group([row], [fault] if fault else []) for row, fault in parsed)
        return
    order = _order(column)
    highest: tuple[int, str] | None = None
    for value, group in _runs(parsed, column):
        rank = order(value)
        if highest is not None and value and rank < highest:
            yield Group([], _out_of_order(column, group))
            continue
        highest = rank if value else highest
        yield group


def _runs(parsed: Iterable[Parsed], column: Column) -> Iterator[tuple[str, Group]]:
    current, group = "", Group([], [])
    strays: list[Row] = []
    for row, fault in parsed:
        value = readable_group(column, row.values[column.field])
        if value and value != current:
            if current:
                yield current, group
                group = Group(list(strays), [])
            current = value
        strays = [] if value else [*strays, row]
        group.rows.append(row)
        if fault is not None:
            group.faults.append(fault)
    if group.rows:
        yield current, group


def _order(column: Column) -> Callable[[str], tuple[int, str]]:
    if column.kind in {Kind.DIGITS, Kind.INTEGER}:
        return lambda value: (int(value or 0), value)
    return lambda value: (0, value)


def _out_of_order(column: Column, group: Group) -> list[BadRecord]:
    reason = "is lower than one before it: the file is out of order"
    sound = (row for row in group.rows if row.sound)
    late = [BadRecord(row.number, row.line, column.field, reason) for row in sound]
    return sorted([*group.faults, *late], key=lambda bad: bad.number)


class GroupSizes:
    """Counts the records of each group while a file's lines pass; one may have too many."""

    def __init__(self, layout: Layout) -> None:
        self._column = group_column(layout)
        self._parts = len(layout.columns) + 1
        self._place = 1 + layout.columns.index(self._column) if self._column else 0
        self._current = ""
        self._size = 0
        self._most = limits().group_records

    def too_large(self, line: str) -> bool:
        """Count one more data record, and tell whether its group now has too many."""
        if self._column is None:
            return False
        parts = split(line)
        known = parts is not None and len(parts) == self._parts
        return self.too_large_with(parts[self._place] if parts and known else "")

    def too_large_with(self, text: str) -> bool:
        """Do the same by what the record has in the column that groups."""
        if self._column is None:
            return False
        value = readable_group(self._column, text)
        if value and value != self._current:
            self._current, self._size = value, 0
        self._size += 1
        return self._size > self._most

    @property
    def reason(self) -> str:
        """Say what is wrong with a group that is too large."""
        return f"a group has over {self._most} records"
