"""The topology on a real broker: brought about, read back, and tried as each user."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker
from pydantic import SecretStr

from hub.broker.apply import SETTLE_SECONDS, Applied, apply, verify
from hub.broker.depth import queue_depth
from hub.broker.limit import too_generous
from hub.broker.link import PikaLink
from hub.broker.plan import LIMITS_POLICY, MESSAGE_BYTES, plan
from hub.broker.read import read
from hub.broker.topology import Change, Topology, diff
from hub.errors import BrokerError, LinkLost
from hub.message import PARTITION_HEADER
from hub.names import inbound_exchange, outbound_queue, partition_queue
from hub.pipeline.again import RELEASED_TYPE, marked, marker
from hub.ports import Outgoing, Sent
from tests.conftest import Vhost

pytestmark = pytest.mark.integration

SYSTEMS = ["tax", "union", "resident-registry"]
SENDS = {system: ["tax.income"] for system in SYSTEMS}


def planned(*more: str) -> Topology:
    return plan([*SYSTEMS, *more], {**SENDS, **{system: [] for system in more}}, 2)


@pytest.fixture
def applied(vhost: Vhost) -> Vhost:
    vhost.apply(SYSTEMS, sends=SENDS)
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


def in_queues(
    vhost: Vhost, user: str | None, queues: tuple[str, ...], count: int
) -> dict[str, int]:
    """Count what arrives in these queues until ``count`` have, and for a moment after."""
    found = dict.fromkeys(queues, 0)
    with PikaLink(vhost.settings(user, queues)) as link:
        wait = 5.0
        while taken := link.take(100, wait):
            for delivery in taken:
                found[delivery.queue] += 1
            link.ack(taken)
            wait = 5.0 if sum(found.values()) < count else 0.3
    return found


def broken(vhost: Vhost) -> tuple[str, ...]:
    return tuple(str(one) for one in diff(planned(), read(vhost.management, vhost.name)))


def applied_again(vhost: Vhost, *, prune: bool = False) -> Applied:
    settings = vhost.settings()
    return apply(
        vhost.management,
        vhost.name,
        planned(),
        vhost.passwords,
        depth=lambda queue: queue_depth(settings, queue),
        prune=prune,
    )


def test_applying_twice_changes_nothing_and_reads_back(applied: Vhost) -> None:
    assert applied_again(applied) == Applied()
    assert read(applied.management, applied.name) == planned()
    wider = planned("bank")
    changes = diff(wider, read(applied.management, applied.name))
    assert {change.change for change in changes} == {Change.MISSING}
    assert {change.part.name for change in changes if change.part.KIND != "topic rule"} == {
        "in.bank",
        "out.bank",
        "bank",
        "in.bank --#--> hub.buckets",
        "hub.out --bank--> out.bank",
    }
    passwords = {**applied.passwords, "bank": SecretStr("a-new-one")}
    made = apply(applied.management, applied.name, wider, passwords, settle=lambda _: None)
    assert made.changes == changes


def test_a_vhost_that_is_not_there_lacks_everything_and_is_not_made(vhost: Vhost) -> None:
    assert read(vhost.management, "no-such-vhost") == Topology()
    assert "no-such-vhost" not in {row["name"] for row in vhost.management.get("vhosts")}


def test_it_waits_for_new_queues_to_settle(vhost: Vhost) -> None:
    waited: list[float] = []
    passwords = {user: SecretStr("secret") for user in ("hub", *SYSTEMS)}
    for _ in range(2):
        apply(vhost.management, vhost.name, planned(), passwords, settle=waited.append)
    assert waited == [SETTLE_SECONDS]


def spoil(vhost: Vhost) -> None:
    """Do to a vhost what an administrator might, by mistake or not."""
    put = vhost.management.put
    vhost.declare("leak")
    body: dict[str, object] = {"routing_key": "#", "arguments": {}}
    vhost.management.post("bindings", vhost.name, "e", "in.tax", "q", "leak", body=body)
    grab = {"configure": ".*", "write": ".*", "read": ".*"}
    put("permissions", vhost.name, "tax", body=grab)
    put("users", "stranger", body={"password": "secret", "tags": ""})
    put("permissions", vhost.name, "stranger", body=grab)
    everything = {"exchange": "in.tax", "write": ".*", "read": ".*"}
    put("topic-permissions", vhost.name, "tax", body=everything)
    put("topic-permissions", vhost.name, "union", body={**everything, "exchange": "in.gone"})
    put("exchanges", vhost.name, "side", body={"type": "fanout", "durable": True})
    policy = {"pattern": ".*", "definition": {"max-length": 1}, "apply-to": "queues"}
    put("policies", vhost.name, "short", body={**policy, "priority": 99})
    put("operator-policies", vhost.name, "hub.limits", body={**policy, "priority": 99})
    limits = {**policy, "definition": {"max-length-bytes": 1}, "priority": 10}
    put("policies", vhost.name, "hub.limits", body=limits)


SPOILT = {
    "different: account tax",
    "different: policy hub.limits",
    "different: topic rule tax on in.tax",
    "unplanned: account stranger",
    "unplanned: binding in.tax --#--> leak",
    "unplanned: exchange side",
    "unplanned: policy hub.limits (operator)",
    "unplanned: policy short",
    "unplanned: queue leak",
    "unplanned: topic rule union on in.gone",
}


def test_what_nobody_planned_or_somebody_changed_is_found_and_put_right(applied: Vhost) -> None:
    spoil(applied)
    assert {re.sub(r" \((?!operator).*", "", said) for said in broken(applied)} == SPOILT
    with pytest.raises(BrokerError, match="is not as planned") as caught:
        verify(applied.management, applied.name, planned())
    assert applied.passwords["tax"].get_secret_value() not in str(caught.value)
    with pytest.raises(BrokerError, match="unplanned: queue leak"):
        applied_again(applied)
    assert {said.split(":")[0] for said in broken(applied)} == {"unplanned"}
    done = applied_again(applied, prune=True)
    assert (len(done.removed), done.changes) == (7, ())
    assert applied_again(applied) == Applied()
    assert "stranger" not in {row["name"] for row in applied.management.get("users")}


def test_a_queue_with_messages_is_never_deleted(applied: Vhost) -> None:
    applied.declare("leak")
    body: dict[str, object] = {"routing_key": "#", "arguments": {}}
    applied.management.post("bindings", applied.name, "e", "in.tax", "q", "leak", body=body)
    message = Outgoing("in.tax", "tax.income", b"{}", "m", "tax.income")
    with PikaLink(applied.settings("tax")) as link:
        assert link.publish([message] * 3) == [Sent.CONFIRMED] * 3
    with pytest.raises(BrokerError, match="the queue leak holds 3 messages and is kept"):
        applied_again(applied, prune=True)
    assert broken(applied) == ("unplanned: queue leak",)
    with PikaLink(applied.settings(queues=("leak",))) as link:
        taken = link.take(3, 5.0)
        assert len(taken) == 3
        # Nothing waits any more, but what is being read comes back if it is not acknowledged.
        with pytest.raises(BrokerError, match="the queue leak is being read and is kept"):
            applied_again(applied, prune=True)
    with pytest.raises(BrokerError, match="the queue leak holds 3 messages and is kept"):
        applied_again(applied, prune=True)
    assert in_queues(applied, None, ("leak",), 3) == {"leak": 3}
    done = applied_again(applied, prune=True)
    assert [str(one) for one in done.removed] == ["unplanned: queue leak"]


def test_a_shovel_that_takes_messages_away_is_found(applied: Vhost) -> None:
    applied.declare("elsewhere")
    value = {
        "src-protocol": "amqp091",
        "src-uri": "amqp://",
        "src-queue": "out.union",
        "dest-protocol": "amqp091",
        "dest-uri": "amqp://",
        "dest-queue": "elsewhere",
    }
    where = ("parameters", "shovel", applied.name, "away")
    applied.management.put(*where, body={"value": value})
    assert "unplanned: parameter shovel away" in broken(applied)
    with pytest.raises(BrokerError, match="unplanned: queue elsewhere"):
        applied_again(applied)
    done = applied_again(applied, prune=True)
    assert "unplanned: parameter shovel away" in map(str, done.removed)


def test_the_limits_of_the_policy_are_in_force(applied: Vhost) -> None:
    limits = next(one for one in planned().policies if one.label == LIMITS_POLICY)
    small = replace(limits, definition=(("max-length-bytes", 1000),))
    narrow = replace(planned(), policies=planned().policies - {limits} | {small})
    (change,) = apply(applied.management, applied.name, narrow, applied.passwords).changes
    assert change.part == small
    message = Outgoing("hub.out", "union", b"x" * 400, "m", "t.x")
    with PikaLink(applied.settings("hub")) as link:
        fates = [link.publish([message])[0] for _ in range(20)]
    assert fates[0] is Sent.CONFIRMED
    assert fates[-1] is Sent.REFUSED


def test_a_misspelt_argument_is_found(applied: Vhost) -> None:
    applied.management.delete("queues", applied.name, "out.tax")
    applied.declare("out.tax", **{"x-delivery-limt": 100})
    with pytest.raises(BrokerError, match=r"different: queue out\.tax"):
        verify(applied.management, applied.name, planned())
    with pytest.raises(BrokerError, match=r"other properties: out\.tax"):
        apply(applied.management, applied.name, planned(), applied.passwords)


def test_a_systems_message_reaches_only_the_hub_and_the_hubs_only_its_receiver(
    applied: Vhost,
) -> None:
    tax = inbound_exchange("tax")
    messages = [
        Outgoing(tax, "tax.income", b"{}", f"m{n}", "tax.income", partition=str(n % 16))
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
    message = Outgoing("in.tax", "tax.income", b"{}", "m", "tax.income", partition="7")
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
        pytest.param(403, publish("hub.buckets"), id="the hub's partitions"),
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


def test_what_the_hub_brings_back_stands_behind_its_residents_messages(applied: Vhost) -> None:
    sent = Outgoing("in.tax", "tax.income", b"{}", "m", "tax.income", partition="7")
    with PikaLink(applied.settings("tax")) as link:
        link.publish([sent])
    with PikaLink(applied.settings("hub", ("hub.in.0", "hub.in.1"))) as link:
        assert link.publish([marker(5, "7")]) == [Sent.CONFIRMED]
        found = link.take(10, 5.0)
        while len(found) < 2:
            found += link.take(10, 5.0)
    assert [marked(one) for one in found] == [None, 5]
    assert len({one.queue for one in found}) == 1


def test_no_system_brings_back_anything(channel_as: Callable[[str], BlockingChannel]) -> None:
    with pytest.raises(ChannelClosedByBroker) as caught:
        channel_as("tax").basic_publish("in.tax", RELEASED_TYPE, b"5", mandatory=True)
    assert caught.value.reply_code == 403


@pytest.mark.parametrize("exchange", ["in.tax", "hub.dead", ""])
def test_the_hub_publishes_on_its_way_out_and_to_itself_only(
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
        taken = link.take(1, 5.0)
        taken += link.take(10, 0.5)
        assert len(taken) == 1
        # BCC leaves no trace; CC is shown.
        assert taken[0].copied == (header == "CC")
        link.ack(taken)
    assert in_queues(applied, "union", ("out.union",), 0) == {"out.union": 0}


def test_another_password_is_refused(applied: Vhost) -> None:
    wrong = applied.settings("tax", password=applied.passwords["union"])
    with pytest.raises((AMQPError, BrokerError)):
        PikaLink(wrong)


def test_another_password_ends_what_came_in_by_the_one_before(applied: Vhost) -> None:
    known = applied.passwords["tax"]
    applied.passwords["tax"] = SecretStr("another-one")
    with PikaLink(applied.settings("tax", password=known)) as link:
        done = applied_again(applied)
        with pytest.raises(LinkLost):
            link.take(1, 5.0)
    assert (done.changes, done.passwords, done.closed) == ((), ("tax",), {"tax": 1})
    PikaLink(applied.settings("tax")).close()
    assert applied_again(applied) == Applied()


def test_no_message_larger_than_the_limit_is_taken(applied: Vhost) -> None:
    settings = applied.settings()
    assert too_generous(settings) == ()
    assert too_generous(settings, MESSAGE_BYTES // 2) == (f"{settings.host}:{settings.port}",)
    largest = Outgoing("in.tax", "tax.income", bytes(MESSAGE_BYTES), "m", "tax.income")
    with PikaLink(applied.settings("tax")) as link:
        assert link.publish([largest]) == [Sent.CONFIRMED]
        with pytest.raises(LinkLost, match="larger than configured max size"):
            link.publish([replace(largest, body=bytes(MESSAGE_BYTES + 1))])
