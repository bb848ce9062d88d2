"""Search the ledger: by resident, message, flow, system, staff, time and outcome.

Every search is itself an entry: whoever shows what was found first appends ``viewed``.
"""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.ledger.acts import act
from hub.ledger.chunks import chunks
from hub.ledger.head import read
from hub.ledger.leaf import FROM_SQL, LEAF_SQL, Recorded, microseconds, read_leaf
from hub.ledger.model import Entry, Kind
from hub.ledger.months import Month, all_months, kept_since
from hub.ledger.reading import driver_rows, parts
from hub.ledger.schema import ledger_errors
from hub.ledger.search.cases import Condition, newest_of_cases
from hub.ledger.search.messages import about_messages, message_numbers
from hub.ledger.search.times import Stretch, Times, in_time
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems

MOST = 1000
"""The most entries that one page can have."""
CODE = "search"


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for: entries for which all that is given holds.

    ``resident`` is a pseudonym, and ``former`` are those of the same person under retired keys.
    ``message`` is the id that ``sender`` gave, ``system`` the sender or the receiver, ``outcome``
    an entry's code or the word for its kind where it has none. ``begin`` is included and ``end``
    is not. ``before`` asks for entries with lower numbers: the next page. ``limit`` is the most
    entries of a page.

    Raises:
        ValueError: a time has no offset from UTC, or the page is not of 1 to ``MOST`` entries.
    """

    resident: str = ""
    message: str = ""
    sender: str = ""
    flow: str = ""
    system: str = ""
    staff: str = ""
    kind: Kind | None = None
    outcome: str = ""
    begin: dt.datetime | None = None
    end: dt.datetime | None = None
    before: int | None = None
    limit: int = 100
    former: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise ValueError(f"a page has 1 to {MOST} entries")
        for at in (self.begin, self.end):
            if at is not None and at.utcoffset() is None:
                raise ValueError("a time has no offset from UTC")

    @property
    def residents(self) -> tuple[str, ...]:
        """All pseudonyms of the person who is asked about; none where nobody is."""
        return (self.resident, *self.former) if self.resident else ()

    @property
    def times(self) -> Times:
        """The time that is searched, in the ledger's microseconds."""
        return Times(
            None if self.begin is None else microseconds(self.begin),
            None if self.end is None else microseconds(self.end),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, the newest first, and whether there are more."""

    entries: tuple[Recorded, ...]
    more: bool


def search(connection: Connection, question: Question) -> Found:
    """Give the newest entries for which all holds that is asked, as far as they are kept."""
    numbers = _numbers(connection, question, question.limit + 1)
    page = numbers[: question.limit]
    return Found(tuple(recorded(connection, page)), len(numbers) > len(page))


def knows(ledger: DatabaseLedger, residents: Sequence[str]) -> bool:
    """Say whether any kept entry is about a resident, by the person's pseudonyms.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be searched"), ledger.engine.connect() as connection:
        asked = Question(resident=residents[0], former=tuple(residents[1:]))
        return bool(_numbers(connection, asked, 1))


def look_up(
    ledger: DatabaseLedger, question: Question, access: AccessItems, at: dt.datetime
) -> Found:
    """Search, and record who did; nothing is given before that is recorded.

    Raises:
        LedgerError: the ledger cannot be read, or cannot be added to.
    """
    with ledger_errors("be searched"), ledger.engine.connect() as connection:
        found = search(connection, question)
    ledger.append([viewed(question, access, at)])
    return found


def viewed(question: Question, access: AccessItems, at: dt.datetime) -> Entry:
    """Say in the ledger that somebody searched it: by what, but no value except the resident."""
    given = [name for name in _ASKED if getattr(question, name) not in {"", None}]
    return act(
        Kind.LOG_VIEW,
        access,
        at,
        code=CODE,
        detail=f"by {', '.join(given) or 'nothing'}; at most {question.limit} entries",
        resident=question.resident,
    )


_ASKED: tuple[str, ...] = (
    *("resident", "message", "sender", "flow", "system", "staff", "kind", "outcome"),
    *("begin", "end", "before"),
)


def recorded(connection: Connection, numbers: Sequence[int]) -> list[Recorded]:
    """Read the entries with these numbers, in this order; their months are kept."""
    if not numbers:
        return []
    by_table: defaultdict[str, list[int]] = defaultdict(list)
    known = all_months(connection)
    for number in numbers:
        place = bisect_right([month.first_entry for month in known], number) - 1
        by_table[known[place].table].append(number)
    some = " UNION ALL ".join(
        f"SELECT * FROM {table} WHERE seq IN ({', '.join(map(str, of))})"  # noqa: S608 - ours
        for table, of in by_table.items()
    )
    query = f"SELECT e.seq, {LEAF_SQL} {FROM_SQL.format(entries=f'({some})')}"
    found = dict(driver_rows(connection, query))
    return [read_leaf(found[number]) for number in numbers]


def entries_about(
    connection: Connection, residents: Sequence[str], last: int
) -> Iterator[Recorded]:
    """Give all kept entries about a resident up to a number, the earliest first; streams."""
    messages = message_numbers(connection, residents, "")
    for month in reversed(_months_since(connection, messages)):
        numbers = about_messages(
            connection, [month], messages, Condition(), Times(None, None), last, last
        )
        for some in chunks(numbers[::-1], MOST):
            yield from recorded(connection, some)


def _numbers(connection: Connection, question: Question, most: int) -> list[int]:
    condition = condition_of(question)
    size = read(connection)[0].size
    last = size if question.before is None else min(size, question.before - 1)
    if question.resident or question.message:
        asked = (question.residents, question.message, question.sender)
        messages = message_numbers(connection, *asked)
        months = _months_since(connection, messages)
        return about_messages(connection, months, messages, condition, question.times, last, most)
    stretches = list(stretches_of(connection, last))
    stretches = in_time(connection, stretches, question.times)
    return newest_of_cases(connection, stretches, condition, question.times, most)


def condition_of(question: Question) -> Condition:
    """Give what a question asks of an entry's case."""
    return Condition(
        sender=question.sender,
        flow=question.flow,
        system=question.system,
        staff=question.staff,
        kind=question.kind,
        outcome=question.outcome,
    )


def _months_since(connection: Connection, messages: Sequence[int]) -> list[Month]:
    if not messages:
        return []
    return kept_since(all_months(connection), min(messages))[::-1]


def stretches_of(connection: Connection, last: int) -> Iterator[Stretch]:
    """Give the kept entries up to a number month by month, the newest first."""
    kept = [part for part in parts(connection, 1, last + 1) if not part[0].destroyed]
    for month, first, after in reversed(kept):
        yield Stretch(month.table, first, after - 1)
