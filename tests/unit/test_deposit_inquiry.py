"""預貯金等照会システム: requests out, workbooks in, and who is taken for whom."""

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.deposit_inquiry.simulator import found
from hub.edge.form import BadFile, FileFault
from hub.edge.forms import form_of
from hub.edge.kit import Mapped, Question
from mappings import deposit_inquiry, inquiries, likeness
from schemas.dates import RegisterDate, read_register_date
from schemas.layout import load_layout
from tests.messages import sample_data
from tests.passage import Passage, bad, data_of

pytestmark = pytest.mark.unit

ASKED = "deposit.requested"
LAYOUT = load_layout(deposit_inquiry.ANSWERS)
SEVERAL, UNSURE, NONE, ONE = "D01", "D05", "D09", "D13"
NAME = "KAITOU_20260402090000.xlsm"


def request(number: str = ONE, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    data = sample_data(ASKED)
    data.pop("scope")
    return {**data, "request_id": number, "addressee_number": "345", **changes}


@pytest.fixture
def passage(tmp_path: Path) -> Passage:
    return Passage("deposit-inquiry", tmp_path)


def rows(number: str = ONE, **changes: str) -> list[dict[str, str]]:
    """Give what the simulator finds for a request."""
    asked = request(number)
    values = {
        key: str(value) for key, value in asked.items() if not isinstance(value, (dict, list))
    }
    born = asked["birth_date"]["raw"]
    made = found({"previous_address": "", **values, "birth_date": born})
    return [row | changes for row in made]


def test_each_request_is_answered_by_what_was_found(passage: Passage) -> None:
    numbers = (SEVERAL, NONE, ONE, UNSURE)
    passage.deliver(ASKED, *(request(number) for number in numbers), sender="office")
    (path,) = passage.react()
    assert path.name == "KAITOU_00000001.xlsx"
    answers = {data_of(one)["request_id"]: one for one in passage.take(path)}
    assert {number: len(data_of(answers[number]).get("accounts", ())) for number in numbers} == {
        SEVERAL: 3,
        NONE: 0,
        ONE: 1,
        UNSURE: 1,
    }
    doubts = {key: one.doubt for key, one in answers.items() if isinstance(one, Mapped)}
    assert doubts == {SEVERAL: "", NONE: "", ONE: "", UNSURE: deposit_inquiry.AMBIGUOUS}
    assert data_of(answers[ONE])["match_score"] == 100
    assert data_of(answers[ONE])["addressee_number"] == "345"
    assert data_of(answers[NONE])["name"] == ""
    assert all(isinstance(one, Mapped) and one.follows[0] == "office" for one in answers.values())
    assert passage.react() == []
    again = bad(passage.take(path))
    assert set(again) == {("request_id", inquiries.ANSWERED_BEFORE)}


def test_an_account_is_told_as_it_stands_in_the_sheet(passage: Passage) -> None:
    passage.deliver(ASKED, request())
    (row,) = rows(account_number="0000007", branch_code="012", account_kind="定期", balance="-5")
    (account,) = data_of(passage.take_rows(NAME, [row])[0])["accounts"]
    assert account["account_number"] == "0000007"
    assert account["branch_code"] == "012"
    assert account["account_kind"] == "time"
    assert account["balance"] == -5
    assert account["last_transaction_on"] == "2026-03-31"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"request_id": "D999"}, ("request_id", inquiries.NOBODY_ASKED)),
        ({"addressee_number": "346"}, ("addressee_number", "is not of the person who was asked")),
        ({"outcome": "該当なし"}, ("bank_name", "is of an account, and none was found")),
        ({"branch_code": ""}, ("branch_code", "missing")),
        (
            {"name": "見本　太郎", "name_kana": "ミホン　タロウ", "birth_date": "1999-09-09"},
            ("name", "agrees too little with the person who was asked about"),
        ),
    ],
)
def test_an_answer_that_cannot_be_is_refused(
    passage: Passage, changes: dict[str, str], refusal: tuple[str, str]
) -> None:
    passage.deliver(ASKED, request())
    ((field, reason),) = bad(passage.take_rows(NAME, rows(**changes)))
    assert field == refusal[0] or field.endswith(refusal[0])
    assert reason.startswith(refusal[1])
    assert not passage.desk.questions[Question("deposit", ONE)].closed


