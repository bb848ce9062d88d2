"""What ties the answer of a 情報照会 to its request, for every system that an inquiry passes.

The question is noted when the request is delivered, and named alike by whoever answers: who,
asked when, about what (``schemas.inquiry.InquiryKey``). An answer is of the person who was
asked about, whatever it says itself, and goes back the way the request came.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from hub.clock import JST
from hub.edge.kit import Asked, Asking, BadRecord, Desk, Mapped, Question, Row
from hub.message import Copy
from mappings.refusal import Refused, answered
from schemas.canonical import ScopeEvidence
from schemas.inquiry import InquiryAnswered, InquiryError, InquiryKey

KIND = "inquiry"
SAME = (
    "inquirer_code",
    "business_code",
    "procedure_code",
    "provider_code",
    "information_code",
)
"""What an answer has to say as the request did."""

NOBODY_ASKED = "no open inquiry asks for this answer"
ANSWERED_BEFORE = "the inquiry was answered before"
_FACTS = ("requested_at", "unified_number", *SAME)
_NO_REPLY = "期限までに回答なし"


def question(key: InquiryKey) -> Question:
    """Name the question of an inquiry: 宛名番号, 照会依頼日時 (17 digits), 特定個人情報名コード."""
    at = key.requested_at.astimezone(JST)
    digits = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}"
    return Question(KIND, f"{key.addressee_number.zfill(15)}|{digits}|{key.information_code}")


def asking(copy: Copy, within: dt.timedelta | None) -> Asking:
    """Say what a copy of ``inquiry.requested`` asks the system, and until when."""
    data = copy.data
    at = dt.datetime.fromisoformat(data["requested_at"])
    key = InquiryKey(data["addressee_number"], at, data["information_code"])
    facts = {name: data[name] for name in _FACTS if data.get(name) is not None}
    return Asking(question(key), facts, within)


def open_question(desk: Desk, wanted: Question, field: str = "") -> Asked:
    """Give what was asked by this name; ``field`` is what of a record names it.

    Raises:
        Refused: nobody asked, or it was answered before.
    """
    asked = desk.asked(wanted)
    if asked is None:
        raise Refused(field, NOBODY_ASKED)
    if asked.closed:
        raise Refused(field, ANSWERED_BEFORE)
    return asked


def answer(asked: Asked, said: Mapping[str, Any]) -> InquiryAnswered:
    """Make the answer to a question, of what is said in it.

    Raises:
        pydantic.ValidationError: no message can carry what is said.
    """
    whole = {**said, "addressee_number": asked.addressee_number, "scope": ScopeEvidence()}
    return InquiryAnswered.model_validate(whole)


def no_reply(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
    """Answer the inquiries of an ``hub.overdue`` file: there was no reply by the deadline."""
    return [answered(row, lambda row: _no_reply(row, desk)) for row in rows if row.sound]


def _no_reply(row: Row, desk: Desk) -> Mapped:
    asked = open_question(desk, Question(row.values["kind"], row.values["key"]), "key")
    said = {**asked.facts, "answered_at": row.values["due_at"], "error": InquiryError.NO_REPLY}
    message = answer(asked, said)
    return Mapped(row.number, message, _NO_REPLY, follows=asked.message, closes=asked.question)
