"""What one channel consumes of one queue, and what of it is not acknowledged yet."""

from collections.abc import Callable, Sequence

from pika.channel import Channel
from pika.exceptions import AMQPError

from hub.broker.connection import Connection, close_as_it_is
from hub.broker.frames import Arrived, Deliveries
from hub.errors import LinkLost
from hub.ports import Delivery


class Intake:
    """A queue's consumer on a channel of its own; ``keep`` gets what arrives.

    A channel of its own, so that a queue can be let go of by closing that and nothing else.
    """

    def __init__(
        self, queue: str, prefetch: int, keep: Callable[["Intake", Arrived], None]
    ) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self.ready = False
        self.open: dict[int, int] = {}
        """The link's tag → the broker's, in the order of arrival."""
        self._keep = keep
        self._channel: Channel | None = None
        self._connection: Connection | None = None

    def begin(
        self, connection: Connection, on_closed: Callable[[Channel, Exception], None]
    ) -> None:
        """Ask for a channel, and consume on it."""
        self._connection = connection

        def opened(channel: Channel) -> None:
            self._channel = channel
            channel.add_on_close_callback(on_closed)
            channel.add_on_cancel_callback(lambda _: on_closed(channel, _GONE))
            channel.basic_qos(prefetch_count=self.prefetch)
            deliveries = Deliveries(self.queue, lambda arrived: self._keep(self, arrived))
            connection.sinks[channel.channel_number] = deliveries
            channel.basic_consume(self.queue, _unexpected, callback=self._consuming)

        connection.channel(on_open_callback=opened)

    def _consuming(self, _frame: object) -> None:
        self.ready = True

    def ack(self, done: Sequence[Delivery]) -> None:
        """Acknowledge deliveries: together all that nothing older is left before."""
        if self._channel is None:
            raise LinkLost("the consuming channel is not open")
        tags = [tag for one in done if (tag := self.open.pop(one.tag, None)) is not None]
        oldest = next(iter(self.open.values()), None)
        together = [tag for tag in tags if oldest is None or tag < oldest]
        try:
            if together:
                self._channel.basic_ack(max(together), multiple=True)
            for tag in tags:
                if oldest is not None and tag > oldest:
                    self._channel.basic_ack(tag)
        except AMQPError as error:
            raise LinkLost(f"could not acknowledge: {error!r}") from error

    def end(self) -> None:
        """Let go of the queue: what is not acknowledged goes back to it, in its place."""
        self.open.clear()
        # The sink stays until the channel is closed: half of a message may have come.
        self._keep = _let_fall
        if self._channel is not None and self._channel.is_open:
            close_as_it_is(self._channel)


def _let_fall(_intake: Intake, _arrived: Arrived) -> None:
    """Take nothing more: it goes back to its queue."""


_GONE = RuntimeError("it cancelled the consumer, for the queue is gone")


def _unexpected(*_: object) -> None:
    """Take what the sink takes before."""
