"""Judges what a receiver's queue gave: a line for a file, a notice, or something to set aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError

from hub.edge.aside import Aside, AsideCode
from hub.edge.form import Encoder, Form
from hub.edge.forms import form_of
from hub.edge.journal import TakenKey
from hub.edge.kit import Asked, Outbound, Unencodable, Unwritable
from hub.edge.marks import marked_record
from hub.edge.numbers import Numbers
from hub.edge.wall import Wall
from hub.errors import NumberFault
from hub.message import (
    MARKED,
    NOTICE_TYPE,
    RELEASE_TYPE,
    Copy,
    MessageId,
    MessageKey,
    Receipt,
    ReleaseOrder,
)
from hub.ports import Delivery
from hub.site import HUB_USER
from hub.traces import Context, context_of
from schemas.layout import Encoding

_RELEASE = f'"{RELEASE_TYPE}"'.encode()


class Line(NamedTuple):
    """A message as a record of a receiver's file; ``code`` is empty or ``MARKED``.

    ``occurred`` is when the sender's file was made, ``accepted`` when the hub took the message, in
    seconds since 1970. ``trace`` is what it belongs to, where it is followed.
    """

    key: TakenKey
    prefix: str
    record: bytes
    asked: tuple[Asked, ...] = ()
    code: str = ""
    occurred: float = 0.0
    accepted: float = 0.0
    trace: Context | None = None


class Release(NamedTuple):
    """The hub's word that a copy, set aside for its characters, is to be written with marks."""

    key: TakenKey
    delivery: Delivery


class NoticeLine(NamedTuple):
    """What the hub says about a refused message, as one line of JSON."""

    key: TakenKey
    line: bytes


class _NoticeEvent(BaseModel):
    """As much of a notice as is needed to know it again."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    id: MessageId
    type: str


class _ReleaseEvent(BaseModel):
    """A release, as ``hub.message.encode_release`` writes it."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    type: Literal["hub.release"]
    data: ReleaseOrder


@dataclass(frozen=True, slots=True)
class Wire:
    """One kind of file that goes out, with its form and encoder."""

    outbound: Outbound
    form: Form
    encoder: Encoder


class Sorter:
    """Judges deliveries for one system; ``judge`` answers every one.

    Only where a copy waits for a key that is to be brought here it raises ``KeyMissing``.
    """

    def __init__(
        self, outbound: Sequence[Outbound], encoding: Encoding | None, numbers: Numbers
    ) -> None:
        self._numbers = numbers
        self.wires: dict[str, Wire] = {}
        self._by_type: dict[str, list[Wire]] = {}
        for one in outbound:
            form = form_of(one.layout)
            wire = Wire(one, form, form.encoder(encoding))
            self.wires[one.prefix] = wire
            self._by_type.setdefault(one.message_type, []).append(wire)
        if len(outbound) != len(self.wires):
            raise ValueError("two outbound wires share a prefix")

    def message_type(self, prefix: str) -> str:
        """Give the message type of the files with this prefix; empty where there are none."""
        wire = self.wires.get(prefix)
        return wire.outbound.message_type if wire is not None else ""

    def judge(self, delivery: Delivery, wall: Wall) -> Line | NoticeLine | Aside | Release:
        """Say what is to be done with a delivery, by the catalogue in force."""
        if delivery.user_id == HUB_USER and (order := _release(delivery)):
            return order
        return self.judge_copy(delivery, wall)

    def judge_copy(
        self, delivery: Delivery, wall: Wall, *, marks: bool = False
    ) -> Line | NoticeLine | Aside:
        """Judge one that is no release; ``marks`` lets it be marked whatever its route says."""
        if delivery.user_id != HUB_USER:
            return Aside(None, AsideCode.NOT_FROM_HUB, "the hub did not publish it", delivery)
        try:
            copy = Copy.model_validate_json(delivery.body)
            key = _key_of(copy)
        except ValidationError as error:
            return _notice(delivery) or _unreadable(delivery, error)
        told = key if wall.receives else None
        if delivery.copied:
            return Aside(told, AsideCode.COPIED, "it was sent to several queues", delivery)
        fault = wall.fault(copy)
        if fault is not None:
            return Aside(told, fault.code, fault.reason, delivery)
        return self._written(delivery, copy, key, marks=marks or wall.marks(copy))

    def _written(
        self, delivery: Delivery, copy: Copy, key: TakenKey, *, marks: bool
    ) -> Line | Aside:
        """Write what the wall lets pass: only here are its numbers in clear."""
        try:
            copy = self._numbers.opened(copy)
        except NumberFault as closed:
            return Aside(key, AsideCode(closed.code), str(closed), delivery)
        wires = self._by_type.get(copy.type, ())
        wire = next((wire for wire in wires if wire.outbound.takes(copy)), None)
        if wire is None:
            reason = f"no file of this system carries {copy.type}"
            return Aside(key, AsideCode.UNKNOWN_TYPE, reason, delivery)
        return _line(delivery, copy, key, wire, marks=marks)


