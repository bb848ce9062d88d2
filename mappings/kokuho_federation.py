"""特別徴収: candidates and results of the 国保連合会 → messages, the office's requests → records.

A result follows the request that asked for it, by 基礎年金番号. A candidate is matched with the
office's own list: by 基礎年金番号 where the rest agrees, else by kana, birth date and sex
together; never by one of these alone. What agrees with what is *assumed*.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hub.edge.kit import (
    Asked,
    Asking,
    BadRecord,
    Desk,
    KnownPerson,
    Mapped,
    Question,
    Row,
    ToMessages,
    Unwritable,
)
from hub.edge.matching import comparable_date
from hub.message import Copy
from mappings.columns import fields_of
from mappings.fields import read_fields, write_fields
from mappings.refusal import Refused, answered
from mappings.widths import comparable, narrow_kana, wide
from schemas.canonical import Insurance, ScopeEvidence
from schemas.layout import Kind, load_layout
from schemas.special_collection import (
    OfficeNotice,
    SpecialCollectionNotified,
    SpecialCollectionRequested,
)

NOTIFIED = "kokuho-federation.notified"
REQUESTED = "kokuho-federation.requested"
PERSONS = "kokuho-federation.persons"
QUESTION = "pension"
AMBIGUOUS = "ambiguous-match"
RESULTS = "22"
"""結果: comes again and again after one request, so it closes no question."""

ANSWERED: Mapping[str, tuple[OfficeNotice, ...]] = {
    "02": (OfficeNotice.REQUEST,),
    RESULTS: (OfficeNotice.REQUEST, OfficeNotice.ADDED_REQUEST),
    "32": (OfficeNotice.ADDED_REQUEST,),
    "42": (OfficeNotice.LOSS,),
    "62": (OfficeNotice.PROVISIONAL_CHANGE,),
    "82": (OfficeNotice.ADDRESS_EXCEPTION,),
}
"""通知内容 of the federation, and that of the request which it answers."""

_IN, _OUT = load_layout(NOTIFIED), load_layout(REQUESTED)
_READ = fields_of(_IN, SpecialCollectionNotified)
_WRITTEN = fields_of(_OUT, SpecialCollectionRequested)
_NAMES = {column.field: column for column in _IN.columns}
_SAID_BY_THE_FILE = {"medium_number": "001", "medium": "", "insurance_scheme": "2"}
_KANA_BYTES = 25
_INSURED = ScopeEvidence(insurance=Insurance.CURRENT)
"""制度 2 says that somebody is insured, and nothing of their household."""


def question_of(pension_number: str, notice: OfficeNotice) -> Question:
    """Name what a request of this kind about this person asks."""
    return Question(QUESTION, f"{pension_number}|{notice}")


# -- from the federation ---------------------------------------------------------------


def to_messages(*notices: str) -> ToMessages:
    """Make the ``to_messages`` of files that have these 通知内容."""

    def each(rows: Sequence[Row], desk: Desk) -> list[Mapped | BadRecord]:
        return [answered(row, lambda row: _one(row, desk, notices)) for row in rows if row.sound]

    return each


class _Person(NamedTuple):
    """Of whom a record is, and how that is known."""

    addressee_number: str
    asked: Asked | None = None
    closes: Question | None = None
    doubt: str = ""


def _one(row: Row, desk: Desk, notices: Sequence[str]) -> Mapped:
    found = _whose(row, desk, notices)
    fields = read_fields(_READ, row.values)
    message = SpecialCollectionNotified.model_validate(
        {**fields, "addressee_number": found.addressee_number, "scope": _INSURED}
    )
    reason = _NAMES["notice"].codes[row.values["notice"]]
    follows = found.asked.message if found.asked else None
    return Mapped(row.number, message, reason, follows, found.closes, found.doubt)


def _whose(row: Row, desk: Desk, notices: Sequence[str]) -> _Person:
    code = row.values["notice"]
    if code not in notices:
        raise Refused("notice", "does not come in files of this name")
    return _asked(row, desk) if code in ANSWERED else _matched(row.values, desk)


def _asked(row: Row, desk: Desk) -> _Person:
    code, number = row.values["notice"], row.values["pension_number"]
    questions = [question_of(number, notice) for notice in ANSWERED[code]]
    asked = next(filter(None, map(desk.asked, questions)), None)
    if asked is None:
        raise Refused("pension_number", "no open request asks for this result")
    if code == RESULTS:
        return _Person(asked.addressee_number, asked)
    if asked.closed:
        raise Refused("pension_number", "the request was answered before")
    return _Person(asked.addressee_number, asked, asked.question)


def _matched(values: Mapping[str, str], desk: Desk) -> _Person:
    persons = desk.persons("pension_number", values["pension_number"])
    sure: Sequence[KnownPerson] = [one for one in persons if _agrees(values, one)]
    if not persons:
        persons = _of_the_same_name(values, desk)
        # Whoever is listed with another number may be somebody else of that name and day.
        sure = [one for one in persons if not one.values["pension_number"]]
    if not persons:
        raise Refused("pension_number", "nobody of the office's list matches")
    best = min(persons, key=lambda one: (-_likeness(values, one), one.addressee_number))
    doubt = "" if len(persons) == len(sure) == 1 else AMBIGUOUS
    return _Person(best.addressee_number, doubt=doubt)


def _of_the_same_name(values: Mapping[str, str], desk: Desk) -> Sequence[KnownPerson]:
    """Give those whose kana, birth date and sex all agree; of several, those at the address."""
    born = comparable_date(values["birth_date"])
    if not born:
        return ()
    found = [
        one
        for one in desk.persons("birth_date", born)
        if _same_name(values, one) and values["sex"] == one.values["sex"]
    ]
    near = [one for one in found if _same(values["postal_code"], one.values["postal_code"])]
    return near or found


def _agrees(values: Mapping[str, str], person: KnownPerson) -> bool:
    """Say whether name or birth date say the same as the number, and no birth date another."""
    born, known = comparable_date(values["birth_date"]), person.values["birth_date"]
    if born and known and born != known:
        return False
    return _same(born, known) or _same_name(values, person)


def _likeness(values: Mapping[str, str], person: KnownPerson) -> int:
    listed = person.values
    return sum(
        (
            _same_name(values, person),
            _same(comparable_date(values["birth_date"]), listed["birth_date"]),
            _same(values["sex"], listed["sex"]),
            _same(values["postal_code"], listed["postal_code"]),
        )
    )


def _same(one: str, other: str) -> bool:
    return bool(one) and one == other


def _same_name(values: Mapping[str, str], person: KnownPerson) -> bool:
    """Compare kana by what they have in common; a name that fills its bytes may be cut off."""
    told, listed = values["name_kana"], narrow_kana(person.values["name_kana"])
    if len(told) >= _KANA_BYTES:
        listed = listed[: len(told)]
    return _same(comparable(told), comparable(listed))


# -- to the federation -----------------------------------------------------------------


def takes(notice: OfficeNotice) -> Callable[[Copy], bool]:
    """Make a function that chooses the copies of one 通知内容."""
    return lambda copy: copy.data.get("notice") == notice


def asks(copy: Copy) -> Asking | None:
    """Say what a copy asks: a result about this person's request."""
    number = str(copy.data.get("pension_number", ""))
    return Asking(question_of(number, OfficeNotice(copy.data["notice"])))


def to_row(copy: Copy) -> Mapping[str, str]:
    """Give the columns of ``kokuho-federation.requested`` for a copy."""
    values = dict.fromkeys((column.field for column in _OUT.columns), "")
    write_fields(_WRITTEN, copy.data, values)
    values.update(_SAID_BY_THE_FILE)
    for column in _OUT.columns:
        if column.kind is Kind.DATE:
            values[column.field] = _eight_digits(column.field, values[column.field])
    for field in ("name", "address"):
        values[field] = wide(values[field])
    for field in ("name_kana", "address_kana"):
        values[field] = narrow_kana(values[field])
    return values


def _eight_digits(field: str, text: str) -> str:
    """Write what is known of a date; one of which nothing is certain stays blank."""
    try:
        date = comparable_date(text)
    except ValueError:
        raise Unwritable(field, "is no register's date") from None
    return date if date[:1].isdigit() and date[4:5] == date[7:8] == "-" else ""
