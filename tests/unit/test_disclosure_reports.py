"""A resident's report says the same facts as HTML, PDF and JSON, and loses no character."""

import base64
import datetime as dt
import json
import re
import unicodedata
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.disclosure import as_html, as_json, as_pdf, words
from hub.disclosure.grouping import grouped
from hub.disclosure.labels import named_field, named_fields, named_flow, named_system
from hub.disclosure.lines import is_printable
from hub.disclosure.model import (
    Access,
    Disclosure,
    Maker,
    Named,
    Outcome,
    Receipt,
    ReceiptResult,
    Row,
)
from hub.statute.catalogue import load_catalogue
from hub.statute.reasons import Code, sentence
from schemas.numbers import my_number_check_digit

pytestmark = pytest.mark.unit

JST = dt.timezone(dt.timedelta(hours=9))
MADE = dt.datetime(2026, 5, 7, 13, 5, tzinfo=JST)
ACCEPTED = dt.datetime(2026, 4, 1, 0, 30, 5, tzinfo=dt.UTC)
REGISTRY = Named("resident-registry", "既存住民基本台帳システム")
UNION = Named("union", "後期高齢者医療広域連合電算処理システム")
COLLECTION = Named("premium-collection", "後期高齢者医療保険料徴収システム")
CHECKPOINT = (
    "hub.example/ledger\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— hub.example/l A=\n"
)


def row(**said: Any) -> Row:  # noqa: ANN401 - any field of a row
    plain = Row(
        entry=1000,
        outcome=Outcome.DELIVERED,
        accepted_at=ACCEPTED,
        delivered_at=ACCEPTED + dt.timedelta(seconds=2),
        receipt=Receipt(ACCEPTED + dt.timedelta(seconds=40)),
        sender=REGISTRY,
        receiver=UNION,
        flow=Named("M1b", "住民基本台帳情報（世帯単位）"),
        message_type=Named("resident.changed"),
        basis="高齢者の医療の確保に関する法律 第48条",
        purpose="被保険者の資格管理",
        released=named_fields(["addressee_number", "name", "eligibility"]),
        withheld=named_fields(["note"]),
        access=Access("市民課", "転居", "異動の送付", "S0042"),
    )
    return replace(plain, **said)


def report(*rows: Row, **said: Any) -> Disclosure:  # noqa: ANN401 - any field
    plain = Disclosure(
        city="金沢市",
        office="市民局保険年金課",
        addressee_number="000000000012345",
        made_at=MADE,
        made_by=Maker("S0099", "保険年金課"),
        ledger_size=612_020,
        checkpoint=CHECKPOINT,
        start=dt.date(2026, 4, 1),
        end=dt.date(2026, 4, 30),
        rows=rows,
    )
    return replace(plain, **said)


class _Reader(HTMLParser):
    """Collects the text of a page, its tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read_html(of: Disclosure) -> _Reader:
    reader = _Reader()
    reader.feed(as_html.render(of).decode())
    reader.close()
    return reader


_SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|\(((?:[^\\()]|\\.)*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _unescaped(match: re.Match[bytes]) -> bytes:
    what = match.group(1)
    return bytes([int(what, 8)]) if len(what) == 3 else _LETTERS.get(what, what)


def read_pdf(of: Disclosure) -> str:
    """Give the text that a file shows, without any gap: its strings, each in its font's codes."""
    file = as_pdf.render(of, compress=False)
    found = re.search(rb"/Name /(F\d+) /Subtype /Type0", file)
    assert found is not None
    japanese = found.group(1)
    text = ""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", file, re.DOTALL):
        font = b""
        for name, shown in _SHOWN.findall(stream):
            font = name or font
            if not name:
                raw = _ESCAPED.sub(_unescaped, shown)
                text += raw.decode("utf-16-be" if font == japanese else "cp1252")
    return text


def bare(text: str) -> str:
    """Drop spaces and line breaks, which differ between the renderings."""
    return re.sub(r"\s", "", text)


