"""A receiving system: reads its files as the real one would, and trusts nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulation.city import CityDay
from adapters.simulation.kit import (
    FROM_HUB,
    Misdeed,
    ReceivedRecord,
    WrittenFile,
    WrongDelivery,
)
from hub.edge.delimited import check_file, read_rows
from hub.edge.kit import Adapter, BadRecord, Outbound, Row
from schemas.layout import load_layout

_VERSIONS: Mapping[str, tuple[str, ...]] = {
    "resident.changed": ("history_number",),
    "income.assessed": ("tax_year", "correction_number"),
}
"""The numbers that rise from one version of a resident's record to the next, by type."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The simulator of a system that only receives files, by the wires of its adapter."""

    adapter: Adapter
    forbidden: tuple[Misdeed, ...] = ()

    @property
    def system(self) -> str:
        """The system's id."""
        return self.adapter.system

    def write(self, day: CityDay, folder: Path) -> list[WrittenFile]:  # noqa: ARG002 - protocol
        """Write nothing: this system sends no files."""
        return []

    def receive(self, folder: Path) -> Iterator[ReceivedRecord]:
        """Stream the records of ``from-hub`` in the order of the files.

        Raises:
            WrongDelivery: a record against its layout, a message twice, or an older version of
                a resident's record after a newer one.
            BadFile: a file against its layout, or with a wrong total.
        """
        for wire in self.adapter.outbound:
            seen = _Seen()
            for path in sorted((folder / FROM_HUB).glob(f"{wire.prefix}_*.csv"), key=_sequence):
                yield from _records(path, wire, seen)

    def read_back(self, folder: Path) -> list[ReceivedRecord]:
        """Give all that ``receive`` gives."""
        return list(self.receive(folder))

    def misdeeds(self) -> tuple[Misdeed, ...]:
        """Give the forbidden attempts that this system makes."""
        return self.forbidden


@dataclass(slots=True)
class _Seen:
    messages: set[tuple[str, str]] = field(default_factory=set)
    versions: dict[str, tuple[int, ...]] = field(default_factory=dict)


def _sequence(path: Path) -> tuple[int, str]:
    number = path.stem.rpartition("_")[2]
    if not number.isdecimal():
        raise WrongDelivery(f"{path.name}: the name ends in no sequence number")
    return int(number), path.name


def _records(path: Path, wire: Outbound, seen: _Seen) -> Iterator[ReceivedRecord]:
    layout = load_layout(wire.layout)
    check_file(path, layout, settled=True)
    for row in read_rows(path, layout):
        if isinstance(row, BadRecord):
            raise WrongDelivery(f"{path.name} line {row.line}: {row.field} {row.reason}")
        fault = _fault(row, wire.message_type, seen)
        if fault:
            raise WrongDelivery(f"{path.name} line {row.line}: {fault}")
        yield _received(row, wire.message_type)


def _fault(row: Row, message_type: str, seen: _Seen) -> str:
    value = row.values
    message = (value["sender"], value["message_id"])
    if message in seen.messages:
        return "this message was delivered before"
    seen.messages.add(message)
    version = tuple(int(value[name]) for name in _VERSIONS[message_type])
    newest = seen.versions.get(value["addressee_number"], version)
    if version < newest:
        return "a newer record of this resident was delivered before"
    seen.versions[value["addressee_number"]] = version
    return ""


def _received(row: Row, message_type: str) -> ReceivedRecord:
    value = row.values
    return ReceivedRecord(
        sender=value["sender"],
        message_id=value["message_id"],
        flow=value["flow"],
        message_type=message_type,
        addressee_number=value["addressee_number"],
        values=value,
    )
