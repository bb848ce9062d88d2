"""Residents and partitions on a real broker: where they go, and how they are given others."""

import threading
from collections.abc import Callable, Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.apply import Applied, apply
from hub.broker.depth import queue_depth
from hub.broker.link import PikaLink
from hub.broker.plan import DELIVERY_LIMIT, plan
from hub.broker.switch import RETIRED_EXCHANGE
from hub.broker.topology import Topology, diff
from hub.errors import BrokerError, LinkLost
from hub.message import BUCKETS, PARTITION_HEADER
from hub.ports import Outgoing, Sent
from tests.conftest import Vhost

pytestmark = pytest.mark.integration

SYSTEM, TYPE = "tax", "tax.income"
SENDS = {SYSTEM: [TYPE]}
ALL = tuple(f"hub.in.{number}" for number in range(4))


def planned(partitions: int) -> Topology:
    return plan([SYSTEM], SENDS, partitions)


def message(number: int, bucket: int) -> Outgoing:
    return Outgoing(f"in.{SYSTEM}", TYPE, b"{}", f"m{number}", TYPE, partition=str(bucket))


def brought_over(vhost: Vhost, partitions: int, *, prune: bool = False) -> Applied:
    settings = vhost.settings()
    return apply(
        vhost.management,
        vhost.name,
        planned(partitions),
        vhost.passwords,
        depth=lambda queue: queue_depth(settings, queue),
        settle=lambda _: None,
        prune=prune,
    )


def applied(vhost: Vhost, partitions: int) -> list[str]:
    return [str(one) for one in brought_over(vhost, partitions).changes]


def pruned(vhost: Vhost, partitions: int) -> list[str]:
    return [str(one) for one in brought_over(vhost, partitions, prune=True).removed]


def depths(vhost: Vhost) -> list[int]:
    settings = vhost.settings()
    queues = {row["name"] for row in vhost.management.get("queues", vhost.name)}
    return [queue_depth(settings, queue)[0] for queue in ALL if queue in queues]


def as_before(vhost: Vhost) -> None:
    """Put in place of the buckets what earlier versions had: one exchange before one queue."""
    put, post, name = vhost.management.put, vhost.management.post, vhost.name
    put("exchanges", name, RETIRED_EXCHANGE, body={"type": "fanout", "durable": True})
    everything: dict[str, object] = {"routing_key": "10", "arguments": {}}
    post("bindings", name, "e", RETIRED_EXCHANGE, "q", "hub.in.0", body=everything)
    inbound = ("bindings", name, "e", f"in.{SYSTEM}", "e", RETIRED_EXCHANGE)
    post(*inbound, body={"routing_key": "#", "arguments": {}})
    vhost.management.delete("exchanges", name, "hub.buckets")
    vhost.management.delete("exchanges", name, "hub.strays")
    hub = {"configure": "^$", "write": "^hub.(out|partitions)$", "read": "^hub.in.[0-9]+$"}
    put("permissions", name, "hub", body=hub)


@pytest.fixture
def channel(vhost: Vhost) -> Iterator[Callable[[], BlockingChannel]]:
    """Open a plain channel as the system, as any AMQP client might."""
    opened = []

    def open_channel() -> BlockingChannel:
        settings = vhost.settings(SYSTEM)
        secret = pika.PlainCredentials(settings.user, settings.password.get_secret_value())
        where = pika.ConnectionParameters(settings.host, settings.port, settings.vhost, secret)
        connection = pika.BlockingConnection(where)
        opened.append(connection)
        made = connection.channel()
        made.confirm_delivery()
        return made

    yield open_channel
    for connection in opened:
        if connection.is_open:
            connection.close()


def test_each_bucket_goes_to_its_partition(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], 4, SENDS)
    with PikaLink(vhost.settings(SYSTEM)) as link:
        for bucket in range(BUCKETS):
            assert link.publish([message(bucket, bucket)]) == [Sent.CONFIRMED]
            assert sum(depths(vhost)) == bucket + 1
            assert depths(vhost)[bucket % 4] == bucket // 4 + 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(None, id="no headers"),
        pytest.param({PARTITION_HEADER: "562"}, id="an earlier version's bucket"),
        pytest.param({PARTITION_HEADER: 3}, id="a number"),
        pytest.param(
            {PARTITION_HEADER: "99", "BCC": ["hub.in.1", "hub.dead", "out.tax"]}, id="BCC"
        ),
        pytest.param({PARTITION_HEADER: "", "CC": ["hub.in.1", "#", "tax", "1"]}, id="CC"),
    ],
)
def test_what_is_in_no_bucket_reaches_the_first_partition_and_nothing_else(
    vhost: Vhost, channel: Callable[[], BlockingChannel], headers: dict[str, object] | None
) -> None:
    vhost.apply([SYSTEM], 4, SENDS)
    properties = pika.BasicProperties(headers=headers, user_id=SYSTEM, delivery_mode=2)
    channel().basic_publish(f"in.{SYSTEM}", TYPE, b"{}", properties, mandatory=True)
    assert depths(vhost) == [1, 0, 0, 0]
    assert queue_depth(vhost.settings(), "out.tax") == (0, 0)
    assert queue_depth(vhost.settings(), "hub.dead-letters") == (0, 0)


