"""The link over a real broker: confirms, refusals, order, and a broker that dies."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.broker.apply import SETTLE_SECONDS
from hub.broker.link import LinkSettings, PikaLink
from hub.broker.node import PrivateNode
from hub.broker.provide import ProvidedBroker
from hub.broker.pump import STOP_SECONDS
from hub.errors import BrokerUnavailable, LinkLost
from hub.ports import Delivery, Outgoing, Sent
from tests.conftest import Vhost
from tests.proxy import Proxy

pytestmark = pytest.mark.integration

AT_ONCE = 4.0
"""Shorter than every wait of a link (5 s for a socket, 10 s for an answer or a heartbeat)."""


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def publish_until_lost(link: PikaLink) -> int:
    """Publish on and on; give how many were confirmed before the link was lost."""
    confirmed = 0
    try:
        while True:
            fates = link.publish([to("q", confirmed + n) for n in range(50)])
            assert fates == [Sent.CONFIRMED] * 50
            confirmed += 50
    except LinkLost:
        return confirmed


def take_until_lost(link: PikaLink) -> float:
    """Take on and on; give how long it went until the link was lost."""
    began = time.monotonic()
    try:
        while True:
            link.take(1000, 30.0)
    except LinkLost:
        return time.monotonic() - began


def to(queue: str, number: int, order_key: str = "") -> Outgoing:
    return Outgoing("", queue, b"%d" % number, f"m{number}", "test.message", order_key)


def take_all(link: PikaLink, count: int, seconds: float = 15.0) -> list[Delivery]:
    taken: list[Delivery] = []
    until = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < until:
        taken += link.take(count - len(taken), 0.5)
    return taken


def bodies(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.body) for delivery in deliveries]


def test_thousands_are_confirmed_and_arrive_in_order(vhost: Vhost) -> None:
    vhost.declare("q")
    with PikaLink(vhost.settings(queues=("q",), prefetch=300)) as link:
        fates = link.publish([to("q", number) for number in range(5000)])
        assert fates == [Sent.CONFIRMED] * 5000
        got = []
        while len(got) < 5000:
            batch = link.take(200, 5.0)
            assert batch
            link.ack(batch)
            got += batch
        assert bodies(got) == list(range(5000))
        assert {delivery.user_id for delivery in got} == {vhost.broker.admin_user}
        assert not any(delivery.redelivered or delivery.copied for delivery in got)
        assert link.take(10, 0.3) == []


def test_a_return_belongs_to_its_own_copy(vhost: Vhost) -> None:
    vhost.declare("here")
    same_id = [
        replace(to("here", 1), message_id="same"),
        replace(to("nowhere", 1), message_id="same"),
        replace(to("here", 2), message_id="same"),
    ]
    with PikaLink(vhost.settings()) as link:
        assert link.publish(same_id) == [Sent.CONFIRMED, Sent.UNROUTABLE, Sent.CONFIRMED]


def test_a_full_queue_refuses_and_withholds_the_same_residents_later_ones(vhost: Vhost) -> None:
    vhost.declare("full", **{"x-max-length": 1, "x-overflow": "reject-publish"})
    vhost.declare("roomy")
    with PikaLink(vhost.settings()) as link:
        fates = []
        for number in range(50):  # the limit is exact only once the queue has noticed
            fates += link.publish([to("full", number)])
        assert fates[-1] is Sent.REFUSED
        mixed = [
            to("full", 1, "a"),
            to("roomy", 2, "b"),
            to("roomy", 3, "a"),
            to("roomy", 4, "a"),
            to("roomy", 5, "b"),
        ]
        assert link.publish(mixed) == [
            Sent.REFUSED,
            Sent.CONFIRMED,
            Sent.WITHHELD,
            Sent.WITHHELD,
            Sent.CONFIRMED,
        ]
        assert link.publish([]) == []


def test_closing_with_work_outstanding_keeps_the_order_for_the_successor(vhost: Vhost) -> None:
    vhost.declare("q", **{"x-single-active-consumer": True, "x-delivery-limit": 100})
    settings = vhost.settings(queues=("q",), prefetch=5)
    with PikaLink(vhost.settings()) as publisher:
        publisher.publish([to("q", number) for number in range(20)])
    first = PikaLink(settings)
    with PikaLink(settings) as standby:
        taken = take_all(first, 5)
        assert bodies(taken) == [0, 1, 2, 3, 4]
        first.ack(taken[:2])
        first.close()
        got: list[Delivery] = []
        while len(got) < 18:
            batch = standby.take(5, 5.0)
            assert batch
            got += batch
            standby.ack(batch)
        assert bodies(got) == list(range(2, 20))
        assert got[0].redelivered


def test_a_closed_link_says_so(vhost: Vhost) -> None:
    vhost.declare("q")
    link = PikaLink(vhost.settings(queues=("q",)))
    link.close()
    link.close()
    with pytest.raises(LinkLost, match="closed"):
        link.take(1, 1.0)
    with pytest.raises(LinkLost, match="closed"):
        link.publish([to("q", 1)])


def test_nobody_listening_is_told_at_once() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        settings = LinkSettings("127.0.0.1", held.getsockname()[1], "v", "u", SecretStr("p"), "t")
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            PikaLink(settings)
        assert time.monotonic() - began < AT_ONCE


def test_opening_ends_at_once_when_the_process_is_to_stop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # as a frozen broker: it never accepts
        port = silent.getsockname()[1]
        settings = LinkSettings("127.0.0.1", port, "v", "u", SecretStr("p"), "t")
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            PikaLink(settings, stop.is_set)
        assert 0.3 <= time.monotonic() - began < 2.0


def test_a_broker_that_says_nothing_holds_up_no_stop(vhost: Vhost) -> None:
    vhost.declare("q")
    stop = threading.Event()
    settings = vhost.settings(queues=("q",))
    with Proxy(settings.host, settings.port) as proxy:
        with PikaLink(replace(settings, port=proxy.port), stop.is_set) as link:
            proxy.hold()
            sending = link.start([to("q", 1)])
            stop.set()
            began = time.monotonic()
            with pytest.raises(LinkLost, match="call to stop"):
                link.finish(sending)
        assert STOP_SECONDS <= time.monotonic() - began < STOP_SECONDS + 2.0


def test_until_the_process_is_to_stop_a_slow_broker_is_waited_for(vhost: Vhost) -> None:
    vhost.declare("q")
    settings = vhost.settings(queues=("q",))
    stop = threading.Event()
    with (
        Proxy(settings.host, settings.port) as proxy,
        PikaLink(replace(settings, port=proxy.port), stop.is_set) as link,
    ):
        proxy.hold()
        threading.Timer(STOP_SECONDS + 0.5, proxy.release).start()
        threading.Timer(STOP_SECONDS, stop.set).start()
        assert link.publish([to("q", 1)]) == [Sent.CONFIRMED]


def test_a_wrong_password_and_a_missing_queue_are_told_soon(vhost: Vhost) -> None:
    vhost.apply(["tax"])
    before = open_files()
    for settings, word in (
        (vhost.settings("tax", password=SecretStr("wrong")), "ACCESS_REFUSED"),
        (vhost.settings("tax", ("out.nobody",)), "ACCESS_REFUSED"),
        (vhost.settings(None, ("missing",)), "NOT_FOUND"),
        (replace(vhost.settings("tax"), vhost="missing"), "missing"),
    ):
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=word) as caught:
            PikaLink(settings)
        assert "wrong" not in str(caught.value)
        assert time.monotonic() - began < AT_ONCE
    assert open_files() == before


def test_a_deleted_queue_ends_the_link(vhost: Vhost) -> None:
    vhost.declare("q")
    with PikaLink(vhost.settings(queues=("q",))) as link:
        assert link.take(1, 0.0) == []
        vhost.management.delete("queues", vhost.name, "q")
        with pytest.raises(LinkLost, match="cancelled"):
            link.take(1, 5.0)


def test_heartbeats_go_on_while_idle_and_waiting_costs_nothing(vhost: Vhost) -> None:
    vhost.declare("q")
    with PikaLink(vhost.settings(queues=("q",), heartbeat=2)) as link:
        cpu = time.thread_time()
        link.idle(5.0)
        assert link.take(1, 2.0) == []
        assert time.thread_time() - cpu < 0.2
        assert link.publish([to("q", 1)]) == [Sent.CONFIRMED]
        assert bodies(link.take(1, 5.0)) == [1]


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[tuple[PrivateNode, LinkSettings]]:
    with PrivateNode(tmp_path / "node", name="doomed") as node:
        node_broker = ProvidedBroker(
            node.host,
            node.port,
            node.management_url,
            node.admin_user,
            node.admin_password,
            "private node",
            node=node,
        )
        with node_broker.management() as management:
            vhost = Vhost("/", node_broker, management)
            vhost.declare("q", **{"x-single-active-consumer": True, "x-delivery-limit": 100})
            time.sleep(SETTLE_SECONDS)
            yield node, vhost.settings(queues=("q",), prefetch=60_000)


def test_a_killed_broker_is_noticed_at_once_and_nothing_confirmed_is_lost(
    doomed: tuple[PrivateNode, LinkSettings],
) -> None:
    node, settings = doomed
    killer = threading.Timer(0.5, node.kill)
    with PikaLink(replace(settings, queues=())) as link:
        killer.start()
        confirmed = publish_until_lost(link)
        killer.join()
        assert not node.alive()
        assert confirmed > 0
    with pytest.raises(BrokerUnavailable):
        PikaLink(settings)

    node.start()
    with PikaLink(settings) as link:
        taken = take_all(link, confirmed)
        assert set(range(confirmed)) <= set(bodies(taken))
        killer = threading.Timer(0.5, node.kill)
        killer.start()
        assert take_until_lost(link) < AT_ONCE
        killer.join()
