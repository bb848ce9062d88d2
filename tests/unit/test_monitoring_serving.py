"""The endpoint's server: few threads, little time, and certificates off this machine."""

import datetime as dt
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from prometheus_client import CollectorRegistry

from hub.errors import SiteError
from hub.pki.names import Profile
from hub.pki.store import Store
from hub.tls import Identity, ServerContexts, client_context
from monitoring.endpoint import serve
from monitoring.serving import THREADS, EndpointServer

pytestmark = [pytest.mark.unit, pytest.mark.slow]

NOW = dt.datetime.now(dt.UTC)
HOST = "127.0.0.1"


@contextmanager
def served(
    context: Callable[[], ssl.SSLContext] | None = None, seconds: float = 10.0
) -> Iterator[int]:
    server = EndpointServer((HOST, 0), context, seconds)

    def app(_environ: object, start: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"good"]

    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(port: int, context: ssl.SSLContext | None = None) -> bytes:
    made = (
        http.client.HTTPConnection(HOST, port, timeout=5)
        if context is None
        else http.client.HTTPSConnection(HOST, port, timeout=5, context=context)
    )
    try:
        made.request("GET", "/metrics")
        return made.getresponse().read()
    finally:
        made.close()


def drips(connection: socket.socket) -> float:
    """Send byte after byte; give how many seconds it went until the server ended it."""
    began = time.monotonic()
    try:
        for byte in b"GET /metrics HTTP/1.1\r\nX-Long: " + b"a" * 200:
            connection.send(bytes([byte]))
            time.sleep(0.02)
    except OSError:
        return time.monotonic() - began
    return 1000.0


def test_who_sends_nothing_or_little_is_ended_and_others_are_answered_meanwhile() -> None:
    with served(seconds=0.3) as port, ExitStack() as held:
        began = time.monotonic()
        slow = [held.enter_context(socket.create_connection((HOST, port))) for _ in range(THREADS)]
        assert asked(port) == b"good"  # once the first of them were ended
        assert time.monotonic() - began >= 0.2
        one = slow[0]
        one.settimeout(5)
        assert one.recv(1) == b""
        dripping = held.enter_context(socket.create_connection((HOST, port)))
        dripping.settimeout(5)
        assert drips(dripping) < 3


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.of(tmp_path_factory.mktemp("pki"), "test")
    store.init(NOW)
    store.issue(Profile("hub", "hub", hosts=(HOST,)), NOW)
    for name in ("prometheus", "thief"):
        store.issue(Profile(name, name), NOW)
    return store


def test_off_this_machine_only_a_client_with_a_certificate_is_answered(pki: Store) -> None:
    contexts = ServerContexts(Identity(pki.folder, "hub"))
    with served(contexts.current) as port:
        scraper = client_context(Identity(pki.folder, "prometheus"))
        assert asked(port, scraper) == b"good"
        nobody = ssl.create_default_context(cafile=pki.folder / "trust/ca.pem")
        for context in (nobody, None):
            with pytest.raises((OSError, http.client.HTTPException)):
                asked(port, context)
        thief = client_context(Identity(pki.folder, "thief"))
        assert asked(port, thief) == b"good"
        (stolen,) = (one for one in pki.issued() if "thief" in one.subject.rfc4514_string())
        pki.revoke([stolen.serial_number], NOW)
        with pytest.raises((OSError, http.client.HTTPException)):
            asked(port, thief)
        assert asked(port, client_context(Identity(pki.folder, "prometheus"))) == b"good"


def test_an_endpoint_without_its_certificate_is_refused_at_start(pki: Store) -> None:
    missing = ServerContexts(Identity(pki.folder, "hub-9"))
    with pytest.raises(SiteError, match="renkei pki issue hub-9"):
        serve(CollectorRegistry(), 0, context=missing.current)
