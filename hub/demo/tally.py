"""Hold what arrived against what the hub says, and against the city's own households.

The reconciliation (``hub.reconcile``) compares files, ledger, queues and receipts. Only the demo
can look further: into the receivers' files, and at who should be in them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from adapters.simulation.expected import Told
from adapters.simulation.kit import ReceivedRecord
from hub.clock import today
from hub.demo.content import Checked, Way
from hub.reconcile.report import FlowLine
from hub.statute.model import Catalogue, Standing


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

    A receiver whose files are not the demo's to read has none. ``checked`` is what the
    comparison with the senders' files came to.
    """

    line: FlowLine
    in_files: int
    checked: Checked | None = None

    @property
    def entries(self) -> int:
        """How many entries of the ledger are about this flow and receiver."""
        line = self.line
        settled = line.delivered + line.withdrawn + line.expired + line.dead_lettered
        return line.accepted + line.out_of_scope + line.held + settled + line.receipted

    def faults(self) -> list[str]:
        """Name what does not agree."""
        faults = list(self.checked.faults) if self.checked else []
        if self.line.delivered != self.in_files:
            found = f"records in the receiver's files {self.in_files}"
            line = self.line
            faults.append(f"{line.flow} to {line.receiver}: delivered {line.delivered}, {found}")
        return faults


def tally(
    lines: Iterable[FlowLine],
    received: Mapping[str, Arrived],
    checked: Mapping[Way, Checked] | None = None,
) -> list[FlowTally]:
    """Put what stands in the receivers' files beside the lines of a reconciliation."""
    compared = checked or {}
    return [
        FlowTally(
            line,
            received[line.receiver].records[line.flow] if line.receiver in received else 0,
            compared.get(Way(line.flow, line.receiver)),
        )
        for line in lines
    ]


def content_faults(
    catalogue: Catalogue,
    received: Mapping[str, Arrived],
    expected: Mapping[Told, Collection[str]],
) -> list[str]:
    """Say where a receiver has somebody it must not have, or lacks somebody.

    ``expected`` holds, by sender and message type, the 宛名番号 of the persons in scope; of a
    kind that is not in it (an answer, say) nothing is said. A wire without a 宛名番号 is left to
    the comparison of contents.
    """
    faults = []
    for flow, leg in catalogue.legs():
        told = Told(leg.sender, flow.message_type or "")
        if told not in expected or flow.standing(today()) is not Standing.PERMITTED:
            continue
        due = set(expected[told])
        for receiver in leg.receivers:
            have = set(received[receiver].persons.get(flow.ref, ()) if receiver in received else ())
            if have == {""}:
                continue
            outside, missing = len(have - due), len(due - have)
            if outside:
                faults.append(f"{flow.ref}: {receiver} got {outside} persons out of scope")
            if missing:
                faults.append(f"{flow.ref}: {receiver} lacks {missing} persons in scope")
    return faults