def test_three_renderings_tell_the_same_facts() -> None:
    of = report(
        row(),
        row(
            entry=1003,
            outcome=Outcome.REFUSED,
            receiver=COLLECTION,
            delivered_at=None,
            receipt=None,
            code="withdrawn",
        ),
        row(
            entry=1004,
            receipt=Receipt(ACCEPTED, ReceiptResult.SET_ASIDE, "bad-layout"),
        ),
        row(entry=1005, receiver=None, flow=None, outcome=Outcome.REFUSED, code="a-new-code"),
    )
    facts = [
        "金沢市市民局保険年金課",
        "000000000012345",
        "612,020",
        "S0099",
        "1000",
        "1003",
        UNION.name,
        COLLECTION.name,
        REGISTRY.name,
        "住民基本台帳情報（世帯単位）（参照M1b）",
        "resident.changed",
        "高齢者の医療の確保に関する法律第48条",
        "被保険者の資格管理",
        "宛名番号、氏名、被保険者資格",
        "備考",
        "令和8年4月1日（2026年4月1日）から",
        "令和8年4月1日2026年4月1日9時30分05秒",
        "9時30分07秒",
        "9時30分45秒",
        "市民課事由:転居内容:異動の送付",
        sentence(Code.WITHDRAWN).ja,
        "理由コード:withdrawn",
        "理由コード:a-new-code",
        "届いたが、取り込まずに保留（理由コードbad-layout）",
        words.AS_RECORDED,
        *words.KNOWN,
        *words.UNKNOWN,
        of.contacts[0].place,
        of.contacts[1].how,
        CHECKPOINT,
    ]
    page, file = bare(read_html(of).text), bare(read_pdf(of))
    for fact in map(bare, facts):
        assert fact in page, fact
        assert fact in file, fact

    told = json.loads(as_json.render(of))
    assert told["schema"] == "renkei.disclosure"
    assert told["schema_version"] == 1
    assert told["period"] == {"from": "2026-04-01", "to": "2026-04-30"}
    assert told["checkpoint"] == CHECKPOINT
    assert told["row_count"] == 4
    assert [one["receiver"] and one["receiver"]["id"] for one in told["receivers"]] == [
        "premium-collection",
        "union",
        None,
    ]
    refused, given = told["receivers"][0]["rows"][0], told["receivers"][1]
    assert refused["reason"] == sentence(Code.WITHDRAWN).ja
    assert given["kinds"][0]["basis"] == "高齢者の医療の確保に関する法律 第48条"
    assert given["kinds"][0]["released"][1] == {"id": "name", "name": "氏名"}
    assert given["rows"][0] == {
        "entry": 1000,
        "kind": given["kinds"][0]["kind"],
        "outcome": "delivered",
        "outcome_ja": "提供済み",
        "code": "",
        "reason": "",
        "accepted_at": "2026-04-01T09:30:05+09:00",
        "delivered_at": "2026-04-01T09:30:07+09:00",
        "receipt": {
            "at": "2026-04-01T09:30:45+09:00",
            "result": "delivered",
            "result_ja": "受領",
            "code": "",
        },
        "access": {"department": "市民課", "reason": "転居", "operation": "異動の送付"},
    }


def test_a_period_without_transfers_says_so() -> None:
    of = report(checkpoint="", start=None, end=None)
    for text in map(bare, (read_html(of).text, read_pdf(of))):
        assert bare(words.EMPTY) in text
        assert bare(words.NO_PROOF) in text
        assert "記録の始めから作成日時まで" in text
    told = json.loads(as_json.render(of))
    assert told["receivers"] == []
    assert told["period"] == {"from": None, "to": None}


@pytest.mark.parametrize("show", [False, True])
def test_staff_stands_in_no_rendering_unless_it_is_to_be_shown(show: bool) -> None:  # noqa: FBT001
    of = report(row(), show_staff=show)
    for text in (read_html(of).text, read_pdf(of), as_json.render(of).decode()):
        assert ("S0042" in text) is show


def test_a_my_number_in_the_senders_words_is_masked() -> None:
    number = f"12345678901{my_number_check_digit('12345678901')}"
    access = Access(f"市民課{number}", f"{number}の件", number, number)
    of = report(row(access=access, code="invalid", detail=number), show_staff=True)
    for text in (read_html(of).text, read_pdf(of), as_json.render(of).decode()):
        assert number not in bare(text)
        assert "[個人番号]の件" in text


