"""Count what happened, from four sides, and say whether they agree.

The sender's adapter says what it read, the ledger what was judged, delivered and receipted,
the receivers' files what arrived, and the city's own households who should have.
"""

from collections import Counter
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
    received: Mapping[str, Iterable[ReceivedRecord]],
    attempts: Collection[Source],
) -> list[FlowTally]:
    """Bring the sides together, a row for each flow and receiver."""
    moved: Counter[tuple[Kind, str, str]] = Counter()
    refused: Counter[Source] = Counter()
    for count in counts:
        moved[count.kind, count.flow, count.receiver] += count.count
        if count.kind is Kind.REFUSAL:
            refused[Source(count.sender, count.message_type)] += count.count
    in_files = Counter(
        (record.flow, receiver) for receiver, records in received.items() for record in records
    )
    tried = Counter(attempts)
    rows = []
    for flow in catalogue.flows:
        source = Source(flow.sender, flow.message_type)
        reading = read.get(source, Reading())
        rows += [
            FlowTally(
                ref=flow.ref,
                sender=flow.sender,
                receiver=receiver,
                message_type=flow.message_type,
                read=reading.records,
                rejected=reading.rejected,
                published=reading.published,
                attempts=tried[source],
                out_of_scope=moved[Kind.OUT_OF_SCOPE, flow.ref, receiver],
                accepted=moved[Kind.ACCEPTANCE, flow.ref, receiver],
                refused=refused[source],
                delivered=moved[Kind.DELIVERY, flow.ref, receiver],
                receipted=moved[Kind.RECEIPT, flow.ref, receiver],
                in_files=in_files[flow.ref, receiver],
            )
            for receiver in flow.receivers
        ]
    return rows


def content_faults(
    received: Mapping[str, Iterable[ReceivedRecord]],
    expected: Mapping[str, Collection[str]],
) -> list[str]:
    """Say where a receiver has someone it must not have, or lacks someone, or has one twice.

    ``expected`` holds, by message type, the 宛名番号 of the persons in scope.
    """
    faults = []
    for receiver, records in received.items():
        listed = list(records)
        keys = Counter((record.sender, record.message_id, record.flow) for record in listed)
        doubled = sum(1 for number in keys.values() if number > 1)
        if doubled:
            faults.append(f"{receiver} has {doubled} messages more than once")
        for message_type, persons in expected.items():
            have = {r.addressee_number for r in listed if r.message_type == message_type}
            outside, missing = len(have - set(persons)), len(set(persons) - have)
            if outside:
                faults.append(f"{receiver} got {message_type} of {outside} persons out of scope")
            if missing:
                faults.append(f"{receiver} lacks {message_type} of {missing} persons in scope")
    return faults