def test_a_person_looks_where_two_persons_answer(passage: Passage) -> None:
    passage.deliver(ASKED, request())
    (row,) = rows()
    other = row | {"name": "架空　次郎", "name_kana": "カクウ　ジロウ", "account_number": "7654321"}
    mapped, refused = passage.take_rows(NAME, [row, other])
    assert isinstance(mapped, Mapped)
    assert mapped.doubt == "ambiguous-match"
    assert [one["account_number"] for one in data_of(mapped)["accounts"]] == [row["account_number"]]
    assert bad([refused]) == [("name", "is of another person than the others")]


def test_a_record_that_is_refused_takes_its_whole_answer_with_it(passage: Passage) -> None:
    passage.deliver(ASKED, request(SEVERAL), request(ONE))
    several, one = rows(SEVERAL), rows(ONE)
    content = workbook([*several, *one], lambda sheet: sheet.cell(3, 17, "12A"))
    (passage.folder / NAME).write_bytes(content)
    found = passage.take(passage.folder / NAME)
    assert [reason for _, reason in bad(found)] == [
        "another record of the same answer is refused",
        "is not filled with zeros to 7 digits",
        "another record of the same answer is refused",
    ]
    assert [data_of(item)["request_id"] for item in found if isinstance(item, Mapped)] == [ONE]


def test_nobody_answered_in_time(passage: Passage) -> None:
    passage.deliver(ASKED, request())
    assert passage.desk.questions[Question("deposit", ONE)].due_after == 14 * 86_400
    row = {"kind": "deposit", "key": ONE, "due_at": "2026-04-15T20:00:00+00:00"}
    (mapped,) = passage.take_rows("OVERDUE_1.csv", [row])
    assert data_of(mapped) == {
        "addressee_number": "345",
        "request_id": ONE,
        "answered_on": "2026-04-16",
        "outcome": "no-reply",
        "handler": "",
        "name": "",
        "name_kana": "",
        "address": "",
        "accounts": [],
    }
    assert bad(passage.take_rows("OVERDUE_1.csv", [row])) == [("key", inquiries.ANSWERED_BEFORE)]
    late = bad(passage.take_rows(NAME, rows()))
    assert late == [("request_id", inquiries.ANSWERED_BEFORE)]


# -- the workbook of the service -------------------------------------------------------