def test_nobody_publishes_to_the_strays(vhost: Vhost) -> None:
    vhost.apply([SYSTEM])
    for user in (SYSTEM, "hub", None):
        with PikaLink(vhost.settings(user)) as link, pytest.raises(LinkLost, match="REFUSED"):
            link.publish([Outgoing("hub.strays", "", b"{}", "m", TYPE)])


def test_a_queue_of_any_age_gives_a_message_out_so_often_and_no_more(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], 4, SENDS)
    with PikaLink(vhost.settings(SYSTEM)) as link:
        link.publish([message(1, 2)])
    given = 0
    while given <= DELIVERY_LIMIT:
        with PikaLink(vhost.settings("hub", ("hub.in.2",))) as link:
            assert len(link.take(5, 5.0)) == 1
        given += 1
    with PikaLink(vhost.settings("hub", ("hub.in.2", "hub.dead-letters"))) as link:
        (dead,) = link.take(5, 5.0)
    assert dead.queue == "hub.dead-letters"


def test_an_earlier_site_is_brought_over_while_messages_flow(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], 1, SENDS)
    as_before(vhost)
    sent, over = 0, threading.Event()

    def keep_sending() -> None:
        nonlocal sent
        with PikaLink(vhost.settings(SYSTEM)) as link:
            while not over.is_set():
                fates = link.publish([message(sent + n, n % BUCKETS) for n in range(50)])
                assert set(fates) == {Sent.CONFIRMED}
                sent += 50

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        made = applied(vhost, 1)
    finally:
        over.set()
        sender.join()
    assert f"unplanned: exchange {RETIRED_EXCHANGE}" in made
    assert applied(vhost, 1) == []
    assert sent > 0
    assert depths(vhost)[0] >= sent


def test_residents_move_only_out_of_drained_partitions(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], 1, SENDS)
    as_before(vhost)
    with PikaLink(vhost.settings(SYSTEM)) as link:
        link.publish([message(1, 3)])
    before = vhost.management.get("permissions", vhost.name, SYSTEM)
    for act in (applied, pruned):
        with pytest.raises(BrokerError, match=r"hub\.in\.0 holds 1 messages: stop what sends"):
            act(vhost, 4)
    with PikaLink(vhost.settings("hub", ("hub.in.0",))) as link:
        (taken,) = link.take(5, 5.0)
        with pytest.raises(BrokerError, match=r"hub\.in\.0 is being consumed"):
            applied(vhost, 4)
        link.ack([taken])
    with pytest.raises(BrokerError, match="may hold messages"):
        apply(vhost.management, vhost.name, planned(4), vhost.passwords)
    assert vhost.management.get("permissions", vhost.name, SYSTEM) == before
    with PikaLink(vhost.settings(SYSTEM)) as sender:
        applied(vhost, 4)
        # Whoever was connected all the time could not put anything past the others.
        with pytest.raises(LinkLost):
            sender.publish([message(2, 3)])
    with PikaLink(vhost.settings(SYSTEM)) as link:
        assert link.publish([message(2, 3)]) == [Sent.CONFIRMED]
    assert depths(vhost) == [0, 0, 0, 1]


def test_partitions_that_nothing_leads_to_any_more_are_removed_on_demand(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], 4, SENDS)
    with pytest.raises(BrokerError, match=r"unplanned: queue hub\.in\.2"):
        applied(vhost, 2)
    removed = pruned(vhost, 2)
    assert sorted(removed) == ["unplanned: queue hub.in.2", "unplanned: queue hub.in.3"]
    assert applied(vhost, 2) == []
    assert diff(planned(2), planned(2)) == ()


def test_a_message_that_slips_in_while_senders_are_cut_off_is_found(vhost: Vhost) -> None:
    vhost.apply([SYSTEM], 1, SENDS)
    looks: list[str] = []

    def depth(queue: str) -> tuple[int, int]:
        looks.append(queue)
        return (len(looks) - 1, 0)  # empty at the first look, not at the second

    with pytest.raises(BrokerError, match="holds 1 messages"):
        apply(vhost.management, vhost.name, planned(2), vhost.passwords, depth=depth)
    with PikaLink(vhost.settings(SYSTEM)) as link:
        assert link.publish([message(1, 1)]) == [Sent.CONFIRMED]
    assert depths(vhost) == [1]
