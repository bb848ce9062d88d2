"""The topology on a real broker: brought about, read back, and tried as each user."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker
from pydantic import SecretStr

from hub.broker import topology
from hub.broker.link import PikaLink
from hub.broker.topology import Binding, Change, Difference, Exchange
from hub.errors import BrokerError
from hub.message import PARTITION_HEADER
from hub.names import inbound_exchange, outbound_queue, partition_queue
from hub.ports import Outgoing, Sent
from tests.conftest import Vhost

pytestmark = pytest.mark.integration

SYSTEMS = ["tax", "union", "resident-registry"]


@pytest.fixture
def applied(vhost: Vhost) -> Vhost:
    vhost.apply(SYSTEMS)
    return vhost


@pytest.fixture
def channel_as(applied: Vhost) -> Iterator[Callable[[str], BlockingChannel]]:
    """Open a plain channel as a user, as any AMQP client might."""
    opened = []

    def open_channel(user: str) -> BlockingChannel:
        settings = applied.settings(user)
        connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                settings.host,
                settings.port,
                settings.vhost,
                pika.PlainCredentials(settings.user, settings.password.get_secret_value()),
            )
        )
        opened.append(connection)
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    yield open_channel
    for connection in opened:
        if connection.is_open:
            connection.close()


def in_queues(vhost: Vhost, user: str, queues: tuple[str, ...], count: int) -> dict[str, int]:
    """Count what arrives in these queues until ``count`` have, and for a moment after."""
    found = dict.fromkeys(queues, 0)
    with PikaLink(vhost.settings(user, queues)) as link:
        wait = 5.0
        while taken := link.take(100, wait):
            for delivery in taken:
                found[delivery.queue] += 1
            link.ack(taken[-1])
            wait = 5.0 if sum(found.values()) < count else 0.3
    return found


def test_applying_twice_changes_nothing_and_reads_back(applied: Vhost) -> None:
    planned = topology.plan(SYSTEMS, 2)
    again = topology.apply(applied.management, applied.name, planned, applied.passwords)
    assert again == ()
    assert topology.read(applied.management, applied.name) == planned
    wider = topology.plan([*SYSTEMS, "bank"], 2)
    changes = topology.diff(wider, topology.read(applied.management, applied.name))
    assert {change.change for change in changes} == {Change.MISSING}
    assert {change.part.name for change in changes} == {
        "in.bank",
        "out.bank",
        "bank",
        "in.bank --#--> hub.partitions",
        "hub.out --bank--> out.bank",
    }
    passwords = {**applied.passwords, "bank": SecretStr("a-new-one")}
    made = topology.apply(applied.management, applied.name, wider, passwords, settle=lambda _: None)
    assert made == changes


def test_it_waits_for_new_queues_to_settle(vhost: Vhost) -> None:
    waited: list[float] = []
    planned = topology.plan(["tax"], 1)
    passwords = {user: SecretStr("secret") for user in ("hub", "tax")}
    topology.apply(vhost.management, vhost.name, planned, passwords, settle=waited.append)
    topology.apply(vhost.management, vhost.name, planned, passwords, settle=waited.append)
    assert waited == [topology.SETTLE_SECONDS]


def test_what_nobody_planned_or_somebody_changed_is_found(applied: Vhost) -> None:
    planned = topology.plan(SYSTEMS, 2)
    body = {"routing_key": "#", "arguments": {}}
    applied.declare("leak")
    where = ("bindings", applied.name, "e", "in.tax", "q", "leak")
    applied.management.post(*where, body=body)
    grab = {"configure": ".*", "write": ".*", "read": ".*"}
    applied.management.put("permissions", applied.name, "tax", body=grab)
    with pytest.raises(BrokerError) as caught:
        topology.verify(applied.management, applied.name, planned)
    assert "unplanned: binding in.tax --#--> leak" in str(caught.value)
    assert "unplanned: queue leak" in str(caught.value)
    assert "different: account tax" in str(caught.value)
    assert applied.passwords["tax"].get_secret_value() not in str(caught.value)


def test_a_misspelt_argument_is_found(applied: Vhost) -> None:
    applied.management.delete("queues", applied.name, "out.tax")
    applied.declare("out.tax", **{"x-delivery-limt": 100})
    planned = topology.plan(SYSTEMS, 2)
    with pytest.raises(BrokerError, match=r"different: queue out\.tax"):
        topology.verify(applied.management, applied.name, planned)
    with pytest.raises(BrokerError, match=r"other properties: out\.tax"):
        topology.apply(applied.management, applied.name, planned, applied.passwords)


def test_a_systems_message_reaches_only_the_hub_and_the_hubs_only_its_receiver(
    applied: Vhost,
) -> None:
    tax = inbound_exchange("tax")
    messages = [
        Outgoing(tax, "tax.income", b"{}", f"m{n}", "tax.income", partition=str(n))
        for n in range(200)
    ]
    with PikaLink(applied.settings("tax")) as link:
        assert set(link.publish(messages)) == {Sent.CONFIRMED}
        bare = replace(messages[0], partition="")
        assert link.publish([bare, bare]) == [Sent.CONFIRMED, Sent.CONFIRMED]
    partitions = tuple(partition_queue(n) for n in range(2))
    found = in_queues(applied, "hub", partitions, 202)
    assert sum(found.values()) == 202
    assert min(found.values()) > 40
    with PikaLink(applied.settings("hub")) as link:
        out = [Outgoing("hub.out", to, b"{}", "m1", "t.x") for to in ("union", "nobody", "tax")]
        assert link.publish(out) == [Sent.CONFIRMED, Sent.UNROUTABLE, Sent.CONFIRMED]
    for system in ("union", "tax"):
        queue = outbound_queue(system)
        assert in_queues(applied, system, (queue,), 1) == {queue: 1}


def test_one_resident_stays_in_one_partition(applied: Vhost) -> None:
    message = Outgoing("in.tax", "tax.income", b"{}", "m", "tax.income", partition="77")
    with PikaLink(applied.settings("tax")) as link:
        link.publish([message] * 50)
    found = in_queues(applied, "hub", ("hub.in.0", "hub.in.1"), 50)
    assert sorted(found.values()) == [0, 50]


def publish(exchange: str, **properties: object) -> Callable[[BlockingChannel], object]:
    def act(channel: BlockingChannel) -> object:
        return channel.basic_publish(
            exchange, "tax.income", b"{}", pika.BasicProperties(**properties), mandatory=True
        )

    return act


@pytest.mark.parametrize(
    ("code", "act"),
    [
        pytest.param(403, publish("in.union"), id="another's exchange"),
        pytest.param(403, publish("hub.partitions"), id="the hub's partitions"),
        pytest.param(403, publish("hub.out"), id="the hub's way out"),
        pytest.param(403, publish("hub.dead"), id="the dead letters"),
        pytest.param(403, publish(""), id="the default exchange"),
        pytest.param(403, publish("amq.topic"), id="a standard exchange"),
        pytest.param(406, publish("in.tax", user_id="union"), id="another's user_id"),
        pytest.param(403, lambda c: c.basic_get("out.union"), id="get another's queue"),
        pytest.param(403, lambda c: c.basic_consume("out.union", print), id="another's queue"),
        pytest.param(403, lambda c: c.basic_consume("hub.in.0", print), id="the hub's queue"),
        pytest.param(403, lambda c: c.basic_consume("hub.dead-letters", print), id="dead letters"),
        pytest.param(403, lambda c: c.queue_declare("mine"), id="declare a queue"),
        pytest.param(403, lambda c: c.queue_declare("", exclusive=True), id="a temporary queue"),
        pytest.param(403, lambda c: c.exchange_declare("mine"), id="declare an exchange"),
        pytest.param(403, lambda c: c.queue_delete("out.tax"), id="delete its own queue"),
        pytest.param(403, lambda c: c.exchange_delete("in.tax"), id="delete its own exchange"),
        pytest.param(403, lambda c: c.queue_bind("out.tax", "in.tax", "#"), id="bind its queue"),
        pytest.param(403, lambda c: c.queue_bind("out.tax", "hub.out", "union"), id="bind to out"),
        pytest.param(403, lambda c: c.exchange_bind("in.tax", "hub.out", "#"), id="bind exchanges"),
        pytest.param(403, lambda c: c.queue_purge("out.union"), id="purge another's queue"),
    ],
)
def test_a_system_may_do_nothing_else(
    channel_as: Callable[[str], BlockingChannel],
    code: int,
    act: Callable[[BlockingChannel], object],
) -> None:
    with pytest.raises(ChannelClosedByBroker) as caught:
        act(channel_as("tax"))
    assert caught.value.reply_code == code


@pytest.mark.parametrize("exchange", ["in.tax", "hub.partitions", ""])
def test_the_hub_publishes_on_its_way_out_only(
    channel_as: Callable[[str], BlockingChannel], exchange: str
) -> None:
    with pytest.raises(ChannelClosedByBroker) as caught:
        publish(exchange)(channel_as("hub"))
    assert caught.value.reply_code == 403


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_copies_go_nowhere_but_to_the_hub(
    applied: Vhost, channel_as: Callable[[str], BlockingChannel], header: str
) -> None:
    channel = channel_as("tax")
    wanted = ["union", "out.union", "hub.in.0", "#", "resident.change"]
    headers = {header: wanted, PARTITION_HEADER: "5"}
    publish("in.tax", headers=headers, user_id="tax")(channel)
    with PikaLink(applied.settings("hub", ("hub.in.0", "hub.in.1"))) as link:
        taken = link.take(10, 5.0)
        taken += link.take(10, 0.5)
        assert len(taken) == 1
        # BCC leaves no trace; CC is shown.
        assert taken[0].copied == (header == "CC")
        link.ack(taken[-1])
    assert in_queues(applied, "union", ("out.union",), 0) == {"out.union": 0}


def test_another_password_is_refused(applied: Vhost) -> None:
    wrong = applied.settings("tax", password=applied.passwords["union"])
    with pytest.raises((AMQPError, BrokerError)):
        PikaLink(wrong)


def test_differences_read_well() -> None:
    missing = Difference(Change.MISSING, Exchange("in.tax", "topic"))
    assert str(missing) == "missing: exchange in.tax"
    bound = Difference(Change.UNPLANNED, Binding("in.tax", "leak", "queue", "#"))
    assert str(bound) == "unplanned: binding in.tax --#--> leak"
