"""The console on a real port: TLS without client certificates, a renewed one, slow clients."""

import socket
import ssl
from contextlib import closing, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
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
APP = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
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


def test_a_port_that_others_have_is_said(port: int) -> None:
    with closing(socket.socket()) as other:
        other.bind((HERE, port))
        other.listen()
        with pytest.raises(SiteError, match=r"console\.port"), serving(APP, HERE, port, None):
            pass
