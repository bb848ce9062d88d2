"""Calls over HTTP: what is tried again and what is not, how much, how long, and what errors say."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.breaker import Breaker, BreakerLimits, BreakerState
from hub.edge.http.call_faults import Passing, mapped
from hub.edge.http.calls import Answer, Call, Caller, CallError, Declined, Unavailable
from hub.edge.http.trust import Trust
from hub.errors import EdgeError

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ResultT = TypeVar("ResultT")
SECRET = "123456789018"  # noqa: S105 - what no error may say
ASK = Call("ask", "POST", "things", content=SECRET.encode(), query={"who": SECRET})


@dataclass
class Script:
    """What a server answers, one after the other, and what it was asked; the last one stays."""

    answers: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    asked: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""


def says(
    status: int, body: bytes = b"", length: int | None = None, **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = length is not None

    return answer


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b".")
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(autouse=True)
def server(script: Script) -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            script.asked.append((self.command, self.path, body, dict(self.headers)))
            answers = script.answers
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)

        do_GET = do_POST = _any  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}/base"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Waits(list[float]):
    """Notes how long it was to be waited for, and does not wait."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


def made(  # noqa: PLR0913 - what a caller is given
    url: str,
    work: Callable[[Caller], Awaitable[ResultT]],
    *,
    seconds: float = 5.0,
    waits: Waits | None = None,
    breaker: Breaker | None = None,
    trust: Trust | None = None,
) -> ResultT:
    async def run() -> ResultT:
        async with Caller(
            url,
            timeout_seconds=seconds,
            breaker=breaker or Breaker(),
            trust=trust,
            sleep=waits if waits is not None else Waits(),
        ) as caller:
            return await work(caller)

    return asyncio.run(run())


def asks(caller: Caller) -> Awaitable[Answer]:
    return caller.call(ASK)


@pytest.mark.parametrize("passing", [says(503), says(500), says(429), hangs_up, says(200, b"a", 9)])
def test_what_may_pass_is_tried_again(
    script: Script, passing: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    script.answers = [passing, passing, says(200, b"good")]
    waits = Waits()
    assert made(script.url, asks, waits=waits).content == b"good"
    assert [(method, body) for method, _, body, _ in script.asked] == [
        ("POST", SECRET.encode())
    ] * 3
    assert len(waits) == 2
    assert 0.2 <= waits[0] < waits[1]


def test_it_is_tried_four_times_at_the_most(script: Script) -> None:
    script.answers = [says(503, b"who: " + SECRET.encode())]
    with pytest.raises(Unavailable) as caught:
        made(script.url, asks)
    assert len(script.asked) == 4
    assert str(caught.value) == "cannot ask: the server answered 503 (tried 4 times)"


def test_the_wait_that_a_server_asks_for_is_kept_within_a_limit(script: Script) -> None:
    script.answers = [says(429, Retry_After="3"), says(503, Retry_After="9999"), says(200)]
    waits = Waits()
    made(script.url, asks, waits=waits)
    assert waits == [3.0, 5.0]


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 409])
def test_any_other_status_fails_at_once(script: Script, status: int) -> None:
    script.answers = [says(status, SECRET.encode(), Location="/elsewhere")]
    with pytest.raises(Declined) as caught:
        made(script.url, asks)
    assert caught.value.status == status
    assert len(script.asked) == 1
    assert SECRET not in str(caught.value)


def test_a_status_that_is_an_answer_is_given_back(script: Script) -> None:
    script.answers = [says(409, b"known")]
    call = Call("ask", "GET", "things/ä b:c", accept=frozenset({200, 409}))
    answer = made(script.url, lambda caller: caller.call(call))
    assert answer[:2] == (409, b"known")
    assert script.asked[0][1] == "/base/things/%C3%A4%20b%3Ac"


@pytest.mark.parametrize("path", ["", "../up", "a//b", "a/./b", "/root"])
def test_a_path_stays_below_the_base(script: Script, path: str) -> None:
    with pytest.raises(CallError, match="path"):
        made(script.url, lambda caller: caller.call(Call("ask", "GET", path)))


def test_an_answer_that_is_too_large_or_compressed_is_not_taken(script: Script) -> None:
    script.answers = [says(200, b"x" * 101), says(200, b"x", Content_Encoding="gzip")]
    call = Call("ask", "GET", "things", most_bytes=100)
    for reason in ("over 100 bytes", "compressed"):
        with pytest.raises(CallError, match=reason):
            made(script.url, lambda caller: caller.call(call))
    assert len(script.asked) == 2


