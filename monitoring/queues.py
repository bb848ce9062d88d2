"""The metrics of the broker's queues, as the watch sees them every few seconds."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge


class QueueMetrics:
    """Shows depth, consumers, bytes and the age of the oldest message of each queue."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("queue",), registry=registry)

        self._messages = gauge(
            "renkei_queue_messages", "Messages in a queue that no consumer has in hand."
        )
        self._consumers = gauge("renkei_queue_consumers", "Consumers of a queue.")
        self._bytes = gauge("renkei_queue_size_bytes", "Bytes of the bodies in a queue.")
        self._oldest = gauge(
            "renkei_queue_oldest_message_age_seconds",
            "How long the oldest message of a queue has been there, at the least; 0 when empty.",
        )

    def counted(self, queue: str, messages: int, consumers: int, oldest: float) -> None:
        """Show what a queue holds, and since how many seconds."""
        self._messages.labels(queue).set(messages)
        self._consumers.labels(queue).set(consumers)
        self._oldest.labels(queue).set(oldest)

    def gone(self, queue: str) -> None:
        """Show nothing of a queue that is not there."""
        for gauge in (self._messages, self._consumers, self._oldest, self._bytes):
            gauge.remove_by_labels({"queue": queue})

    def sized(self, sizes: Mapping[str, int]) -> None:
        """Show the bytes in queues, as the management API tells them."""
        for queue, size in sizes.items():
            self._bytes.labels(queue).set(size)

    def unseen(self) -> None:
        """Show nothing of what cannot be asked: an old figure would look like a new one."""
        for gauge in (self._messages, self._consumers, self._oldest):
            gauge.clear()
