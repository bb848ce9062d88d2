"""Addressee data, inquiries and 処理通番, to and from the number linkage system (番号連携システム).

What the system passes on has to be what was delivered to it: a record is known again by a
digest in the key of its question. The system adds the 統合宛名番号 to an inquiry, nothing else.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from hub.clock import JST
from hub.edge.kit import Asking, Desk, Mapped, Question, Row, ToMessages
from hub.message import Copy
from mappings import inquiries, plain
from mappings.columns import fields_of
from mappings.digits import day_digits, day_text, moment_digits, moment_text
from mappings.fields import Field, read_fields
from mappings.refusal import Refused, answered
from schemas.addressee import AddresseeRegistered
from schemas.canonical import CanonicalMessage, ScopeEvidence
from schemas.inquiry import InquiryAnswered, InquiryKey, InquiryRequested
from schemas.layout import load_layout
from schemas.linkage import PersonalCodeRequested, ProcessingNumberIssued

ADDRESSEES = "number-linkage.addressees"
INQUIRIES = "number-linkage.inquiries"
RESULTS = "number-linkage.results"
CODE_REQUESTS = "number-linkage.code-requests"
PROCESSING_NUMBERS = "number-linkage.processing-numbers"
GATEWAY_NUMBERS = "number-linkage.gateway-numbers"

ANSWER_WITHIN = dt.timedelta(days=14)
"""How long an inquiry may take, the system's own way included (*assumed*)."""

ADDRESSEE, FORWARD, ANSWER, CODE = "addressee", "forward", "answer", "code"
"""Kinds of questions beside ``inquiries.KIND``."""

_DIGITS = 15
_ADDED = "unified_number"
_PASSED_ON = "情報照会の中継"
_RETURNED = "情報照会結果の中継"
_CODE_WANTED = "符号の取得要求"
_NUMBER_SENT = "処理通番の連携"

MessageT = TypeVar("MessageT", bound=CanonicalMessage)

_inquiry_fields = fields_of(load_layout(INQUIRIES), InquiryRequested)
_result_fields = fields_of(load_layout(RESULTS), InquiryAnswered)
_code_fields = fields_of(load_layout(CODE_REQUESTS), PersonalCodeRequested)
_number_fields = fields_of(load_layout(GATEWAY_NUMBERS), ProcessingNumberIssued)
_inquiry_row = plain.to_row(load_layout(INQUIRIES), InquiryRequested)
_result_row = plain.to_row(load_layout(RESULTS), InquiryAnswered)

to_addressee_row = plain.to_row(load_layout(ADDRESSEES), AddresseeRegistered)
"""Give the columns of ``number-linkage.addressees`` (``Outbound.to_row``)."""

to_number_row = plain.to_row(load_layout(PROCESSING_NUMBERS), ProcessingNumberIssued)
"""Give the columns of ``number-linkage.processing-numbers`` (``Outbound.to_row``)."""


# -- out -------------------------------------------------------------------------------


def to_inquiry_row(copy: Copy) -> Mapping[str, str]:
    """Give the 18 fields of an inquiry (``Outbound.to_row``)."""
    row = _inquiry_row(copy)
    return {
        **row,
        "addressee_number": row["addressee_number"].zfill(_DIGITS),
        "requested_at": moment_digits(row["requested_at"]),
        "period_from": day_digits(row["period_from"]),
        "period_to": day_digits(row["period_to"]),
    }


def to_result_row(copy: Copy) -> Mapping[str, str]:
    """Give the columns of ``number-linkage.results`` (``Outbound.to_row``)."""
    row = _result_row(copy)
    return {
        **row,
        "addressee_number": row["addressee_number"].zfill(_DIGITS),
        "requested_at": moment_digits(row["requested_at"]),
        "answered_at": moment_digits(row["answered_at"]),
    }


def inquiry_name(prefix: str, sequence: int, at: dt.datetime, suffix: str) -> str:
    """Name a file as the published tool does: ``P640R110_yyyymmddhhmmss_0001.DAT``."""
    return f"{prefix}_{at.astimezone(JST):%Y%m%d%H%M%S}_{sequence % 10_000:04}{suffix}"


def asks_codes(copy: Copy) -> Asking:
    """Say that a code may be asked for of a person whose addressee data came with a 個人番号."""
    question = _addressee(copy.data["addressee_number"])
    return Asking(question, {"numbered": bool(copy.data.get("my_number"))})


def asks_inquiry(copy: Copy) -> Asking:
    """Say that an inquiry is to be passed on, and then to be answered.

    ``request_id`` has no place on the wire: the facts keep it for the answer.
    """
    asking = inquiries.asking(copy, ANSWER_WITHIN)
    facts = {**asking.facts, "request_id": copy.data.get("request_id")}
    also = _same_record(FORWARD, asking.question, to_inquiry_row(copy))
    return dataclasses.replace(asking, facts=facts, also=(also,))


