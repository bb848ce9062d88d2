"""The open questions in an adapter's journal: what its system was asked, and what is due.

They hold what an answer is matched by, so unlike the rest of a journal they say something of
persons. ``facts`` of a question are emptied when it is closed.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hub.edge import databases
from hub.edge.kit import Asked, Question
from hub.message import MessageKey

TABLES = """
    CREATE TABLE asked (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        sender TEXT NOT NULL,
        id TEXT NOT NULL,
        addressee_number TEXT NOT NULL,
        facts TEXT NOT NULL,
        due_at INTEGER,
        closed INTEGER NOT NULL DEFAULT 0,
        told INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX asked_due ON asked (due_at) WHERE closed = 0 AND told = 0 AND due_at IS NOT NULL;
"""


class Overdue(NamedTuple):
    """A question that should have been answered by now."""

    question: Question
    addressee_number: str
    due_at: int


def note(database: sqlite3.Connection, asked: Iterable[Asked], at: int) -> None:
    """Remember questions; one asked again takes the place of the earlier."""
    database.executemany(
        "INSERT INTO asked (kind, key, sender, id, addressee_number, facts, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, key) DO UPDATE SET sender = excluded.sender, id = excluded.id,"
        " addressee_number = excluded.addressee_number, facts = excluded.facts,"
        " due_at = excluded.due_at, closed = 0, told = 0",
        (
            (
                *one.question,
                *one.message,
                one.addressee_number,
                json.dumps(one.facts, ensure_ascii=False),
                None if one.due_after is None else at + int(one.due_after),
            )
            for one in asked
        ),
    )


def close(database: sqlite3.Connection, questions: Iterable[Question]) -> None:
    """Remember that questions are answered, and forget what they were matched by."""
    database.executemany(
        "UPDATE asked SET closed = 1, facts = '{}' WHERE kind = ? AND key = ?", questions
    )


def find(database: sqlite3.Connection, question: Question) -> Asked | None:
    """Give a question by its name."""
    row = database.execute(
        "SELECT sender, id, addressee_number, facts, closed FROM asked WHERE kind = ? AND key = ?",
        question,
    ).fetchone()
    if row is None:
        return None
    sender, message_id, addressee_number, facts, closed = row
    return Asked(
        question,
        MessageKey(sender, message_id),
        addressee_number,
        json.loads(facts),
        closed=bool(closed),
    )


def overdue(database: sqlite3.Connection, now: int, most: int) -> list[Overdue]:
    """Give open questions whose time is over and not yet told of, the longest overdue first."""
    rows = database.execute(
        "SELECT kind, key, addressee_number, due_at FROM asked"
        " WHERE closed = 0 AND told = 0 AND due_at IS NOT NULL AND due_at <= ?"
        " ORDER BY due_at, kind, key"
        " LIMIT ?",
        (now, most),
    )
    return [Overdue(Question(kind, key), number, due) for kind, key, number, due in rows]


def tell(database: sqlite3.Connection, questions: Iterable[Question]) -> None:
    """Remember that it was told of these that nobody answered in time."""
    database.executemany("UPDATE asked SET told = 1 WHERE kind = ? AND key = ?", questions)


class Unanswered(NamedTuple):
    """How many questions are open and not told of as overdue, and how many have a deadline."""

    open: int
    due: int


def unanswered(journal: Path) -> Unanswered:
    """Count the open questions in a journal, also while its adapter runs.

    Raises:
        EdgeError: there is no journal, or it cannot be read.
    """
    query = "SELECT COUNT(*), COUNT(due_at) FROM asked WHERE closed = 0 AND told = 0"
    with (
        databases.mapped(f"the journal {journal} cannot be read"),
        closing(databases.opened_to_read(journal)) as database,
    ):
        named = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'asked'"
        (is_there,) = database.execute(named).fetchone()
        return Unanswered(*database.execute(query).fetchone()) if is_there else Unanswered(0, 0)
