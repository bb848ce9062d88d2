"""A broker administrator: reads, forges, changes and deletes whatever lies in the queues."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pika.adapters.blocking_connection import BlockingChannel

from hub.names import outbound_queue
from hub.site import HUB_USER
from tests.attack.conftest import Report
from tests.attack.receiver import RECEIVER, cut_off, is_receipted, kept_back, let_go
from tests.attack.results import Party
from tests.attack.victim import ENTRIES, Victim

pytestmark = pytest.mark.attack


@pytest.fixture(autouse=True)
def goes_on(victim: Victim) -> Iterator[None]:
    """Let whatever stands still go on after an attack."""
    yield
    let_go(victim)


ASIDE = "renkei_adapter_messages_set_aside_total"
TAKE_SECONDS, TRIES = 3.0, 5


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
            "ledger", "reconcile", "--day", "all", "--json", "--out", str(out)
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


@contextmanager
def taken_out(victim: Victim, message_id: str) -> Iterator[tuple[BlockingChannel, int, bytes]]:
    """Take a copy of a receiver that was cut off; what is not acknowledged goes back."""
    node = victim.ground.node
    for _ in range(TRIES):  # the list of connections may be one of some seconds ago
        with victim.ground.broker().management() as management:
            cut_off(victim, management)
        with victim.channel(node.admin_user) as channel:
            found = copy_of(channel, message_id)
            if found is not None:
                yield channel, *found
                return
    pytest.fail("the copy is not in the queue")


def copy_of(channel: BlockingChannel, message_id: str) -> tuple[int, bytes] | None:
    queue = outbound_queue(RECEIVER)
    for method, _, body in channel.consume(queue, inactivity_timeout=TAKE_SECONDS):
        if method is None:
            return None
        if json.loads(body)["id"] == message_id:
            return method.delivery_tag, body
    return None


def forged(victim: Victim, **changes: object) -> dict[str, Any]:
    """Make a copy like one that the hub sent, which is read in the queue and left there."""
    event = kept_back(victim)
    with taken_out(victim, str(event["id"])) as (_, _, body):
        pass
    let_go(victim)
    return {**json.loads(body), "id": f"forged-{secrets.token_hex(8)}", **changes}


def as_administrator(victim: Victim, body: bytes, message_id: str, signed: str = "") -> None:
    """Publish a copy, in one's own name, or in another that one gives oneself the right to."""
    node = victim.ground.node
    if signed:
        password = node.admin_password.get_secret_value()
        rights = {"password": password, "tags": "administrator,impersonator"}
        with victim.ground.broker().management() as management:
            management.put("users", node.admin_user, body=rights)
    refused = victim.publish(
        body,
        exchange="hub.out",
        key=RECEIVER,
        user=node.admin_user,
        signed=signed,
        message_id=message_id,
    )
    assert not refused


def test_admin_forges_in_its_own_name(victim: Victim, report: Report) -> None:
    event = forged(victim)
    rises = victim.watch(ASIDE, system=RECEIVER, code="not-from-hub")
    as_administrator(victim, json.dumps(event).encode(), str(event["id"]))
    report(
        Party.BROKER,
        "forges a copy in its own name",
        f"publishes to {RECEIVER} what the hub never sent",
        refused="set aside: not-from-hub",
        recorded="`set-aside`, log",
        alerted=rises(),
    )


def test_admin_forges(victim: Victim, report: Report) -> None:
    """A copy that the hub never sent: no seal of whole messages keeps it off; its receipt tells."""
    event = forged(victim)
    rises = victim.watch(ENTRIES, kind="refusal", code="receipt-unknown")
    as_administrator(victim, json.dumps(event).encode(), str(event["id"]), HUB_USER)
    report(
        Party.BROKER,
        "forges a copy in the hub's name",
        f"the same, with the right to be anybody (`impersonator`), to {RECEIVER}",
        refused="no: the receiver writes it; its receipt is refused",
        recorded="ledger: refusal receipt-unknown",
        alerted=rises(),
    )


def test_admin_forges_a_type_that_never_moves_there(victim: Victim, report: Report) -> None:
    """The receiver's own wall knows what no statute lets it get."""
    event = forged(victim, type="resident.changed", flow="I1")
    rises = victim.watch(ASIDE, system=RECEIVER)
    as_administrator(victim, json.dumps(event).encode(), str(event["id"]), HUB_USER)
    report(
        Party.BROKER,
        "forges a copy that no statute permits",
        f"another type and flow, to {RECEIVER}",
        refused="set aside by the receiver's wall",
        recorded="`set-aside`, with its code",
        alerted=rises(),
    )


def test_admin_replays(victim: Victim, report: Report) -> None:
    """An old copy once more: the receiver's journal knows it."""
    event = kept_back(victim)
    with taken_out(victim, str(event["id"])) as (_, _, body):
        pass
    let_go(victim)
    victim.until(lambda: is_receipted(victim, str(event["id"])), "receipt")
    rises = victim.watch("renkei_adapter_messages_repeated_total", system=RECEIVER)
    as_administrator(victim, body, str(event["id"]), HUB_USER)
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
    with taken_out(victim, str(event["id"])) as (channel, tag, body):
        copy = json.loads(body)
        copy["data"]["total_income"] = 7
        as_administrator(victim, json.dumps(copy).encode(), str(event["id"]), HUB_USER)
        channel.basic_ack(tag)
    let_go(victim)
    victim.until(lambda: is_receipted(victim, str(event["id"])), "receipt")
    report(
        Party.BROKER,
        "changes a field of a copy",
        "takes a copy out and puts another in its place",
        refused="no: the receiver writes it",
        recorded="no: the ledger has the digest of what the hub sent",
        alerted="no",
    )
