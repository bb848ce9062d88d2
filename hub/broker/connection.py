"""pika's connection, with a short way for the frames that come with every message."""

from collections.abc import Sequence
from typing import Protocol

import pika
from pika import exceptions, frame, spec
from pika.channel import Channel
from pika.exceptions import ConnectionClosedByClient

from hub.broker.frames import FRAME, FRAME_END, FRAME_EXTRA
from hub.broker.heart import Heart

_AT_ONCE = 65_536
"""Bytes given to, and asked of, the socket in one call; pika asks for 4,096."""
_PROTOCOL = ord("A")
"""Begins ``AMQP``, which a broker answers that speaks another version."""


class Sink(Protocol):
    """Takes the payloads of frames on one channel; what it does not take goes to pika."""

    def take(self, kind: int, data: bytes, begin: int, end: int) -> bool:
        """Read a payload, which stands between these places; say whether it was taken."""
        ...


class Connection(pika.SelectConnection):  # type: ignore[misc] # pika ships no types
    """A connection that can be left without cancelling its consumers."""

    sinks: dict[int, Sink]
    """By channel number."""
    _rest = b""

    def _create_heartbeat_checker(self) -> Heart:
        return Heart(self, self.params.heartbeat)

    def emit(self, parts: Sequence[bytes]) -> None:
        """Send frames that are written already, many in one call of the socket."""
        portion: list[bytes] = []
        size = 0
        for part in parts:
            portion.append(part)
            size += len(part)
            if size >= _AT_ONCE:
                self._output_marshaled_frames([b"".join(portion)])
                portion, size = [], 0
        if portion:
            self._output_marshaled_frames([b"".join(portion)])

    def read_much(self) -> None:
        """Let each call of the socket bring as much as there is."""
        self._transport._MAX_RECV_BYTES = _AT_ONCE  # noqa: SLF001 - it has no setting

    def leave(self) -> None:
        """Ask the broker to close the connection, as it is.

        pika's own ``close`` first cancels each consumer. A single active consumer that is
        cancelled with messages outstanding gives its successor the later ones first; one
        whose connection ends does not.
        """
        self._set_connection_state(self.CONNECTION_CLOSING)
        self._error = ConnectionClosedByClient(200, "Normal shutdown")
        self._on_close_ready()

    def drop(self) -> None:
        """Close the socket at once, so that the broker need not wait for a heartbeat."""
        self._terminate_stream(ConnectionClosedByClient(200, "Dropped"))

    def _on_data_available(self, data_in: bytes) -> None:
        """Read the frames that are there; pika's own would copy the rest after each of them."""
        data = self._rest + data_in if self._rest else data_in
        at, end = 0, len(data)
        sinks, begins = self.sinks, FRAME.unpack_from  # looked up once, and not for each frame
        while end - at >= FRAME_EXTRA:
            if data[at] == _PROTOCOL:
                at += self._take_protocol_header(data[at:])
                break
            kind, channel, size = begins(data, at)
            after = at + FRAME_EXTRA + size
            if after > end:
                break
            if data[after - 1] != FRAME_END:
                raise exceptions.InvalidFrameError("Invalid FRAME_END marker")
            sink = sinks.get(channel)
            if sink is None or not sink.take(kind, data, at + spec.FRAME_HEADER_SIZE, after - 1):
                self._process_frame(frame.decode_frame(data[at:after])[1])
            at = after
        self._rest = data[at:]
        self.bytes_received += at

    def _take_protocol_header(self, data: bytes) -> int:
        count, value = frame.decode_frame(data)
        if value is not None:
            self._process_frame(value)
        return int(count)


def close_as_it_is(channel: Channel) -> None:
    """Close a channel; what it has not acknowledged goes back in its place (see ``leave``)."""
    channel._consumers.clear()  # noqa: SLF001 - pika would cancel each of them first
    channel.close()
