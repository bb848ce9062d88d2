"""The server of the simulators: says what it is told to, and misbehaves on request."""

import datetime as dt
import http.client
import ssl
import time
from pathlib import Path

import pytest

from adapters.simulation.serving import Asked, Manners, Reply, Serving
from hub.pki.names import Profile
from hub.pki.store import Store
from hub.tls import Identity, ServerContexts, client_context

pytestmark = pytest.mark.unit


def echo(asked: Asked) -> Reply:
    said = f"{asked.method} {asked.path} {dict(asked.query)} ".encode() + asked.content
    return Reply(200, said, "text/plain", {"X-Token": asked.headers.get("authorization", "")})


def ask(serving: Serving, path: str = "/a", body: bytes = b"") -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(serving.url.removeprefix("http://"), timeout=5)
    try:
        connection.request("POST", path, body, {"Authorization": "Bearer x"})
        response = connection.getresponse()
        return response.status, response.read(), response.headers.get("X-Token", "")
    finally:
        connection.close()


def test_it_replies_what_it_is_told_to() -> None:
    with Serving(echo) as serving:
        assert ask(serving, "/a/%E6%96%B0?b=1&c=", "本文".encode()) == (
            200,
            "POST a/新 {'b': '1', 'c': ''} 本文".encode(),
            "Bearer x",
        )


def test_stopped_it_refuses_connections_and_starts_again_on_its_port() -> None:
    serving = Serving(echo).start()
    try:
        assert ask(serving)[0] == 200
        serving.stop()
        with pytest.raises(ConnectionRefusedError):
            ask(serving)
        serving.start()
        assert ask(serving)[0] == 200
    finally:
        serving.stop()
        serving.stop()


def test_it_ends_at_once_with_connections_open_and_a_slow_reply() -> None:
    serving = Serving(echo, manners=Manners(slow_seconds=30)).start()
    idle = http.client.HTTPConnection(serving.url.removeprefix("http://"), timeout=5)
    idle.connect()
    slow = http.client.HTTPConnection(serving.url.removeprefix("http://"), timeout=5)
    slow.request("GET", "/")
    begun = time.monotonic()
    serving.stop()
    assert time.monotonic() - begun < 1.0
    idle.close()
    slow.close()


def test_down_slow_truncated_and_wrongly_encoded() -> None:
    with Serving(echo) as serving:
        manners = serving.manners
        manners.down = True
        assert ask(serving)[0] == 503
        manners.down = False
        manners.truncated = 1
        with pytest.raises(http.client.IncompleteRead):
            ask(serving)
        manners.wrongly_encoded = 1
        assert ask(serving, body="本文".encode())[1].endswith("本文".encode("cp932"))
        manners.slow_seconds = 0.1
        begun = time.monotonic()
        assert ask(serving)[0] == 200
        assert time.monotonic() - begun >= 0.1


def test_a_request_that_is_too_large_is_refused() -> None:
    with Serving(echo) as serving:
        connection = http.client.HTTPConnection(serving.url.removeprefix("http://"), timeout=5)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


def test_with_tls_it_speaks_to_clients_with_a_certificate_and_ends_all_the_same(
    tmp_path: Path,
) -> None:
    now = dt.datetime.now(dt.UTC)
    store = Store.of(tmp_path, "test")
    store.init(now)
    store.issue(Profile("interface", "interface", client=False, hosts=("127.0.0.1",)), now)
    store.issue(Profile("courier", "courier"), now)
    contexts = ServerContexts(Identity(tmp_path, "interface"))
    with Serving(echo, context=contexts.current) as serving:
        assert serving.url.startswith("https:")
        where = serving.url.removeprefix("https://")
        with_one = client_context(Identity(tmp_path, "courier"))
        good = http.client.HTTPSConnection(where, timeout=5, context=with_one)
        good.request("GET", "/a")
        assert good.getresponse().read() == b"GET a {} "
        nobody = ssl.create_default_context(cafile=tmp_path / "trust/ca.pem")
        refused = http.client.HTTPSConnection(where, timeout=5, context=nobody)
        refused.connect()
        with pytest.raises((OSError, http.client.HTTPException)):
            refused.request("GET", "/a") or refused.getresponse()
        refused.close()
        serving.stop()
        assert good.sock.recv(1) == b""
        good.close()
