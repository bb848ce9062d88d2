"""The newest entries of a kind: when each flow last moved, when people last did something."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Engine

from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import Question, search


def newest_of_flows(engine: Engine, flows: Iterable[str]) -> dict[str, dt.datetime]:
    """Give when the newest message of each flow was accepted.

    A flow of which nothing is kept is left out. No search that a person makes: nobody looks at
    an entry, so none is recorded.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    found: dict[str, dt.datetime] = {}
    with ledger_errors("be read"), engine.connect() as connection:
        for flow in flows:
            newest = search(connection, Question(flow=flow, kind=Kind.ACCEPTANCE, limit=1))
            for one in newest.entries:
                found[flow] = one.at
    return found


def newest_act(engine: Engine, code: str) -> Recorded | None:
    """Give the newest entry about something that people, or a timer, did with the hub.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), engine.connect() as connection:
        question = Question(kind=Kind.OPERATOR_ACTION, outcome=code, limit=1)
        found = search(connection, question).entries
    return found[0] if found else None


def newest_change(engine: Engine) -> dt.datetime | None:
    """Give when a catalogue last came into force, or was refused; none where none did.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), engine.connect() as connection:
        found = search(connection, Question(kind=Kind.CATALOGUE_CHANGE, limit=1)).entries
    return found[0].at if found else None
