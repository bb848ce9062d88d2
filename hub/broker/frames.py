"""AMQP 0-9-1 frames of what comes with every message, written and read without objects between.

pika makes an object of each frame, three for a message in and three for a message out, which is
most of what moving a message costs (``docs/adr/0020-frames-of-our-own.md``). Here a message is
written in one piece, and read straight into a delivery. Everything else is left to pika.
Section numbers are those of the AMQP 0-9-1 specification.
"""

import datetime as dt
import struct
from collections.abc import Callable
from typing import Any

from pika import data as tables

from hub.message import CONTENT_TYPE, NUMBER_HEADER, PARTITION_HEADER
from hub.ports import Death, Delivery, Outgoing

METHOD, HEADER, BODY = 1, 2, 3
FRAME = struct.Struct(">BHI")
"""Type, channel, size of the payload (4.2.3)."""
FRAME_EXTRA = 8
"""Bytes of a frame beside its payload."""
FRAME_END = 0xCE
_END = b"\xce"
_CONTENT = struct.Struct(">HHQH")
"""Class, weight, size of the body, property flags (4.2.6.1)."""
_CONFIRM = struct.Struct(">IQB")
"""Class and method, delivery tag, bits: the whole of an ack or a nack."""
_TAG = struct.Struct(">QB")
_METHOD = struct.Struct(">I")
_SIZE = struct.Struct(">I")
_PUBLISH, _DELIVER, _ACK, _NACK = 0x003C0028, 0x003C003C, 0x003C0050, 0x003C0078
_BASIC = 60
_PERSISTENT = 2
_MANDATORY = 1
_MOST_SHORT = 255

# Property flags (class basic, 1.8); the values stand in this order.
_TYPE_OF_CONTENT, _ENCODING, _HEADERS, _MODE, _PRIORITY = (
    1 << 15,
    1 << 14,
    1 << 13,
    1 << 12,
    1 << 11,
)
_CORRELATION, _REPLY_TO, _EXPIRATION, _ID, _TIME = 1 << 10, 1 << 9, 1 << 8, 1 << 7, 1 << 6
_TYPE, _USER = 1 << 5, 1 << 4
_ALWAYS = _TYPE_OF_CONTENT | _MODE | _ID | _TYPE | _USER


def _short(text: str) -> bytes:
    value = text.encode()
    if len(value) > _MOST_SHORT:
        raise ValueError("a name is longer than AMQP's short strings")
    return bytes((len(value),)) + value


def _long(text: str) -> bytes:
    value = text.encode()
    return _SIZE.pack(len(value)) + value


class Writer:
    """Writes messages of one user on one channel; ``most`` is the largest frame, in bytes."""

    def __init__(self, channel: int, user: str, most: int) -> None:
        self._channel = channel
        self._most = most - FRAME_EXTRA
        self._user = _short(user)
        self._methods: dict[tuple[str, str], bytes] = {}
        self._headers: dict[str, bytes] = {"": b""}
        self._content_type = _short(CONTENT_TYPE)
        self._number = _short(NUMBER_HEADER) + b"S"

    def publish(self, message: Outgoing) -> bytes:
        """Give the frames of a message: persistent, mandatory, in the writer's name.

        Raises:
            ValueError: a name is too long for AMQP.
        """
        route = (message.exchange, message.routing_key)
        method = self._methods.get(route)
        if method is None:
            method = self._methods[route] = self._method(*route)
        table = self._headers.get(message.partition)
        if table is None:
            table = self._headers[message.partition] = _partition_table(message.partition)
        if message.number:
            entries = table[4:] + self._number + _long(message.number)
            table = _SIZE.pack(len(entries)) + entries
        flags = _ALWAYS
        if table:
            flags |= _HEADERS
        expiration = b""
        if message.expires_ms is not None:
            flags |= _EXPIRATION
            expiration = _short(str(message.expires_ms))
        body = message.body
        payload = b"".join(
            (
                _CONTENT.pack(_BASIC, 0, len(body), flags),
                self._content_type,
                table,
                bytes((_PERSISTENT,)),
                expiration,
                _short(message.message_id),
                _short(message.message_type),
                self._user,
            )
        )
        header = FRAME.pack(HEADER, self._channel, len(payload))
        return b"".join((method, header, payload, _END, *self._body(body)))

    def _method(self, exchange: str, routing_key: str) -> bytes:
        payload = b"".join(
            (
                _METHOD.pack(_PUBLISH),
                b"\x00\x00",
                _short(exchange),
                _short(routing_key),
                bytes((_MANDATORY,)),
            )
        )
        return FRAME.pack(METHOD, self._channel, len(payload)) + payload + _END

    def _body(self, body: bytes) -> list[bytes]:
        parts: list[bytes] = []
        for start in range(0, len(body), self._most):
            part = body[start : start + self._most]
            parts += (FRAME.pack(BODY, self._channel, len(part)), part, _END)
        return parts


def _partition_table(partition: str) -> bytes:
    table = _short(PARTITION_HEADER) + b"S" + _long(partition)
    return _SIZE.pack(len(table)) + table


class Confirms:
    """Reads the broker's acks and nacks on a publishing channel.

    ``settle`` is called with the tag, whether it stands for all before it too, and whether the
    broker has the message.
    """

    def __init__(self, settle: Callable[[int, bool, bool], None]) -> None:
        self._settle = settle

    def take(self, kind: int, data: bytes, begin: int, end: int) -> bool:
        """Read a frame's payload if it is one of those; say whether it was."""
        if kind != METHOD or end - begin != _CONFIRM.size:
            return False
        method, tag, bits = _CONFIRM.unpack_from(data, begin)
        if method not in {_ACK, _NACK}:
            return False
        self._settle(tag, bool(bits & 1), method == _ACK)
        return True


