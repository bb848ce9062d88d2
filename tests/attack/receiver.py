"""A receiver that is kept from its queue, so that copies lie there."""

import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from hub.broker.management import Management
from hub.compose.ledger import open_ledger
from hub.desks.shelf import listed
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.names import outbound_queue
from tests.attack.victim import Victim

RECEIVER = "premium-collection"
CONNECTED = "renkei_adapter_connected"
STOPPED_SECONDS = 60.0


def kept_back(victim: Victim) -> dict[str, Any]:
    """Let a receiver stand still and a message come, whose copy then stays in its queue."""
    stop(victim)
    event = victim.event()
    assert not victim.publish(event)
    victim.recorded(str(event["id"]), "delivered")
    return event


def is_receipted(victim: Victim, message: str) -> bool:
    """Say whether this receiver has a message; others may have had it before."""
    found = victim.found("--message", message)
    return any(one["kind"] == "receipt" and one["receiver"] == RECEIVER for one in found)


def let_die(victim: Victim, events: Collection[Mapping[str, Any]]) -> list[int]:
    """Let the copies of messages die in the receiver's queue; give their dead letters."""
    ids = {str(event["id"]) for event in events}
    with dying(victim):
        for event in events:
            assert not victim.publish(event)
        return victim.until(
            lambda: found if len(found := _numbers(victim, ids)) == len(ids) else None,
            "dead letters",
        )


def _numbers(victim: Victim, ids: Collection[str]) -> list[int]:
    return [one.id for one in _all(victim) if one.key.id in ids]


def chosen_states(victim: Victim, numbers: Collection[int]) -> list[State]:
    """Say how it stands with dead letters."""
    return [one.state for one in _all(victim) if one.id in numbers]


def _all(victim: Victim) -> list[Shelved]:
    site, _ = victim.ground.checked()
    with closing(open_ledger(site)) as ledger:
        return listed(ledger, Wanted(Shelf.DEAD_LETTER, None), 1000)


def stop(victim: Victim) -> None:
    """Let a receiver that is linked stand still."""
    victim.until(lambda: victim.metric(CONNECTED, system=RECEIVER) == 1, "receiver that is linked")
    victim.ground.strike(f"adapter-{RECEIVER}", signal.SIGSTOP, STOPPED_SECONDS)


def cut_off(victim: Victim, management: Management) -> None:
    """Close a receiver's connections: what it held lies in its queue again."""
    mine = victim.until(
        lambda: [one for one in management.get("connections") if one.get("user") == RECEIVER],
        "connection of the receiver",
    )
    for one in mine:
        management.delete("connections", one["name"])


def let_go(victim: Victim) -> None:
    """Let whatever stands still go on."""
    victim.ground.strikes.thaw(all_of_them=True)


@contextmanager
def dying(victim: Victim) -> Iterator[None]:
    """Let each copy for a receiver die in its queue meanwhile."""
    ground, queue = victim.ground, outbound_queue(RECEIVER)
    short = {"pattern": f"^{queue}$", "definition": {"message-ttl": 1}, "apply-to": "queues"}
    stop(victim)
    with ground.broker().management() as management:
        cut_off(victim, management)
        management.put("operator-policies", ground.vhost, "short", body=short)
        try:
            yield
        finally:
            management.delete("operator-policies", ground.vhost, "short")
            let_go(victim)
