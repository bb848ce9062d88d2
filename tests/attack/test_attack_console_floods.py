"""Too much for a console: connections, slow requests, large ones, pages of one session."""

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from monitoring.console.rights import Role
from monitoring.console.serve import CONNECTIONS, SECONDS, SOCKETS
from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.visitors import DENIED, TOO_MANY, Console, Visitor

pytestmark = pytest.mark.attack

SILENT, SLOW = 300, CONNECTIONS - 24
BURST = 40
HALF = (
    b"GET /login HTTP/1.1\r\nX: ",
    b"POST /login HTTP/1.1\r\nHost: %b\r\nContent-Length: 1000\r\n\r\naccount=",
)


def anew(console: Console, person: Visitor) -> Visitor:
    """Give the same person with a connection of now, which waits for a place like any other."""
    found = console.browser(person.address)
    found.cookie = person.cookie
    return found


def answered(person: Visitor) -> float:
    """Open a page as a person does, again and again; say how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * SECONDS:
        with suppress(httpx.TransportError):
            if person.get("/map").status_code == httpx.codes.OK:
                break
        time.sleep(0.1)  # as a person does
    return time.monotonic() - began


@contextmanager
def held(
    console: Console, number: int, context: ssl.SSLContext | None
) -> Iterator[list[socket.socket]]:
    """Hold so many connections, by TLS or without a word."""
    where = (console.settings.listen, console.settings.port)
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        for _ in range(number):
            one = stack.enter_context(socket.create_connection(where, timeout=2 * SECONDS))
            if context is not None:
                one = stack.enter_context(context.wrap_socket(one, server_hostname=where[0]))
            opened.append(one)
        yield opened


def is_ended(one: socket.socket) -> bool:
    """Wait until the other side ends a connection, or says that it does (408)."""
    one.settimeout(2 * SECONDS)
    try:
        return one.recv(4096)[:12] in {b"", b"HTTP/1.1 408"}
    except ConnectionError:
        return True


def test_floods(console: Console, report: Report) -> None:
    """Slow requests hold places, silent connections hold sockets; both are cut off."""
    person = console.be(Role.VIEWER)
    host = console.origin.partition("//")[2].encode()
    with held(console, SLOW, console.trusting) as slow:
        for place, one in enumerate(slow):
            half = HALF[place % len(HALF)]
            one.sendall(half % host if b"%b" in half else half)
        meanwhile = answered(anew(console, person))
        assert meanwhile < SECONDS / 2
        began = time.monotonic()
        with held(console, SILENT, None) as silent:
            after = answered(anew(console, person))
            assert after < 2 * SECONDS
            assert all(map(is_ended, (*slow, *silent)))
        ended = time.monotonic() - began
    report(
        Party.NETWORK,
        "console: slow requests",
        f"{len(slow)} half heads and half forms, by TLS",
        refused=f"cut off; another's page takes {meanwhile:.1f} s meanwhile",
        recorded="no",
        alerted="no",
    )
    report(
        Party.NETWORK,
        "console: flood of connections",
        f"{len(silent)} connections that say nothing, beside these",
        refused=f"no more than {SOCKETS} are held, and all ended after {ended:.0f} s; "
        f"another's page takes {after:.1f} s",
        recorded="no: nobody that could be named",
        alerted="no",
    )


def test_large_requests(console: Console, report: Report) -> None:
    anybody = console.browser()
    statuses = []
    for content, kind in (
        ("a=" + "x" * 70_000, "application/x-www-form-urlencoded"),
        ("&".join(f"a{n}=1" for n in range(60)), "application/x-www-form-urlencoded"),
        ("[" * 60_000, "application/json"),
    ):
        heads = {"Content-Type": kind, "Origin": console.origin, "Sec-Fetch-Site": "same-origin"}
        answer = anybody.ask("POST", "/login", content=content, headers=heads)
        statuses.append(answer.status_code)
    statuses.append(anybody.ask("GET", "/login", headers={"X-Much": "x" * 60_000}).status_code)
    statuses.append(anybody.get("/" + "9" * 5_000).status_code)
    assert statuses == [413, 400, 400, 431, 404]
    assert console.be(Role.VIEWER).is_in()
    report(
        Party.NETWORK,
        "console: large requests",
        "a form of 70 KB, of 60 fields, JSON, a head of 60 KB, an address of 5 KB",
        refused=f"HTTP {', '.join(map(str, statuses))}",
        recorded="no",
        alerted="no",
    )


def test_pages_without_end(console: Console, report: Report) -> None:
    """Who reads everything in a row, by a program, has to wait; others do not."""
    reader, other = console.person(Role.VIEWER), console.be(Role.VIEWER)
    reader.patient = False
    rises = console.victim.watch(DENIED, why="busy")
    with ThreadPoolExecutor(BURST) as at_once:
        asked = [at_once.submit(reader.get, "/map/figures") for _ in range(BURST)]
    statuses = [one.result().status_code for one in asked]
    assert statuses.count(TOO_MANY) >= BURST / 3
    assert other.is_in()
    report(
        Party.STAFF,
        "floods the console with pages",
        f"{BURST} at once, of one session",
        refused=f"HTTP 429 to {statuses.count(TOO_MANY)}; others are answered",
        recorded="no: the pages that were answered are",
        alerted=rises(),
    )