class Deliveries:
    """Puts together the deliveries of one channel that consumes one queue.

    ``keep`` is called with the broker's tag and what makes a delivery from a tag of one's own.
    """

    def __init__(self, queue: str, keep: Callable[["Arrived"], None]) -> None:
        self._queue = queue
        self._keep = keep
        self._now: Arrived | None = None
        self._left = 0
        self._parts: list[bytes] = []

    def take(self, kind: int, data: bytes, begin: int, end: int) -> bool:
        """Read a frame's payload if it belongs to a delivery; say whether it did."""
        if kind == METHOD:
            if _METHOD.unpack_from(data, begin)[0] != _DELIVER:
                return False
            self._now = Arrived(self._queue, data, begin)
        elif self._now is None:
            return False
        elif kind == HEADER:
            self._left = self._now.properties(data, begin, end)
            self._parts = []
        elif kind == BODY:
            self._left -= end - begin
            self._parts.append(data[begin:end])
        if kind != METHOD and self._left <= 0 and self._now is not None:
            now, self._now = self._now, None
            now.body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._keep(now)
        return True


class Arrived:
    """A delivery while its frames come in; ``tag`` is the broker's."""

    __slots__ = (
        "body",
        "copied",
        "death",
        "queue",
        "redelivered",
        "routing_key",
        "tag",
        "times",
        "user_id",
    )

    def __init__(self, queue: str, data: bytes, begin: int) -> None:
        """Read a ``basic.deliver`` (1.8.3.13) whose payload begins there."""
        self.queue = queue
        at = begin + 5 + data[begin + 4]
        self.tag, bits = _TAG.unpack_from(data, at)
        self.redelivered = bool(bits & 1)
        at += _TAG.size
        at += 1 + data[at]
        self.routing_key = str(data[at + 1 : at + 1 + data[at]], "utf-8", "replace")
        self.user_id = ""
        self.copied = False
        self.times = 0
        self.death: Death | None = None
        self.body = b""

    def properties(self, data: bytes, begin: int, end: int) -> int:
        """Read a content header as far as it matters here; give the size of the body."""
        _, _, size, flags = _CONTENT.unpack_from(data, begin)
        at = begin + _CONTENT.size
        for flag in (_TYPE_OF_CONTENT, _ENCODING):
            if flags & flag:
                at += 1 + data[at]
        if flags & _HEADERS:
            after = at + 4 + int.from_bytes(data[at : at + 4])
            self._headers(data, at, after)
            at = after
        at += bool(flags & _MODE) + bool(flags & _PRIORITY)
        for flag in (_CORRELATION, _REPLY_TO, _EXPIRATION, _ID):
            if flags & flag:
                at += 1 + data[at]
        if flags & _TIME:
            at += 8
        if flags & _TYPE:
            at += 1 + data[at]
        if flags & _USER:
            self.user_id = str(data[at + 1 : at + 1 + data[at]], "utf-8", "replace")
            at += 1 + data[at]
        if at > end:
            raise ValueError("the properties of a message are longer than their frame")
        return int(size)

    def _headers(self, data: bytes, begin: int, after: int) -> None:
        raw = data[begin:after]
        # A key stands as its length and its text: what is not among the bytes is no key.
        if b"\x02CC" not in raw and b"\x03BCC" not in raw and b"x-de" not in raw:
            return
        try:
            headers, _ = tables.decode_table(raw, 0)
        except Exception:  # noqa: BLE001 - whatever a sender wrote there must not end the connection
            self.copied = True  # what cannot be read may ask for anything: it is refused as if
            return
        self.copied = "CC" in headers or "BCC" in headers
        # A sender may write that header too; the broker's own comes with a redelivery only.
        times = headers.get("x-delivery-count", 0) if self.redelivered else 0
        self.times = times if isinstance(times, int) else 0
        own = (headers.get(PARTITION_HEADER), headers.get(NUMBER_HEADER))
        self.death = _death(headers.get("x-death"), *own)

    def delivery(self, tag: int) -> Delivery:
        """Give it under a tag of the link's own."""
        return Delivery(
            tag,
            self.queue,
            self.routing_key,
            self.user_id,
            self.body,
            self.redelivered,
            self.copied,
            self.times,
            self.death,
        )


def _death(deaths: Any, partition: Any, number: Any) -> Death | None:  # noqa: ANN401 - as somebody wrote it
    """Read the newest of the broker's notes; a sender may have put anything there."""
    newest = deaths[0] if isinstance(deaths, list) and deaths else None
    if not isinstance(newest, dict):
        return None
    queue, reason, exchange, at = (
        newest.get(key) for key in ("queue", "reason", "exchange", "time")
    )
    times = newest.get("count", 1)
    return Death(
        queue=queue if isinstance(queue, str) else "",
        reason=reason if isinstance(reason, str) else "",
        exchange=exchange if isinstance(exchange, str) else "",
        times=times if isinstance(times, int) else 1,
        at=at.replace(tzinfo=dt.UTC) if isinstance(at, dt.datetime) else None,
        partition=partition if isinstance(partition, str) else "",
        number=number if isinstance(number, str) else "",
    )
