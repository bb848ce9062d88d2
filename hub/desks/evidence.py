"""What auditors ask the ledger: which days were reconciled, what changed, who signed a review."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from hub.clock import JST, midnight
from hub.ledger.acts import Act
from hub.ledger.ages import made_at
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.newest import newest_act
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import MOST, Question, search
from hub.ledger.store import DatabaseLedger
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.note import SignedNote

_DAY = re.compile(r"day (\d{4}-\d{2}-\d{2}|all),")
_ALL = "all"


class DayState(StrEnum):
    """What the newest reconciliation of a day came to."""

    RECONCILED = "reconciled"
    GAP = "gap"
    NOT = "not"


class Day(NamedTuple):
    """A day in Japan, and the entry that says what its newest reconciliation came to."""

    day: dt.date
    state: DayState
    entry: Recorded | None = None


class Standing(NamedTuple):
    """How the ledger stands: its newest checkpoint, and what was last done to keep it safe."""

    checkpoint: Checkpoint
    signatures: int
    backup: Recorded | None
    drill: Recorded | None
    cosigned: Recorded | None


def standing(ledger: DatabaseLedger) -> Standing:
    """Tell how the ledger stands.

    Raises:
        LedgerError: it cannot be read, or it was changed.
    """
    note = SignedNote.parse(ledger.checkpoint())
    return Standing(
        Checkpoint.parse(note.text),
        len(note.signatures),
        *(
            newest_act(ledger.engine, code)
            for code in (Act.BACKUP, Act.RESTORE_DRILL, Act.COSIGNATURE)
        ),
    )


def days(connection: Connection, first: dt.date, last: dt.date) -> list[Day]:
    """Tell of each day from the first to the last what its newest reconciliation came to.

    A reconciliation of all there is counts for every day before its own. Days before the ledger's
    first entry, which nobody had to reconcile, are left out.
    """
    asked = Question(kind=Kind.OPERATOR_ACTION, begin=midnight(first), limit=MOST)
    found: dict[dt.date, Day] = {}
    count = (last - first).days + 1
    wanted = [first + dt.timedelta(days=number) for number in range(count)]
    both = [*every(connection, replace(asked, outcome=Act.RECONCILED))]
    both += every(connection, replace(asked, outcome=Act.GAP))
    for entry in sorted(both, key=lambda one: one.number):
        for day in _of(entry, wanted):
            found[day] = Day(day, DayState(entry.outcome), entry)
    at = made_at(connection, 1)
    began = first if at is None else at.astimezone(JST).date()
    return [
        found.get(day) or Day(day, DayState.NOT) for day in wanted if day >= began or day in found
    ]


def _of(entry: Recorded, wanted: list[dt.date]) -> list[dt.date]:
    said = _DAY.match(entry.detail)
    if said is None:
        return []
    if said[1] == _ALL:
        return [day for day in wanted if midnight(day + dt.timedelta(days=1)) <= entry.at]
    return [day for day in wanted if day.isoformat() == said[1]]


def changes(ledger: DatabaseLedger, most: int = MOST) -> tuple[Recorded, ...]:
    """Give the newest changes of the catalogue, also refused ones, the newest first.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return search(connection, Question(kind=Kind.CATALOGUE_CHANGE, limit=most)).entries


def every(connection: Connection, question: Question) -> Iterator[Recorded]:
    """Give all entries that a question is about, page by page, the newest first."""
    while True:
        found = search(connection, question)
        yield from found.entries
        if not found.more:
            return
        question = replace(question, before=found.entries[-1].number)


_SAID = re.compile(r"([^:]+): (.+)", re.DOTALL)
_ANEW = "set up anew"


def accounts_said(connection: Connection) -> Mapping[str, str]:
    """Tell what the ledger says of the console's accounts: what each may, by its id.

    The text is that of the newest entry by which the account was added or changed; ``locked``
    stands behind it where people have locked it since.
    """
    found: list[Recorded] = []
    for code in _ACCOUNTS:
        found += every(connection, Question(kind=Kind.OPERATOR_ACTION, outcome=code, limit=MOST))
    told: dict[str, str] = {}
    locked: set[str] = set()
    for entry in sorted(found, key=lambda one: one.number):
        said = _SAID.fullmatch(entry.detail)
        name = said[1] if said else entry.detail
        if entry.outcome == Act.ACCOUNT_REMOVED:
            told.pop(name, None)
            locked.discard(name)
        elif entry.outcome == Act.ACCOUNT_LOCKED:
            locked.add(name)
        elif entry.outcome == Act.ACCOUNT_UNLOCKED:
            locked.discard(name)
        elif said and said[2] != _ANEW:
            told[name] = said[2]
    return {name: with_lock(text, is_locked=name in locked) for name, text in told.items()}


def with_lock(text: str, *, is_locked: bool) -> str:
    """Say what an account may, and whether people have locked it."""
    return f"{text}, locked" if is_locked else text


_ACCOUNTS = (
    *(Act.ACCOUNT_ADDED, Act.ACCOUNT_CHANGED, Act.ACCOUNT_REMOVED),
    *(Act.ACCOUNT_LOCKED, Act.ACCOUNT_UNLOCKED),
)


class Differs(NamedTuple):
    """An account of which ledger and console say different things; empty: it says nothing."""

    account: str
    ledger: str
    console: str


def differing(ledger: Mapping[str, str], console: Mapping[str, str]) -> list[Differs]:
    """Compare what the ledger says of accounts with what the console has.

    >>> differing({"a": "viewer"}, {"a": "viewer", "b": "administrator"})
    [Differs(account='b', ledger='', console='administrator')]
    """
    return [
        Differs(name, ledger.get(name, ""), console.get(name, ""))
        for name in sorted({*ledger, *console})
        if ledger.get(name, "") != console.get(name, "")
    ]
