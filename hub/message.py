"""The envelope: CloudEvents 1.0, structured JSON mode, one event a message.

The extension attributes are the items of the access log that the assessment promises
(III.3: 職員情報, 部署情報, 端末情報, 処理事由, 処理内容), and ``datakey``, the encrypted key of the
個人番号 in the data, where there is one (``docs/adr/0022-numbers-under-seal.md``). ``source`` is
``/systems/<id>`` and must agree with the user that the broker proves. ``id`` is unique within its
source.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import pydantic_core
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from schemas.canonical import CanonicalMessage
from schemas.hidden import holds_my_number, mask_my_numbers

CONTENT_TYPE = "application/cloudevents+json"
SOURCE_PREFIX = "/systems/"
MAX_BODY_BYTES = 262_144
"""The largest event that the hub reads; anything larger is refused unread."""

Item = Annotated[str, StringConstraints(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,80}$")]
MessageType = Annotated[
    str, StringConstraints(max_length=80, pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$")
]
Purpose = Annotated[
    str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\x00-\x1f\x7f]*$")
]
# Receivers get this attribute too, so it has no room for anything but what W3C gives it.
TraceParent = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]


Doubt = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{0,39})?$")]


def _no_my_number(text: str) -> str:
    if holds_my_number(text):
        message = "it holds what is taken for a 個人番号"
        raise ValueError(message)
    return text


# For what enters the ledger by itself; ``schemas.hidden`` says what is taken for a number.
_NoMyNumber = AfterValidator(_no_my_number)

Follows = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}/[A-Za-z0-9._:-]{1,80}$"),
    _NoMyNumber,
]
"""``<sender>/<id>`` of another message."""

DataT = TypeVar("DataT")


class MessageKey(NamedTuple):
    """What names a message everywhere: the sending system's id and the id it gave."""

    sender: str
    id: str


class Envelope(BaseModel, Generic[DataT]):
    """A CloudEvents 1.0 event as a sender publishes it.

    ``purpose`` may be left out. Where it is given, only flows of that very purpose (用途, as
    the catalogue words it) carry the message: data stated for one end is not used for another.
    ``follows`` names a message that this one answers or passes on; the hub makes sure that it
    delivered that message to this sender. ``doubt`` is a code by which the sender's adapter asks
    for a person's look before the message moves. Receivers get neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[MessageId, _NoMyNumber]
    source: Annotated[str, StringConstraints(pattern=r"^/systems/[a-z][a-z0-9-]{1,40}$")]
    type: Annotated[MessageType, _NoMyNumber]
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, StringConstraints(max_length=120)] | None = None
    staff: Item = ""
    department: Item = ""
    terminal: Item = ""
    reason: Item = ""
    operation: Item = ""
    purpose: Purpose | None = None
    follows: Follows | None = None
    doubt: Annotated[Doubt, _NoMyNumber] = ""
    traceparent: TraceParent | None = None
    data: DataT

    @property
    def key(self) -> MessageKey:
        """Name this message by its sender and id."""
        return MessageKey(self.source.removeprefix(SOURCE_PREFIX), self.id)

    @property
    def followed(self) -> MessageKey | None:
        """Name the message that this one answers or passes on."""
        return None if self.follows is None else MessageKey(*self.follows.split("/", 1))


class Seal(Protocol):
    """Encrypts the 個人番号 of events for the one who is to read them (``hub.sealing``)."""

    def sealed(self, data: Mapping[str, Any], *about: str) -> tuple[Mapping[str, Any], str]:
        """Give the data with its 個人番号 encrypted, and the event's ``datakey``.

        Data without one come back as they are, with an empty ``datakey``. ``about`` says which
        message they are of: nobody can put them into another one.

        Raises:
            KeyMissing: the reader has no key in force.
        """
        ...


class AccessItems(NamedTuple):
    """職員情報, 部署情報, 端末情報, 処理事由, 処理内容 (III.3)."""

    staff: str = ""
    department: str = ""
    terminal: str = ""
    reason: str = ""
    operation: str = ""


PARTITION_HEADER = "partition"
NUMBER_HEADER = "number"
"""The AMQP header of a copy that has the keyed digest of its encrypted 個人番号."""
BUCKETS = 16


def partition_of(addressee_number: str) -> str:
    """Give the bucket (``0`` to ``15``) that keeps a resident's messages in order.

    Many residents share a bucket, so it tells nobody who the message is about. It travels as
    the AMQP header ``partition``.
    """
    digest = hashlib.blake2b(addressee_number.encode(), digest_size=4).digest()
    return str(int.from_bytes(digest) % BUCKETS)


def bucket_of(kept: str) -> str:
    """Give today's bucket of one that was kept earlier, when there were 4096 of them.

    The number of buckets divides that one, so it is the bucket of the same residents. What is no
    number stays what it is: no bucket.

    >>> bucket_of("3079")
    '7'
    """
    return str(int(kept) % BUCKETS) if kept.isdecimal() else kept


def source_of(system: str) -> str:
    """Give the CloudEvents source of a system."""
    return SOURCE_PREFIX + system


def access_items(event: Envelope[Any]) -> AccessItems:
    """Take the access-log items from an event; 処理内容 defaults to the message type.

    They are the sender's words: what is taken for a 個人番号 in them is masked.
    """
    words = (event.staff, event.department, event.terminal, event.reason)
    return _masked((*words, event.operation or event.type))


@lru_cache(maxsize=1024)
def _masked(words: tuple[str, str, str, str, str]) -> AccessItems:
    # The records of a file have most of these in common.
    return AccessItems(*map(mask_my_numbers, words))


def encode_event(  # noqa: PLR0913 - the attributes of an event
    *,
    message_id: str,
    system: str,
    message_type: str,
    time: dt.datetime,
    data: CanonicalMessage | dict[str, Any],
    access: AccessItems,
    dataschema: str | None = None,
    follows: MessageKey | None = None,
    doubt: str = "",
    seal: Seal | None = None,
    traceparent: str = "",
) -> bytes:
    """Write an event as the UTF-8 JSON that goes on the wire.

    A canonical message is written without its absent fields; 個人番号 as ``seal`` encrypts them for
    the hub. Without one they are written in full. ``traceparent`` is the trace that it belongs to.

    Raises:
        KeyMissing: there is a 個人番号, and ``seal`` has no key to encrypt it with.
    """
    body: Mapping[str, Any] = (
        data.model_dump(mode="json", exclude_none=True)
        if isinstance(data, CanonicalMessage)
        else data
    )
    event: dict[str, Any] = {"specversion": "1.0"}
    if seal is not None:
        body, datakey = seal.sealed(body, system, message_id)
        if datakey:
            event["datakey"] = datakey  # its place is known to hub.sealing.opener
    event |= {
        "id": message_id,
        "source": source_of(system),
        "type": message_type,
        "time": time.isoformat(),
        "datacontenttype": "application/json",
        "staff": access.staff,
        "department": access.department,
        "terminal": access.terminal,
        "reason": access.reason,
        "operation": access.operation,
        "data": body,
    }
    if dataschema is not None:
        event["dataschema"] = dataschema
    if follows is not None:
        event["follows"] = "/".join(follows)
    if doubt:
        event["doubt"] = doubt
    if traceparent:
        event["traceparent"] = traceparent
    return pydantic_core.to_json(event)


class Copy(BaseModel):
    """What a receiver gets: the event with only the fields its flow permits.

    ``flow`` is the reference of the route, ``acceptedtime`` when the hub took the message.
    ``datakey`` is that of the encrypted 個人番号 in the data, where there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    datakey: str | None = None
    id: MessageId
    source: str
    type: MessageType
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    flow: str
    acceptedtime: AwareDatetime
    traceparent: str | None = None
    data: dict[str, Any]

    @property
    def key(self) -> MessageKey:
        """Name the message by its sender and id."""
        return MessageKey(self.source.removeprefix(SOURCE_PREFIX), self.id)