def test_rows_stand_by_receiver_then_time_and_a_kind_is_said_once() -> None:
    late = row(entry=9, accepted_at=ACCEPTED + dt.timedelta(days=1))
    groups = grouped([late, row(entry=2, receiver=None), row(entry=7, receiver=COLLECTION), row()])
    assert [[one.entry for one in group.rows] for group in groups] == [[7], [1000, 9], [2]]
    told = json.loads(as_json.render(report(late, row())))
    assert [one["kind"] for one in told["receivers"][0]["rows"]] == [1, 1]
    assert len(told["receivers"][0]["kinds"]) == 1


def test_the_same_input_gives_the_same_bytes() -> None:
    of = report(row())
    before = [render(of) for render in (as_html.render, as_json.render, as_pdf.render)]
    assert [render(of) for render in (as_html.render, as_json.render, as_pdf.render)] == before
    assert b"D:20260507130500+09'00'" in before[2]
    assert as_pdf.render(report(row(), made_at=MADE + dt.timedelta(1))) != before[2]


def test_a_long_report_repeats_heads_and_numbers_its_pages() -> None:
    rows = tuple(row(entry=number) for number in range(1, 301))
    file = read_pdf(report(*rows))
    pages = as_pdf.render(report(*rows)).count(b"/Type /Page\n")
    assert pages > 20
    assert f"{pages} ページ" in file
    for number in range(1, pages + 1):
        assert f"{number} / " in file
    assert file.count("部署と事由") >= pages - 6
    for number in range(1, 301):
        assert f"{number}令和8年4月1日" in file


def test_a_row_higher_than_a_page_goes_on_on_the_next() -> None:
    words_of_it = "".join(chr(0x4E00 + number) for number in range(0, 20_000, 3))
    printable = "".join(one for one in words_of_it if is_printable(one))
    of = report(row(access=Access(reason=printable)))
    file = read_pdf(of)
    heads = "記録番号受付提供受領種類部署と事由結果"
    foot = r"授受簿の記録の開示　宛名番号 000000000012345\d+ / "
    assert file.count(heads) > 3
    assert printable in re.sub(foot, "", file).replace(heads, "").replace("提供済み", "")


def test_the_file_names_its_title_and_language() -> None:
    file = as_pdf.render(report())
    assert b"/Lang (ja)" in file
    assert b"/DisplayDocTitle true" in file
    for text in (words.TITLE, "金沢市 市民局保険年金課"):
        raw = b"\xfe\xff" + text.encode("utf-16-be")
        assert raw in _ESCAPED.sub(_unescaped, file)


def test_pages_are_packed() -> None:
    stream = re.search(rb"stream\r?\n(.*?)endstream", as_pdf.render(report(row())), re.DOTALL)
    assert stream is not None
    packed = base64.a85decode(stream.group(1).strip().removesuffix(b"~>"))
    assert b" Tj" in zlib.decompress(packed)


def test_the_page_needs_nothing_from_elsewhere_and_can_be_read_aloud() -> None:
    reader = read_html(report(row()))
    names = {tag for tag, _ in reader.tags}
    assert ("html", {"lang": "ja"}) in reader.tags
    assert not names & {"script", "link", "img", "iframe", "object", "form"}
    assert not any(
        key in {"src", "href"} or key.startswith("on") for _, attrs in reader.tags for key in attrs
    )
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in reader.tags if tag == "th")
    tables = sum(tag == "table" for tag, _ in reader.tags)
    assert sum(tag == "caption" for tag, _ in reader.tags) == tables
    assert "url(" not in as_html.render(report(row())).decode()


TEXTS = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\\()[]{}%～―—髙﨑𠮷\u202e\x00\x7f\ue000~é한"), st.characters()
    ),
    min_size=1,
    max_size=40,
).filter(lambda text: words.mask_my_numbers(text) == text and "\n" not in text)


