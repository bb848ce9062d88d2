"""What the processes of a benchmark that speak through pika's ``SelectConnection`` share."""

import sys
from abc import ABC, abstractmethod

import pika
from pika.channel import Channel
from pika.spec import Basic

from bench.place import Place

PERSISTENT = 2


class Client(ABC):
    """A connection with its loop; ``failed`` says why it ended before its work was done."""

    def __init__(self, place: Place) -> None:
        self.failed = ""
        self._leaving = False
        self._connection = pika.SelectConnection(
            place.parameters(),
            on_open_callback=self._opened,
            on_open_error_callback=self._closed,
            on_close_callback=self._closed,
        )

    def run(self) -> int:
        """Work until it is done; give the status with which the process is to end."""
        self._connection.ioloop.start()
        if self.failed:
            sys.stderr.write(f"{self.failed}\n")
            return 1
        return 0

    @abstractmethod
    def _channel_opened(self, channel: Channel) -> None:
        """Begin to work on the first channel."""

    def _leave(self) -> None:
        """Close in good order: what was written before goes out."""
        self._leaving = True
        self._connection.close()

    def _fail(self, why: str) -> None:
        self.failed = why
        self._connection.close()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _closed(self, _connection: object, reason: Exception | str) -> None:
        if not self._leaving:
            self.failed = self.failed or str(reason)
        self._connection.ioloop.stop()


class Publishing(Client):
    """A client whose first channel publishes with confirms.

    ``_published`` is the last tag, up to ``_through`` all are confirmed.
    """

    def __init__(self, place: Place) -> None:
        self._user = place.user
        self._published = 0
        self._through = 0
        self._singly: set[int] = set()  # confirmed beyond ``_through``
        super().__init__(place)

    @abstractmethod
    def _begin(self) -> None:
        """Begin to publish."""

    @abstractmethod
    def _advanced(self) -> None:
        """Go on after a confirm."""

    def _channel_opened(self, channel: Channel) -> None:
        self._outgoing = channel
        channel.add_on_return_callback(lambda *_: self._fail("no queue took a message"))
        channel.confirm_delivery(self._settled, callback=lambda _: self._begin())

    def _settled(self, frame: pika.frame.Method) -> None:
        tag = frame.method.delivery_tag
        if not isinstance(frame.method, Basic.Ack):
            self._fail("the broker did not take a message")
            return
        if frame.method.multiple:
            self._singly.difference_update(range(self._through + 1, tag + 1))
            self._through = max(self._through, tag)
        else:
            self._singly.add(tag)
        while self._through + 1 in self._singly:
            self._through += 1
            self._singly.remove(self._through)
        self._advanced()
