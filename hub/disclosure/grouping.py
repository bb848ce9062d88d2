"""The order of a report: rows by receiver and time, and the kinds that they have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hub.disclosure.model import Named, Row


class Kind(NamedTuple):
    """What the rows of one kind have in common; a report says it once."""

    receiver: Named | None
    sender: Named
    flow: Named | None
    message_type: Named
    basis: str
    purpose: str
    released: tuple[Named, ...]
    withheld: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one receiver, in the order of time; without one where none could be named."""

    receiver: Named | None
    rows: tuple[Row, ...]


def grouped(rows: Iterable[Row]) -> tuple[Group, ...]:
    """Group rows by receiver, by name, those without one last; within it by time."""
    by_receiver: dict[Named | None, list[Row]] = {}
    for row in rows:
        by_receiver.setdefault(row.receiver, []).append(row)
    groups = [
        Group(receiver, tuple(sorted(of, key=lambda row: (row.accepted_at, row.entry))))
        for receiver, of in by_receiver.items()
    ]
    return tuple(sorted(groups, key=_place))


def numbered_kinds(groups: Iterable[Group]) -> dict[Kind, int]:
    """Number the kinds of all receivers, in the order in which the report shows them."""
    kinds: dict[Kind, int] = {}
    for group in groups:
        for row in group.rows:
            kinds.setdefault(kind_of(row), len(kinds) + 1)
    return kinds


def kinds_of(group: Group, kinds: Mapping[Kind, int]) -> dict[Kind, int]:
    """Give the kinds of one receiver, with their numbers."""
    return {kind: number for kind, number in kinds.items() if kind.receiver == group.receiver}


def kind_of(row: Row) -> Kind:
    """Give the kind of a row."""
    return Kind(
        row.receiver,
        row.sender,
        row.flow,
        row.message_type,
        row.basis,
        row.purpose,
        row.released,
        row.withheld,
    )


def _place(group: Group) -> tuple[bool, str, str]:
    if group.receiver is None:
        return True, "", ""
    return False, group.receiver.name or group.receiver.id, group.receiver.id
