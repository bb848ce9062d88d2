"""A worker that holds a resident's message with another number, and the desk that decides."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from hub.desks.confirmations import Desk, listed
from hub.ledger.beside import State
from hub.ledger.rotated import open_keyed
from hub.ledger.tables import asides, bindings
from hub.message import AccessItems
from hub.pipeline.judge import Judge
from tests.samples import NOW, SIGNER, event, resident
from tests.worker_rig import Rig

OTHER = "219876543216"
PREMIUM, UNION = "premium-collection", "union"
CLERK = AccessItems("確認係", "後期高齢", "T-9", "本人確認済み", "confirmations release")
HELD = {("I1", PREMIUM), ("M1b", UNION)}


@contextmanager
def desk(rig: Rig, judged_by: Judge | None = None) -> Iterator[Desk]:
    judge = judged_by or rig.judge
    ledger = open_keyed(rig.url, SIGNER, judge.pseudonyms)
    try:
        yield Desk(ledger, judge, lambda: NOW + dt.timedelta(hours=1))
    finally:
        ledger.close()


def changed(message_id: str, **data: object) -> dict[str, Any]:
    return event(resident(**data), id=message_id)


def drain(rig: Rig, *events: dict[str, Any]) -> None:
    rig.send(*events)
    assert rig.drain()


def held(rig: Rig) -> list[int]:
    """Bind the resident, and have a message with another number held; give its place."""
    drain(rig, changed("a1"), changed("a2", my_number=OTHER, note="別の番号"))
    return open_ones(rig)


def open_ones(rig: Rig, state: State = State.OPEN) -> list[int]:
    with desk(rig) as at:
        return [one.id for one in listed(at.ledger, state)]


def release(rig: Rig, number: int) -> None:
    with desk(rig) as at:
        at.release(number, CLERK)


def told(rig: Rig, message_id: str) -> list[tuple[str, str, str]]:
    """Give kind, receiver and code of each entry about a message, in order."""
    return [
        (r["kind"], r["receiver"], r["code"]) for r in rig.rows() if r["message_id"] == message_id
    ]


def ids(rig: Rig, receiver: str) -> list[str]:
    return [copy["id"] for copy in rig.copies(receiver)]


def row(rig: Rig, number: int) -> Any:  # noqa: ANN401 - a row
    with desk(rig) as at, at.ledger.engine.connect() as connection:
        return connection.execute(select(asides).where(asides.c.id == number)).one()


def bound(rig: Rig) -> dict[str, str]:
    with desk(rig) as at, at.ledger.engine.connect() as connection:
        return {one.resident: one.digest for one in connection.execute(select(bindings))}
