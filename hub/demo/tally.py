"""Count what happened, from four sides, and say whether they agree.

The sender's adapter says what it read, the ledger what was judged, delivered and receipted,
the receivers' files what arrived, and the city's own households who should have.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adapters.simulation.kit import ReceivedRecord
from hub.edge.journal import InboundFile
from hub.edge.kit import Adapter
from hub.ledger.model import FlowCount, Kind
from hub.statute.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of message by its sender."""

    sender: str
    message_type: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sender's adapter did: records in its files, bad ones, messages published."""

    files: int = 0
    records: int = 0
    rejected: int = 0
    published: int = 0

    def __add__(self, other: "Reading") -> "Reading":
        return Reading(
            self.files + other.files,
            self.records + other.records,
            self.rejected + other.rejected,
            self.published + other.published,
        )


@dataclass(frozen=True, slots=True)
class Arrived:
    """What stands in one receiver's files: records by flow, persons by flow."""

    records: Counter[str]
    persons: Mapping[str, Collection[str]]


def arrived(records: Iterable[ReceivedRecord]) -> Arrived:
    """Count a stream of received records; keeps the 宛名番号, and nothing else of them."""
    numbers: Counter[str] = Counter()
    persons: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        numbers[record.flow] += 1
        persons[record.flow].add(record.addressee_number)
    return Arrived(numbers, persons)


@dataclass(frozen=True, slots=True)
class FlowTally:
    """One flow to one receiver, in messages; ``attempts`` are forbidden ones that were tried."""

    ref: str
    sender: str
    receiver: str
    message_type: str
    read: int
    rejected: int
    published: int
    attempts: int
    out_of_scope: int
    accepted: int
    refused: int
    delivered: int
    receipted: int
    in_files: int
    entries: int

    @property
    def judged(self) -> int:
        """How many messages the hub has decided about."""
        return self.out_of_scope + self.accepted + self.refused

    def faults(self) -> list[str]:
        """Name what does not agree."""
        pairs = (
            ("sent", self.published + self.attempts, "judged", self.judged),
            ("accepted", self.accepted, "delivered", self.delivered),
            ("delivered", self.delivered, "receipts", self.receipted),
            ("delivered", self.delivered, "records in the receiver's files", self.in_files),
        )
        return [
            f"{self.ref} to {self.receiver}: {left} {a}, {right} {b}"
            for left, a, right, b in pairs
            if a != b
        ]


def readings(
    journals: Mapping[str, Iterable[InboundFile]], adapters: Iterable[Adapter]
) -> dict[Source, Reading]:
    """Sum up what the adapters' journals say, by sender and message type."""
    found: dict[Source, Reading] = {}
    for adapter in adapters:
        for file in journals.get(adapter.system, ()):
            for wire in adapter.inbound:
                if fnmatchcase(file.name, wire.pattern):
                    source = Source(adapter.system, wire.message_type)
                    one = Reading(1, file.records, file.rejected, file.published)
                    found[source] = found.get(source, Reading()) + one
    return found


def tally(
    catalogue: Catalogue,
    read: Mapping[Source, Reading],
    counts: Iterable[FlowCount],
    received: Mapping[str, Arrived],
    attempts: Collection[Source],
) -> list[FlowTally]:
    """Bring the sides together, a row for each flow and receiver."""
    moved: Counter[tuple[Kind, str, str]] = Counter()
    refused: Counter[Source] = Counter()
    entries: Counter[tuple[str, str]] = Counter()
    for count in counts:
        moved[count.kind, count.flow, count.receiver] += count.count
        entries[count.flow, count.receiver] += count.count
        if count.kind is Kind.REFUSAL:
            refused[Source(count.sender, count.message_type)] += count.count
    tried = Counter(attempts)
    rows = []
    for flow, leg in catalogue.legs():
        source = Source(leg.sender, flow.message_type or "")
        reading = read.get(source, Reading())
        rows += [
            FlowTally(
                ref=flow.ref,
                sender=leg.sender,
                receiver=receiver,
                message_type=source.message_type,
                read=reading.records,
                rejected=reading.rejected,
                published=reading.published,
                attempts=tried[source],
                out_of_scope=moved[Kind.OUT_OF_SCOPE, flow.ref, receiver],
                accepted=moved[Kind.ACCEPTANCE, flow.ref, receiver],
                refused=refused[source],
                delivered=moved[Kind.DELIVERY, flow.ref, receiver],
                receipted=moved[Kind.RECEIPT, flow.ref, receiver],
                in_files=received[receiver].records[flow.ref] if receiver in received else 0,
                entries=entries[flow.ref, receiver],
            )
            for receiver in leg.receivers
        ]
    return rows


def content_faults(
    catalogue: Catalogue,
    received: Mapping[str, Arrived],
    expected: Mapping[str, Collection[str]],
) -> list[str]:
    """Say where a receiver has somebody it must not have, or lacks somebody.

    ``expected`` holds, by message type, the 宛名番号 of the persons in scope.
    """
    faults = []
    for flow, leg in catalogue.legs():
        due = set(expected.get(flow.message_type or "", ()))
        for receiver in leg.receivers:
            have = set(received[receiver].persons.get(flow.ref, ()) if receiver in received else ())
            outside, missing = len(have - due), len(due - have)
            if outside:
                faults.append(f"{flow.ref}: {receiver} got {outside} persons out of scope")
            if missing:
                faults.append(f"{flow.ref}: {receiver} lacks {missing} persons in scope")
    return faults
