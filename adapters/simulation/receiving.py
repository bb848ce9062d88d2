"""How a receiving system reads its files: as the real one would, and trusting nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from adapters.simulation.kit import FROM_HUB, ReceivedRecord, WrongDelivery
from hub.edge.forms import form_of
from hub.edge.kit import Outbound, Row, numbered


class Versions(NamedTuple):
    """What tells two states of one thing apart: the thing (of a resident), and what rises."""

    thing: tuple[str, ...]
    version: tuple[str, ...]


_YEARS = ("fiscal_year", "levy_year")
_BY_HISTORY = Versions((), ("history_number",))

VERSIONS: Mapping[str, Versions] = {
    "addressee.registered": _BY_HISTORY,
    "arrears.recorded": Versions((*_YEARS, "instalment_number"), ("history_number",)),
    "benefit.decided": Versions(("decision_number",), ("correction_number",)),
    "care-benefit.paid": Versions(("payment_number",), ("correction_number",)),
    "care-status.changed": _BY_HISTORY,
    "eligibility.recorded": _BY_HISTORY,
    "high-cost.related": Versions(("application_number",), ("correction_number",)),
    "income.assessed": Versions(("tax_year",), ("correction_number",)),
    "instalments.set": Versions(_YEARS, ("correction_number", "revision")),
    "insured.decided": _BY_HISTORY,
    "medical-benefit.paid": Versions(("payment_number",), ("correction_number",)),
    "nonresident.changed": _BY_HISTORY,
    "premium.decided": Versions(_YEARS, ("correction_number",)),
    "resident.changed": _BY_HISTORY,
    "special-address.changed": _BY_HISTORY,
    "welfare-status.changed": Versions(("status",), ("history_number",)),
}
"""By message type, of those that have states."""


def receive(wire: Outbound, folder: Path) -> Iterator[ReceivedRecord]:
    """Stream the records of one wire's files in ``from-hub``, in the order of the files.

    Raises:
        WrongDelivery: a record against its layout, a message twice, or an older version of a
            thing after a newer one.
        BadFile: a file against its layout, or with a wrong total.
    """
    seen = _Seen()
    for path in files_of(wire, folder):
        for number, record in enumerate(read_file(path, wire), 1):
            fault = _fault(record, seen)
            if fault:
                raise WrongDelivery(f"{path.name} record {number}: {fault}")
            yield record


def files_of(wire: Outbound, folder: Path) -> list[Path]:
    """Give the files of one wire in ``from-hub``, in the order in which they were written.

    Raises:
        WrongDelivery: a name has no place in that order.
    """
    found = (folder / FROM_HUB).glob(f"{wire.prefix}_*{form_of(wire.layout).suffix}")
    if wire.file_name is numbered:
        return sorted(found, key=_sequence)
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def read_file(path: Path, wire: Outbound) -> Iterator[ReceivedRecord]:
    """Stream the records of one file.

    Raises:
        WrongDelivery: a record against its layout.
        BadFile: the file is against its layout, or has a wrong total.
    """
    form = form_of(wire.layout)
    form.check(path, None, settled=True)
    for group in form.groups(path, None):
        if group.faults:
            bad = group.faults[0]
            raise WrongDelivery(f"{path.name} line {bad.line}: {bad.field} {bad.reason}")
        yield from (_received(row, wire) for row in group.rows)


@dataclass(slots=True)
class _Seen:
    messages: set[tuple[str, str]] = field(default_factory=set)
    versions: dict[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict)


def _sequence(path: Path) -> tuple[int, str]:
    number = path.stem.rpartition("_")[2]
    if not number.isdecimal():
        raise WrongDelivery(f"{path.name}: the name ends in no sequence number")
    return int(number), path.name


def _fault(record: ReceivedRecord, seen: _Seen) -> str:
    value = record.values
    message = (record.sender, record.message_id)
    if record.message_id and message in seen.messages:
        return "this message was delivered before"
    seen.messages.add(message)
    known = VERSIONS.get(record.message_type)
    if known is None or any(not value.get(name) for name in known.version):
        return ""
    thing = (record.addressee_number, *(value.get(name, "") for name in known.thing))
    version = tuple(int(value[name]) for name in known.version)
    if version < seen.versions.get(thing, version):
        return "a newer record of this resident was delivered before"
    seen.versions[thing] = version
    return ""


def _received(row: Row, wire: Outbound) -> ReceivedRecord:
    value = row.values
    return ReceivedRecord(
        sender=value.get("sender", ""),
        message_id=value.get("message_id", ""),
        flow=value.get("flow", ""),
        message_type=wire.message_type,
        addressee_number=value.get("addressee_number", ""),
        values=value,
        layout=wire.layout,
    )
