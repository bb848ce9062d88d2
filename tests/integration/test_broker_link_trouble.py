"""A link in trouble that is no reason to give it up: half a message, and a broker in alarm."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pika import frame, spec

from hub.broker.link import PikaLink
from hub.errors import LinkLost
from hub.ports import Delivery, Outgoing, Sent
from tests.conftest import Vhost
from tests.proxy import Proxy

pytestmark = pytest.mark.integration

COUNT = 30
LARGE = b"x" * 400_000
"""Of which one call of the socket brings a part only."""
PATIENCE = 1.0
ALARM = frame.Method(0, spec.Connection.Blocked("low on memory")).marshal()
ALL_CLEAR = frame.Method(0, spec.Connection.Unblocked()).marshal()


def to(queue: str, number: int, rest: bytes = b"") -> Outgoing:
    return Outgoing("", queue, b"%d " % number + rest, f"m{number}", "test.message")


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [int(one.body.split()[0]) for one in deliveries]


def test_a_queue_is_let_go_of_in_the_middle_of_a_message(vhost: Vhost) -> None:
    vhost.declare("q", **{"x-single-active-consumer": True, "x-delivery-limit": 100})
    with PikaLink(vhost.settings()) as link:
        assert set(link.publish([to("q", n, LARGE) for n in range(COUNT)])) == {Sent.CONFIRMED}
        link.consume(("q",))
        first = link.take(1, 5.0)
        link.ack(first)
        link.consume(())
        assert link.take(1, 0.5) == []
        assert link.publish([to("q", COUNT)]) == [Sent.CONFIRMED]
        link.consume(("q",))
        got: list[Delivery] = []
        while len(got) < COUNT and (more := link.take(COUNT, 5.0)):
            got += more
        assert numbers(first + got) == list(range(COUNT + 1))


@pytest.fixture
def proxy(vhost: Vhost, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Stand before a broker that is not waited for long."""
    monkeypatch.setattr("hub.broker.outlet.CONFIRM_SECONDS", PATIENCE)
    vhost.declare("q")
    with Proxy(vhost.broker.host, vhost.broker.port) as made:
        yield made


def test_a_broker_in_alarm_is_waited_for_and_what_is_in_hand_stays_there(
    vhost: Vhost, proxy: Proxy
) -> None:
    settings = replace(vhost.settings(queues=("q",)), port=proxy.port)
    with PikaLink(settings) as link:
        link.publish([to("q", 1)])
        in_hand = link.take(1, 5.0)
        proxy.say(ALARM)
        link.idle(0.2)
        proxy.hold()
        threading.Timer(2.5 * PATIENCE, proxy.release).start()
        assert link.publish([to("q", 2)]) == [Sent.CONFIRMED]
        link.ack(in_hand)
        (after,) = link.take(1, 5.0)
        assert (numbers([after]), after.redelivered) == ([2], False)

        proxy.say(ALL_CLEAR)
        link.idle(0.2)
        proxy.hold()
        with pytest.raises(LinkLost, match="no confirm"):
            link.publish([to("q", 3)])
