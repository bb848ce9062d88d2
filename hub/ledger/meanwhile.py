"""Records once what is done once, also where another process was quicker."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from sqlalchemy import Connection, Select, bindparam, select

from hub.errors import LedgerError
from hub.ledger.acts import Act
from hub.ledger.beside import Step
from hub.ledger.chunks import among, chunks
from hub.ledger.model import Entry, Kind, Known
from hub.ledger.months import Month
from hub.ledger.numbers import MessageRef, Numbers, find_refs
from hub.ledger.recall import DYING, case_numbers, recall
from hub.ledger.tables import entries
from hub.message import UNENCODABLE, MessageKey

OWN_RUNS = 16
"""So many runs of its own entries a process remembers; older ones count as others'."""
_NUMBERS_A_QUERY = 2000


class Run(NamedTuple):
    """Entries that follow each other, by the numbers of the first and the last."""

    first: int
    last: int


class Own:
    """Which of the ledger's newest entries this process has recorded itself."""

    def __init__(self) -> None:
        self._runs: deque[Run] = deque(maxlen=OWN_RUNS)

    def recorded(self, first: int, last: int) -> None:
        """Note that the entries from the first to the last of these numbers are its own."""
        if self._runs and self._runs[-1].last == first - 1:
            first = self._runs.pop().first
        self._runs.append(Run(first, last))

    def others(self, after: int, last: int) -> list[Run]:
        """Give the entries after a number, as far as the last, that others may have recorded."""
        found: list[Run] = []
        for run in self._runs:
            if run.first > last:
                break
            if run.first > after + 1:
                found.append(Run(after + 1, run.first - 1))
            after = max(after, run.last)
        if after < last:
            found.append(Run(after + 1, last))
        return found


def refuse_twice(
    connection: Connection,
    months: Sequence[Month],
    others: Sequence[Run],
    new: Sequence[Entry],
    numbers: Numbers[MessageRef],
) -> frozenset[MessageKey]:
    """See that nothing new is recorded already by what others have recorded.

    It is asked about by what is new: what others have recorded is a lot, and mostly about others.

    Returns:
        Those of the messages of which there is nothing in the ledger.

    Raises:
        LedgerError: something is; ask again.
    """
    once = [entry for entry in new if _is_once(entry)]
    # What was delivered was accepted, about that resident; all else may have been recorded
    # about another, or about nobody.
    delivered = [entry for entry in once if entry.kind is Kind.DELIVERY]
    refs = {MessageRef(*entry.message, entry.resident) for entry in delivered}
    numbered = {ref.key: no for ref, no in numbers.remembered(refs).items()}
    asked = frozenset(
        entry.message
        for entry in once
        if entry.kind is not Kind.DELIVERY or entry.message not in numbered
    )
    found = {no: ref.key for no, ref in find_refs(connection, asked).items()}
    keys = found | {no: key for key, no in numbered.items()}
    touched = {keys[no] for no in _touched(connection, months, others, sorted(keys))}
    known = recall(connection, touched).known if touched else {}
    for entry in once:
        one = known.get(entry.message)
        if one is not None and _is_done(one, entry, others[0].first - 1):
            raise LedgerError("another worker has recorded the same meanwhile: asking again")
    return asked.difference(found.values())


def refuse_retired(connection: Connection, months: Sequence[Month], after: int) -> None:
    """See that no entry after this number exchanges the key of pseudonyms, which a process holds.

    An exchange waits for every worker that is alive; one that was frozen wakes up after it.

    Raises:
        LedgerError: one does.
    """
    found = case_numbers(connection, Kind.OPERATOR_ACTION, Act.PSEUDONYM_KEY)
    for month in reversed(months if found else ()):
        entry = entries(month.month).c
        query = select(entry.seq).where(entry.seq > after, entry.case_id.in_(found)).limit(1)
        if not month.destroyed and connection.execute(query).first() is not None:
            raise LedgerError(
                "the key of pseudonyms was exchanged while this process stood still: start it again"
            )
        if month.first_entry <= after:
            return


def _touched(
    connection: Connection, months: Sequence[Month], others: Sequence[Run], numbers: Sequence[int]
) -> Iterator[int]:
    """Give those of the messages' numbers that others' entries are about."""
    for month in reversed(months if numbers else ()):
        if not month.destroyed:
            query = _touched_query(month, connection.dialect.name)
            for run, some in product(others, chunks(numbers, _NUMBERS_A_QUERY)):
                yield from connection.execute(query, {**run._asdict(), "numbers": some}).scalars()
        if month.first_entry <= others[0].first:
            return


@cache
def _touched_query(month: Month, dialect: str) -> Select[int]:
    entry = entries(month.month).c
    is_others = entry.seq.between(bindparam("first"), bindparam("last"))
    is_asked = among(entry.message_no, "numbers", dialect)
    return select(entry.message_no).where(is_others, is_asked).distinct()


def _is_delivered(known: Known, entry: Entry, asked_at: int) -> bool:
    return known.is_delivered_since(entry.flow, entry.receiver, asked_at)


def _is_receipted(known: Known, entry: Entry, _asked_at: int) -> bool:
    pair = (entry.flow, entry.receiver)
    return pair in known.receipted or (entry.code == UNENCODABLE and pair in known.lacking)


_DONE: Mapping[Kind, Callable[[Known, Entry, int], bool]] = {
    Kind.ACCEPTANCE: lambda known, entry, _: (entry.flow, entry.receiver) in known.accepted,
    Kind.OUT_OF_SCOPE: lambda known, entry, _: (entry.flow, entry.receiver) in known.outside,
    Kind.HOLD: lambda known, *_: known.held_as is not None,
    Kind.DELIVERY: _is_delivered,
    Kind.RECEIPT: _is_receipted,
}
_DONE_WHOLE: Mapping[Kind, Callable[[Known], bool]] = {
    Kind.REFUSAL: lambda known: bool(known.decided or known.accepted or known.held_as),
    Kind.DEAD_LETTER: lambda known: known.dead_as is not None,
}
"""Of a message itself, and not of a copy to one receiver."""


def _is_once(entry: Entry) -> bool:
    is_whole = not entry.receiver and entry.kind in _DONE_WHOLE
    return entry.kind in _DONE or is_whole or _is_given_up(entry)


def _is_given_up(entry: Entry) -> bool:
    """Say whether the hub itself gives up a copy here, which nobody else may have sent meanwhile.

    What dies in its receiver's queue was delivered to it before.
    """
    if not entry.receiver:
        return False
    if entry.kind is Kind.REFUSAL:
        return True
    return entry.kind in DYING and entry.detail.partition(":")[0] == Step.SEND


def _is_done(known: Known, entry: Entry, asked_at: int) -> bool:
    if _is_given_up(entry):
        return (entry.flow, entry.receiver) in known.settled
    if entry.kind in _DONE:
        return _DONE[entry.kind](known, entry, asked_at)
    return _DONE_WHOLE[entry.kind](known)
