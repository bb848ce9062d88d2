"""A compromised adapter that harms by what it sends, how much, and how slowly it takes."""

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pika
import pytest
from pika.exceptions import AMQPConnectionError, ConnectionClosedByBroker

from tests.attack.conftest import Report
from tests.attack.results import NO_LIMIT, NO_METRIC, Party
from tests.attack.victim import ENTRIES, Victim

pytestmark = pytest.mark.attack

PROMPT_SECONDS = 10.0
SPARE = 5
TOO_MANY = 500

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
        recorded="no: its own copies stay unreceipted",
        alerted="no: nobody else waits",
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
        took = passing(victim, opened)
    finally:
        for connection in opened:
            connection.close()
    assert "limit" in refused
    assert took < PROMPT_SECONDS
    report(
        Party.ADAPTER,
        "flood of connections",
        f"as many as it gets with its account: {len(opened) + SPARE}",
        refused=f"broker: 530 connection limit; a message takes {took:.1f} s meanwhile",
        recorded=victim.broker_says("connection refused for user 'tax'", "limit"),
        alerted=NO_LIMIT,
    )


def passing(victim: Victim, opened: list[pika.BlockingConnection]) -> float:
    """Say how long a message takes; the account has no connection more for it but by a few.

    Where one is closed, the broker may still count it when the next is opened.
    """
    for _ in range(SPARE):
        opened.pop().close()
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
