"""Deposit inquiries → the service's request files, and its workbooks → ``deposit.found``.

An answer is whole or it is none: all records of a request make one message. Who was found is
held against who was asked about (``mappings.likeness``); the accounts of anybody else stay behind.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from hub.clock import JST
from hub.edge.kit import Asked, Asking, BadRecord, Desk, Mapped, Question, Row
from hub.message import Copy
from mappings import inquiries, likeness, plain
from mappings.columns import fields_of
from mappings.fields import read_fields
from mappings.refusal import Refused, answered, refused_fields
from schemas.canonical import ScopeEvidence
from schemas.dates import RegisterDate, read_register_date
from schemas.deposit import DepositAccount, DepositFound, DepositOutcome, DepositRequested
from schemas.layout import load_layout

REQUESTS = "deposit-inquiry.requests"
ANSWERS = "deposit-inquiry.answers"
KIND = "deposit"
ANSWER_WITHIN = dt.timedelta(days=14)
"""How long an answer may take (*assumed*)."""
AMBIGUOUS = "ambiguous-match"

_MATCHED = ("name", "name_kana", "birth_date", "address", "previous_address")
_PERSON = ("handler", "name", "name_kana", "address")
_DIGITS = 15
_FOUND, _NONE = "該当あり", "該当なし"
_REASON = "預貯金等照会の回答"
_NO_REPLY = "期限までに回答なし"

_account_fields = fields_of(load_layout(ANSWERS), DepositAccount)
_account_columns = tuple(column for field in _account_fields for column in field.columns)

to_request_row = plain.to_row(load_layout(REQUESTS), DepositRequested)
"""Give the columns of ``deposit-inquiry.requests`` (``Outbound.to_row``)."""


def asks(copy: Copy) -> Asking:
    """Say what a copy of ``deposit.requested`` asks; an answer is held against the person."""
    facts = {name: copy.data[name] for name in _MATCHED if copy.data.get(name)}
    return Asking(Question(KIND, copy.data["request_id"]), facts, ANSWER_WITHIN)


class _One(NamedTuple):
    """A person in an answer: the rows that speak of them, and the least that one agrees."""

    rows: list[Row]
    score: int


def to_messages(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
    """Map the records that answer one request (``Inbound.to_messages``)."""
    sound = [row for row in rows if row.sound]
    try:
        return _answer(sound, _asked(rows, desk))
    except ValidationError as error:
        refused = refused_fields(error)
    except Refused as error:
        refused = (error.field, error.reason)
    return [BadRecord(row.number, row.line, *refused) for row in sound]


def _asked(rows: Sequence[Row], desk: Desk) -> Asked:
    if not all(row.sound for row in rows):
        raise Refused("", "another record of the same answer is refused")
    question = Question(KIND, rows[0].values["request_id"])
    return inquiries.open_question(desk, question, "request_id")


def _answer(rows: Sequence[Row], asked: Asked) -> list[Mapped | BadRecord]:
    for row in rows:
        _check(row.values, asked)
    found = [row for row in rows if row.values["outcome"] == _FOUND]
    if not found:
        return [_mapped(rows[:1], asked, DepositOutcome.NONE)]
    persons = _persons(found, _asked_about(asked.facts))
    best = max(persons, key=lambda one: one.score)
    if best.score < likeness.DOUBTFUL:
        raise Refused("name", "agrees too little with the person who was asked about")
    sure = best.score >= likeness.GOOD and len(persons) == 1
    doubt = "" if sure else AMBIGUOUS
    others = [row for one in persons if one is not best for row in one.rows]
    return [
        _mapped(best.rows, asked, DepositOutcome.FOUND, score=best.score, doubt=doubt),
        *(
            BadRecord(row.number, row.line, "name", "is of another person than the others")
            for row in others
        ),
    ]


def _check(value: Mapping[str, str], asked: Asked) -> None:
    if value["addressee_number"].zfill(_DIGITS) != asked.addressee_number.zfill(_DIGITS):
        raise Refused("addressee_number", "is not of the person who was asked about")
    if value["outcome"] == _NONE:
        odd = next((column for column in _account_columns if value[column]), None)
        if odd is not None:
            raise Refused(odd, "is of an account, and none was found")


def _asked_about(facts: Mapping[str, Any]) -> likeness.Person:
    born = facts.get("birth_date")
    return likeness.Person(
        facts.get("name", ""),
        facts.get("name_kana", ""),
        RegisterDate.model_validate(born) if born else None,
        (facts.get("address", ""), facts.get("previous_address", "")),
    )


def _persons(rows: Sequence[Row], asked: likeness.Person) -> list[_One]:
    """Sort rows by the person they speak of, and hold each row against who was asked about."""
    persons: dict[tuple[object, ...], _One] = {}
    for row in rows:
        person = _person(row.values)
        born = person.birth_date
        key = (
            likeness.plain_name(person.name),
            likeness.plain_kana(person.kana),
            (born.date or born.raw, born.precision) if born else None,
        )
        score = likeness.score(asked, person)
        known = persons.get(key, _One([], score))
        persons[key] = _One([*known.rows, row], min(known.score, score))
    return list(persons.values())


def _person(value: Mapping[str, str]) -> likeness.Person:
    return likeness.Person(
        value["name"],
        value["name_kana"],
        read_register_date(value["birth_date"]),
        (value["address"], value["registered_address"]),
    )


def _mapped(
    rows: Sequence[Row],
    asked: Asked,
    outcome: DepositOutcome,
    *,
    score: int | None = None,
    doubt: str = "",
) -> Mapped:
    first = rows[0].values
    found = outcome is DepositOutcome.FOUND
    said: dict[str, Any] = {name: first[name] for name in _PERSON if found or name == "handler"}
    message = DepositFound.model_validate(
        said
        | {
            "addressee_number": asked.addressee_number,
            "scope": ScopeEvidence(),
            "request_id": asked.question.key,
            "answered_on": max(row.values["answered_on"] for row in rows),
            "outcome": outcome,
            "birth_date": read_register_date(first["birth_date"]) if found else None,
            "match_score": score,
            "accounts": [read_fields(_account_fields, row.values) for row in rows if found],
        }
    )
    return Mapped(
        rows[0].number,
        message,
        _REASON,
        follows=asked.message,
        closes=asked.question,
        doubt=doubt,
    )


def no_reply(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
    """Answer the inquiries of an ``hub.overdue`` file: there was no reply by the deadline."""
    return [answered(row, lambda row: _no_reply(row, desk)) for row in rows if row.sound]


def _no_reply(row: Row, desk: Desk) -> Mapped:
    question = Question(row.values["kind"], row.values["key"])
    asked = inquiries.open_question(desk, question, "key")
    due = dt.datetime.fromisoformat(row.values["due_at"])
    message = DepositFound(
        addressee_number=asked.addressee_number,
        scope=ScopeEvidence(),
        request_id=asked.question.key,
        answered_on=due.astimezone(JST).date(),
        outcome=DepositOutcome.NO_REPLY,
    )
    return Mapped(row.number, message, _NO_REPLY, follows=asked.message, closes=asked.question)
