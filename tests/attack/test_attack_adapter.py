"""A compromised adapter: somebody has all that the tax system's account at the broker may do."""

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPConnectionError, ConnectionClosedByBroker

from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.victim import ENTRIES, Victim

pytestmark = pytest.mark.attack

NO_METRIC = "no: RabbitMQ counts no refusals"
PROMPT_SECONDS = 10.0
TOO_MANY = 500


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
    node = victim.ground.node
    login = victim.ground.state.secret("tax").read_text().strip()
    status = http_status(node.management_url + "/api/queues", "tax", login)
    assert status == 401
    report(
        Party.ADAPTER,
        "the broker's management",
        "HTTP API with the adapter's account",
        refused=f"HTTP {status}",
        recorded=victim.broker_says("user 'tax'", "management"),
        alerted=NO_METRIC,
    )


def http_status(url: str, user: str, password: str) -> int:
    return httpx.get(url, auth=(user, password)).status_code


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


BODIES: dict[str, tuple[Callable[[Victim], bytes], str]] = {
    "oversized": (lambda _: b'{"a":"' + b"x" * 300_000 + b'"}', "too-large"),
    "deeply nested": (lambda _: b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "unreadable"),
    "no JSON": (lambda _: b"\xff\xfe\x00", "unreadable"),
    "control characters": (
        lambda victim: json_of(victim.event(staff="a\nb\x1b[2J")),
        "invalid",
    ),
    "unknown field": (
        lambda victim: json_of(victim.event({"injected": "x"})),
        "field-not-permitted",
    ),
}


def json_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


@pytest.mark.parametrize("kind", BODIES)
def test_body(victim: Victim, report: Report, kind: str) -> None:
    make, code = BODIES[kind]
    rises = victim.watch(ENTRIES, kind="refusal", code=code)
    body = make(victim)
    assert not victim.publish(body)
    alerted = rises()
    (newest, *_) = victim.found("--outcome", code, "--sender", "tax", "--limit", "1")
    report(
        Party.ADAPTER,
        f"body: {kind}",
        f"{len(body):,} bytes to its own exchange",
        refused=f"notice {code}",
        recorded=f"ledger: {newest['kind']} {newest['outcome']}",
        alerted=alerted,
    )


def test_body_of_megabytes(victim: Victim, report: Report) -> None:
    refused = victim.publish(bytes(3 << 20))
    assert refused.startswith(("broker: 406", "broker: 501", "broker: cut"))
    report(
        Party.ADAPTER,
        "body: three megabytes",
        "more than the broker takes from anybody",
        refused=refused,
        recorded=victim.broker_says("message size"),
        alerted=NO_METRIC,
    )


def test_slow_reader(victim: Victim, report: Report) -> None:
    """It takes its own copies and acknowledges nothing: all others have theirs."""
    with victim.channel() as channel:
        channel.basic_qos(prefetch_count=0)
        channel.basic_consume("out.tax", lambda *_: None)
        took = [victim.passes() for _ in range(3)]
    assert max(took) < PROMPT_SECONDS
    report(
        Party.ADAPTER,
        "slow reader",
        "consumes its own queue and acknowledges nothing",
        refused=f"no; others have theirs after {max(took):.1f} s",
        recorded="broker: its own queue grows, bounded",
        alerted="`renkei_waiting_messages` once it is full",
    )


def test_flood_of_connections(victim: Victim, report: Report) -> None:
    """An account has so many connections; another's are none of its business."""
    opened: list[pika.BlockingConnection] = []
    refused = ""
    try:
        while not refused and len(opened) < TOO_MANY:
            try:
                opened.append(pika.BlockingConnection(victim.parameters("tax")))
            except (AMQPConnectionError, ConnectionClosedByBroker) as closed:
                refused = str(closed)
        took = passing(victim, opened.pop())
    finally:
        for connection in opened:
            connection.close()
    assert "limit" in refused
    assert took < PROMPT_SECONDS
    report(
        Party.ADAPTER,
        "flood of connections",
        f"as many as it gets with its account: {len(opened) + 1}",
        refused=f"broker: 530 connection limit; a message takes {took:.1f} s meanwhile",
        recorded=victim.broker_says("connection refused for user 'tax'", "limit"),
        alerted=NO_METRIC,
    )


def passing(victim: Victim, spare: pika.BlockingConnection) -> float:
    """Say how long a message takes; the account has no connection more for it."""
    spare.close()
    return victim.passes()


def test_flood_of_messages(victim: Victim, report: Report) -> None:
    """Thousands of bad messages do not keep another's good one."""
    count, name = 2000, secrets.token_hex(4)
    rises = victim.watch(ENTRIES, kind="refusal", code="unreadable")
    with victim.channel() as channel:
        for number in range(count):
            channel.basic_publish("in.tax", "income.assessed", f"{name}{number}".encode())
    began = time.monotonic()
    took = victim.passes(60)
    report(
        Party.ADAPTER,
        "flood of messages",
        f"{count:,} that cannot be read",
        refused=f"each refused; a good one behind them takes {took:.1f} s",
        recorded="ledger: refusal unreadable, each",
        alerted=rises(),
    )
    assert time.monotonic() - began < 60
