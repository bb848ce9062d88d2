"""A worker whose copies and originals die, and the desk that decides about the dead letters."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hub.desks.dead_letters import DeadLetters
from hub.desks.shelf import listed
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.rotated import open_keyed
from hub.message import AccessItems
from hub.names import DEAD_QUEUE, OUT_EXCHANGE, PARTITIONS_EXCHANGE, outbound_queue
from hub.pipeline.judge import Judge
from hub.ports import Death
from hub.statute.catalogue import Catalogue
from tests.confirmations_rig import drain
from tests.fakes import Stored
from tests.samples import NOW, SIGNER, judge, shipped
from tests.worker_rig import IN, OUT, Rig

CLERK = AccessItems("職員一", "後期高齢", "T-9", "受信側を修理した", "dead-letters replay")
OTHER_CLERK = CLERK._replace(staff="職員二", reason="")


def without(ref: str) -> Judge:
    """Give the judge of a catalogue that lacks a flow."""
    whole = shipped()
    kept = tuple(flow for flow in whole.flows if flow.ref != ref)
    return judge(Catalogue(whole.systems, kept, "without"))


@contextmanager
def letters(
    rig: Rig, judged_by: Judge | None = None, *, by_two: bool = False
) -> Iterator[DeadLetters]:
    by = judged_by or rig.judge
    ledger = open_keyed(rig.url, SIGNER, by.pseudonyms)
    two = [DeadLetters.name] if by_two else []
    try:
        yield DeadLetters(ledger, by, lambda: NOW + dt.timedelta(hours=1), two)
    finally:
        ledger.close()


def on_list(rig: Rig, state: State | None = State.OPEN) -> list[Shelved]:
    with letters(rig) as at:
        return listed(at.ledger, Wanted(Shelf.DEAD_LETTER, state), 10_000)


def numbers(rig: Rig, state: State | None = State.OPEN) -> list[int]:
    return [one.id for one in on_list(rig, state)]


def kill_copies(
    rig: Rig, receiver: str, reason: str = "rejected", second: int = 0, most: int = 1000
) -> int:
    """Take a receiver's copies out of its queue into the dead letters' queue; say how many."""
    queue = rig.broker.queue(OUT)
    dying = [stored for stored in queue if stored.routing_key == receiver][:most]
    for stored in dying:
        queue.remove(stored)
        kill(rig, stored, outbound_queue(receiver), OUT_EXCHANGE, reason, second)
    return len(dying)


def kill_originals(rig: Rig, reason: str = "delivery_limit", second: int = 0) -> None:
    """Take all that waits for the hub into the dead letters' queue."""
    queue = rig.broker.queue(IN)
    while queue:
        kill(rig, queue.popleft(), IN, PARTITIONS_EXCHANGE, reason, second)


def kill(  # noqa: PLR0913, PLR0917 - what a death is
    rig: Rig, stored: Stored, queue: str, exchange: str, reason: str, second: int = 0
) -> None:
    at = (NOW + dt.timedelta(seconds=second)).astimezone(dt.UTC)
    death = Death(queue, reason, exchange, 1, at, number=stored.number)
    dead = replace(stored, death=death, redelivered=False, times=0)
    rig.broker.queue(DEAD_QUEUE).append(dead)


def died(rig: Rig, receiver: str, reason: str = "rejected") -> list[int]:
    """Let the copies of a receiver die; give the numbers of all that is open then."""
    assert kill_copies(rig, receiver, reason)
    drain(rig)
    return numbers(rig)


def replay(rig: Rig, *which: int) -> None:
    with letters(rig) as at:
        for number in which:
            at.replay(number, CLERK)
