"""The sheet on which a reconciliation is added up: numbers by sender and flow, and the gaps."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from hub.reconcile.compare import Fate, Judged, Step, judge
from hub.reconcile.model import HUB, Gap, Message, Origin, Pair, Waiting
from hub.reconcile.spool import Spool


class Source(NamedTuple):
    """A kind of message by its sender."""

    sender: str
    message_type: str


class Reading(NamedTuple):
    """What stood in a sender's files: files, records, and records that were set aside."""

    files: int
    records: int
    rejected: int


class FlowKey(NamedTuple):
    """A flow to a receiver, and the kind of message that it carries."""

    source: Source
    pair: Pair


@dataclass(slots=True)
class SourceCount:
    """The messages of one kind and sender: sent + by_ledger = the sum of all fates.

    ``sent`` is counted from the sender's files, ``by_ledger`` are the messages that only the
    ledger knows; ``known`` says whether there are files to count from. Of ``by_ledger``,
    ``unknown`` may be from files of which nothing is known, and ``attempts`` were sent past
    known files, and refused.
    """

    known: bool = False
    files: int = 0
    records: int = 0
    rejected: int = 0
    sent: int = 0
    by_ledger: int = 0
    unknown: int = 0
    attempts: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def told(self) -> int | None:
        """How many were sent as the sender's side tells it; none where it tells nothing."""
        return self.sent if self.sent or (self.known and not self.unknown) else None


@dataclass(slots=True)
class FlowCount:
    """The copies of one flow for one receiver: accepted = the sum of all steps.

    ``receipted`` are copies with a receipt; ``out_of_scope`` and ``held`` were not accepted.
    """

    out_of_scope: int = 0
    held: int = 0
    receipted: int = 0
    steps: Counter[Step] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        """How many copies were accepted for this receiver."""
        return self.steps.total()


class Sheet:
    """Adds up messages; ``finish`` holds what is open against what the broker holds."""

    def __init__(self, recorded: Collection[str]) -> None:
        """Begin; ``recorded`` are the receivers whose own record is read."""
        self.recorded = recorded
        self.sources: dict[Source, SourceCount] = {}
        self.flows: dict[FlowKey, FlowCount] = {}
        self.gaps = Spool()
        self.waiting: Waiting | None = None
        self.open: Counter[str] = Counter()
        """How many messages must be in each receiver's queue, or with ``HUB`` in the hub's."""
        self.receipts_open = 0
        self._waits: dict[str, Spool] = {}
        self._one_holds = Spool()

    def expect(self, source: Source, pair: Pair) -> None:
        """Give a flow a line, also when nothing moves in it."""
        self._source(source)
        self.flows.setdefault(FlowKey(source, pair), FlowCount())

    def read(self, source: Source, reading: Reading) -> None:
        """Add what stood in a sender's files."""
        line = self._source(source)
        line.known = True
        line.files += reading.files
        line.records += reading.records
        line.rejected += reading.rejected

    def know(self, source: Source) -> None:
        """Note that the sender's files are known, also when there are none."""
        self._source(source).known = True

    def add(self, messages: Iterable[Message]) -> None:
        """Judge messages and add them up."""
        for message in messages:
            judged = judge(message, self.recorded)
            source = Source(message.key.sender, judged.message_type)
            self._add_message(self._source(source), message.origin, judged)
            self._add_copies(source, judged)
            self._add_gaps(judged)

    def add_gaps(self, gaps: Iterable[Gap]) -> None:
        """Add what was found to be missing otherwise."""
        self.gaps.extend(gaps)

    def finish(self, waiting: Waiting | None) -> None:
        """Hold what is open against the broker; without it, what is open stays open."""
        self.waiting = waiting
        if waiting is None:
            return
        for queue, spool in sorted(self._waits.items()):
            if waiting.holds(queue) < self.open[queue]:
                self.gaps.extend(spool)
        if not waiting.holds(HUB):
            self.gaps.extend(self._one_holds)

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is missing and nothing under way."""
        return not self.gaps and not self.open.total() and not self.receipts_open

    def _source(self, source: Source) -> SourceCount:
        return self.sources.setdefault(source, SourceCount())

    def _add_message(self, line: SourceCount, origin: Origin, judged: Judged) -> None:
        line.known = line.known or origin is not Origin.UNKNOWN
        if origin is Origin.FILE:
            line.sent += 1
        else:
            line.by_ledger += 1
            line.unknown += origin is Origin.UNKNOWN
            line.attempts += origin is Origin.NOWHERE and judged.fate is Fate.REFUSED
        line.fates[judged.fate] += 1
        if judged.fate is Fate.REFUSED:
            line.refused[judged.code] += 1

    def _add_copies(self, source: Source, judged: Judged) -> None:
        for copy in judged.copies:
            line = self._flow(source, copy.pair)
            line.steps[copy.step] += 1
            line.receipted += copy.receipted
        for pair in judged.outside:
            self._flow(source, pair).out_of_scope += 1
        for pair in judged.held:
            self._flow(source, pair).held += 1

    def _flow(self, source: Source, pair: Pair) -> FlowCount:
        return self.flows.setdefault(FlowKey(source, pair), FlowCount())

    def _add_gaps(self, judged: Judged) -> None:
        self.gaps.extend(judged.gaps)
        # One message waits once in the hub's queues, for however many receivers.
        for queue in {queue for queue, _ in judged.waits}:
            self.open[queue] += 1 if queue == HUB else _times(queue, judged)
        for queue, gap in judged.waits:
            if queue not in self._waits:
                self._waits[queue] = Spool()
            self._waits[queue].add(gap)
        self.receipts_open += len(judged.one_holds)
        self._one_holds.extend(judged.one_holds)

    def close(self) -> None:
        """Let go of the lists."""
        for spool in (self.gaps, self._one_holds, *self._waits.values()):
            spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _times(queue: str, judged: Judged) -> int:
    return sum(1 for name, _ in judged.waits if name == queue)
