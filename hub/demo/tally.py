"""Hold what arrived against what the hub says, and against the city's own households.

The reconciliation (``hub.reconcile``) compares files, ledger, queues and receipts. Only the demo
can look further: into the receivers' files, and at who should be in them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from adapters.simulation.kit import ReceivedRecord
from hub.reconcile.report import FlowLine
from hub.statute.catalogue import Catalogue


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
    """One flow to one receiver: what the sides say, and how many records the receiver's files hold.

    A receiver whose files are not the demo's to read has none.
    """

    line: FlowLine
    in_files: int

    @property
    def entries(self) -> int:
        """How many entries of the ledger are about this flow and receiver."""
        line = self.line
        settled = line.delivered + line.withdrawn + line.expired + line.dead_lettered
        return line.accepted + line.out_of_scope + line.held + settled + line.receipted

    def faults(self) -> list[str]:
        """Name what does not agree."""
        if self.line.delivered == self.in_files:
            return []
        found = f"records in the receiver's files {self.in_files}"
        line = self.line
        return [f"{line.flow} to {line.receiver}: delivered {line.delivered}, {found}"]


def tally(lines: Iterable[FlowLine], received: Mapping[str, Arrived]) -> list[FlowTally]:
    """Put what stands in the receivers' files beside the lines of a reconciliation."""
    return [
        FlowTally(
            line, received[line.receiver].records[line.flow] if line.receiver in received else 0
        )
        for line in lines
    ]


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
