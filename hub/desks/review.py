"""The review report (III.5): a month of the ledger, refused attempts first, for the administrator.

It counts, and names members of staff and systems; nobody whom a message is about stands in it.
"""

import calendar
import dataclasses
import datetime as dt
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from hub.clock import JST, midnight
from hub.desks.evidence import DayState, days, every
from hub.errors import QuestionError
from hub.ledger.acts import Act, act
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.monthly import Sort, counted_by_hour, looked_up
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import MOST, Question
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Span
from hub.message import AccessItems
from hub.sections import WatchSite
from hub.statute.reasons import ATTEMPTS, Code

NIGHT = (22, 6)
"""From this hour in Japan to that one, a sending is told of apart. *Assumed*."""
WEEKEND = ("sat", "sun")
"""The days on which an office rests that names none."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_DECIDED = {
    Kind.RELEASE: {
        *("", Code.RELEASE_REQUESTED, Code.REJECT_REQUESTED, Code.DECLINED, Code.REJECTED)
    },
    Kind.REPLAY: {"", Code.REQUESTED, Code.DISCARD_REQUESTED, Code.DECLINED, Code.DISCARDED},
}
"""What people decide; by the other codes the hub says that something may not move."""
_LOGINS = (Act.LOGIN, Act.LOGIN_REFUSED, Act.LOCKOUT)
_CHANGES = (
    *(Act.ACCOUNT_ADDED, Act.ACCOUNT_CHANGED, Act.ACCOUNT_LOCKED, Act.ACCOUNT_UNLOCKED),
    *(Act.ACCOUNT_REMOVED, Act.ACCOUNT_ENROLLED),
)


class Counted(NamedTuple):
    """How often something was done, or refused: by whom, and what."""

    who: str
    what: str
    times: int


class Unusual(NamedTuple):
    """Copies that a sender's messages became at night, and on days on which the office rests."""

    sender: str
    flow: str
    night: int
    rest: int


class Viewed(NamedTuple):
    """How often a member of staff looked at something, and at how many residents' entries."""

    who: str
    views: int
    residents: int


class Reconciled(NamedTuple):
    """A day of the month, and whether it was reconciled."""

    day: str
    state: str


class Changed(NamedTuple):
    """A change of the catalogue, or of an account."""

    entry: int
    at: str
    who: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Review:
    """The report of a month, such as ``2026-11``; the same ledger gives the same report."""

    month: str
    attempts: tuple[Counted, ...]
    refusals: tuple[Counted, ...]
    unusual: tuple[Unusual, ...]
    decisions: tuple[Counted, ...]
    views: tuple[Viewed, ...]
    exports: tuple[Counted, ...]
    logins: tuple[Counted, ...]
    operations: tuple[Counted, ...]
    days: tuple[Reconciled, ...]
    accounts: tuple[Changed, ...]
    catalogue: tuple[Changed, ...]

    @property
    def unreconciled(self) -> tuple[Reconciled, ...]:
        """The days that are not, or not without a gap."""
        return tuple(one for one in self.days if one.state != DayState.RECONCILED)

    def document(self) -> bytes:
        """Give the report as JSON; what is signed as looked at is the digest of this."""
        facts = {
            field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)
        }
        return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()

    def digest(self) -> str:
        """Give the SHA-256 of the document."""
        return hashlib.sha256(self.document()).hexdigest()


def read_review(ledger: DatabaseLedger, month: str, watch: WatchSite, now: dt.datetime) -> Review:
    """Put the report of a month together; of the month that it is, up to yesterday.

    Raises:
        QuestionError: that is no month, or it has not begun.
        LedgerError: the ledger cannot be read, or the month is destroyed.
    """
    first, after = period(month)
    if midnight(first) > now:
        raise QuestionError(f"{month} has not begun")
    last = min(after, now.astimezone(JST).date()) - dt.timedelta(days=1)
    span = Span(Span.of_day(first).begin, Span.of_day(after).begin)
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        counts = Counter[Sort]()
        for sort, number in counted_by_hour(connection, span):
            counts[sort] += number
        return Review(
            month,
            *_refused(counts),
            unusual(counts, rests(watch)),
            _by(counts, _decision),
            _views(counts, looked_up(connection, span)),
            _by(counts, lambda one: one.code if one.kind is Kind.EXPORT else None),
            _by(counts, _login),
            _by(counts, _operation),
            tuple(
                Reconciled(one.day.isoformat(), one.state) for one in days(connection, first, last)
            ),
            _changes(connection, Kind.OPERATOR_ACTION, _CHANGES, (first, after)),
            _changes(connection, Kind.CATALOGUE_CHANGE, ("",), (first, after)),
        )


def look_at(
    ledger: DatabaseLedger,
    month: str,
    watch: WatchSite,
    access: AccessItems,
    now: dt.datetime,
) -> Review:
    """Record that somebody looks at the report of a month, and give it.

    Raises:
        QuestionError: that is no month, or it has not begun.
        LedgerError: the ledger cannot be added to or read, or the month is destroyed.
    """
    period(month)
    ledger.append([act(Kind.LOG_VIEW, access, now, code=Act.PAGE, detail=said_of(month))])
    return read_review(ledger, month, watch, now)


