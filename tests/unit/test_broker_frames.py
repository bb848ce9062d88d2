"""What we write pika reads, and what pika writes, cut anywhere, we read."""

import datetime as dt
import itertools
from typing import Any

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel
from pika.exceptions import InvalidFrameError

from hub.broker.connection import Connection
from hub.broker.frames import Arrived, Confirms, Deliveries, Writer
from hub.message import CONTENT_TYPE, NUMBER_HEADER, PARTITION_HEADER
from hub.ports import Death, Outgoing

pytestmark = pytest.mark.unit

CHANNEL = 3
LEAST_FRAME = 4096
short = st.text(max_size=60)
bodies = st.binary(max_size=3 * LEAST_FRAME)


def frames_in(data: bytes) -> list[frame.Frame]:
    """Read frames by pika."""
    found = []
    while data:
        count, one = frame.decode_frame(data)
        assert one is not None
        found.append(one)
        data = data[count:]
    return found


@given(
    st.lists(
        st.builds(
            Outgoing,
            exchange=short,
            routing_key=short,
            body=bodies,
            message_id=short,
            message_type=short,
            partition=st.sampled_from(["", "0", "15"]),
            number=st.sampled_from(["", "0" * 32]),
            expires_ms=st.none() | st.integers(0, 2**31),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_pika_reads_what_is_written(messages: list[Outgoing]) -> None:
    writer = Writer(CHANNEL, "hub", LEAST_FRAME)
    for message in messages:
        method, header, *parts = frames_in(writer.publish(message))
        assert {one.channel_number for one in (method, header, *parts)} == {CHANNEL}
        publish, properties = method.method, header.properties
        assert isinstance(publish, spec.Basic.Publish)
        assert (publish.exchange, publish.routing_key) == (message.exchange, message.routing_key)
        assert (publish.mandatory, publish.immediate) == (True, False)
        assert header.body_size == len(message.body)
        assert b"".join(part.fragment for part in parts) == message.body
        assert all(len(part.marshal()) <= LEAST_FRAME for part in parts)
        said = {PARTITION_HEADER: message.partition, NUMBER_HEADER: message.number}
        assert properties == spec.BasicProperties(
            content_type=CONTENT_TYPE,
            headers={name: text for name, text in said.items() if text} or None,
            delivery_mode=2,
            expiration=None if message.expires_ms is None else str(message.expires_ms),
            message_id=message.message_id,
            type=message.message_type,
            user_id="hub",
        )


def test_a_name_that_amqp_has_no_room_for_is_refused() -> None:
    message = Outgoing("x", "k", b"", "n" * 256, "t")
    with pytest.raises(ValueError, match="longer than AMQP"):
        Writer(CHANNEL, "hub", LEAST_FRAME).publish(message)


class Listening(Connection):
    """A connection that nobody has opened; ``slow`` has what is left to pika."""

    def __init__(self) -> None:
        self.sinks = {}
        self.bytes_received = 0
        self.slow: list[frame.Frame] = []

    def _process_frame(self, frame_value: frame.Frame) -> None:
        self.slow.append(frame_value)

    def hear(self, data: bytes, cuts: list[int]) -> None:
        """Take in data as the socket may give it."""
        places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        for begin, end in itertools.pairwise(places):
            self._on_data_available(data[begin:end])


def delivered(properties: spec.BasicProperties, body: bytes, **method: Any) -> bytes:  # noqa: ANN401 - pika's
    said = {"consumer_tag": "ctag1.é", "delivery_tag": 7, "redelivered": False} | method
    deliver = spec.Basic.Deliver(exchange="in.tax", routing_key="tax.changed", **said)
    parts = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    whole = [frame.Method(CHANNEL, deliver), frame.Header(CHANNEL, len(body), properties)]
    whole += [frame.Body(CHANNEL, part) for part in parts]
    return b"".join(one.marshal() for one in whole)


def heard(data: bytes, cuts: list[int] | None = None) -> list[Arrived]:
    """Read what comes on a consuming channel."""
    found: list[Arrived] = []
    connection = Listening()
    connection.sinks[CHANNEL] = Deliveries("hub.in.0", found.append)
    connection.hear(data, cuts or [])
    assert connection.slow == []
    assert connection.bytes_received == len(data)
    return found


optional = st.none() | short


@given(
    st.lists(
        st.tuples(
            st.builds(
                spec.BasicProperties,
                content_type=optional,
                content_encoding=optional,
                headers=st.none() | st.dictionaries(short, short | st.integers(0, 9), max_size=3),
                delivery_mode=st.none() | st.sampled_from([1, 2]),
                priority=st.none() | st.integers(0, 255),
                correlation_id=optional,
                reply_to=optional,
                expiration=optional,
                message_id=optional,
                timestamp=st.none() | st.integers(0, 2**40),
                type=optional,
                user_id=optional,
                app_id=optional,
                cluster_id=optional,
            ),
            bodies,
            st.booleans(),
            st.integers(1, 2**63),
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.integers(0, 2**16), max_size=6),
)
def test_whatever_pika_writes_is_read_however_it_is_cut(
    messages: list[tuple[spec.BasicProperties, bytes, bool, int]], cuts: list[int]
) -> None:
    data = b"".join(
        delivered(properties, body, redelivered=again, delivery_tag=tag)
        for properties, body, again, tag in messages
    )
    found = heard(data, cuts)
    assert [one.tag for one in found] == [tag for *_, tag in messages]
    for arrived, (properties, body, again, _) in zip(found, messages, strict=True):
        delivery = arrived.delivery(5)
        assert (delivery.tag, delivery.queue, delivery.body) == (5, "hub.in.0", body)
        assert delivery.routing_key == "tax.changed"
        assert delivery.redelivered is again
        assert delivery.user_id == (properties.user_id or "")
        names = (properties.headers or {}).keys()
        assert delivery.copied is ("CC" in names or "BCC" in names)


@pytest.mark.parametrize("name", ["CC", "BCC"])
def test_copies_asked_for_are_seen(name: str) -> None:
    (found,) = heard(delivered(spec.BasicProperties(headers={"a": "b", name: ["out.tax"]}), b"x"))
    assert found.copied


def test_why_it_died_and_how_often_it_was_given_out_is_read() -> None:
    at = dt.datetime(2026, 11, 28, 9, 30)  # noqa: DTZ001 - as pika writes it
    note = {
        "queue": "out.tax",
        "reason": "expired",
        "exchange": "hub.out",
        "count": 2,
        "time": at,
        "routing-keys": ["tax"],
    }
    headers = {
        "x-death": [note, {"queue": "older"}],
        "x-delivery-count": 4,
        PARTITION_HEADER: "7",
        NUMBER_HEADER: "0" * 32,
    }
    data = delivered(spec.BasicProperties(headers=headers), b"x", redelivered=True)
    (found,) = heard(data)
    assert found.times == 4
    died = at.replace(tzinfo=dt.UTC)
    assert found.death == Death("out.tax", "expired", "hub.out", 2, died, "7", "0" * 32)


def test_a_sender_cannot_say_how_often_a_message_was_given_out() -> None:
    (found,) = heard(delivered(spec.BasicProperties(headers={"x-delivery-count": 9}), b"x"))
    assert found.times == 0


@pytest.mark.parametrize("note", ["text", 5, [], ["text"], [{"queue": 5, "count": "many"}]])
def test_a_note_of_death_that_is_none_does_no_harm(note: object) -> None:
    (found,) = heard(delivered(spec.BasicProperties(headers={"x-death": note}), b"x"))
    assert found.death in {None, Death("", "")}


def test_headers_that_cannot_be_read_are_taken_for_the_worst() -> None:
    data = delivered(spec.BasicProperties(headers={"CC": "abc"}), b"x")
    (found,) = heard(data.replace(b"\x02CCS", b"\x02CC?"))
    assert found.copied


@pytest.mark.parametrize(
    "value", [b"T" + b"\xff" * 8, b"F" + b"\x00\x00\x00\x06\x01aF\x00\x00\x00\x00" * 3]
)
def test_headers_that_no_codec_expects_end_no_connection(value: bytes) -> None:
    assert heard(with_header(b"\x02CC" + value))[0].copied


def test_headers_nested_without_end_do_not_either() -> None:
    nested = b"V"
    for _ in range(3000):
        nested = b"A" + len(nested).to_bytes(4) + nested
    assert heard(with_header(b"\x02CC" + nested))[0].copied


def with_header(entry: bytes) -> bytes:
    """Give a delivery with one header that is written by hand."""
    payload = b"\x00\x3c\x00\x00" + (0).to_bytes(8) + b"\x20\x00" + len(entry).to_bytes(4) + entry
    method = spec.Basic.Deliver("c", 1, redelivered=False, exchange="in.tax", routing_key="k")
    header = b"\x02" + CHANNEL.to_bytes(2) + len(payload).to_bytes(4) + payload + b"\xce"
    return frame.Method(CHANNEL, method).marshal() + header


def test_confirms_are_told_and_all_else_is_left_to_pika() -> None:
    told: list[tuple[int, bool, bool]] = []
    connection = Listening()
    connection.sinks[CHANNEL] = Confirms(lambda *one: told.append(one))
    ack, nack = spec.Basic.Ack(5, multiple=True), spec.Basic.Nack(6, multiple=False)
    returned = spec.Basic.Return(312, "NO_ROUTE", "hub.out", "tax")
    methods = (ack, nack, returned, spec.Channel.CloseOk())
    data = b"".join(frame.Method(CHANNEL, method).marshal() for method in methods)
    connection.hear(data + frame.Heartbeat().marshal(), [3, 9, 40])
    assert told == [(5, True, True), (6, False, False)]
    assert [type(one) for one in connection.slow] == [frame.Method] * 2 + [frame.Heartbeat]


def test_a_broker_of_another_version_is_heard() -> None:
    connection = Listening()
    connection.hear(frame.ProtocolHeader(0, 8, 0).marshal(), [])
    assert isinstance(connection.slow[0], frame.ProtocolHeader)


def test_a_frame_without_its_end_is_an_error() -> None:
    with pytest.raises(InvalidFrameError):
        Listening().hear(frame.Heartbeat().marshal()[:-1] + b"\x00", [])


def test_the_inner_names_of_pika_that_are_used_are_there() -> None:
    names = [
        "_on_data_available",
        "_process_frame",
        "_output_marshaled_frames",
        "_create_heartbeat_checker",
        "_set_connection_state",
        "_terminate_stream",
    ]
    assert all(callable(getattr(SelectConnection, name)) for name in names)
    assert isinstance(Channel(_Any(), 1, lambda _: None)._consumers, dict)
    assert pika.__version__


class _Any:
    """Whatever a channel asks of its connection when it is made."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a stand-in
        return _Any()

    def __call__(self, *_: object, **__: object) -> Any:  # noqa: ANN401 - a stand-in
        return _Any()
