"""Which partition a bucket of residents goes to, and how it is given another one in order.

Messages about one resident take effect in order, so a bucket may go to another queue only while
none of its messages is in the one before: it is drained, nobody consumes it, and nobody can send.
"""

import time
from collections.abc import Callable, Collection, Mapping

from hub.broker.fence import Fence
from hub.broker.management import Management
from hub.broker.parts import make, remove
from hub.broker.read import read
from hub.broker.topology import Part, Queue, Topology
from hub.errors import BrokerError
from hub.message import BUCKETS, PARTITION_HEADER
from hub.names import PARTITIONS_EXCHANGE, STRAYS_EXCHANGE, partition_queue

SETTLE_SECONDS = 2.0
"""How long a new quorum queue must be left alone before it may be relied upon.

Before RabbitMQ 4 (Ra's pull request 443), the name of a new quorum queue reaches the disk only
half a second after nothing more changes, with no way to see it. A node killed before that
comes back with an empty queue that has no leader, whatever was confirmed.
"""
FENCE_SECONDS = 1.0
"""How long what senders had under way when they were cut off may take to reach its queue."""
RETIRED_EXCHANGE = "hub.partitions"
"""What earlier versions had in the place of ``hub.buckets``: a consistent hash."""
_PARTITIONS = frozenset(partition_queue(number) for number in range(64))
"""The hub's own queues; earlier versions could have so many."""

Depth = Callable[[str], tuple[int, int]]
"""Tells how many messages and consumers a queue has (``hub.broker.depth``)."""
Settle = Callable[[float], None]
"""Waits so many seconds."""


def ways(there: Topology) -> Mapping[str, frozenset[str]]:
    """Give the queues that each bucket's messages may be in; nothing where there are no buckets.

    The consistent hash of earlier versions may have led any bucket to any of its queues.
    """
    found: dict[str, set[str]] = {str(bucket): set() for bucket in range(BUCKETS)}
    for one in there.bindings:
        if one.destination not in _PARTITIONS:
            continue
        if one.source == RETIRED_EXCHANGE:
            for queues in found.values():
                queues.add(one.destination)
        elif one.source == PARTITIONS_EXCHANGE:
            bucket = str(dict(one.arguments).get(PARTITION_HEADER, ""))
            found.get(bucket, set()).add(one.destination)
    return {bucket: frozenset(queues) for bucket, queues in found.items() if queues}


def moving(there: Topology, planned: Topology) -> frozenset[str]:
    """Give the queues whose messages would be followed by others in another queue."""
    after = ways(planned)
    return frozenset(
        queue
        for bucket, queues in ways(there).items()
        for queue in queues
        if queues != after.get(bucket)
    )


def switch(  # noqa: PLR0913 - one step of ``hub.broker.apply``
    management: Management,
    vhost: str,
    planned: Topology,
    fence: Fence,
    *,
    depth: Depth | None,
    settle: Settle = time.sleep,
) -> None:
    """Lead the buckets to the partitions that are planned for them; remove the ways before.

    Where none moves, messages go on meanwhile: the new way is there before the old one goes, and
    what takes both is taken once by the hub. Where one moves, the fence is shut from now on, until
    ``apply`` gives the rights back.

    Raises:
        BrokerError: a bucket would move although its queue holds messages or is being consumed;
            nothing was changed.
    """
    there = read(management, vhost)
    queues = moving(there, planned)
    if queues:
        _must_be_drained(queues, depth)
        fence.shut()
        settle(FENCE_SECONDS)
        try:
            _must_be_drained(queues, depth)
        except BrokerError:
            fence.reopen()
            raise
    if ways(there):
        _lead(management, vhost, there, planned, settle)


def _must_be_drained(queues: Collection[str], depth: Depth | None) -> None:
    for queue in sorted(queues):
        messages, consumers = depth(queue) if depth is not None else (-1, 0)
        if messages or consumers:
            held = f"holds {messages} messages" if messages > 0 else "may hold messages"
            why = held if messages else "is being consumed"
            raise BrokerError(
                f"residents would move to another partition, but {queue} {why}: stop what sends, "
                "let the hub drain its partitions, stop it, and apply again; or leave "
                "hub.partitions as it was"
            )


def _lead(
    management: Management, vhost: str, there: Topology, planned: Topology, settle: Settle
) -> None:
    """Make the new ways, then remove the old ones."""
    queues = _new_queues(there, planned)
    for part in (*_new_exchanges(there, planned), *queues):
        make(management, vhost, part)
    if queues:
        settle(SETTLE_SECONDS)
    for binding in _new_bindings(there, planned):
        make(management, vhost, binding)
    for binding in there.bindings - planned.bindings:
        if binding.source == PARTITIONS_EXCHANGE and binding.destination in _PARTITIONS:
            remove(management, vhost, binding, planned)
    for exchange in there.exchanges:
        if exchange.name == RETIRED_EXCHANGE:
            remove(management, vhost, exchange, planned)


def _new_exchanges(there: Topology, planned: Topology) -> list[Part]:
    new = {one.name: one for one in planned.exchanges - there.exchanges}
    return [new[name] for name in (STRAYS_EXCHANGE, PARTITIONS_EXCHANGE) if name in new]


def _new_queues(there: Topology, planned: Topology) -> list[Queue]:
    known = {one.name for one in there.queues}
    return [one for one in planned.queues if one.name in _PARTITIONS - known]


def _new_bindings(there: Topology, planned: Topology) -> list[Part]:
    """Give them from the queues upwards: nothing leads to the buckets before these lead on."""
    new = planned.bindings - there.bindings
    senders = {one.name for one in there.exchanges}
    return [
        *(one for one in new if one.source in {STRAYS_EXCHANGE, PARTITIONS_EXCHANGE}),
        *(one for one in new if one.destination == PARTITIONS_EXCHANGE and one.source in senders),
    ]
