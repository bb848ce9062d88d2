"""番号連携システム: what passes through it, on its wires and back, with its simulator."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.number_linkage import simulator
from adapters.number_linkage.simulator import unified_number
from adapters.simulation.kit import WrongDelivery
from hub.edge.form import Unfinished
from hub.edge.forms import form_of
from hub.edge.kit import Mapped
from mappings import inquiries
from schemas.layout import Column, Kind, load_layout
from schemas.numbers import addressee_check_digit
from tests.messages import sample_data
from tests.passage import Passage, bad, copy_of, data_of

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _no_code_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "CODE_SECONDS", 0.0)


ASKED = "inquiry.requested"
ANSWERED = "inquiry.answered"
ISSUED = "processing-number.issued"
REGISTERED = "addressee.registered"
ADDRESSEE = "345"
UNIFIED = unified_number(ADDRESSEE.zfill(15))


@pytest.fixture
def passage(tmp_path: Path) -> Passage:
    return Passage("number-linkage", tmp_path)


def inquiry(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    data = sample_data(ASKED)
    data.pop("unified_number", None)
    data.pop("scope")
    return {**data, "addressee_number": ADDRESSEE, "period_from": "2025-04-01", **changes}


def answer(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    same = {
        name: value
        for name, value in inquiry().items()
        if name in {"addressee_number", "requested_at", *inquiries.SAME}
    }
    said = {
        "unified_number": UNIFIED,
        "processing_number": "P1",
        "answered_at": "2026-04-02T09:00:00.005+09:00",
        "detail_status": "09",
        "name_status": "01",
        "items": [{"item_code": "1", "item_name": "所得", "value": "12,000"}],
    }
    return {**same, **said, **changes}


def said(message_type: str, data: dict[str, Any]) -> dict[str, Any]:
    return copy_of(message_type, data, "m", "s").data


def test_an_inquiry_is_written_as_the_published_tool_does(passage: Passage) -> None:
    path = passage.deliver(ASKED, inquiry())
    assert path.name == "P640R110_20260401090000_0001.DAT"
    content = path.read_bytes()
    assert content.endswith(b"\r\n")
    fields = content.decode().removesuffix("\r\n").split(",")
    assert len(fields) == 18
    assert fields[1:4] == ["000000000000345", "", "20260401101530123"]
    assert fields[16] == "20250401"


def test_a_passed_on_inquiry_has_the_unified_number_and_follows_the_asker(
    passage: Passage,
) -> None:
    passage.deliver(ASKED, inquiry(), inquiry(addressee_number="346"), sender="office")
    (path,) = passage.react()
    first, second = passage.take(path)
    wanted = {**inquiry(), "unified_number": UNIFIED}
    wanted.pop("request_id")
    assert data_of(first) == said(ASKED, wanted)
    assert data_of(second)["addressee_number"] == "346"
    assert isinstance(first, Mapped)
    assert first.follows == ("office", "m-1.1")
    assert passage.react() == []


def test_an_inquiry_waits_for_the_code_of_its_person(
    passage: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator, "CODE_SECONDS", 60.0)
    passage.deliver(ASKED, inquiry())
    assert passage.react() == []
    number = {
        "addressee_number": ADDRESSEE,
        "unified_number": unified_number(ADDRESSEE),
        "processing_number": "P77",
        "issued_at": "2026-04-01T12:00:00+09:00",
    }
    passage.deliver(ISSUED, number)
    assert {path.name.partition("_")[0] for path in passage.react()} == {"P640R110", "JUKIGW"}


def test_a_passed_on_inquiry_is_refused_twice_unasked_or_changed(passage: Passage) -> None:
    passage.deliver(ASKED, inquiry())
    (path,) = passage.react()
    row = dict(next(form_of("number-linkage.inquiries").groups(path, None)).rows[0].values)
    name = "P640R110_20260401090000_0002.DAT"
    assert bad(passage.take_rows(name, [row | {"user_id": "X"}])) == [("", inquiries.NOBODY_ASKED)]
    assert bad(passage.take_rows(name, [row | {"unified_number": ""}])) == [
        ("unified_number", "is missing: without it nobody can be asked")
    ]
    other = row | {"addressee_number": "000000000000999"}
    assert bad(passage.take_rows(name, [other])) == [("", inquiries.NOBODY_ASKED)]
    assert bad(passage.take(path)) == []
    assert bad(passage.take(path)) == [("", inquiries.ANSWERED_BEFORE)]


def test_a_result_goes_back_with_the_askers_own_number(passage: Passage) -> None:
    passage.deliver(ASKED, inquiry())
    passage.take(passage.react()[0])
    passage.deliver(ANSWERED, answer(), sender="network")
    (path,) = passage.react()
    (found,) = passage.take(path)
    wanted = {**answer(), "request_id": inquiry()["request_id"]}
    wanted.pop("unified_number")
    assert data_of(found) == said(ANSWERED, wanted)
    assert isinstance(found, Mapped)
    assert found.follows == ("network", "m-2.1")
    assert bad(passage.take(path)) == [("", inquiries.ANSWERED_BEFORE)]


def test_a_result_that_was_not_delivered_or_is_changed_is_refused(passage: Passage) -> None:
    passage.deliver(ASKED, inquiry())
    passage.deliver(ANSWERED, answer())
    path = next(path for path in passage.react() if "P640R120" in path.name)
    row = dict(next(form_of("number-linkage.results").groups(path, None)).rows[0].values)
    name = "P640R120_20260401090000_0009.DAT"
    changed = row | {"items_1_value": "0"}
    assert bad(passage.take_rows(name, [changed])) == [("", inquiries.NOBODY_ASKED)]


def test_the_system_notices_a_result_of_no_inquiry(passage: Passage) -> None:
    passage.deliver(ANSWERED, answer())
    with pytest.raises(WrongDelivery, match="record 1: it answers no inquiry"):
        passage.react()


def test_an_inquiry_without_a_reply_says_so_to_its_asker(passage: Passage) -> None:
    passage.deliver(ASKED, inquiry())
    (question,) = (one for one in passage.desk.questions if one.kind == inquiries.KIND)
    assert passage.desk.questions[question].due_after == dt.timedelta(days=14).total_seconds()
    due = "2026-04-15T00:00:00+00:00"
    row = {"kind": question.kind, "key": question.key, "due_at": due}
    (found,) = passage.take_rows("OVERDUE_1.csv", [row])
    data = data_of(found)
    assert (data["error"], data["request_id"]) == ("no-reply", inquiry()["request_id"])
    assert bad(passage.take_rows("OVERDUE_1.csv", [row])) == [("key", inquiries.ANSWERED_BEFORE)]


def addressee(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    data = sample_data(REGISTERED)
    data.pop("scope")
    return {**data, "addressee_number": ADDRESSEE, **changes}


def test_a_code_is_asked_for_when_a_my_number_is_first_entered(passage: Passage) -> None:
    without = addressee(addressee_number="346")
    without.pop("my_number")
    passage.deliver(REGISTERED, addressee(), without, sender="registry")
    (path,) = passage.react()
    (found,) = passage.take(path)
    data = data_of(found)
    assert (data["addressee_number"], data["unified_number"]) == (ADDRESSEE, unified_number("345"))
    assert isinstance(found, Mapped)
    assert found.follows == ("registry", "m-1.1")
    passage.deliver(REGISTERED, addressee(history_number=9), sender="registry")
    assert passage.react() == []
    row = {**next(form_of("number-linkage.code-requests").groups(path, None)).rows[0].values}
    (refused,) = bad(passage.take_rows("FUGO_9.csv", [row | {"addressee_number": "346"}]))
    assert refused == ("addressee_number", "is of a person whose 個人番号 was not entered")


def test_a_unified_number_is_newly_issued_and_of_one_person() -> None:
    numbers = {unified_number(f"{n:014}{addressee_check_digit(f'{n:014}')}") for n in range(3000)}
    assert len(numbers) == 3000
    assert all(addressee_check_digit(one[:-1]) == one[-1] and len(one) == 15 for one in numbers)


def test_a_processing_number_goes_on_once_as_it_was_issued(passage: Passage) -> None:
    number = {
        "addressee_number": ADDRESSEE,
        "unified_number": unified_number(ADDRESSEE),
        "request_id": "C1",
        "processing_number": "P77",
        "issued_at": "2026-04-01T12:00:00+09:00",
    }
    passage.deliver(ISSUED, number)
    (path,) = passage.react()
    row = dict(next(form_of("number-linkage.gateway-numbers").groups(path, None)).rows[0].values)
    other = row | {"processing_number": "P78"}
    assert bad(passage.take_rows("JUKIGW_9.csv", [other])) == [
        ("processing_number", "is not the one that was issued")
    ]
    (found,) = passage.take(path)
    wanted = {**number}
    wanted.pop("request_id")
    assert data_of(found) == said(ISSUED, wanted)
    assert bad(passage.take(path)) == [("", inquiries.ANSWERED_BEFORE)]
    passage.deliver(ISSUED, number | {"unified_number": "900000000000006"})
    with pytest.raises(WrongDelivery, match="record 1: the 統合宛名番号 is another one"):
        passage.react()


def texts_of(column: Column) -> st.SearchStrategy[str]:
    if column.codes:
        some = st.sampled_from(sorted(column.codes))
    elif column.padding or column.kind is Kind.DIGITS:
        least = column.width if column.padding else 1
        some = st.text("0123456789", min_size=least, max_size=column.width)
    else:
        some = st.text('abcXYZ019 ,"', min_size=1, max_size=column.width)
    return some if column.required else some | st.just("")


@pytest.mark.parametrize("layout_id", ["number-linkage.inquiries", "number-linkage.results"])
@given(data=st.data())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=15,
)
def test_what_is_written_is_read(tmp_path: Path, layout_id: str, data: st.DataObject) -> None:
    columns = load_layout(layout_id).columns
    few = [column for column in columns if column.place <= 2]
    row = dict.fromkeys((column.field for column in columns), "")
    row |= {column.field: data.draw(texts_of(column)) for column in few}
    form = form_of(layout_id)
    encoder = form.encoder(None)
    path = tmp_path / "P_20260401090000_0001.DAT"
    path.write_bytes(encoder.record(row))
    with pytest.raises(Unfinished):
        form.check(path, None, settled=False)
    (read,) = next(form.groups(path, None)).rows
    assert read.values == row
    assert encoder.record(read.values) == path.read_bytes()