def period(month: str) -> tuple[dt.date, dt.date]:
    """Give the first day of a month, and that of the next one.

    Raises:
        QuestionError: it is no month.

    >>> period("2026-12")
    (datetime.date(2026, 12, 1), datetime.date(2027, 1, 1))
    """
    said = _MONTH.fullmatch(month)
    if said is None or not dt.MINYEAR < int(said[1]) < dt.MAXYEAR:
        raise QuestionError("write a month as 2026-11")
    first = dt.date(int(said[1]), int(said[2]), 1)
    return first, first + dt.timedelta(days=calendar.monthrange(first.year, first.month)[1])


def is_over(month: str, now: dt.datetime) -> bool:
    """Say whether a month has ended, so that its report can be signed.

    Raises:
        QuestionError: it is no month.
    """
    return midnight(period(month)[1]) <= now


def signed(connection: Connection, month: str) -> Recorded | None:
    """Give the entry by which somebody said last that they looked at a month's report."""
    asked = Question(kind=Kind.OPERATOR_ACTION, outcome=Act.REVIEWED, limit=MOST)
    return next((one for one in every(connection, asked) if one.detail == said_of(month)), None)


def said_of(month: str) -> str:
    """Say in the ledger which report was looked at."""
    return f"review of {month}"


def rests(watch: WatchSite) -> Callable[[dt.date], bool]:
    """Give what says whether the office rests on a day."""
    names = watch.rest_days or WEEKEND
    holidays = frozenset(watch.holidays)
    return lambda day: _DAYS[day.weekday()] in names or day in holidays


def unusual(counts: Mapping[Sort, int], is_rest: Callable[[dt.date], bool]) -> tuple[Unusual, ...]:
    """Count what was accepted at night and on days of rest, by sender and flow. Pure."""
    night, rest = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for sort, count in counts.items():
        if sort.kind is not Kind.ACCEPTANCE:
            continue
        at = dt.datetime.fromtimestamp(sort.hour * 3600, JST)
        key = (sort.sender, sort.flow)
        if not NIGHT[1] <= at.hour < NIGHT[0]:
            night[key] += count
        if is_rest(at.date()):
            rest[key] += count
    return tuple(Unusual(*key, night[key], rest[key]) for key in sorted({*night, *rest}))


def _refused(counts: Mapping[Sort, int]) -> tuple[tuple[Counted, ...], tuple[Counted, ...]]:
    refused = {sort: count for sort, count in counts.items() if sort.kind is Kind.REFUSAL}
    found = _sorted(((one.sender, one.code), count) for one, count in refused.items())
    attempts = tuple(one for one in found if one.what in ATTEMPTS)
    return attempts, tuple(one for one in found if one.what not in ATTEMPTS)


def _by(counts: Mapping[Sort, int], named: Callable[[Sort], str | None]) -> tuple[Counted, ...]:
    """Count by members of staff what has a name here."""
    said = ((sort, named(sort), count) for sort, count in counts.items())
    return _sorted(((sort.staff, name), count) for sort, name, count in said if name is not None)


def _sorted(found: Iterable[tuple[tuple[str, str], int]]) -> tuple[Counted, ...]:
    counts = Counter[tuple[str, str]]()
    for key, count in found:
        counts[key] += count
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Counted(*key, count) for key, count in ordered)


def _decision(one: Sort) -> str | None:
    if one.code not in _DECIDED.get(one.kind, ()):
        return None
    return f"{one.kind}:{one.code}" if one.code else one.kind.value


def _login(one: Sort) -> str | None:
    return one.code if one.kind is Kind.OPERATOR_ACTION and one.code in _LOGINS else None


def _operation(one: Sort) -> str | None:
    """Name what else people did with hub and ledger."""
    told = {*_LOGINS, *_CHANGES, Act.LOGOUT, Act.SESSION_ENDED}
    if one.kind is Kind.DESTRUCTION:
        return one.code
    return one.code if one.kind is Kind.OPERATOR_ACTION and one.code not in told else None


def _views(counts: Mapping[Sort, int], residents: Mapping[str, int]) -> tuple[Viewed, ...]:
    found = _by(counts, lambda one: "" if one.kind is Kind.LOG_VIEW else None)
    return tuple(Viewed(one.who, one.times, residents.get(one.who, 0)) for one in found)


def _changes(
    connection: Connection, kind: Kind, codes: Iterable[str], of: tuple[dt.date, dt.date]
) -> tuple[Changed, ...]:
    begin, end = map(midnight, of)
    found = [
        entry
        for code in codes
        for entry in every(
            connection, Question(kind=kind, outcome=code, begin=begin, end=end, limit=MOST)
        )
    ]
    return tuple(
        Changed(
            one.number,
            one.at.astimezone(JST).isoformat(timespec="seconds"),
            one.access.staff,
            one.outcome,
            one.detail,
        )
        for one in sorted(found, key=lambda one: one.number)
    )


def _plain(value: object) -> object:
    """Give what JSON can write: rows with the names of their parts."""
    if isinstance(value, str):
        return value
    rows = value if isinstance(value, tuple) else ()
    return [one._asdict() for one in rows]
