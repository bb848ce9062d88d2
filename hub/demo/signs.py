"""How far a demo is, and whether it is over: read from journals and ledger while all runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import adapters
from hub.compose.reconcile import look, opened_sides
from hub.demo.players import Players
from hub.demo.watch import Progress
from hub.edge.journal import InboundFile, InboundState, inbound_files
from hub.edge.questions import Unanswered, unanswered
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Span
from hub.site import Site
from hub.statute.catalogue import Catalogue

Journals = Mapping[str, Sequence[InboundFile]]
"""What each system's journal says of the files that came in."""


class Sign(NamedTuple):
    """What changes while something moves; ``all_read`` is of every file that is to be read."""

    progress: Progress
    all_read: bool


@dataclass(frozen=True, slots=True)
class Signs:
    """Where to look."""

    site: Site
    catalogue: Catalogue
    ledger: DatabaseLedger
    players: Players

    def journals(self) -> Journals:
        """Read what came in everywhere."""
        journals = {name: system.journal for name, system in self.site.systems.items()}
        return {
            name: inbound_files(journal) if journal.exists() else []
            for name, journal in journals.items()
        }

    def now(self) -> Sign:
        """Say how far it is."""
        journals = self.journals()
        read = others = 0
        for system, files in journals.items():
            for file in files:
                is_done = file.state != InboundState.READING
                read += file.records if is_done else file.confirmed_through
                others += 0 if file.name in self.players.files[system] else file.records
        progress = Progress(self.players.records + others, read, self.ledger.size())
        return Sign(progress, self._all_read(journals))

    def _all_read(self, journals: Journals) -> bool:
        """Say whether every file of the demo, and every other one begun, is read and put away."""
        if any(file.state != InboundState.DONE for files in journals.values() for file in files):
            return False
        read = {(system, file.name) for system, files in journals.items() for file in files}
        own = {(system, name) for system, files in self.players.files.items() for name in files}
        return own <= read

    def may_be_answered(self) -> bool:
        """Say whether something is open that somebody might answer."""
        return any(one.open for one in self._questions().values())

    def has_to_be_answered(self) -> bool:
        """Say whether an answer lacks that surely comes: one with a deadline, or of a server."""
        return any(
            one.open if adapters.simulator(system).served else one.due
            for system, one in self._questions().items()
        )

    def _questions(self) -> dict[str, Unanswered]:
        journals = {name: system.journal for name, system in self.site.systems.items()}
        return {name: unanswered(path) for name, path in journals.items() if path.exists()}

    def has_settled(self) -> bool:
        """Say whether all that was read is judged and has arrived."""
        moved = Counter[Kind]()
        for count in self.ledger.counts():
            moved[count.kind] += count.count
        if moved[Kind.DELIVERY] != moved[Kind.RECEIPT]:
            return False
        with (
            opened_sides(self.site, self.catalogue, self.ledger) as sides,
            look(sides, Span(), lambda: None) as sheet,  # nothing under way: no queue to ask
        ):
            return sheet.is_settled
