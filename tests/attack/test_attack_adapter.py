"""A compromised adapter: somebody has all that the tax system's account at the broker may do."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from hub.tls import Identity, client_context
from tests.attack.conftest import Report
from tests.attack.logins import refused_logins
from tests.attack.results import NO_METRIC, Party
from tests.attack.victim import ENTRIES, Victim

pytestmark = pytest.mark.attack


def test_spoofed_sender(victim: Victim, report: Report) -> None:
    """Another's name: in user_id, which the broker compares; in source, which the hub does."""
    signed = victim.publish(victim.event(), signed="union")
    assert signed.startswith("broker: 406")
    log = victim.broker_says("user_id property set to 'union'", "authenticated user was 'tax'")
    rises = victim.watch(ENTRIES, kind="refusal", code="sender-mismatch")
    event = victim.event(source="/systems/union")
    assert not victim.publish(event)
    ledger = victim.recorded(str(event["id"]), "sender-mismatch")
    report(
        Party.ADAPTER,
        "spoofed sender",
        "another system's name in `user_id`, and in `source`",
        refused=f"{signed}; notice sender-mismatch",
        recorded=f"{log}; {ledger}",
        alerted=rises(),
    )


def test_unnamed_sender(victim: Victim, report: Report) -> None:
    rises = victim.watch(ENTRIES, kind="refusal", code="sender-unproven")
    event = victim.event()
    assert not victim.publish(event, signed=None)
    report(
        Party.ADAPTER,
        "sender that is not proven",
        "no `user_id` at all",
        refused="nothing moves",
        recorded=victim.recorded(str(event["id"]), "sender-unproven"),
        alerted=rises(),
    )


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_copies(victim: Victim, report: Report, header: str) -> None:
    """A copy that the broker itself would carry past the hub: it has nowhere to go."""
    event = victim.event()
    rises = victim.watch(ENTRIES, kind="refusal", code="copies-asked")
    refused = victim.publish(event, headers={header: ["union", "out.union"]})
    assert not refused
    if header == "CC":
        recorded, alerted = victim.recorded(str(event["id"]), "copies-asked"), rises()
    else:  # the broker takes it off before anybody sees it
        victim.recorded(str(event["id"]), "delivered")
        recorded, alerted = "ledger: one delivery for each receiver of the table", "no"
    outcomes = [one["receiver"] for one in victim.found("--message", str(event["id"]))]
    assert header == "BCC" or "union" not in outcomes
    report(
        Party.ADAPTER,
        f"copies by {header}",
        f"header `{header}` names another's queue",
        refused="no copy arrives there",
        recorded=recorded,
        alerted=alerted,
    )


@pytest.mark.parametrize(
    ("exchange", "key"),
    [("", "out.union"), ("hub.out", "union"), ("in.union", "benefit.decided"), ("hub.buckets", "")],
)
def test_direct_publish(victim: Victim, report: Report, exchange: str, key: str) -> None:
    refused = victim.publish(victim.event(), exchange=exchange, key=key)
    assert refused.startswith("broker: 403")
    name = exchange or "amq.default"
    report(
        Party.ADAPTER,
        f"direct publish through {name}",
        f"past the hub, by `{name}` to `{key}`",
        refused=refused,
        recorded=victim.broker_says("access_refused", f"exchange '{name}'", "user 'tax'"),
        alerted=NO_METRIC,
    )


def test_foreign_type(victim: Victim, report: Report) -> None:
    refused = victim.publish(victim.event(), key="resident.changed")
    assert refused.startswith("broker: 403")
    rises = victim.watch(ENTRIES, kind="refusal", code="type-mismatch")
    event = victim.event(type="resident.changed")
    assert not victim.publish(event)
    report(
        Party.ADAPTER,
        "type that no statute lets it send",
        "another type as routing key, and in `type` alone",
        refused=f"{refused}; notice type-mismatch",
        recorded=victim.recorded(str(event["id"]), "type-mismatch"),
        alerted=rises(),
    )