def test_a_try_that_drips_is_ended_in_time(script: Script) -> None:
    script.answers = [drips]
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="no answer in time"):
        made(script.url, asks, seconds=0.2)
    assert time.monotonic() - begun < 2.0


def test_nobody_there_is_told_and_opens_the_breaker() -> None:
    breaker = Breaker(BreakerLimits(failures=6, first_seconds=50), chance=lambda: 0.0)

    async def twice(caller: Caller) -> list[str]:
        told = []
        for _ in range(3):
            with pytest.raises(Unavailable) as caught:
                await caller.call(ASK)
            told.append(str(caught.value))
        return told

    told = made("http://127.0.0.1:9/", twice, breaker=breaker)
    assert told == [
        "cannot ask: the server cannot be reached (tried 4 times)",
        "cannot ask: not tried for another 50 s",
        "cannot ask: not tried for another 50 s",
    ]
    assert breaker.state is BreakerState.OPEN


def test_a_server_that_declines_is_well(script: Script) -> None:
    script.answers = [says(503), says(404)]
    breaker = Breaker(BreakerLimits(failures=2))
    for _ in range(3):
        with pytest.raises(Declined):
            made(script.url, asks, breaker=breaker)
    assert breaker.state is BreakerState.CLOSED


def test_neither_the_environments_proxy_nor_the_log_sees_a_call(
    script: Script, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    script.answers = [says(200)]
    with caplog.at_level("INFO"):
        made(script.url, asks)
    assert SECRET not in caplog.text
    assert SECRET not in repr(ASK)


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine that nobody else has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "renkei test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


def test_a_certificate_is_trusted_only_where_the_site_says_so(
    script: Script, server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    cert_file, key_file = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    script.answers = [says(200, b"good")]
    url = script.url.replace("http:", "https:")
    waits = Waits()
    with pytest.raises(CallError, match="certificate is not trusted"):
        made(url, asks, waits=waits)
    assert not waits
    assert made(url, asks, trust=Trust(cert_file)).content == b"good"
    with pytest.raises(EdgeError, match="cannot be used"):
        made(url, asks, trust=Trust(tmp_path / "absent.pem"))


def test_a_client_shows_its_certificate_where_it_has_one_and_a_newer_one_from_the_next_call_on(
    script: Script, server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    cert_file, key_file = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cert_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    script.answers = [says(200, b"good")]
    url = script.url.replace("http:", "https:")
    with pytest.raises(CallError):  # the alert, or the end of the connection that overtook it
        made(url, asks, trust=Trust(cert_file))
    mine, key = tmp_path / "mine.pem", tmp_path / "mine.key"
    mine.write_bytes(cert_file.read_bytes())
    key.touch(mode=0o600)
    key.write_bytes(key_file.read_bytes())

    async def work(caller: Caller) -> None:
        assert (await caller.call(ASK)).content == b"good"
        other = tmp_path / "other"
        other.mkdir()
        for new, used in zip(own_certificate(other), (mine, key), strict=True):
            new.chmod(0o600)
            new.replace(used)
        with pytest.raises(CallError):
            await caller.call(ASK)
        key.chmod(0o640)
        with pytest.raises(CallError, match="key"):
            await caller.call(ASK)

    made(url, work, trust=Trust(cert_file, mine, key))


def test_a_certificate_that_is_refused_is_said_and_not_tried_again() -> None:
    alert = "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"
    with pytest.raises(CallError, match="does not take this client's certificate"), mapped("ask"):
        raise ssl.SSLError(1, alert)
    with pytest.raises(Passing), mapped("ask"):
        raise ssl.SSLError(1, "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred")


def test_a_file_is_fetched_whole_or_not_at_all(script: Script, tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    call = Call("fetch", "GET", "file", most_bytes=1 << 20)
    path = tmp_path / "file.zip"
    script.answers = [says(200, content[:9], 99), says(200, content)]
    fetched = made(script.url, lambda caller: caller.fetch(call, path))
    assert path.read_bytes() == content
    assert fetched.size == len(content)
    script.answers = [says(200, content[:9], 99)]
    with pytest.raises(Unavailable):
        made(script.url, lambda caller: caller.fetch(call, tmp_path / "other.zip"))
    script.answers = [says(200, content)]
    small = Call("fetch", "GET", "file", most_bytes=10)
    with pytest.raises(CallError):
        made(script.url, lambda caller: caller.fetch(small, tmp_path / "other.zip"))
    assert [one.name for one in tmp_path.iterdir()] == ["file.zip"]
