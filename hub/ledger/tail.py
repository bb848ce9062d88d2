"""What came into the ledger since the last look: counts by sort, and how long messages took.

A look every few seconds costs little, whoever takes it: entries are counted by their case, and the
words of a case are read once. Nothing of a message is looked at but its times.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, select

from hub.ledger import head as heads
from hub.ledger.chunks import chunks
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.schema import ledger_errors
from hub.ledger.tables import cases, entries, terms
from hub.message import MARKED

MOST_ENTRIES = 200_000
"""So many are counted at one look; what is beyond that waits for the next."""
MOST_DELAYS = 200
"""Of so many receipts of a look, the newest, it is worked out how long their messages took."""
_CASES_KEPT = 50_000
_MICROSECONDS = 1_000_000
_DELIVERED = frozenset({"delivered", MARKED})
_WORDS = ("kind", "message_type", "flow", "sender", "receiver", "code")


class Sort(NamedTuple):
    """What an entry says that its metric says too. The words are as they were recorded."""

    kind: Kind
    message_type: str
    flow: str
    sender: str
    receiver: str
    code: str


class Count(NamedTuple):
    """How many entries of a sort came, and when the newest did, in seconds since 1970."""

    sort: Sort
    number: int
    newest: float


class Delay(NamedTuple):
    """How long a message took from its acceptance to its receiver's receipt."""

    flow: str
    receiver: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What a look found; ``size`` is that of the ledger, ``through`` how far was counted."""

    size: int
    through: int
    counts: Sequence[Count] = ()
    delays: Sequence[Delay] = ()


class Tail:
    """Counts what is new; the first look begins at the ledger's end of then."""

    def __init__(self, engine: Engine, most: int = MOST_ENTRIES) -> None:
        self._engine = engine
        self._most = most
        self._through: int | None = None
        self._sorts: dict[int, Sort] = {}

    def look(self) -> Turn:
        """Count what came since the last look.

        Raises:
            LedgerError: the ledger cannot be read; the next look goes on where this one began.
        """
        with ledger_errors("be read"), self._engine.connect() as connection:
            size = heads.read(connection)[0].size
            begin = self._through
            if begin is None or begin > size:  # or it was set back, of which the watch tells
                self._through = size
                return Turn(size, size)
            last = min(size, begin + self._most)
            counts: dict[Sort, Count] = {}
            delays: list[Delay] = []
            for month, first, until in _spans(all_months(connection), begin + 1, last):
                found = self._counted(connection, month, first, until)
                _merge(counts, found.values())
                receipts = {
                    case: one.sort for case, one in found.items() if _is_delivered(one.sort)
                }
                delays += self._delays(connection, month, first, until, receipts)
            self._through = last
            return Turn(size, last, tuple(counts.values()), tuple(delays))

    def _counted(
        self, connection: Connection, month: Month, first: int, last: int
    ) -> dict[int, Count]:
        row = entries(month.month).c
        query = (
            select(row.case_id, func.count(), func.max(row.at))
            .where(row.seq.between(first, last))
            .group_by(row.case_id)
        )
        rows = connection.execute(query).all()
        sorts = self._sorts_of(connection, {one[0] for one in rows})
        return {
            case: Count(sorts[case], number, newest / _MICROSECONDS)
            for case, number, newest in rows
            if case in sorts
        }

    def _sorts_of(self, connection: Connection, numbers: Collection[int]) -> Mapping[int, Sort]:
        if len(self._sorts) > _CASES_KEPT:
            self._sorts.clear()
        words = (terms.c[name] for name in _WORDS)
        query = select(cases.c.id, *words).join(terms, terms.c.id == cases.c.terms_id)
        for some in chunks(sorted(set(numbers) - self._sorts.keys())):
            for case, kind, *said in connection.execute(query.where(cases.c.id.in_(some))):
                self._sorts[case] = Sort(Kind(kind), *said)
        return self._sorts

    def _delays(
        self,
        connection: Connection,
        month: Month,
        first: int,
        last: int,
        receipts: Mapping[int, Sort],
    ) -> Iterator[Delay]:
        """Find the acceptances of the newest receipts, in the month of these."""
        if not receipts:
            return
        row = entries(month.month).c
        newest = (
            select(row.message_no, row.case_id, row.at)
            .where(row.seq.between(first, last), row.case_id.in_(list(receipts)))
            .order_by(row.seq.desc())
            .limit(MOST_DELAYS)
        )
        done = connection.execute(newest).all()
        began: dict[tuple[int, str, str], int] = {}
        for some in chunks(sorted({one.message_no for one in done})):
            query = select(row.message_no, row.case_id, row.at).where(row.message_no.in_(some))
            found = connection.execute(query).all()
            sorts = self._sorts_of(connection, {one.case_id for one in found})
            for one in found:
                sort = sorts.get(one.case_id)
                if sort is not None and sort.kind is Kind.ACCEPTANCE:
                    began[one.message_no, sort.flow, sort.receiver] = one.at
        for one in done:
            sort = receipts[one.case_id]
            at = began.get((one.message_no, sort.flow, sort.receiver))
            if at is not None:
                seconds = max(0, one.at - at) / _MICROSECONDS
                yield Delay(sort.flow, sort.receiver, seconds)


def _spans(months: Sequence[Month], first: int, last: int) -> Iterator[tuple[Month, int, int]]:
    """Cut entry numbers, both included, into those of each month that is kept."""
    ends = [*(month.first_entry - 1 for month in months[1:]), last]
    for month, end in zip(months, ends, strict=True) if months else ():
        begin, until = max(first, month.first_entry), min(last, end)
        if begin <= until and not month.destroyed:
            yield month, begin, until


def _merge(counts: dict[Sort, Count], found: Collection[Count]) -> None:
    by_sort: defaultdict[Sort, list[Count]] = defaultdict(list)
    for one in found:
        by_sort[one.sort].append(one)
    for sort, some in by_sort.items():
        together = [*some, *([counts[sort]] if sort in counts else ())]
        number = sum(one.number for one in together)
        counts[sort] = Count(sort, number, max(one.newest for one in together))


def _is_delivered(sort: Sort) -> bool:
    return sort.kind is Kind.RECEIPT and sort.code in _DELIVERED