def encode_copy(  # noqa: PLR0913 - what a copy is
    event: Envelope[CanonicalMessage] | Copy,
    flow: str,
    data: Mapping[str, Any],
    accepted_at: dt.datetime,
    *,
    seal: Seal | None = None,
    datakey: str = "",
) -> bytes:
    """Write a receiver's copy of an event: the same event with only the fields in ``data``.

    ``seal`` encrypts its 個人番号 for the receiver; where that is encrypted already, ``datakey`` is
    that of the copy from which it comes.

    Raises:
        KeyMissing: there is a 個人番号, and ``seal`` has no key to encrypt it with.
    """
    if seal is not None:
        data, datakey = seal.sealed(data, flow, *event.key)
    copy: dict[str, Any] = {"specversion": "1.0"}
    if datakey:
        copy["datakey"] = datakey
    copy |= {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time.isoformat(),
        "datacontenttype": "application/json",
        "flow": flow,
        "acceptedtime": accepted_at.isoformat(),
        "data": data,
    }
    if event.dataschema is not None:
        copy["dataschema"] = event.dataschema
    if event.traceparent is not None:
        copy["traceparent"] = event.traceparent
    return pydantic_core.to_json(copy)


RECEIPT_TYPE = "hub.receipt"
NOTICE_TYPE = "hub.notice"
RELEASE_TYPE = "hub.release"
MARKED = "marked"
"""The code of a receipt: delivered, with marks for characters that the encoding lacks."""
UNENCODABLE = "unencodable"
"""The code of a receipt: set aside, for the encoding lacks characters of it."""


class Receipt(BaseModel):
    """One message that a receiver has, or had to set aside.

    ``code`` says why it was set aside, or that it was delivered with marks (``MARKED``). It
    stands in the ledger, so it is no free text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sender: Annotated[str, StringConstraints(max_length=42)]
    id: MessageId
    flow: Annotated[str, StringConstraints(max_length=20)]
    result: Literal["delivered", "set-aside"] = "delivered"
    code: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{0,39})?$"), _NoMyNumber] = ""

    @property
    def outcome(self) -> str:
        """Give the one word that the ledger keeps of it."""
        if self.result == "delivered":
            return MARKED if self.code == MARKED else self.result
        return self.code if self.code not in {"", "delivered", MARKED} else self.result


RECEIPTS_AT_ONCE = 25
"""So many receipts our own adapters and clients put into an event. The hub has thousands of
messages in hand, in memory: an event of receipts is to be no larger than a few others."""


class Receipts(BaseModel):
    """The ``data`` of a ``hub.receipt`` event: at most 1,000 receipts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    receipts: Annotated[list[Receipt], Field(min_length=1, max_length=1000)]


class ReleaseOrder(BaseModel):
    """The ``data`` of a ``hub.release`` event: staff let a set-aside copy go with marks.

    The receiver's adapter has set it aside as ``UNENCODABLE``, and still has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sender: Annotated[str, StringConstraints(max_length=42)]
    id: MessageId
    flow: Annotated[str, StringConstraints(max_length=20)]


def encode_release(name: str, order: ReleaseOrder, source: str, at: dt.datetime) -> bytes:
    """Write the event, of the id ``name``, that a receiver's adapter gets."""
    event = {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": RELEASE_TYPE,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": order.model_dump(),
    }
    return pydantic_core.to_json(event)


class Notice(BaseModel):
    """What the hub tells a sender about a message of theirs that it did not take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    message_type: str
    code: str
    reason_en: str
    reason_ja: str
    at: AwareDatetime