ACTS: dict[str, Callable[[BlockingChannel], Any]] = {
    "read": lambda channel: channel.basic_consume("out.union", print),
    "get": lambda channel: channel.basic_get("out.union"),
    "purge": lambda channel: channel.queue_purge("out.union"),
    "delete": lambda channel: channel.queue_delete("out.union"),
    "bind": lambda channel: channel.queue_bind("out.tax", "hub.out", "union"),
    "declare": lambda channel: channel.queue_declare("mine", durable=True),
    "read the dead letters": lambda channel: channel.basic_consume("hub.dead-letters", print),
}


@pytest.mark.parametrize("act", ACTS)
def test_foreign_queue(victim: Victim, report: Report, act: str) -> None:
    refused = victim.refusal(ACTS[act])
    assert refused.startswith("broker: 403")
    report(
        Party.ADAPTER,
        f"{act}: another's queue",
        "by AMQP, with the adapter's own account",
        refused=refused,
        recorded=victim.broker_says("access_refused", "user 'tax'"),
        alerted=NO_METRIC,
    )


def test_management(victim: Victim, report: Report) -> None:
    """The broker's own interface takes nobody who is no administrator."""
    secure = victim.ground.node.secure
    assert secure is not None
    context = client_context(Identity(victim.pki, "tax"))
    rises = refused_logins(victim, "http")
    with httpx.Client(verify=context, auth=("tax", "tax")) as client:
        status = client.get(f"https://{secure.management}/api/queues").status_code
    assert status == 401
    report(
        Party.ADAPTER,
        "the broker's management",
        "HTTP API with the adapter's certificate and name",
        refused=f"HTTP {status}",
        recorded=victim.broker_says("HTTP access denied", "'tax'"),
        alerted=rises(),
    )


def test_replayed(victim: Victim, report: Report) -> None:
    """The same message again moves nothing; its id with another content is refused."""
    event = victim.event()
    assert not victim.publish(event)
    victim.recorded(str(event["id"]), "delivered")
    victim.until(lambda: ("receipt", "delivered") in victim.outcomes(str(event["id"])), "receipt")
    before = len(victim.found("--message", str(event["id"])))
    assert not victim.publish(event)
    victim.passes()
    assert len(victim.found("--message", str(event["id"]))) == before
    rises = victim.watch(ENTRIES, kind="refusal", code="id-reused")
    other = {**event, "data": {**event["data"], "total_income": 1}}
    assert not victim.publish(other)
    report(
        Party.ADAPTER,
        "replayed old message",
        "the same bytes again; the same id with another content",
        refused="nothing moves; notice id-reused",
        recorded=victim.recorded(str(event["id"]), "id-reused"),
        alerted=rises(),
    )


def test_follows_what_it_never_got(victim: Victim, report: Report) -> None:
    rises = victim.watch(ENTRIES, kind="refusal", code="not-asked")
    event = victim.event(follows="union/never")
    assert not victim.publish(event)
    report(
        Party.ADAPTER,
        "answer to what was not asked",
        "`follows` names a message that it never got",
        refused="notice not-asked",
        recorded=victim.recorded(str(event["id"]), "not-asked"),
        alerted=rises(),
    )


def test_receipt_for_anothers_copy(victim: Victim, report: Report) -> None:
    event = victim.event(
        {"receipts": [{"sender": "tax", "id": "x", "flow": "I2", "result": "delivered"}]},
        type="hub.receipt",
    )
    refused = victim.publish(event, key="hub.receipt")
    assert refused.startswith("broker: 403")
    report(
        Party.ADAPTER,
        "receipt for another's copy",
        "a receipt from a system that receives nothing",
        refused=refused,
        recorded=victim.broker_says("access_refused", "topic 'hub.receipt'"),
        alerted=NO_METRIC,
    )
