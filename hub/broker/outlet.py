"""The half of a link that publishes: a channel with confirms, and a window of what is under way."""

import time
from collections.abc import Callable, Sequence

from pika.channel import Channel
from pika.spec import Basic, BasicProperties

from hub.broker.connection import Connection
from hub.broker.frames import Confirms, Writer
from hub.broker.pump import Pump
from hub.broker.window import Window
from hub.errors import LinkLost
from hub.ports import Outgoing, Sending, Sent

WINDOW = 512
"""Messages published and not yet confirmed; past a few hundred more brings nothing."""
CONFIRM_SECONDS = 30.0
"""How long no confirm at all may come while some are outstanding."""
FIRST_CONFIRM_SECONDS = 3.0
"""The same for the first confirm on a channel to one of several nodes: one that asks a frozen
node first (see ``_renew``) gets no answer, and a new one soon may."""
RENEW_SECONDS = 0.5
"""How soon after another the publishing channel may be taken anew."""


class Outlet:
    """The publishing channel of one user.

    ``blocked`` is set while the broker takes nothing, for an alarm of memory or disk.
    ``open_seconds`` is how long a new channel may take; ``on_closed`` is told of channels that
    are closed. ``is_one_of_many`` says that there are other nodes of the same cluster.
    """

    def __init__(  # noqa: PLR0913 - what it is bound to
        self,
        pump: Pump,
        connection: Connection,
        *,
        user: str,
        open_seconds: float,
        is_one_of_many: bool,
        on_closed: Callable[[Channel, Exception], None],
    ) -> None:
        self.blocked = False
        self._pump = pump
        self._connection = connection
        self._user = user
        self._open_seconds = open_seconds
        self._is_one_of_many = is_one_of_many
        self._on_closed = on_closed
        self._channel: Channel | None = None
        self._writer: Writer | None = None
        self._last_tag = 0
        self._windows: list[Window] = []  # those that are not finished, the oldest first
        self._confirmed = False
        self._doubted = False
        self._renewed = -RENEW_SECONDS

    @property
    def ready(self) -> bool:
        """Whether there is a channel to publish on."""
        return self._channel is not None

    def open(self) -> None:
        """Ask for a channel; ``ready`` says that it is there."""
        self._connection.channel(on_open_callback=self._opened)

    def start(self, messages: Sequence[Outgoing]) -> Window:
        """Begin to publish, beside what was started before and has other order keys."""
        self._pump.check()
        self._renew()
        window = Window(messages)
        if window.open:
            self._windows.append(window)
            self.push()
            self._pump.flush()
        return window

    def finish(self, sending: Sending) -> list[Sent]:
        """Wait until each message's fate is known, and give the fates in the order of the call."""
        if not isinstance(sending, Window):
            raise TypeError("no sending of this link")
        while sending.open:
            self._pump.check()
            self.push()
            self._wait_for_confirms(sending)
        if sending in self._windows:
            self._windows.remove(sending)
        fates = sending.fates()
        self._doubted = self._doubted or Sent.REFUSED in fates
        return fates

    def push(self) -> None:
        """Send of the messages under way what may go by now."""
        if not any(window.ready for window in self._windows):
            return
        self._pump.check()
        if self._channel is None or self._writer is None or not self._channel.is_open:
            raise LinkLost("the publishing channel is not open")
        room = WINDOW - sum(len(window.in_flight) for window in self._windows)
        parts: list[bytes] = []
        for window in self._windows:
            while window.ready and len(parts) < room:
                index = window.ready.popleft()
                parts.append(self._writer.publish(window.messages[index]))
                self._last_tag += 1
                window.sent(self._last_tag, index)
        self._connection.emit(parts)

    def _wait_for_confirms(self, window: Window) -> None:
        # After a confirm that did not come in time nothing on this connection can be
        # trusted: it is given up, and the caller begins again.
        before = window.open
        is_first = not self._confirmed and self._is_one_of_many and not self.blocked
        patience = FIRST_CONFIRM_SECONDS if is_first else CONFIRM_SECONDS
        if not self._pump.turn(lambda: window.open < before, patience):
            if self.blocked:
                return  # an alarm of memory or disk: it takes nothing, and says when it does again
            self._pump.give_up(f"no confirm within {patience:g} s")

    def _renew(self) -> None:
        """Publish by another channel after the broker refused something.

        A channel that first publishes to a quorum queue just after the queue's leader went down
        asks that node, and RabbitMQ 3.10 refuses everything that it publishes there until the
        node is back. A new channel asks the new leader.
        """
        now = time.monotonic()
        doubted, old = self._doubted and not self.blocked, self._channel
        if self._windows or not doubted or old is None or now < self._renewed + RENEW_SECONDS:
            return
        self._doubted, self._renewed, self._channel = False, now, None
        old.close()
        self.open()
        self._pump.answered(lambda: self._channel is not None, self._open_seconds)

    # -- what pika tells ---------------------------------------------------------------

    def _opened(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(_unexpected, callback=lambda _: self._on_ready(channel))

    def _on_ready(self, channel: Channel) -> None:
        number = channel.channel_number
        self._connection.sinks[number] = Confirms(self._on_confirm)
        self._writer = Writer(number, self._user, self._connection.params.frame_max)
        self._channel = channel
        self._last_tag = 0
        self._confirmed = False

    def _on_returned(
        self, _channel: Channel, method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        # The broker sends the return of a message before its confirm.
        for window in self._windows:
            if window.returned(method.exchange, method.routing_key, properties.message_id):
                break

    def _on_confirm(self, tag: int, multiple: bool, confirmed: bool) -> None:  # noqa: FBT001 - ``Confirms``
        self._confirmed = self._confirmed or confirmed
        for window in self._windows:
            window.settle(tag, multiple=multiple, confirmed=confirmed)


def _unexpected(*_: object) -> None:
    """Take what the sink takes before."""