def _key_of(copy: Copy) -> TakenKey:
    """Give what names a copy; a ``ValidationError`` where a receipt could not say it."""
    receipt = Receipt(sender=copy.key.sender, id=copy.key.id, flow=copy.flow)
    return TakenKey(receipt.sender, receipt.id, receipt.flow)


def _line(
    delivery: Delivery, copy: Copy, key: TakenKey, wire: Wire, *, marks: bool
) -> Line | Aside:
    try:
        row = wire.outbound.to_row(copy)
        asked = _asked(copy, key, wire.outbound)
        record, code = _record(wire.encoder, row, marks=marks)
    except Unencodable as error:
        # Where not even a mark has a place, asking a person once more would not help.
        code = AsideCode.UNWRITABLE if marks else AsideCode.UNENCODABLE
        return Aside(key, code, str(error), delivery)
    except Unwritable as error:
        return Aside(key, AsideCode.UNWRITABLE, str(error), delivery)
    except Exception as error:  # noqa: BLE001 - whatever a mapping meets must not end a process
        reason = f"the mapping failed ({type(error).__name__})"
        return Aside(key, AsideCode.MAPPING_FAILED, reason, delivery)
    times = copy.time.timestamp(), copy.acceptedtime.timestamp()
    trace = context_of(copy.traceparent)
    return Line(key, wire.outbound.prefix, record, asked, code, *times, trace)


def _record(encoder: Encoder, row: Mapping[str, str], *, marks: bool) -> tuple[bytes, str]:
    try:
        return encoder.record(row), ""
    except Unencodable:
        if not marks:
            raise
    return marked_record(encoder, row), MARKED


def _asked(copy: Copy, key: TakenKey, outbound: Outbound) -> tuple[Asked, ...]:
    asking = outbound.asks(copy)
    if asking is None:
        return ()
    message, number = MessageKey(key.sender, key.id), str(copy.data["addressee_number"])
    due_after = None if asking.within is None else asking.within.total_seconds()
    asked = Asked(asking.question, message, number, asking.facts, due_after=due_after)
    return asked, *(Asked(also, message, number, {}) for also in asking.also)


def _release(delivery: Delivery) -> Release | None:
    # Read as one only where it says so somewhere: nearly all are copies, and a fault is dear.
    if delivery.copied or _RELEASE not in delivery.body:
        return None
    try:
        order = _ReleaseEvent.model_validate_json(delivery.body).data
    except ValidationError:
        return None
    return Release(TakenKey(order.sender, order.id, order.flow), delivery)


def _notice(delivery: Delivery) -> NoticeLine | None:
    try:
        event = _NoticeEvent.model_validate_json(delivery.body)
    except ValidationError:
        return None
    if event.type != NOTICE_TYPE or delivery.copied:
        return None
    line = pydantic_core.to_json(event)
    return NoticeLine(TakenKey(HUB_USER, event.id, NOTICE_TYPE), line)


def _unreadable(delivery: Delivery, error: ValidationError) -> Aside:
    places = sorted({str(fault["loc"][0]) if fault["loc"] else "body" for fault in error.errors()})
    reason = f"it is no copy of a message: {', '.join(places)[:200]}"
    return Aside(None, AsideCode.UNREADABLE, reason, delivery)
