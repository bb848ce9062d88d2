"""However large the messages of a queue are, only so much of them is in memory, and in order."""

import pytest

from hub.broker.intake import ROUNDS, bytes_kept
from hub.broker.link import PikaLink
from hub.broker.plan import DELIVERY_LIMIT, MESSAGE_BYTES
from hub.ports import Delivery, Outgoing, Sent
from tests.conftest import Vhost

pytestmark = pytest.mark.integration

PREFETCH = 12
COUNT = 40
LARGE = MESSAGE_BYTES // 8
IN_MEMORY = bytes_kept(PREFETCH) // LARGE


def to(number: int, size: int) -> Outgoing:
    return Outgoing("", "q", b"%d ".ljust(size) % number, f"m{number}", "test.message")


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [int(one.body.split()[0]) for one in deliveries]


def test_what_falls_comes_again_in_its_place(vhost: Vhost) -> None:
    vhost.declare("q", **{"x-single-active-consumer": True, "x-delivery-limit": DELIVERY_LIMIT})
    sizes = [LARGE if number < COUNT - 10 else 4 for number in range(COUNT)]
    with PikaLink(vhost.settings()) as publisher:
        fates = publisher.publish([to(number, size) for number, size in enumerate(sizes)])
        assert set(fates) == {Sent.CONFIRMED}
    got: list[Delivery] = []
    with PikaLink(vhost.settings(queues=("q",), prefetch=PREFETCH)) as link:
        link.idle(0.3)
        while len(got) < COUNT and (kept := link.take(COUNT, 5.0)):
            assert sum(len(one.body) for one in kept) <= max(bytes_kept(PREFETCH), LARGE)
            link.ack(kept)
            got += kept
        assert link.take(1, 0.2) == []
    assert numbers(got) == list(range(COUNT))
    assert max(one.times for one in got) <= PREFETCH // IN_MEMORY
    with PikaLink(vhost.settings(queues=("q",))) as link:
        assert link.take(1, 0.2) == []


def test_a_queue_is_let_go_of_while_it_is_begun_anew(vhost: Vhost) -> None:
    vhost.declare("q")
    with PikaLink(vhost.settings()) as publisher:
        publisher.publish([to(number, LARGE) for number in range(PREFETCH)])
    with PikaLink(vhost.settings(queues=("q",), prefetch=PREFETCH)) as link:
        link.idle(0.3)
        first = link.take(PREFETCH, 5.0)
        assert 0 < len(first) < PREFETCH
        link.ack(first)
        link.consume(())
        assert link.take(1, 0.3) == []
        link.consume(("q",))
        assert numbers(link.take(1, 5.0)) == [len(first)]


@pytest.mark.parametrize("prefetch", [1, 94, 1500, 6000, 25_000])
def test_the_largest_messages_are_through_before_the_queue_gives_them_up(prefetch: int) -> None:
    rounds = prefetch * MESSAGE_BYTES / bytes_kept(prefetch)
    assert rounds <= ROUNDS < DELIVERY_LIMIT
