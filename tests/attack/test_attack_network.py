"""Someone on the network: who reaches the ports, and has no account."""

import socket
import time

import pytest

from tests.attack.conftest import Report
from tests.attack.logins import refused_logins
from tests.attack.results import NO_HANDSHAKE, Party
from tests.attack.victim import Victim

pytestmark = pytest.mark.attack

CONNECTIONS = 300
HANDSHAKE_SECONDS = 20.0
PROMPT_SECONDS = 10.0


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(HANDSHAKE_SECONDS)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_flood(victim: Victim, report: Report) -> None:
    """Hundreds of connections that say nothing, while a message passes."""
    where = (victim.where.name, victim.where.port)
    opened = [socket.create_connection(where) for _ in range(CONNECTIONS)]
    try:
        took = victim.passes()
        for connection in opened:
            assert is_closed(connection)
    finally:
        for connection in opened:
            connection.close()
    assert took < PROMPT_SECONDS
    report(
        Party.NETWORK,
        "flood of connections",
        f"{CONNECTIONS} connections to the broker that say nothing",
        refused=f"each is closed; a message takes {took:.1f} s meanwhile",
        recorded="no: RabbitMQ says nothing of handshakes that never begin",
        alerted=NO_HANDSHAKE,
    )


def test_guesses(victim: Victim, report: Report) -> None:
    rises = refused_logins(victim, "amqp")
    refused = victim.guess("union", "123456")
    report(
        Party.NETWORK,
        "guesses a password",
        "a certificate of its own, another system's name and a password",
        refused=refused,
        recorded=victim.broker_says("user 'union'", "invalid credentials"),
        alerted=rises(),
    )


def test_slow_metrics(victim: Victim, report: Report) -> None:
    """One byte a second at a hub's endpoint keeps nobody else from it."""
    port = victim.ports["hub"]
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(30)]
    try:
        for connection in slow:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        began = time.monotonic()
        deadline = began + 30
        while True:
            try:
                victim.metric("renkei_hub_connected")
                break
            except OSError:
                assert time.monotonic() < deadline
        took = time.monotonic() - began
        passed = victim.passes()
    finally:
        for connection in slow:
            connection.close()
    assert passed < PROMPT_SECONDS * 2
    report(
        Party.NETWORK,
        "slow requests",
        f"{len(slow)} half requests to an endpoint for metrics",
        refused=f"cut off; another answer after {took:.1f} s, a message after {passed:.1f} s",
        recorded="no",
        alerted="no",
    )
