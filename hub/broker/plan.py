"""What the hub needs of a broker, derived from the catalogue and the site. Pure.

A system's user can publish the message types that the catalogue permits it, on its own
exchange, and read its own queue; it can declare, bind and delete nothing. An inbound exchange
leads to the hub's queues only, so that copies asked for by ``CC`` or ``BCC`` (which pass by
the broker's topic permissions) have nowhere to go. ``docs/adr/0011-three-walls.md`` has what
was tried.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hub.broker.topology import (
    NEVER,
    NOTHING,
    Account,
    Arguments,
    Binding,
    Exchange,
    Policy,
    Queue,
    TopicRule,
    Topology,
    UserLimit,
)
from hub.limits import limits
from hub.message import BUCKETS, MAX_BODY_BYTES, PARTITION_HEADER
from hub.names import (
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    OUT_EXCHANGE,
    PARTITIONS_EXCHANGE,
    PROBE_QUEUE,
    STRAYS_EXCHANGE,
    inbound_exchange,
    outbound_queue,
    partition_queue,
)
from hub.site import HUB_USER

DELIVERY_LIMIT = 100
"""How often a message is given out once more before it goes to the dead letters."""
_FIXED_DELIVERY_LIMIT = 100
"""The same in the queues' arguments, which no policy can weaken and nothing can change in place.
The smaller of the two counts, so queues of every age have the limit of the policy."""
MESSAGE_BYTES = 4 * MAX_BODY_BYTES
"""The broker's ``max_message_size``: it takes no larger body from anybody (406). What is larger
than the hub reads, up to this, is still refused with a notice that says so."""
SYSTEM_CONNECTIONS = 20
"""How many connections a system's user may have at a time: its adapter has one, a client two."""
HUB_CONNECTIONS = 16
"""The same of the hub, beside those of its workers."""
LIMITS_POLICY = "hub.limits"
DEAD_POLICY = "hub.dead-letters"
NEVER_DROPPED = 1_000_000_000
"""How often a dead letter may be given out: more often than ever. RabbitMQ 4 drops a message that
went back 20 times from a queue that says nothing else, and 3.x knows no word for "without end".
It stands in a policy, which the queue of an older site takes up as it is."""
PROBE_MILLISECONDS = 10_000
"""How long a probe stays that nobody fetched; the queue holds one."""
BROKERS_TOPICS = ("amq.topic", "amq.rabbitmq.event", "amq.rabbitmq.trace")
"""The topic exchanges that a broker has by itself, or gets with a plugin."""


def plan(
    systems: Collection[str],
    sends: Mapping[str, Collection[str]],
    partitions: int,
    monitor: str = "",
) -> Topology:
    """Plan the topology, with this many of the hub's own queues (1 to ``BUCKETS``).

    Every one of ``systems`` has its exchange and its queue. Those in ``sends`` have a user as
    well, which can publish the message types named there and no other. ``monitor`` is a user
    that can only look: RabbitMQ shows a vhost's queues to none that has no rights in it at all.

    Raises:
        ValueError: ``sends`` names a system that is not among ``systems``.
    """
    strangers = sorted(sends.keys() - set(systems))
    if strangers:
        raise ValueError(f"accounts for systems that have no queue: {', '.join(strangers)}")
    numbers = range(partitions)
    return Topology(
        exchanges=frozenset(
            {
                Exchange(PARTITIONS_EXCHANGE, "headers", _else_to(STRAYS_EXCHANGE)),
                Exchange(STRAYS_EXCHANGE, "fanout", internal=True),
                Exchange(OUT_EXCHANGE, "direct"),
                Exchange(DEAD_EXCHANGE, "fanout"),
                *(Exchange(inbound_exchange(system), "topic") for system in systems),
            }
        ),
        queues=frozenset(
            {
                Queue(DEAD_QUEUE, _arguments({"x-queue-type": "quorum"})),
                Queue(PROBE_QUEUE, _probe_arguments()),
                *(Queue(partition_queue(number), _work_arguments()) for number in numbers),
                *(Queue(outbound_queue(system), _work_arguments()) for system in systems),
            }
        ),
        bindings=frozenset(
            {
                Binding(DEAD_EXCHANGE, DEAD_QUEUE, "queue", ""),
                Binding(OUT_EXCHANGE, PROBE_QUEUE, "queue", PROBE_QUEUE),
                *(_bucket_binding(bucket, partitions) for bucket in range(BUCKETS)),
                Binding(STRAYS_EXCHANGE, partition_queue(0), "queue", ""),
                *(
                    Binding(inbound_exchange(system), PARTITIONS_EXCHANGE, "exchange", "#")
                    for system in systems
                ),
                *(
                    Binding(OUT_EXCHANGE, outbound_queue(system), "queue", system)
                    for system in systems
                ),
            }
        ),
        policies=frozenset({_limits(), _endless()}),
        topics=frozenset(_topic_rules(systems, sends)),
        accounts=frozenset(
            {
                # Into the partitions it puts what staff released, in its resident's place.
                Account(
                    HUB_USER,
                    NOTHING,
                    one_of((OUT_EXCHANGE, PARTITIONS_EXCHANGE)),
                    rf"^(?:hub\.in\.[0-9]+|{_escaped(DEAD_QUEUE)}|{_escaped(PROBE_QUEUE)})$",
                ),
                *(
                    Account(
                        system,
                        NOTHING,
                        exactly(inbound_exchange(system)),
                        exactly(outbound_queue(system)),
                    )
                    for system in sends
                ),
                *_monitors(monitor),
            }
        ),
        limits=frozenset(_connection_limits(sends, partitions, monitor)),
    )


