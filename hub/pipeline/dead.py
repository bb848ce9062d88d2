"""What a dead letter is: read from the broker's note, or made where the hub itself fails.

And what of a dead copy may be sent once more today. Pure; every input gets an answer, for what is
read here has ended others before.
"""

import datetime as dt
import json
import re
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hub.clock import JST
from hub.errors import KeyMissing
from hub.ledger.beside import Cause, Step
from hub.ledger.model import Pseudonyms
from hub.limits import limits
from hub.message import (
    NOTICE_TYPE,
    NUMBER_HEADER,
    RELEASE_TYPE,
    Copy,
    MessageKey,
    MessageType,
    encode_copy,
    partition_of,
)
from hub.names import outbound_queue
from hub.pipeline.again import Case, marked
from hub.pipeline.judge import Judge, named
from hub.pipeline.numbers import digest_in, number_field, to_keep
from hub.pipeline.verdict import Again, Dead, Resent, Strayed, Terms
from hub.ports import Death, Delivery
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from hub.statute.reasons import Code
from schemas.hidden import holds_my_number

_CODES = {
    "rejected": Code.NOT_ACCEPTED,
    "delivery_limit": Code.DELIVERY_LIMIT,
    "expired": Code.EXPIRED,
    "maxlen": Code.QUEUE_FULL,
}
"""The broker's reasons (``x-death``)."""
_UNSAID = Death("", "")
_QUEUE = re.compile(r"(?:out\.[a-z][a-z0-9-]{1,40}|hub\.in\.[0-9]{1,4})")
_BUCKET = re.compile(r"[0-9]{1,4}")
_ADDRESSEE = re.compile(r"[0-9]{1,15}")
_SENDER = re.compile(r"[a-z][a-z0-9-]{1,40}")
_TYPE: TypeAdapter[str] = TypeAdapter(MessageType)
_ADDRESSEE_NUMBER = "addressee_number"


def died(case: Case, pseudonyms: Pseudonyms, seals: Seals | None = None) -> Dead | Strayed:
    """Say what a delivery out of the dead letters' queue is; ``seals`` opens what systems sent.

    A message of the hub's own user is a copy, a notice or an order in the queue of a receiver, or a
    marker; all others are as a system sent them.
    """
    delivery = case.delivery
    death = delivery.death or _UNSAID
    code = _CODES.get(death.reason, Code.NOT_ACCEPTED)
    number = marked(delivery)
    if number is not None and case.again is not None:
        key = MessageKey(HUB_USER, f"released-{number}")
        cause = _cause(Step.TAKE, delivery, death, pseudonyms)
        return Strayed(key, delivery.routing_key, code, case.again, cause, delivery.body)
    if delivery.user_id == HUB_USER and number is None:
        return _copy_died(delivery, death, code, pseudonyms)
    # What somebody else put into a receiver's queue is no copy, and failed there all the same.
    step = Step.RECEIVE if death.queue.startswith(outbound_queue("")) else Step.TAKE
    return _original(delivery, code, _cause(step, delivery, death, pseudonyms), pseudonyms, seals)


def failed(
    case: Case, fault: Exception, pseudonyms: Pseudonyms, seals: Seals | None = None
) -> Dead:
    """Say of a message on which the hub failed what it is; of the fault only its name is kept."""
    cause = Cause(Step.TAKE, type(fault).__name__)
    if case.again is None:
        return _original(case.delivery, Code.HUB_FAULT, cause, pseudonyms, seals)
    again = case.again
    key, access, _ = named(case.delivery, pseudonyms)
    return Dead(
        key=key,
        message_type=case.delivery.routing_key,
        body=case.delivery.body,
        code=Code.HUB_FAULT,
        cause=cause,
        pair=again.pair,
        resident=again.resident,
        bucket=again.bucket,
        access=access,
        again=again,
    )


def unopened(delivery: Delivery, kid: str, pseudonyms: Pseudonyms) -> Dead:
    """Keep a message whose 個人番号 waits for the hub's key of this name."""
    cause = Cause(Step.TAKE, f"the key {kid} is not here")
    return _original(delivery, Code.KEY_AWAITED, cause, pseudonyms, None)


def _original(
    came: Delivery, code: Code, cause: Cause, pseudonyms: Pseudonyms, seals: Seals | None
) -> Dead:
    key, access, document = named(came, pseudonyms)
    delivery = to_keep(seals, came, key)
    data = document.get("data")
    addressee = _addressee(data)
    bucket = partition_of(addressee) if addressee else _bucket(delivery.death, key)
    return Dead(
        key=key,
        message_type=_type(delivery.routing_key),
        body=delivery.body,
        code=code,
        cause=cause,
        resident=pseudonyms.resident(addressee) if addressee else "",
        bucket=bucket,
        access=access,
        is_hubs=marked(delivery) is not None or len(delivery.body) > limits().event_bytes,
        repeated=delivery.redelivered,
    )


