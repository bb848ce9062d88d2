"""What the hub needs of a broker: planned, compared, brought about, and read back.

::

    in.<system>  (topic)  ──#──▶  hub.partitions  (consistent hash)  ──▶  hub.in.0 … n-1
    hub.out      (direct) ──<system>──▶  out.<system>
    hub.dead     (fanout) ──▶  hub.dead-letters

A system's user can publish on its own exchange and read its own queue; it can declare, bind
and delete nothing. An inbound exchange leads to the hub's queues only, so that copies asked
for by ``CC`` or ``BCC`` (which pass by the broker's topic permissions) have nowhere to go.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar

from pydantic import SecretStr

from hub.broker.management import Management
from hub.errors import BrokerError
from hub.message import PARTITION_HEADER
from hub.names import (
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    OUT_EXCHANGE,
    PARTITIONS_EXCHANGE,
    inbound_exchange,
    outbound_queue,
    partition_queue,
)
from hub.site import HUB_USER

DELIVERY_LIMIT = 100
PARTITION_WEIGHT = "10"
"""A queue's share of a consistent-hash exchange: more points on the ring, spread more evenly."""
NOTHING = "^$"
SETTLE_SECONDS = 2.0
"""How long a new quorum queue must be left alone before it may be relied upon.

Before RabbitMQ 4 (Ra's pull request 443), the name of a new quorum queue reaches the disk only
half a second after nothing more changes, with no way to see it. A node killed before that
comes back with an empty queue that has no leader, whatever was confirmed.
"""