def _connection_limits(
    systems: Collection[str], partitions: int, monitor: str
) -> Iterator[UserLimit]:
    """Let no user have so many connections that others would have none.

    The hub has one for each worker, of which there are no more than partitions, and one that
    ended unseen counts for some seconds. A user that only looks needs none over AMQP.
    """
    yield UserLimit(HUB_USER, HUB_CONNECTIONS + 4 * partitions)
    for system in systems:
        yield UserLimit(system, SYSTEM_CONNECTIONS)
    if monitor:
        yield UserLimit(monitor, 0)


def _monitors(name: str) -> Iterator[Account]:
    if name:
        yield Account(name, NOTHING, NOTHING, NOTHING, ("monitoring",))


def exactly(name: str) -> str:
    """Give the pattern that matches this name only; RabbitMQ's patterns are unanchored."""
    return f"^{_escaped(name)}$"


def one_of(keys: Collection[str]) -> str:
    r"""Give the pattern that matches these routing keys and no other text.

    A ``$`` alone also matches before a line feed at the end, in RabbitMQ as in Python.

    >>> one_of(["tax.paid", "hub.receipt"])
    '^(?:hub\\.receipt|tax\\.paid)$(?!\\n)'
    """
    if not keys:
        return NEVER
    return f"^(?:{'|'.join(_escaped(key) for key in sorted(keys))})$(?!\\n)"


def _escaped(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: re.escape(found.group()), name)


def _topic_rules(
    systems: Collection[str], sends: Mapping[str, Collection[str]]
) -> Iterator[TopicRule]:
    """Give a rule for every user on every topic exchange: where there is none, all may pass."""
    exchanges = (*map(inbound_exchange, systems), *BROKERS_TOPICS)
    for user in (HUB_USER, *sends):
        for exchange in exchanges:
            own = user in sends and exchange == inbound_exchange(user)
            yield TopicRule(user, exchange, one_of(sends[user]) if own else NEVER, NEVER)


def _limits() -> Policy:
    return Policy(
        label=LIMITS_POLICY,
        pattern=r"^(?:hub\.in|out)\.",
        applies_to="queues",
        definition=_arguments(
            {
                # A full one says no to its publisher, who keeps what it has; without a limit the
                # disk alarm would come first, and stop every queue at once.
                "max-length-bytes": limits().queue_bytes,
                "delivery-limit": DELIVERY_LIMIT,
                # Of a cluster: else the node that is asked would lead every new queue.
                "queue-leader-locator": "balanced",
            }
        ),
        priority=10,
    )


def _endless() -> Policy:
    return Policy(
        label=DEAD_POLICY,
        pattern=exactly(DEAD_QUEUE),
        applies_to="queues",
        definition=_arguments({"delivery-limit": NEVER_DROPPED}),
        priority=10,
    )


def _else_to(exchange: str) -> Arguments:
    """Say where messages go that no binding takes: they would be lost, or sent back."""
    return (("alternate-exchange", exchange),)


def _bucket_binding(bucket: int, partitions: int) -> Binding:
    """Bind a bucket to its partition. The key only names the binding: headers decide."""
    return Binding(
        PARTITIONS_EXCHANGE,
        partition_queue(bucket % partitions),
        "queue",
        str(bucket),
        _arguments({"x-match": "all", PARTITION_HEADER: str(bucket)}),
    )


def _probe_arguments() -> Arguments:
    """Give those of the queue of health checks: a quorum queue, as those whose work it stands for.

    No system has this name, since none has a full stop in it.
    """
    return _arguments(
        {"x-queue-type": "quorum", "x-max-length": 1, "x-message-ttl": PROBE_MILLISECONDS}
    )


def _work_arguments() -> Arguments:
    """Give the arguments of a queue that one consumer works off in order.

    Single active consumer also for the receivers' queues: two adapters started for one system
    by mistake, or one that has not noticed yet that it was replaced, would share its messages
    and lose the order per resident. The price is that ``basic.get`` is refused there.
    At-least-once dead lettering is silently lossy without ``reject-publish``; the delivery
    limit also keeps a requeued message in its place. They are arguments and no policy, so that
    no policy can weaken them.
    """
    return _arguments(
        {
            "x-queue-type": "quorum",
            "x-single-active-consumer": True,
            "x-delivery-limit": _FIXED_DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD_EXCHANGE,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    )


def _arguments(values: Mapping[str, Any]) -> Arguments:
    return tuple(sorted(values.items()))
