"""What one channel consumes of one queue, and what of it is not acknowledged yet."""

from collections.abc import Callable, Sequence

from pika.channel import Channel
from pika.exceptions import AMQPError

from hub.broker.connection import Connection, close_as_it_is
from hub.broker.frames import Arrived, Deliveries
from hub.broker.plan import MESSAGE_BYTES
from hub.errors import LinkLost
from hub.ports import Delivery

_Closed = Callable[[Channel, Exception], None]

ROUNDS = 40
"""So often at the most the largest messages come anew before all of them are through. A queue
counts each time, and at its delivery limit, 100, puts them with the dead letters."""


def bytes_kept(prefetch: int) -> int:
    """Give how large all that is kept of one queue may be, of so many messages in hand."""
    return -(-prefetch * MESSAGE_BYTES // ROUNDS) + MESSAGE_BYTES


class Intake:
    """A queue's consumer on a channel of its own; ``keep`` gets what arrives.

    A channel of its own, so that a queue can be let go of by closing that and nothing else.

    The broker hands out as many messages as ``prefetch`` says, however large they are. What comes
    when ``most_bytes`` are kept (and something is) falls, with all that comes after it. When what
    was kept is acknowledged, the channel is closed and another one opened: what fell goes back in
    its place and comes again. The prefetch stays what it is, for order depends on it
    (``hub.worker.intray``).
    """

    def __init__(
        self,
        queue: str,
        prefetch: int,
        keep: Callable[["Intake", Arrived], None],
        most_bytes: int | None = None,
    ) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self.most_bytes = bytes_kept(prefetch) if most_bytes is None else most_bytes
        self.ready = False
        self.open: dict[int, int] = {}
        """The link's tag → the broker's, in the order of arrival."""
        self._keep = keep
        self._channel: Channel | None = None
        self._bytes = 0
        self._is_short = False
        self._again: Callable[[], None] | None = None

    def begin(self, connection: Connection, on_closed: _Closed) -> None:
        """Ask for a channel, and consume on it."""
        self._again = lambda: self.begin(connection, on_closed)

        def opened(channel: Channel) -> None:
            if self._again is None:  # let go of meanwhile
                channel.close()
                return
            self._channel = channel
            channel.add_on_close_callback(on_closed)
            channel.add_on_cancel_callback(lambda _: on_closed(channel, _GONE))
            channel.basic_qos(prefetch_count=self.prefetch)
            deliveries = Deliveries(self.queue, lambda arrived: self._came(channel, arrived))
            connection.sinks[channel.channel_number] = deliveries
            channel.basic_consume(self.queue, _unexpected, callback=self._consuming)

        connection.channel(on_open_callback=opened)

    def _consuming(self, _frame: object) -> None:
        self.ready = True

    def ack(self, done: Sequence[Delivery]) -> None:
        """Acknowledge deliveries: together all that nothing older is left before."""
        tags: list[int] = []
        for one in done:
            tag = self.open.pop(one.tag, None)
            if tag is not None:
                tags.append(tag)
                self._bytes -= len(one.body)
        if not tags:
            return
        if self._channel is None:
            raise LinkLost("the consuming channel is not open")
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
        if self._is_short and not self.open:
            self._begin_anew(self._channel)

    def _came(self, channel: Channel, arrived: Arrived) -> None:
        """Keep what arrived, unless too much is kept, or it came on a channel of before."""
        if channel is not self._channel:
            return
        size = self._bytes + len(arrived.body)
        if self._is_short or (self.open and size > self.most_bytes):
            self._is_short = True
            return
        self._bytes = size
        self._keep(self, arrived)

    def _begin_anew(self, channel: Channel) -> None:
        self._channel, self._is_short, self._bytes, self.ready = None, False, 0, False
        if channel.is_open:
            close_as_it_is(channel)
        if self._again is not None:
            self._again()

    def end(self) -> None:
        """Let go of the queue: what is not acknowledged goes back to it, in its place."""
        self.open.clear()
        # The sink stays until the channel is closed: half of a message may have come.
        channel, self._channel, self._again = self._channel, None, None
        if channel is not None and channel.is_open:
            close_as_it_is(channel)


_GONE = RuntimeError("it cancelled the consumer, for the queue is gone")


def _unexpected(*_: object) -> None:
    """Take what the sink takes before."""