Arguments = tuple[tuple[str, str | int | bool], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange; ``durable`` also means that it does not go with its last binding."""

    name: str
    kind: str
    arguments: Arguments = ()
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; its kind (quorum) stands among its arguments."""

    name: str
    arguments: Arguments
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue or to another exchange."""

    source: str
    destination: str
    kind: Literal["queue", "exchange"]
    key: str
    arguments: Arguments = ()

    @property
    def name(self) -> str:
        """Say what is bound to what."""
        return f"{self.source} --{self.key}--> {self.destination}"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and the names that it may configure, write to and read from, as patterns."""

    name: str
    configure: str
    write: str
    read: str


Part = Exchange | Queue | Binding | Account


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything in one vhost, the broker's own exchanges left out."""

    exchanges: frozenset[Exchange] = frozenset()
    queues: frozenset[Queue] = frozenset()
    bindings: frozenset[Binding] = frozenset()
    accounts: frozenset[Account] = frozenset()


class Change(StrEnum):
    """How what is there differs from what is planned."""

    MISSING = "missing"
    DIFFERENT = "different"
    UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; ``part`` is the planned one, or the unplanned one that is there."""

    change: Change
    part: Part

    def __str__(self) -> str:
        return f"{self.change}: {type(self.part).__name__.lower()} {self.part.name}"


# -- plan ------------------------------------------------------------------------------------


def plan(systems: Collection[str], partitions: int) -> Topology:
    """Plan the topology for these systems with this many of the hub's own queues."""
    numbers = range(partitions)
    return Topology(
        exchanges=frozenset(
            {
                Exchange(PARTITIONS_EXCHANGE, "x-consistent-hash", (_hash_header(),)),
                Exchange(OUT_EXCHANGE, "direct"),
                Exchange(DEAD_EXCHANGE, "fanout"),
                *(Exchange(inbound_exchange(system), "topic") for system in systems),
            }
        ),
        queues=frozenset(
            {
                Queue(DEAD_QUEUE, _arguments({"x-queue-type": "quorum"})),
                *(Queue(partition_queue(number), _work_arguments()) for number in numbers),
                *(Queue(outbound_queue(system), _work_arguments()) for system in systems),
            }
        ),
        bindings=frozenset(
            {
                Binding(DEAD_EXCHANGE, DEAD_QUEUE, "queue", ""),
                *(_partition_binding(number) for number in numbers),
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
        accounts=frozenset(
            {
                Account(HUB_USER, NOTHING, exactly(OUT_EXCHANGE), r"^hub\.in\.[0-9]+$"),
                *(
                    Account(
                        system,
                        NOTHING,
                        exactly(inbound_exchange(system)),
                        exactly(outbound_queue(system)),
                    )
                    for system in systems
                ),
            }
        ),
    )


def exactly(name: str) -> str:
    """Give the pattern that matches this name only; RabbitMQ's patterns are unanchored."""
    return f"^{re.sub(r'[^A-Za-z0-9_-]', lambda found: re.escape(found.group()), name)}$"


def _hash_header() -> tuple[str, str]:
    return ("hash-header", PARTITION_HEADER)


def _partition_binding(number: int) -> Binding:
    return Binding(PARTITIONS_EXCHANGE, partition_queue(number), "queue", PARTITION_WEIGHT)


def _work_arguments() -> Arguments:
    """Give the arguments of a queue that one consumer works off in order.

    Single active consumer also for the receivers' queues: two adapters started for one system
    by mistake, or one that has not noticed yet that it was replaced, would share its messages
    and lose the order per resident. The price is that ``basic.get`` is refused there.
    At-least-once dead lettering is silently lossy without ``reject-publish``; the delivery
    limit also keeps a requeued message in its place.
    """
    return _arguments(
        {
            "x-queue-type": "quorum",
            "x-single-active-consumer": True,
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD_EXCHANGE,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    )


def _arguments(values: Mapping[str, Any]) -> Arguments:
    return tuple(sorted(values.items()))


# -- compare ---------------------------------------------------------------------------------

PartT = TypeVar("PartT", Exchange, Queue, Binding, Account)


def diff(planned: Topology, actual: Topology) -> tuple[Difference, ...]:
    """List what differs, in the order in which it can be put right."""
    return (
        *_differences(planned.exchanges, actual.exchanges),
        *_differences(planned.queues, actual.queues),
        *_differences(planned.bindings, actual.bindings),
        *_differences(planned.accounts, actual.accounts),
    )


def _differences(planned: frozenset[PartT], actual: frozenset[PartT]) -> Iterator[Difference]:
    there = {part.name for part in actual}
    wanted = {part.name for part in planned}
    for part in sorted(planned - actual, key=lambda part: part.name):
        yield Difference(Change.DIFFERENT if part.name in there else Change.MISSING, part)
    for part in sorted(actual - planned, key=lambda part: part.name):
        if part.name not in wanted:
            yield Difference(Change.UNPLANNED, part)


# -- read ------------------------------------------------------------------------------------


def read(management: Management, vhost: str) -> Topology:
    """Read what is in a vhost; the account of the reading user is left out."""
    return Topology(
        exchanges=frozenset(
            Exchange(row["name"], row["type"], _arguments(row["arguments"]), _is_durable(row))
            for row in management.get("exchanges", vhost)
            if row["name"] and not row["name"].startswith("amq.")
        ),
        queues=frozenset(
            Queue(row["name"], _arguments(row["arguments"]), _is_durable(row))
            for row in management.get("queues", vhost)
        ),
        bindings=frozenset(
            Binding(
                row["source"],
                row["destination"],
                row["destination_type"],
                row["routing_key"],
                _arguments(row["arguments"]),
            )
            for row in management.get("bindings", vhost)
            if row["source"]
        ),
        accounts=frozenset(
            Account(row["user"], row["configure"], row["write"], row["read"])
            for row in management.get("vhosts", vhost, "permissions")
            if row["user"] != management.user
        ),
    )


def _is_durable(row: Mapping[str, Any]) -> bool:
    return bool(row["durable"]) and not row["auto_delete"]


# -- bring about -----------------------------------------------------------------------------


def apply(
    management: Management,
    vhost: str,
    topology: Topology,
    passwords: Mapping[str, SecretStr],
    *,
    settle: Callable[[float], None] = time.sleep,
) -> tuple[Difference, ...]:
    """Make what is missing, set the passwords, verify; return what was put right.

    Nothing is ever deleted. It may be called again at any time. Where queues were made, it
    waits ``SETTLE_SECONDS`` (by ``settle``) so that they survive a crash of the broker.

    Raises:
        BrokerError: a password is missing, the broker refused, an exchange or queue is there
            with other properties (which cannot be changed in place), or what was read back
            afterwards is not what was planned.
    """
    users = sorted(account.name for account in topology.accounts)
    without = [user for user in users if user not in passwords]
    if without:
        raise BrokerError(f"no password for {', '.join(without)}")
    management.put("vhosts", vhost)
    for user in users:
        secret = passwords[user].get_secret_value()
        management.put("users", user, body={"password": secret, "tags": ""})
    differences = diff(topology, read(management, vhost))
    fixed = [item.part for item in differences if item.change is Change.DIFFERENT]
    unchangeable = [part.name for part in fixed if isinstance(part, Exchange | Queue)]
    if unchangeable:
        raise BrokerError(
            f"there with other properties: {', '.join(unchangeable)}; drain and delete them first"
        )
    changes = tuple(item for item in differences if item.change is not Change.UNPLANNED)
    for change in changes:
        _make(management, vhost, change.part)
    if any(isinstance(change.part, Queue) for change in changes):
        settle(SETTLE_SECONDS)
    verify(management, vhost, topology)
    return changes


def verify(management: Management, vhost: str, topology: Topology) -> None:
    """Read the vhost back and compare; the broker takes misspelt arguments in silence.

    Raises:
        BrokerError: something is missing, different, or there though nobody planned it.
    """
    differences = diff(topology, read(management, vhost))
    if differences:
        listed = "\n".join(f"  {item}" for item in differences)
        raise BrokerError(f"the vhost {vhost} is not as planned:\n{listed}")


def _make(management: Management, vhost: str, part: Part) -> None:
    match part:
        case Exchange():
            body = {"type": part.kind, "durable": True, "arguments": dict(part.arguments)}
            management.put("exchanges", vhost, part.name, body=body)
        case Queue():
            body = {"durable": True, "arguments": dict(part.arguments)}
            management.put("queues", vhost, part.name, body=body)
        case Binding():
            kind = "q" if part.kind == "queue" else "e"
            body = {"routing_key": part.key, "arguments": dict(part.arguments)}
            management.post("bindings", vhost, "e", part.source, kind, part.destination, body=body)
        case Account():
            body = {"configure": part.configure, "write": part.write, "read": part.read}
            management.put("permissions", vhost, part.name, body=body)
