"""The console on a real port: TLS without client certificates, a renewed one, slow clients."""

import socket
import ssl
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from hub.errors import SiteError
from hub.pki.names import CONSOLE
from hub.pki.rounds import issue_for
from hub.site import load_site
from hub.tls import ServerContexts, identity_of
from monitoring.console import serve
from monitoring.console.serve import serving
from tests.pki_rig import SITE, Pki, now

pytestmark = pytest.mark.unit

HERE = "127.0.0.1"
PIECE = b"x" * 65_536
APP = Starlette(
    routes=[
        Route("/", lambda _: PlainTextResponse("here")),
        Route("/large", lambda _: StreamingResponse(iter([PIECE] * 400))),
    ]
)
CONSOLE_TABLE = '\n[console]\nport = {port}\norigin = "https://console.test:8443"\n'


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as free:
        free.bind((HERE, 0))
        found: int = free.getsockname()[1]
        return found


def answer(port: int, context: ssl.SSLContext | None, name: str) -> tuple[bytes, bytes]:
    """Give what is answered, and the certificate that is shown."""
    with closing(socket.create_connection((HERE, port), timeout=10)) as plain:
        spoken = plain if context is None else context.wrap_socket(plain, server_hostname=name)
        spoken.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = b""
        while piece := spoken.recv(4096):
            text += piece
        shown = b"" if context is None else spoken.getpeercert(binary_form=True) or b""
        spoken.close()
    return text, shown


def test_a_browser_needs_no_certificate_and_sees_a_renewed_one(tmp_path: Path, port: int) -> None:
    pki = Pki(tmp_path, SITE + CONSOLE_TABLE.format(port=port)).made()
    identity = identity_of(load_site(pki.site_file), CONSOLE)
    assert identity is not None
    trusting = ssl.create_default_context(cafile=str(identity.ca))
    with serving(APP, HERE, port, ServerContexts(identity, browsers=True).current):
        first = answer(port, trusting, "console.test")
        assert first[0].endswith(b"here")
        assert answer(port, trusting, HERE)[1] == first[1]
        issue_for(pki.store, pki.site, [CONSOLE], now())
        second = answer(port, trusting, "console.test")
        assert second[1] != first[1]
        assert answer(port, trusting, HERE)[1] == second[1]


def test_who_sends_nothing_or_slowly_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "SECONDS", 0.1)
    with serving(APP, HERE, port, None):
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n"):
            with closing(socket.create_connection((HERE, port), timeout=10)) as slow:
                slow.sendall(begun)
                with suppress(ConnectionResetError):
                    assert slow.recv(100) == b""
        assert answer(port, None, "")[0].endswith(b"here")


def answered(port: int, context: ssl.SSLContext | None = None, name: str = "") -> bool:
    """Ask again and again, until there is a place."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with suppress(OSError):
            if answer(port, context, name)[0].endswith(b"here"):
                return True
    return False


def test_who_asks_and_does_not_take_the_answer_is_cut_off(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "SECONDS", 0.2)
    monkeypatch.setattr(serve, "CONNECTIONS", 2)
    with serving(APP, HERE, port, None), closing(socket.create_connection((HERE, port))) as slow:
        slow.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        assert b"503" in answer(port, None, "")[0]
        assert answered(port)


def test_who_begins_no_handshake_is_cut_off_and_takes_no_more_than_so_many_sockets(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "SECONDS", 0.5)
    monkeypatch.setattr(serve, "SOCKETS", 3)
    pki = Pki(tmp_path, SITE + CONSOLE_TABLE.format(port=port)).made()
    identity = identity_of(load_site(pki.site_file), CONSOLE)
    assert identity is not None
    trusting = ssl.create_default_context(cafile=str(identity.ca))
    with (
        serving(APP, HERE, port, ServerContexts(identity, browsers=True).current),
        ExitStack() as held,
    ):
        idle = [
            held.enter_context(closing(socket.create_connection((HERE, port), timeout=10)))
            for _ in range(4)
        ]
        with suppress(ConnectionResetError):
            assert idle[-1].recv(1) == b""
        idle[0].setblocking(False)  # noqa: FBT003 - has no name
        with pytest.raises(BlockingIOError):  # at once, and not when its time was over
            idle[0].recv(1)
        idle[0].settimeout(10)
        assert answered(port, trusting, "console.test")
        for one in idle[:3]:
            with suppress(ConnectionResetError):
                assert one.recv(1) == b""


def test_a_port_that_others_have_is_said(port: int) -> None:
    with closing(socket.socket()) as other:
        other.bind((HERE, port))
        other.listen()
        with pytest.raises(SiteError, match=r"console\.port"), serving(APP, HERE, port, None):
            pass