def asks_result(copy: Copy) -> Asking:
    """Say that a result is to be passed on."""
    row = to_result_row(copy)
    return Asking(_same_record(ANSWER, inquiries.question(_key(row)), row))


def asks_number(copy: Copy) -> Asking:
    """Say that a 処理通番 is to be sent on to the 住基GW."""
    return Asking(
        Question(CODE, copy.data["unified_number"]),
        {"processing_number": copy.data["processing_number"]},
    )


def _addressee(number: str) -> Question:
    return Question(ADDRESSEE, number.zfill(_DIGITS))


def _key(values: Mapping[str, str]) -> InquiryKey:
    at = dt.datetime.fromisoformat(moment_text(values["requested_at"], "requested_at"))
    return InquiryKey(values["addressee_number"], at, values["information_code"])


def _same_record(kind: str, inquiry: Question, values: Mapping[str, str]) -> Question:
    """Name a record by its inquiry and by all that it says, but for what the system adds."""
    said = {field: text for field, text in values.items() if field != _ADDED}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return Question(kind, f"{inquiry.key}|{digest[:32]}")


# -- in --------------------------------------------------------------------------------


def _each(one: Callable[[Row, Desk], Mapped]) -> ToMessages:
    return lambda rows, desk: [
        answered(row, lambda row: one(row, desk)) for row in rows if row.sound
    ]


def _message(
    kind: type[MessageT], fields: Sequence[Field], values: Mapping[str, str], **more: object
) -> MessageT:
    return kind.model_validate(read_fields(fields, values) | {"scope": ScopeEvidence()} | more)


def _passed_on(row: Row, desk: Desk) -> Mapped:
    values = row.values
    inquiry = inquiries.open_question(desk, inquiries.question(_key(values)))
    forward = inquiries.open_question(desk, _same_record(FORWARD, inquiry.question, values))
    if not values[_ADDED]:
        raise Refused(_ADDED, "is missing: without it nobody can be asked")
    message = _message(
        InquiryRequested,
        _inquiry_fields,
        {
            **values,
            "requested_at": moment_text(values["requested_at"], "requested_at"),
            "period_from": day_text(values["period_from"]),
            "period_to": day_text(values["period_to"]),
        },
        addressee_number=forward.addressee_number,
    )
    return Mapped(row.number, message, _PASSED_ON, follows=forward.message, closes=forward.question)


def _returned(row: Row, desk: Desk) -> Mapped:
    values = row.values
    inquiry = inquiries.open_question(desk, inquiries.question(_key(values)))
    answer = inquiries.open_question(desk, _same_record(ANSWER, inquiry.question, values))
    message = _message(
        InquiryAnswered,
        _result_fields,
        {
            **values,
            "requested_at": moment_text(values["requested_at"], "requested_at"),
            "answered_at": moment_text(values["answered_at"], "answered_at"),
            _ADDED: "",
        },
        addressee_number=inquiry.addressee_number,
        request_id=inquiry.facts.get("request_id"),
    )
    return Mapped(row.number, message, _RETURNED, follows=answer.message, closes=inquiry.question)


def _code_wanted(row: Row, desk: Desk) -> Mapped:
    asked = inquiries.open_question(desk, _addressee(row.values["addressee_number"]))
    if not asked.facts.get("numbered"):
        raise Refused("addressee_number", "is of a person whose 個人番号 was not entered")
    message = _message(
        PersonalCodeRequested, _code_fields, row.values, addressee_number=asked.addressee_number
    )
    return Mapped(row.number, message, _CODE_WANTED, follows=asked.message, closes=asked.question)


def _number_sent(row: Row, desk: Desk) -> Mapped:
    asked = inquiries.open_question(desk, Question(CODE, row.values[_ADDED]))
    if row.values["processing_number"] != asked.facts.get("processing_number"):
        raise Refused("processing_number", "is not the one that was issued")
    message = _message(
        ProcessingNumberIssued,
        _number_fields,
        row.values,
        addressee_number=asked.addressee_number,
    )
    return Mapped(row.number, message, _NUMBER_SENT, follows=asked.message, closes=asked.question)


to_inquiries = _each(_passed_on)
"""Map inquiries that are passed on to ``inquiry.requested`` (``Inbound.to_messages``)."""

to_results = _each(_returned)
"""Map results that are passed on to ``inquiry.answered`` (``Inbound.to_messages``)."""

to_code_requests = _each(_code_wanted)
"""Map code requests to ``personal-code.requested`` (``Inbound.to_messages``)."""

to_numbers = _each(_number_sent)
"""Map 処理通番 for the 住基GW to ``processing-number.issued`` (``Inbound.to_messages``)."""