def workbook(
    data: list[dict[str, str]], change: Callable[[Any], object], *, sheets: tuple[str, ...] = ()
) -> bytes:
    """Let another program make the workbook."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name in sheets or LAYOUT.sheets:
        made.create_sheet(name)
    sheet = made.worksheets[0]
    sheet.append([column.name for column in LAYOUT.columns])
    for row in data:
        sheet.append([row[column.field] or None for column in LAYOUT.columns])
    change(sheet)
    saved = io.BytesIO()
    made.save(saved)
    return saved.getvalue()


def test_days_and_numbers_of_a_spreadsheet_are_read(passage: Passage) -> None:
    passage.deliver(ASKED, request())

    def as_a_person_types(sheet: Any) -> None:  # noqa: ANN401 - of openpyxl
        sheet.cell(2, 2, 345)
        sheet.cell(2, 3, dt.date(2026, 4, 2))
        sheet.cell(2, 14, 1)
        sheet.cell(2, 17, 4321)
        sheet.cell(2, 18, 1_000_000)

    (passage.folder / NAME).write_bytes(workbook(rows(), as_a_person_types))
    data = data_of(passage.take(passage.folder / NAME)[0])
    assert data["answered_on"] == "2026-04-02"
    (account,) = data["accounts"]
    assert (account["branch_code"], account["account_number"]) == ("001", "0004321")
    assert account["balance"] == 1_000_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (workbook(rows(), lambda sheet: sheet.cell(2, 18, "=1+1")), FileFault.FORBIDDEN),
        (
            workbook(rows(), lambda _: None, sheets=("回答書", *LAYOUT.sheets[1:])),
            FileFault.LAYOUT,
        ),
        (workbook(rows(), lambda _: None, sheets=LAYOUT.sheets[:1]), FileFault.LAYOUT),
        (workbook(rows(), lambda sheet: sheet.cell(1, 1, "番号")), FileFault.HEADER),
        (workbook(rows(), lambda _: None)[:-100], FileFault.TRUNCATED),
    ],
)
def test_a_workbook_of_a_bad_service_is_set_aside(
    tmp_path: Path, content: bytes, code: FileFault
) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(BadFile) as caught:
        form_of(LAYOUT.id).check(path, None, settled=True)
    assert caught.value.code is code


# -- likeness --------------------------------------------------------------------------

WHO = likeness.Person(
    "髙﨑　𠮷之助",
    "タカサキ　ヨシノスケ",
    read_register_date("1940-05-06"),
    ("石川県金沢市広坂一丁目1番1号",),
)


def changed(**changes: Any) -> likeness.Person:  # noqa: ANN401 - any item
    values = {name: getattr(WHO, name) for name in ("name", "kana", "birth_date", "addresses")}
    return likeness.Person(**values | changes)


@pytest.mark.parametrize(
    "same",
    [
        WHO,
        changed(name="高崎吉之助", kana="ﾀｶｻｷ ﾖｼﾉｽｹ"),
        changed(kana="たかさきよしのすけ"),
        changed(addresses=("金沢市広坂１－１－１",)),
        changed(addresses=("東京都架空区見本町九丁目", *WHO.addresses)),
        changed(birth_date=read_register_date("3150506")),
    ],
)
def test_what_is_only_written_differently_is_the_same(same: likeness.Person) -> None:
    assert likeness.score(WHO, same) == 100


@pytest.mark.parametrize(
    ("other", "low", "high"),
    [
        (changed(addresses=("東京都架空区見本町九丁目",)), 75, 100),
        (changed(birth_date=read_register_date("1940-05-07")), 50, 75),
        (changed(name="広坂　幸子", kana="ヒロサカ　サチコ"), 50, 75),
        (
            changed(addresses=("東京都架空区",), birth_date=read_register_date("1999-01-01")),
            0,
            50,
        ),
        (likeness.Person(name=WHO.name, kana=WHO.kana), 50, 75),
        (likeness.Person(birth_date=WHO.birth_date, addresses=WHO.addresses), 50, 75),
        (likeness.Person(name=WHO.name, birth_date=WHO.birth_date), 75, 101),
        (likeness.Person(), 0, 50),
    ],
)
def test_one_item_alone_makes_nobody_the_same(other: likeness.Person, low: int, high: int) -> None:
    assert low <= likeness.score(WHO, other) < high


@pytest.mark.parametrize("born", [WHO.birth_date, None])
def test_who_lives_together_and_has_almost_the_same_name_is_not_the_same(
    born: RegisterDate | None,
) -> None:
    twin = changed(name="髙﨑　𠮷二助", kana="タカサキ　ヨシニスケ", birth_date=born)
    assert likeness.DOUBTFUL <= likeness.score(WHO, twin) < likeness.GOOD
    misheard = changed(kana=twin.kana, birth_date=born)
    assert likeness.score(WHO, misheard) >= likeness.GOOD


TEXT = st.text("架空髙高アイｱ1一丁目-　 ", max_size=12)
PERSONS = st.builds(
    likeness.Person,
    TEXT,
    TEXT,
    st.sampled_from(["", "1940-05-06", "1940-05-00", "1940-00-00", "不詳", "1951-01-01"]).map(
        read_register_date
    ),
    st.lists(TEXT, max_size=2).map(tuple),
)


@given(asked=PERSONS, found=PERSONS, data=st.data())
@settings(max_examples=150)
def test_a_score_is_within_bounds_symmetric_and_grows_with_what_agrees(
    asked: likeness.Person, found: likeness.Person, data: st.DataObject
) -> None:
    score = likeness.score(asked, found)
    assert 0 <= score <= 100
    assert score == likeness.score(found, asked)
    item = data.draw(st.sampled_from(["name", "kana", "birth_date", "addresses"]))
    values = {name: getattr(found, name) for name in ("name", "kana", "birth_date", "addresses")}
    better = likeness.Person(**values | {item: getattr(asked, item)})
    if getattr(asked, item) and (item != "birth_date" or asked.birth_date.precision == "day"):
        assert likeness.score(asked, better) >= score