@given(TEXTS)
@settings(max_examples=30)
def test_any_text_stands_whole_in_each_rendering(text: str) -> None:
    of = report(
        row(
            basis=text,
            purpose=text,
            sender=Named("x", text),
            receiver=Named(text),
            released=(Named(text), Named("y", text)),
            access=Access(reason=text),
            code="held",
            detail=text,
        ),
        city=text,
        checkpoint=f"{text}\n",
    )
    plain = report(row(access=Access(reason="a"), code="held", detail="a"))

    page = as_html.render(of).decode()
    tags = [tag for tag, _ in read_html(of).tags]
    assert set(tags) <= {tag for tag, _ in read_html(plain).tags}
    assert page.count("<") == page.count(">")
    assert bare(_in_html(text)) in bare(read_html(of).text)

    told = json.loads(as_json.render(of))
    assert told["receivers"][0]["kinds"][0]["purpose"] == text
    assert told["receivers"][0]["rows"][0]["access"]["reason"] == text

    file = read_pdf(of)
    marks: dict[str, int] = {}
    expected = "".join(
        one if is_printable(one) else f"〓［注{marks.setdefault(one, len(marks) + 1)}］"
        for one in text
    )
    assert bare(expected) in bare(file)
    for one, number in marks.items():
        assert f"〓［注{number}］は、文字コードU+{ord(one):04X}の文字です。" in bare(file)


def _in_html(text: str) -> str:
    """Give what a page shows of a text: itself, but for what it cannot hold or would obey."""
    return "".join(
        _code(one)
        if one in "\u202e\x00\x7f\ue000" or unicodedata.category(one) in {"Cc", "Cs", "Cn", "Co"}
        else one
        for one in text
    )


def _code(character: str) -> str:
    return f"〓（U+{ord(character):04X}）"


@pytest.mark.parametrize("unseen", ["\x00", "\x1b", "\x85", "\ud800", "\uffff", "\u202e", "\ue000"])
def test_a_character_that_cannot_be_seen_is_named(unseen: str) -> None:
    of = report(row(purpose=f"前{unseen}後"))
    assert f"前{_code(unseen)}後" in read_html(of).text
    assert unseen not in as_html.render(of).decode()
    assert "前〓［注1］後" in read_pdf(of)


@pytest.mark.parametrize("one", "髙﨑①㈱～〜−―—ｱ　aあ")
def test_what_city_systems_write_can_be_printed(one: str) -> None:
    assert is_printable(one)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (dt.date(2019, 4, 30), "平成31年4月30日（2019年4月30日）"),
        (dt.date(2019, 5, 1), "令和元年5月1日（2019年5月1日）"),
        (dt.date(2026, 12, 31), "令和8年12月31日（2026年12月31日）"),
        (dt.date(1989, 1, 7), "昭和64年1月7日（1989年1月7日）"),
        (dt.date(1926, 12, 24), "1926年12月24日"),
    ],
)
def test_days_have_their_era(day: dt.date, said: str) -> None:
    assert words.day(day) == said


def test_a_time_is_told_as_it_is_in_japan() -> None:
    assert words.moment(dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)).endswith("） 0時00分00秒")


def test_times_need_an_offset_and_a_period_its_order() -> None:
    with pytest.raises(ValueError, match="accepted_at has no offset"):
        row(accepted_at=dt.datetime(2026, 4, 1))  # noqa: DTZ001 - what must be refused
    with pytest.raises(ValueError, match="ends before it starts"):
        report(start=dt.date(2026, 4, 2), end=dt.date(2026, 4, 1))


def test_names_come_from_the_layouts_and_the_catalogue() -> None:
    catalogue = load_catalogue()
    assert named_field("household_number") == Named("household_number", "世帯番号")
    assert named_field("no_such_field") == Named("no_such_field")
    assert named_system(catalogue, "tax") == Named("tax", "税務システム")
    assert named_system(catalogue, "gone") == Named("gone")
    assert named_flow(catalogue, "M1b").name == "住民基本台帳情報（世帯単位）"
    assert named_flow(catalogue, "Z9") == Named("Z9")


def test_every_outcome_and_every_code_has_its_words() -> None:
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.RECEIPTS) == set(ReceiptResult)
    for code in Code:
        assert words.reason(row(code=code.value)) == sentence(code).ja


def test_every_field_that_anybody_receives_has_a_japanese_name() -> None:
    received = {
        name
        for flow in load_catalogue().flows
        for leg in flow.legs
        for grant in leg.receivers.values()
        for name in grant.fields
    }
    assert {name for name in received if named_field(name).name.isascii()} == set()
