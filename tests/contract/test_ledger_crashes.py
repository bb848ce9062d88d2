"""An append that breaks off at any of its statements leaves nothing, and the next one goes on."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, event

from hub.ledger.model import Entry, Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.message import AccessItems, MessageKey
from tests.samples import NOW, SIGNER, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract


class Killed(BaseException):
    """The process ends here; nothing of it may catch this."""


@contextmanager
def killed_at(engine: Engine, step: int) -> Iterator[list[str]]:
    """Break off before the statement with this number, from 0, or before the commit."""
    done: list[str] = []

    def count(connection: Connection, what: str) -> None:
        if len(done) == step:
            # What the end of a process does to its connections.
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.close()
            raise Killed
        done.append(what)

    def before(connection: Connection, _k: object, statement: str, *_: object) -> None:
        count(connection, statement)

    def committing(connection: Connection) -> None:
        count(connection, "COMMIT")

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "commit", committing)
    try:
        yield done
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "commit", committing)


def new_things(number: int) -> list[Entry]:
    """Give entries that need new terms, access items, cases, messages, a new month and tiles."""
    later = replace(entry(number), at=NOW.replace(month=5 + number))
    access = AccessItems(f"職員{number}")
    return [
        replace(later, message=named(later, f"n{number}-{n}"), basis=f"{number}", access=access)
        for n in range(300)
    ] + [replace(later, kind=Kind.DELIVERY)]


def named(one: Entry, message_id: str) -> MessageKey:
    return one.message._replace(id=message_id)


def breaks_off(ledger: DatabaseLedger, new: list[Entry], step: int) -> bool:
    """Append, break off at a step; false when there was no such step, and all is appended."""
    was_killed = False
    with killed_at(ledger.engine, step):
        try:
            ledger.append(new)
        except Killed:
            was_killed = True
    # The exception, whose frames hold the connection, is gone by now.
    dropped()
    return was_killed


def dropped() -> None:
    """Let go of the connection that was cut off now, and not in the middle of another test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.parametrize("begins_anew", [False, True])
def test_an_append_that_breaks_off_at_any_step_leaves_nothing(
    url: str,
    begins_anew: bool,  # noqa: FBT001 - a parameter
) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(260)])
        step = 0
        while True:
            one = DatabaseLedger(url, SIGNER) if begins_anew else ledger
            was_broken = breaks_off(one, new_things(1), step)
            if begins_anew:
                one.close()
            if not was_broken:
                break
            assert ledger.size() == 260
            step += 1
        assert step > 10
        found = verify(ledger.engine, SIGNER.verifier)
        assert (found.fault, found.size) == ("", 561)
        ledger.append(new_things(2))
        found = verify(ledger.engine, SIGNER.verifier)
        assert (found.fault, found.size) == ("", 862)


def test_a_checkpoint_that_breaks_off_at_any_step_is_not_there(url: str) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(10)])
        for step in range(4):
            with killed_at(ledger.engine, step), pytest.raises(Killed):
                ledger.checkpoint()
            dropped()
        assert verify(ledger.engine, SIGNER.verifier, quick=True).checkpoints == 0
        assert ledger.checkpoint() == ledger.checkpoint()
        assert verify(ledger.engine, SIGNER.verifier, quick=True).checkpoints == 1
