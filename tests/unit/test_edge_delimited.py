"""The reader and writer of delimited files: round trips, refusals, and bad files."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.edge.delimited import check_file, read_parsed, write_file
from hub.edge.form import BadFile, FileFault, Header, Unfinished
from hub.edge.kit import BadRecord, Row, Unwritable
from hub.edge.records import column_fault
from hub.limits import limits
from schemas.layout import Column, Encoding, Kind, Layout

pytestmark = pytest.mark.unit

LAYOUT = Layout(
    id="people.test",
    title="People",
    title_ja="住民",
    assumed=True,
    source="made for the tests",
    group_by="house",
    columns=(
        Column(name="世帯", field="house", width=15, kind=Kind.DIGITS, required=True),
        Column(name="氏名", field="name", width=20),
        Column(name="額", field="amount", width=13, kind=Kind.INTEGER),
        Column(name="性別", field="sex", width=1, codes={"1": "男", "2": "女"}),
        Column(name="生年月日", field="born", width=72, kind=Kind.DATE),
    ),
)
JST = dt.timezone(dt.timedelta(hours=9))
HEADER = Header(dt.datetime(2026, 4, 1, 9, 30, tzinfo=JST), "市民課", "T-01", '職員, "乙"')
HEAD = b"H,people.test,2026-04-01T09:30:00+09:00,DEP,T1,S1\r\n"
ROW = {"house": "0012", "name": "髙﨑 ①", "amount": "-12", "sex": "1", "born": "不詳"}

NAMES = {
    "utf-8": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])),
    "cp932": st.text(st.sampled_from('髙﨑①㈱ｱｲｳ表ソ能,"\\|~ 　〇々AZ az09、。')),
}


def rows_for(encoding: Encoding) -> st.SearchStrategy[list[dict[str, str]]]:
    digits = st.text("0123456789", min_size=1, max_size=15)
    short = NAMES[encoding].map(lambda text: text[:20])
    amounts = st.integers(-(10**12) + 1, 10**12).map(str) | st.just("")
    row = {"house": digits, "name": short, "amount": amounts, "born": short}
    return st.lists(st.fixed_dictionaries(row | {"sex": st.sampled_from(["", "1", "2"])}))


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content)
    return path


def bad_code(folder: Path, content: bytes, *, settled: bool = False) -> FileFault:
    with pytest.raises(BadFile) as caught:
        check_file(write(folder, content), LAYOUT, settled=settled)
    return caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_what_is_written_is_read(tmp_path: Path, encoding: Encoding, data: st.DataObject) -> None:
    rows = data.draw(rows_for(encoding))
    path = tmp_path / "out.csv"
    write_file(path, LAYOUT, HEADER, rows, encoding=encoding)
    read = list(read_parsed(path, LAYOUT, encoding))
    assert read == [(Row(i, i + 1, row), None) for i, row in enumerate(rows, start=1)]
    facts = check_file(path, LAYOUT, encoding)
    assert facts.header == HEADER
    assert facts.records == len(rows)
    assert facts.digest == hashlib.sha256(path.read_bytes()).hexdigest()

    again = tmp_path / "again.csv"
    values = [row.values for row, _ in read]
    write_file(again, LAYOUT, facts.header, values, encoding=encoding)
    assert again.read_bytes() == path.read_bytes()


@given(content=st.binary(max_size=300), encoding=st.sampled_from(["utf-8", "cp932"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_bytes_end_in_facts_or_a_named_fault(
    tmp_path: Path, content: bytes, encoding: Encoding
) -> None:
    path = write(tmp_path, content)
    with pytest.raises((BadFile, Unfinished)):
        check_file(path, LAYOUT, encoding)
    path = write(tmp_path, HEAD + b"D," + content.replace(b"\n", b"") + b"\nT,1\n")
    try:
        facts = check_file(path, LAYOUT, encoding)
    except BadFile as bad:
        assert bad.code is FileFault.ENCODING  # noqa: PT017 - the other outcome is fine too
    else:
        assert facts.records == len(list(read_parsed(path, LAYOUT, encoding))) == 1


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(Unwritable):
        write_file(tmp_path / "out.csv", LAYOUT, HEADER, [ROW, ROW | {"house": ""}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a\nb"}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"name": "a\u2028b"}, "name"),
        ({"name": "x" * 21}, "name"),
        ({"name": "𠮷"}, "name"),
        ({"name": "¥100"}, "name"),  # cp932 would make it a backslash
        ({"house": "１２"}, "house"),
        ({"amount": "1.5"}, "amount"),
        ({"sex": "3"}, "sex"),
        ({"odd": "1"}, "odd"),
    ],
)
def test_a_value_without_a_place_is_refused(
    tmp_path: Path, change: dict[str, str], field: str
) -> None:
    with pytest.raises(Unwritable) as caught:
        write_file(tmp_path / "out.csv", LAYOUT, HEADER, [ROW | change], encoding="cp932")
    assert caught.value.field == field
    for value in change.values():
        assert len(value) < 2 or value not in str(caught.value)


def test_a_refused_record_names_its_place_and_not_its_value(tmp_path: Path) -> None:
    lines = b'D,12,secret,x1,1,\r\nD,12,"sec"ret,1,1,\r\nD,12,secret\r\nD,12,fine,1,1,\r\nT,4\r\n'
    path = write(tmp_path, HEAD + lines)
    assert check_file(path, LAYOUT).records == 4
    read = list(read_parsed(path, LAYOUT))
    assert [fault for _, fault in read] == [
        BadRecord(1, 2, "amount", "is not a whole number"),
        BadRecord(2, 3, "", "the quotes of the record are wrong"),
        BadRecord(3, 4, "", "the record has 2 columns instead of 5"),
        None,
    ]
    row, _ = read[3]
    assert row.sound
    assert (row.number, row.line) == (4, 5)


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_mark_are_accepted(tmp_path: Path, end: bytes, bom: bytes) -> None:
    content = bom + (HEAD + b'"D","12","n",1,2,\r\nT,1\r\n').replace(b"\r\n", end)
    path = write(tmp_path, content)
    facts = check_file(path, LAYOUT)
    assert (facts.header.department, facts.header.staff) == ("DEP", "S1")
    ((row, _),) = read_parsed(path, LAYOUT)
    assert row.values["name"] == "n"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (HEAD + b"D,\x93\xfa,x\r\nT,1\r\n", FileFault.ENCODING),
        (HEAD.replace(b"people.test", b"people.other") + b"T,0\r\n", FileFault.LAYOUT),
        (b"D,1\r\nT,1\r\n", FileFault.HEADER),
        (HEAD.replace(b"+09:00", b"") + b"T,0\r\n", FileFault.HEADER),
        (HEAD.replace(b"DEP", b"D" * 81) + b"T,0\r\n", FileFault.HEADER),
        (HEAD.replace(b"2026-", b"2026/") + b"T,0\r\n", FileFault.HEADER),
        (HEAD + b"D,1,,,,\r\nT,2\r\n", FileFault.TRAILER),
        (HEAD + b"T,x\r\n", FileFault.TRAILER),
        (HEAD + b"T,0\r\n\r\n", FileFault.AFTER_TRAILER),
        (HEAD + b"\r\nT,0\r\n", FileFault.LINE),
        (HEAD + HEAD + b"T,0\r\n", FileFault.LINE),
        (HEAD + b"D," + b"x" * limits().line_bytes, FileFault.LINE_TOO_LONG),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, code: FileFault) -> None:
    assert bad_code(tmp_path, content) is code


def test_another_encoding_than_expected_is_seen_by_its_mark(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbf" + HEAD + b"T,0\r\n")
    with pytest.raises(BadFile) as caught:
        check_file(path, LAYOUT, "cp932")
    assert caught.value.code is FileFault.ENCODING


def test_every_beginning_of_a_file_is_unfinished(tmp_path: Path) -> None:
    whole = HEAD + 'D,12,髙﨑,1,1,\r\nD,13,"a,b",1,1,\r\nT,2\r\n'.encode()
    for length in range(len(whole)):
        with pytest.raises(Unfinished):
            check_file(write(tmp_path, whole[:length]), LAYOUT)
    assert check_file(write(tmp_path, whole), LAYOUT).records == 2


def test_a_settled_file_may_lack_the_last_line_end(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + b"D,12,n,1,1,\r\nT,1")
    assert check_file(path, LAYOUT, settled=True).records == 1
    assert bad_code(tmp_path, HEAD + b"D,12,n,1,1,", settled=True) is FileFault.TRUNCATED
    assert bad_code(tmp_path, HEAD[:-2], settled=True) is FileFault.TRUNCATED
    assert bad_code(tmp_path, b"", settled=True) is FileFault.EMPTY
    assert bad_code(tmp_path, HEAD + b"D,1,,,,\r\nT,3", settled=True) is FileFault.TRAILER


def test_a_control_character_is_named_before_a_length() -> None:
    column = Column(name="x", field="x", width=3, kind=Kind.DIGITS)
    for text in ("777\x00", "7\x00", "\x0077777"):
        assert column_fault(column, text) == "has a control character or line break"
    assert column_fault(column, "7777") == "is longer than 3 characters"


def test_faults_of_a_value_never_show_it() -> None:
    column = Column(name="x", field="x", width=3, kind=Kind.DIGITS)
    for text in ("7x7", "77777", "7\x007"):
        fault = column_fault(column, text)
        assert fault is not None
        assert text not in fault
