"""特別徴収: what the federation says becomes a message about the right person, or about nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.kokuho_federation import ADAPTER
from hub.edge.forms import form_of
from hub.edge.kit import Asked, BadRecord, KnownPerson, Mapped, Question, Row, Unencodable
from hub.message import Copy, MessageKey
from mappings import kokuho_federation as mapping
from schemas.canonical import Insurance
from schemas.special_collection import OfficeNotice, SpecialCollectionNotified
from tests import messages
from tests.fixed_values import CANDIDATE

pytestmark = pytest.mark.unit

ASKED_BY = MessageKey("premium-collection", "m-1")
LISTED = {
    "addressee_number": "000000000012345",
    "pension_number": "1234567890",
    "name_kana": "タカサキ　ヨシノスケ",
    "birth_date": "1940-05-00",
    "sex": "2",
    "postal_code": "9208577",
}


@dataclass
class FakeDesk:
    """Knows some persons, and some questions by (number, notice)."""

    known: Sequence[Mapping[str, str]] = (LISTED,)
    questions: Mapping[Question, Asked] = field(default_factory=dict)

    def asked(self, question: Question) -> Asked | None:
        return self.questions.get(question)

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:
        return [
            KnownPerson(one["addressee_number"], one) for one in self.known if one[field] == value
        ]


def asked(notice: OfficeNotice, *, closed: bool = False) -> dict[Question, Asked]:
    question = mapping.question_of("1234567890", notice)
    return {question: Asked(question, ASKED_BY, "000000000077777", {}, closed=closed)}


def answer(desk: FakeDesk, **changes: str) -> Mapped | BadRecord:
    row = Row(1, 3, CANDIDATE | changes)
    names = {"00": "Z31", "30": "Z31", "22": "Z34", "42": "Z3A", "62": "Z3A", "82": "Z3A"}
    name = names.get(row.values["notice"], "Z33")
    wire = next(wire for wire in ADAPTER.inbound if wire.pattern == f"{name}*.dta")
    (answered,) = wire.to_messages([row], desk)
    return answered


def sent(desk: FakeDesk, **changes: str) -> Mapped:
    answered = answer(desk, **changes)
    assert isinstance(answered, Mapped), answered
    return answered


def test_a_candidate_in_the_list_is_sent_with_all_that_the_record_says() -> None:
    mapped = sent(FakeDesk(), amount_third="7", event_date="2026-04-01", transferred="1")
    message = mapped.message
    assert isinstance(message, SpecialCollectionNotified)
    assert message.addressee_number == LISTED["addressee_number"]
    assert message.scope.insurance is Insurance.CURRENT
    assert message.notice == "candidate"
    assert message.pension_number.reveal() == "1234567890"
    assert (message.amount_first, message.amount_second, message.amount_third) == (12300, 0, 7)
    assert message.birth_date is not None
    assert message.birth_date.raw == "1940-05-00"
    assert message.category is None
    assert (mapped.doubt, mapped.follows, mapped.closes) == ("", None, None)
    assert mapped.reason == "対象者"


@pytest.mark.parametrize(
    ("listed", "doubt"),
    [
        ({"name_kana": "ﾀｶｻｷ ﾖｼﾉｽｹ"}, ""),
        ({"name_kana": "ベツメイ"}, ""),
        ({"birth_date": ""}, ""),
        ({"birth_date": "1941-01-01"}, "ambiguous-match"),
        ({"birth_date": "", "name_kana": "ベツメイ"}, "ambiguous-match"),
        ({"pension_number": ""}, ""),
    ],
)
def test_a_number_alone_is_no_match(listed: dict[str, str], doubt: str) -> None:
    mapped = sent(FakeDesk([LISTED | listed]))
    assert mapped.message.addressee_number == LISTED["addressee_number"]
    assert mapped.doubt == doubt


@pytest.mark.parametrize("item", ["name_kana", "birth_date", "sex"])
def test_without_the_number_name_birth_date_and_sex_have_to_agree(item: str) -> None:
    other = {"name_kana": "ベツ", "birth_date": "1940-06-00", "sex": "1"}[item]
    refused = answer(FakeDesk([LISTED | {"pension_number": "", item: other}]))
    assert isinstance(refused, BadRecord)
    assert refused.reason == "nobody of the office's list matches"


def test_of_several_who_agree_the_address_decides_or_a_person() -> None:
    unnumbered = LISTED | {"pension_number": ""}
    far = unnumbered | {"addressee_number": "000000000000001", "postal_code": "9218000"}
    near = sent(FakeDesk([far, unnumbered]))
    assert (near.message.addressee_number, near.doubt) == (LISTED["addressee_number"], "")
    twins = sent(FakeDesk([unnumbered, unnumbered | {"addressee_number": "000000000000002"}]))
    assert twins.doubt == "ambiguous-match"
    numbered = sent(FakeDesk([LISTED | {"addressee_number": "000000000000009"}, LISTED]))
    assert numbered.doubt == "ambiguous-match"


def test_whoever_is_listed_with_another_number_is_not_surely_the_one() -> None:
    mapped = sent(FakeDesk([LISTED | {"pension_number": "9999999999"}]))
    assert mapped.doubt == "ambiguous-match"


def test_a_name_that_fills_its_bytes_is_compared_as_far_as_it_goes() -> None:
    long = "ア" * 40
    desk = FakeDesk([LISTED | {"pension_number": "", "name_kana": long}])
    assert sent(desk, name_kana="ｱ" * 25).doubt == ""
    assert isinstance(answer(desk, name_kana="ｱ" * 24), BadRecord)


@pytest.mark.parametrize(
    ("notice", "request_"),
    [
        ("02", OfficeNotice.REQUEST),
        ("32", OfficeNotice.ADDED_REQUEST),
        ("42", OfficeNotice.LOSS),
        ("62", OfficeNotice.PROVISIONAL_CHANGE),
        ("82", OfficeNotice.ADDRESS_EXCEPTION),
    ],
)
def test_a_result_follows_its_request_and_closes_it(notice: str, request_: OfficeNotice) -> None:
    mapped = sent(FakeDesk([], asked(request_)), notice=notice, result="00")
    assert mapped.message.addressee_number == "000000000077777"
    assert mapped.follows == ASKED_BY
    assert mapped.closes == mapping.question_of("1234567890", request_)
    again = answer(FakeDesk([], asked(request_, closed=True)), notice=notice)
    assert isinstance(again, BadRecord)
    assert again.reason == "the request was answered before"
    others = {k: v for one in OfficeNotice if one != request_ for k, v in asked(one).items()}
    unasked = answer(FakeDesk([LISTED], others), notice=notice)
    assert isinstance(unasked, BadRecord)
    assert unasked.reason == "no open request asks for this result"


@pytest.mark.parametrize("closed", [False, True])
def test_results_of_collection_come_again_and_again(closed: bool) -> None:  # noqa: FBT001
    desk = FakeDesk([], asked(OfficeNotice.REQUEST, closed=closed))
    mapped = sent(desk, notice="22", category="00")
    assert mapped.follows == ASKED_BY
    assert mapped.closes is None


def test_a_notice_in_a_file_of_another_name_is_refused() -> None:
    (answered,) = ADAPTER.inbound[0].to_messages(
        [Row(1, 3, CANDIDATE | {"notice": "02"})], FakeDesk()
    )
    assert isinstance(answered, BadRecord)
    assert answered.field == "notice"


# -- to the federation -----------------------------------------------------------------


def _data(message_type: str) -> dict[str, Any]:
    whole = messages.sample(message_type)
    return whole.model_dump(mode="json", exclude_none=True, exclude={"scope"})


def copy_of(**changes: object) -> Copy:
    data = _data("special-collection.requested") | changes
    return Copy.model_validate(
        {
            "id": "m-1",
            "source": "/systems/premium-collection",
            "type": "special-collection.requested",
            "time": "2026-04-01T09:00:00+09:00",
            "flow": "O5",
            "acceptedtime": "2026-04-01T09:00:00+09:00",
            "data": data,
        }
    )


@pytest.mark.parametrize("notice", list(OfficeNotice))
def test_each_notice_has_a_file_of_its_own_and_asks_for_its_result(notice: OfficeNotice) -> None:
    copy = copy_of(notice=notice, category=None)
    (wire,) = [wire for wire in ADAPTER.outbound if wire.takes(copy)]
    code = wire.prefix.rpartition("_")[2]
    row = wire.to_row(copy)
    assert row["notice"] == code
    assert form_of(wire.layout).encoder(None).record(row)
    asking = wire.asks(copy)
    assert asking is not None
    assert asking.question == mapping.question_of(copy.data["pension_number"], notice)


def test_a_request_is_written_in_the_widths_of_the_wire() -> None:
    date = {"raw": "3150505", "precision": "day", "date": "1940-05-05"}
    copy = copy_of(
        address="金沢市広坂1-1 〜", address_kana="カナザワシ", birth_date=date, event_date=None
    )
    row = mapping.to_row(copy)
    assert row["address"] == "金沢市広坂１－１　～"
    assert row["address_kana"] == "ｶﾅｻﾞﾜｼ"
    assert row["birth_date"] == "1940-05-05"
    assert row["insurance_scheme"] == "2"
    form_of(mapping.REQUESTED).encoder(None).record(row)
    unknown = {"raw": "昭和十五年頃", "precision": "unknown"}
    assert mapping.to_row(copy_of(birth_date=unknown))["birth_date"] == ""


def test_a_character_that_the_wire_lacks_is_told_and_not_replaced() -> None:
    with pytest.raises(Unencodable) as caught:
        form_of(mapping.REQUESTED).encoder(None).record(mapping.to_row(copy_of(name="髙橋")))
    assert caught.value.characters == {"髙"}