def _copy_died(delivery: Delivery, death: Death, code: Code, pseudonyms: Pseudonyms) -> Dead:
    receiver = _type_or_system(delivery.routing_key)
    copy = read_copy(delivery.body)
    resident = ""
    if copy is None:
        key, _, document = named(delivery, pseudonyms)
        message_type, flow, bucket = _type(document.get("type")), "", _bucket(death, key)
    else:
        key, message_type, flow = copy.key, copy.type, copy.flow
        addressee = _addressee(copy.data)
        bucket = partition_of(addressee) if addressee else _bucket(death, key)
        resident = pseudonyms.resident(addressee) if addressee else ""
    return Dead(
        key=key,
        message_type=message_type,
        body=delivery.body,
        code=code,
        cause=_cause(Step.RECEIVE, delivery, death, pseudonyms),
        pair=(flow, receiver),
        resident=resident,
        bucket=bucket,
        is_hubs=message_type in {NOTICE_TYPE, RELEASE_TYPE},
        repeated=delivery.redelivered,
    )


def read_copy(body: bytes) -> Copy | None:
    """Read a receiver's copy; none where it is none."""
    try:
        copy = Copy.model_validate_json(body)
    except ValidationError:
        return None
    return copy if _SENDER.fullmatch(copy.key.sender) else None


def resent(case: Case, again: Again, judge: Judge, now: dt.datetime) -> Resent:
    """Say what of a dead copy its receiver may get today.

    Its flow must carry such messages to this receiver today; fields that it does not release any
    more are left out. The rule about persons was judged when the message was accepted: its evidence
    is in no copy.
    """
    body = case.delivery.body
    copy = read_copy(body)
    if copy is None:
        key, _, _ = named(case.delivery, judge.pseudonyms)
        return Resent(key, case.delivery.routing_key, body, again, code=Code.UNREADABLE)
    carrier = judge.carrier(again.pair[0], copy.key.sender, copy.type, now)
    if carrier is None or again.pair[1] not in carrier.leg.receivers:
        withdrawn = f"({again.pair[0]})"
        return Resent(copy.key, copy.type, body, again, code=Code.WITHDRAWN, detail=withdrawn)
    allowed = carrier.leg.receivers[again.pair[1]].fields_on(now.astimezone(JST).date())
    data = {name: value for name, value in copy.data.items() if name in allowed}
    own = number_field(copy.type)
    is_sealed = copy.datakey is not None and own in data
    number = again.number if is_sealed else digest_in(judge.pseudonyms, data.get(own or ""))
    if is_sealed and not number:
        # What it would say of whom cannot be compared with what is known today.
        return Resent(copy.key, copy.type, body, again, code=Code.NUMBER_UNREADABLE)
    terms = Terms(
        carrier.flow.ref,
        again.pair[1],
        str(carrier.basis),
        carrier.flow.purpose,
        tuple(data),
        tuple(name for name in copy.data if name not in data),
        carrier.flow.lasting,
    )
    try:
        written, is_sealed = _written(copy, data, again.pair[1], judge.seals, is_sealed=is_sealed)
    except KeyMissing:
        return Resent(copy.key, copy.type, body, again, code=Code.NO_KEY)
    return Resent(
        key=copy.key,
        message_type=copy.type,
        body=body,
        again=again,
        terms=terms,
        copy=written,
        number=number,
        is_sealed=is_sealed,
        bucket="" if _ADDRESSEE_NUMBER in data else again.bucket,
    )


def _written(
    copy: Copy, data: dict[str, Any], receiver: str, seals: Seals | None, *, is_sealed: bool
) -> tuple[bytes, bool]:
    """Write a copy anew; what is not encrypted for its receiver yet is now, if anything can be."""
    if is_sealed and copy.datakey is not None:
        return encode_copy(copy, copy.flow, data, copy.acceptedtime, datakey=copy.datakey), True
    seal = None if seals is None else seals.to_receiver(receiver)
    is_numbered = number_field(copy.type) in data
    written = encode_copy(copy, copy.flow, data, copy.acceptedtime, seal=seal)
    return written, seal is not None and is_numbered


def _cause(step: Step, delivery: Delivery, death: Death, pseudonyms: Pseudonyms) -> Cause:
    queue = death.queue if _QUEUE.fullmatch(death.queue) else ""
    reason = death.reason if death.reason in _CODES else ""
    at = death.at.isoformat() if death.at is not None else ""
    said = {"queue": queue, "reason": reason, "times": death.times, "at": at}
    if death.number:
        said[NUMBER_HEADER] = death.number
    words = (queue, death.reason, str(death.times), at, delivery.user_id, delivery.routing_key)
    mark = pseudonyms.body("\x00".join(words).encode("utf-8", "replace") + delivery.body)
    detail = f"{reason or 'no reason given'} in {queue or 'no queue named'}"
    return Cause(step, detail, json.dumps(said), mark, death.at)


def _addressee(data: object) -> str:
    number = data.get(_ADDRESSEE_NUMBER) if isinstance(data, dict) else None
    return number if isinstance(number, str) and _ADDRESSEE.fullmatch(number) else ""


def _bucket(death: Death | None, key: MessageKey) -> str:
    said = death.partition if death is not None else ""
    return said if _BUCKET.fullmatch(said) else partition_of(key.id)


def _type(text: object) -> str:
    """Give a message type as the ledger can keep it; empty where it is none."""
    try:
        known = _TYPE.validate_python(text, strict=True)
    except ValidationError:
        return ""
    return "" if holds_my_number(known) else known


def _type_or_system(text: str) -> str:
    return text if _SENDER.fullmatch(text) else ""
