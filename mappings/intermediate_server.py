"""Inquiries and code requests → the documents of the intermediate server, and its answers back.

A result counts as one only by the two statuses that say so; everything else is an error, and
what is not known for certain is ``other``. An item that the permitted-inquiry list does not name
is not taken, and with it the whole answer.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from hub.edge.kit import Asked, Asking, BadRecord, Desk, Mapped, Question, Row
from hub.message import Copy
from mappings import inquiries, plain
from mappings.columns import fields_of
from mappings.fields import read_fields
from mappings.refusal import Refused, answered
from schemas.canonical import ScopeEvidence
from schemas.inquiry import (
    DETAIL_ANSWERED,
    NAME_ANSWERED,
    InquiryAnswered,
    InquiryError,
    InquiryKey,
    InquiryRequested,
)
from schemas.layout import load_layout
from schemas.linkage import PersonalCodeRequested, ProcessingNumberIssued
from schemas.permitted import permitted

INQUIRIES = "intermediate-server.inquiries"
INQUIRY_RESULTS = "intermediate-server.inquiry-results"
CODE_REQUESTS = "intermediate-server.code-requests"
CODE_RESULTS = "intermediate-server.code-results"

ANSWER_WITHIN = dt.timedelta(days=3)
"""How long an inquiry may take (*assumed*); after that its asker is told that there is no reply."""
CODE = "code"

NOT_PERMITTED = "の照会は許可されていません。"
ERRORS: Mapping[str, InquiryError] = {
    "は符号が未取得です。": InquiryError.CODE_NOT_OBTAINED,
    "「レコード識別番号」が既に存在しています。": InquiryError.RECORD_EXISTS,
    NOT_PERMITTED: InquiryError.NOT_PERMITTED,
}
"""The texts of errors that are known, by how they end."""

_RESULT = "情報照会結果"
_FAILED = "情報照会エラー"
_ISSUED = "処理通番の発行"

_result_fields = fields_of(load_layout(INQUIRY_RESULTS), InquiryAnswered)
_code_fields = fields_of(load_layout(CODE_RESULTS), ProcessingNumberIssued)
_inquiry_row = plain.to_row(load_layout(INQUIRIES), InquiryRequested)
_code_row = plain.to_row(load_layout(CODE_REQUESTS), PersonalCodeRequested)


# -- out -------------------------------------------------------------------------------


def to_inquiry_row(copy: Copy) -> Mapping[str, str]:
    """Give the columns of ``intermediate-server.inquiries`` (``Outbound.to_row``)."""
    return _filled(_inquiry_row(copy))


def to_code_row(copy: Copy) -> Mapping[str, str]:
    """Give the columns of ``intermediate-server.code-requests`` (``Outbound.to_row``)."""
    return _filled(_code_row(copy))


def _filled(row: Mapping[str, str]) -> Mapping[str, str]:
    return {**row, "addressee_number": row["addressee_number"].zfill(15)}


def asks_inquiry(copy: Copy) -> Asking:
    """Say what a copy of ``inquiry.requested`` asks (``Outbound.asks``)."""
    return inquiries.asking(copy, ANSWER_WITHIN)


def asks_code(copy: Copy) -> Asking:
    """Say what a copy of ``personal-code.requested`` asks; nobody is told when it is late."""
    return Asking(
        Question(CODE, copy.data["unified_number"]), {"request_id": copy.data["request_id"]}
    )


# -- in --------------------------------------------------------------------------------


def to_answers(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
    """Map results of inquiries to ``inquiry.answered`` (``Inbound.to_messages``)."""
    return [answered(row, lambda row: _answer(row, desk)) for row in rows if row.sound]


def _answer(row: Row, desk: Desk) -> Mapped:
    value = row.values
    key = InquiryKey(
        value["addressee_number"],
        dt.datetime.fromisoformat(value["requested_at"]),
        value["information_code"],
    )
    asked = inquiries.open_question(desk, inquiries.question(key))
    message = inquiries.answer(asked, _said(value, asked))
    reason = _FAILED if message.error else _RESULT
    return Mapped(row.number, message, reason, follows=asked.message, closes=asked.question)


def _said(value: Mapping[str, str], asked: Asked) -> dict[str, Any]:
    for name in inquiries.SAME:
        if value[name] != asked.facts.get(name):
            raise Refused(name, "is not that of the inquiry")
    if value["unified_number"] not in {"", asked.facts.get("unified_number")}:
        raise Refused("unified_number", "is not that of the inquiry")
    said = read_fields(_result_fields, value)
    error = error_of(value)
    if error is not None:
        return said | {"error": error, "items": ()}
    line = permitted(value)
    allowed = line.items if line else ()
    if any(item.get("item_code") not in allowed for item in said.get("items", ())):
        raise Refused("items", "one of them is not on the permitted-inquiry list")
    return said


def error_of(value: Mapping[str, str]) -> InquiryError | None:
    """Say what error a result tells; ``None`` for a result that both statuses call one.

    Raises:
        Refused: it says both.
    """
    is_result = value["detail_status"] == DETAIL_ANSWERED and value["name_status"] == NAME_ANSWERED
    if not is_result:
        ends = (error for text, error in ERRORS.items() if value["message"].endswith(text))
        return next(ends, InquiryError.OTHER)
    if value["message"]:
        raise Refused("message", "is an error beside the statuses of a result")
    return None


def to_numbers(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
    """Map results of code requests to ``processing-number.issued`` (``Inbound.to_messages``)."""
    return [answered(row, lambda row: _number(row, desk)) for row in rows if row.sound]


def _number(row: Row, desk: Desk) -> Mapped:
    value = row.values
    asked = inquiries.open_question(desk, Question(CODE, value["unified_number"]))
    if value["request_id"] != asked.facts.get("request_id"):
        raise Refused("request_id", "is not that of the request")
    if not value["processing_number"] or value["message"]:
        raise Refused("processing_number", "was not issued")
    said = {**read_fields(_code_fields, value), "scope": ScopeEvidence()}
    message = ProcessingNumberIssued.model_validate(
        said | {"addressee_number": asked.addressee_number}
    )
    return Mapped(row.number, message, _ISSUED, follows=asked.message, closes=asked.question)
