"""The management client against a small HTTP server of its own."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from pydantic import SecretStr

from hub.broker import management
from hub.broker.management import Management, first_answering
from hub.errors import BrokerError, BrokerUnavailable

pytestmark = [pytest.mark.unit, pytest.mark.slow]


class Handler(BaseHTTPRequestHandler):
    """Answers as it was told, and writes down what it was asked."""

    asked: ClassVar[list[tuple[str, str, bytes]]] = []
    answers: ClassVar[list[tuple[int, bytes]]] = []
    drop: ClassVar[int] = 0

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, body))
        if Handler.drop > 0:
            Handler.drop -= 1
            self.close_connection = True
            return
        status, answer = self.answers.pop(0) if self.answers else (200, b"[]")
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Management]:
    monkeypatch.setattr(Handler, "asked", [])
    monkeypatch.setattr(Handler, "answers", [])
    monkeypatch.setattr(Handler, "drop", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        with Management(address, "admin", SecretStr("hunter2")) as made:
            yield made
        server.shutdown()
        thread.join()


def test_names_are_escaped_and_bodies_sent(client: Management) -> None:
    client.put("queues", "/", "a b%/ü", body={"durable": True})
    method, path, body = Handler.asked[0]
    assert (method, path) == ("PUT", "/api/queues/%2F/a%20b%25%2F%C3%BC")
    assert json.loads(body) == {"durable": True}
    client.post("bindings", body={})
    client.delete("users", "x")
    assert client.get("users") == []
    assert [asked[0] for asked in Handler.asked] == ["PUT", "POST", "DELETE", "GET"]


def test_a_dropped_connection_is_tried_again(client: Management) -> None:
    Handler.drop = 2
    assert client.get("users") == []
    assert len(Handler.asked) == 3


def test_refusals_name_the_resource_and_the_reason(client: Management) -> None:
    reason = json.dumps({"error": "bad_request", "reason": "inequivalent arg"}).encode()
    Handler.answers[:] = [(400, reason), (401, b"{}"), (404, b"{}"), (500, b"<html>"), (404, b"")]
    with pytest.raises(BrokerError, match="PUT /api/queues/v: 400 inequivalent arg"):
        client.put("queues", "v", body={"password": "hunter2"})
    with pytest.raises(BrokerError, match="does not accept user 'admin'"):
        client.get("users")
    client.delete("users", "gone")
    with pytest.raises(BrokerError, match="500 <html>"):
        client.delete("users", "x")
    with pytest.raises(BrokerError, match="404"):
        client.get("users", "x")
    assert len(Handler.asked) == 5


def test_nobody_there_is_told_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "ATTEMPTS", 2)
    with (
        Management("http://127.0.0.1:1", "admin", SecretStr("hunter2")) as nobody,
        pytest.raises(BrokerUnavailable) as caught,
    ):
        nobody.get("users")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)
    assert "rabbitmq-plugins enable rabbitmq_management" in str(caught.value)


def test_of_several_nodes_the_first_that_answers_is_used(client: Management) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    password = SecretStr("hunter2")
    open_one = client._url
    assert first_answering([closed, open_one], "admin", password) == open_one
    assert first_answering([closed], "admin", password) == closed  # a single one is not asked
    with pytest.raises(
        BrokerUnavailable, match=r"does not answer .*nor does .*broker run"
    ) as caught:
        first_answering([closed, closed], "admin", password)
    assert "hunter2" not in str(caught.value)


def test_a_node_that_does_not_know_the_user_is_not_passed_over(client: Management) -> None:
    Handler.answers.append((401, b""))
    address = client._url
    with pytest.raises(BrokerError, match="does not accept"):
        first_answering([address, address], "admin", SecretStr("x"))
