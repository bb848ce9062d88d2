"""What the broker's exchanges and queues are called; used by whoever speaks to it.

Each sender has an exchange of its own, bound only to the hub's partitions. Each receiver has
a queue that only the hub writes to.
"""

PARTITIONS_EXCHANGE = "hub.buckets"
"""Sends each bucket of residents (``hub.message.partition_of``) to its one partition."""
STRAYS_EXCHANGE = "hub.strays"
"""Takes what is in no bucket, so that nothing is lost."""
OUT_EXCHANGE = "hub.out"
DEAD_EXCHANGE = "hub.dead"
DEAD_QUEUE = "hub.dead-letters"
PROBE_QUEUE = "hub.probe"
"""Where health checks put a message of their own, and take it out again."""


def inbound_exchange(system: str) -> str:
    """Name the exchange that only this system publishes to."""
    return f"in.{system}"


def outbound_queue(system: str) -> str:
    """Name the queue that only this system reads."""
    return f"out.{system}"


def partition_queue(number: int) -> str:
    """Name one of the hub's own queues, counted from 0."""
    return f"hub.in.{number}"
