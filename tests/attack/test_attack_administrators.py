"""A broker administrator: reads, forges, changes and deletes whatever lies in the queues."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.management import Management
from hub.names import outbound_queue
from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.victim import ENTRIES, Victim

pytestmark = pytest.mark.attack


@pytest.fixture(autouse=True)
def goes_on(victim: Victim) -> Iterator[None]:
    """Let whatever stands still go on after an attack."""
    yield
    let_go(victim)


RECEIVER = "premium-collection"
STOPPED_SECONDS = 60.0
TAKE_SECONDS = 10.0


def kept_back(victim: Victim) -> dict[str, Any]:
    """Let a receiver stand still and a message come, whose copy then stays in its queue."""
    victim.ground.strike(f"adapter-{RECEIVER}", signal.SIGSTOP, STOPPED_SECONDS)
    event = victim.event()
    assert not victim.publish(event)
    victim.recorded(str(event["id"]), "delivered")
    return event


def cut_off(victim: Victim, management: Management) -> None:
    """Close a receiver's connections: what it held lies in its queue again."""
    mine = victim.until(
        lambda: [one for one in management.get("connections") if one.get("user") == RECEIVER],
        "connection of the receiver",
    )
    for one in mine:
        management.delete("connections", one["name"])


def let_go(victim: Victim) -> None:
    victim.ground.strikes.thaw(all_of_them=True)


def test_admin_deletes(victim: Victim, report: Report) -> None:
    """What it throws away is missed by the receipts, and found by reconciling."""
    ground = victim.ground
    event = kept_back(victim)
    with ground.broker().management() as management:
        # The stopped consumer holds it: its connection goes first, as an administrator can do.
        cut_off(victim, management)
        management.delete("queues", ground.vhost, outbound_queue(RECEIVER), "contents")
    let_go(victim)
    out = ground.folder / "gap.txt"

    def gap() -> str:
        status, printed = ground.renkei(
            "ledger", "reconcile", "--day", "today", "--json", "--out", str(out)
        )
        out.unlink(missing_ok=True)
        return printed if status == 1 else ""

    said = victim.until(gap, "gap")
    out.with_name("gap.txt.gap.jsonl").unlink(missing_ok=True)
    assert str(event["id"]) in said
    acts = {one["outcome"] for one in victim.found("--outcome", "gap", "--limit", "1")}
    assert acts == {"gap"}
    report(
        Party.BROKER,
        "deletes copies",
        f"cuts off {RECEIVER} and empties its queue",
        refused="no: they are gone; the receipt is missing",
        recorded="ledger: operator-action gap names the message",
        alerted="`renkei ledger reconcile` exits with 1",
    )


def forged(victim: Victim, **changes: object) -> dict[str, Any]:
    event = {**victim.event(), "flow": "I2", "acceptedtime": "2026-04-01T12:00:00+09:00"}
    return {**event, **changes}


def as_administrator(victim: Victim, body: bytes, message_id: str) -> None:
    node = victim.ground.node
    refused = victim.publish(
        body, exchange="hub.out", key=RECEIVER, user=node.admin_user, message_id=message_id
    )
    assert not refused


def test_admin_forges(victim: Victim, report: Report) -> None:
    """A copy that the hub never sent: no seal of whole messages keeps it off; its receipt tells."""
    event = forged(victim)
    rises = victim.watch(ENTRIES, kind="refusal", code="receipt-unknown")
    as_administrator(victim, json.dumps(event).encode(), str(event["id"]))
    report(
        Party.BROKER,
        "forges a copy",
        f"publishes to {RECEIVER} what the hub never sent",
        refused="no: the receiver writes it; its receipt is refused",
        recorded="ledger: refusal receipt-unknown",
        alerted=rises(),
    )


def test_admin_forges_a_type_that_never_moves_there(victim: Victim, report: Report) -> None:
    """The receiver's own wall knows what no statute lets it get."""
    event = forged(victim, type="resident.changed", flow="I1", source="/systems/union")
    rises = victim.watch("renkei_adapter_messages_set_aside_total", system=RECEIVER)
    as_administrator(victim, json.dumps(event).encode(), str(event["id"]))
    report(
        Party.BROKER,
        "forges a copy that no statute permits",
        f"another sender and flow, to {RECEIVER}",
        refused="set aside by the receiver's wall",
        recorded="`set-aside`, with its code",
        alerted=rises(),
    )


@contextmanager
def taken_out(victim: Victim) -> Iterator[tuple[BlockingChannel, int, bytes]]:
    """Take the oldest copy of a receiver that was cut off; what is not acknowledged goes back."""
    ground = victim.ground
    with ground.broker().management() as management:
        cut_off(victim, management)
    with victim.channel(ground.node.admin_user) as channel:
        queue = outbound_queue(RECEIVER)
        for method, _, body in channel.consume(queue, inactivity_timeout=TAKE_SECONDS):
            assert method is not None
            yield channel, method.delivery_tag, body
            break
        channel.cancel()


def test_admin_replays(victim: Victim, report: Report) -> None:
    """An old copy once more: the receiver's journal knows it."""
    event = kept_back(victim)
    with taken_out(victim) as (channel, tag, body):
        channel.basic_nack(tag)
    assert json.loads(body)["id"] == event["id"]
    let_go(victim)
    victim.until(lambda: ("receipt", "delivered") in victim.outcomes(str(event["id"])), "receipt")
    rises = victim.watch("renkei_adapter_messages_repeated_total", system=RECEIVER)
    as_administrator(victim, body, str(event["id"]))
    report(
        Party.BROKER,
        "replays an old copy",
        "the same bytes to the same receiver again",
        refused="nothing is written twice",
        recorded="the adapter's journal knew it",
        alerted=rises(),
    )


def test_admin_changes(victim: Victim, report: Report) -> None:
    """A limit that the page states: a changed field is seen by nobody who does not compare."""
    event = kept_back(victim)
    with taken_out(victim) as (channel, tag, body):
        copy = json.loads(body)
        copy["data"]["total_income"] = 7
        as_administrator(victim, json.dumps(copy).encode(), str(event["id"]))
        channel.basic_ack(tag)
    let_go(victim)
    victim.until(lambda: ("receipt", "delivered") in victim.outcomes(str(event["id"])), "receipt")
    report(
        Party.BROKER,
        "changes a field of a copy",
        "takes a copy out and puts another in its place",
        refused="no: the receiver writes it",
        recorded="no: the ledger has the digest of what the hub sent",
        alerted="no",
    )
