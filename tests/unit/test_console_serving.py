"""The console on a real port: TLS, browsers with certificates and without, slow clients."""

import socket
import ssl
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from hub.compose.console import contexts_of
from hub.errors import SiteError
from hub.pki.files import read_certificates
from hub.pki.names import CONSOLE, browser_process
from hub.pki.rounds import issue_for
from hub.site import load_site
from hub.tls import ServerContexts, identity_of
from monitoring.console import serve
from monitoring.console.serve import serving
from tests.pki_rig import SITE, Pki, now

pytestmark = [pytest.mark.unit, pytest.mark.slow]

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
    with ExitStack() as open_ones:
        spoken = open_ones.enter_context(socket.create_connection((HERE, port), timeout=10))
        shown = b""
        if context is not None:
            secure = context.wrap_socket(spoken, server_hostname=name)
            spoken = open_ones.enter_context(secure)
            shown = secure.getpeercert(binary_form=True) or b""
        spoken.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = b""
        while piece := spoken.recv(4096):
            text += piece
    return text, shown


def is_refused(port: int, context: ssl.SSLContext) -> bool:
    """Say whether nothing is answered: by TLS 1.3 a client hears of it after the handshake."""
    try:
        return answer(port, context, "console.test")[0] == b""
    except OSError:
        return True


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


def test_where_browsers_have_certificates_nobody_without_is_answered(
    tmp_path: Path, port: int
) -> None:
    table = CONSOLE_TABLE.format(port=port) + 'browsers = ["pc-1"]\n'
    pki = Pki(tmp_path, SITE + table).made()
    site = load_site(pki.site_file)
    identity = identity_of(site, CONSOLE)
    assert identity is not None
    assert site.console is not None
    without = ssl.create_default_context(cafile=str(identity.ca))
    own = pki.pki / browser_process("pc-1")
    known = ssl.create_default_context(cafile=str(identity.ca))
    known.load_cert_chain(own / "tls.pem", own / "tls.key")
    with serving(APP, HERE, port, contexts_of(site.console, identity).current):
        assert answer(port, known, "console.test")[0].endswith(b"here")
        assert is_refused(port, without)
        (certificate,) = read_certificates(own / "tls.pem")
        pki.store.revoke([certificate.serial_number], now())
        assert is_refused(port, known)


def test_who_sends_nothing_or_slowly_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "SECONDS", 0.1)
    with serving(APP, HERE, port, None):
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n"):
            with closing(socket.create_connection((HERE, port), timeout=10)) as slow:
                slow.sendall(begun)
                with suppress(ConnectionResetError):
                    assert slow.recv(100) == b""
        assert answered(port)


def status_of(port: int, request: bytes) -> bytes:
    with closing(socket.create_connection((HERE, port), timeout=10)) as client:
        client.sendall(request)
        return client.recv(4096).split(b" ")[1]


def test_a_head_that_is_too_large_before_its_end_is_said_to_be_so(port: int) -> None:
    begun = b"GET / HTTP/1.1\r\nHost: x\r\nX-Much: "
    with serving(APP, HERE, port, None):
        assert status_of(port, begun + b"x" * (serve.HEAD_BYTES + 1)) == b"431"
        assert status_of(port, begun + b"x\r\n\r\n") == b"200"
        assert status_of(port, b"no request\r\n\r\n") == b"400"


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
    monkeypatch.setattr(serve, "SECONDS", 1.0)
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
