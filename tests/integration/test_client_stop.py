"""A system that uses the client kit stops soon, also while the broker says nothing."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from hub.client import HubClient
from hub.errors import BrokerError
from tests.client_rig import QUICK, SOON, change, client_of
from tests.conftest import Vhost
from tests.proxy import Proxy, Trouble

pytestmark = pytest.mark.integration

SYSTEM = "resident-registry"


@pytest.fixture
def ready(vhost: Vhost) -> Vhost:
    vhost.apply([SYSTEM])
    return vhost


@contextlib.contextmanager
def in_a_thread(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Do it beside, whatever it ends with."""

    def quietly() -> None:
        with contextlib.suppress(BrokerError):
            work()

    thread = threading.Thread(target=quietly)
    thread.start()
    yield thread
    thread.join(60)
    assert not thread.is_alive()


def seconds_to_end(thread: threading.Thread) -> float:
    began = time.monotonic()
    thread.join(60)
    return time.monotonic() - began


def test_receiving_ends_soon_though_the_broker_has_fallen_silent(ready: Vhost) -> None:
    stop = threading.Event()
    with (
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SYSTEM, port=proxy.port) as client,
        in_a_thread(lambda: client.receive(print, stopping=stop.is_set)) as receiving,
    ):
        while not proxy.connections:
            time.sleep(0.02)  # the proxy tells nobody
        time.sleep(0.5)
        proxy.make(Trouble.SWALLOWED)
        stop.set()
        assert seconds_to_end(receiving) < SOON


def test_publishing_ends_soon_though_the_broker_has_fallen_silent(ready: Vhost) -> None:
    with (
        Proxy(ready.broker.host, ready.broker.port) as proxy,
        client_of(ready, SYSTEM, port=proxy.port) as client,
    ):
        client.publish("resident.changed", change(), message_id="a")
        proxy.make(Trouble.SWALLOWED)
        publishing = partial(client.publish, "resident.changed", change(), message_id="b")
        with in_a_thread(publishing) as thread:
            time.sleep(0.3)
            client.close()
            assert seconds_to_end(thread) < SOON


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_broker_that_never_says_a_word_is_left_soon(nodes: int) -> None:
    with contextlib.ExitStack() as stack:
        frozen = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for _ in range(nodes)
        ]
        where = ",".join(f"127.0.0.1:{port}" for port in frozen)
        client = stack.enter_context(
            HubClient(f"amqp://{SYSTEM}:x@{where}/v", SYSTEM, timing=QUICK)
        )
        stop = threading.Event()
        with in_a_thread(lambda: client.receive(print, stopping=stop.is_set)) as receiving:
            time.sleep(0.5)
            stop.set()
            assert seconds_to_end(receiving) < QUICK.connect + SOON
