"""Files of data records alone: round trips, when one is whole, and what is refused."""

import datetime as dt
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.edge.filetime import made_at
from hub.edge.form import BadFile, FileFault, Header, Unfinished
from hub.edge.forms.plain import Plain
from hub.edge.kit import Unwritable
from hub.errors import EdgeError
from hub.limits import limits
from schemas.layout import Column, FormName, Kind, Layout

pytestmark = pytest.mark.unit

LAYOUT = Layout(
    id="plain.test",
    title="Plain",
    title_ja="試験",
    assumed=True,
    source="made for the tests",
    form=FormName.PLAIN,
    columns=(
        Column(name="番号", field="number", width=5, kind=Kind.DIGITS, padding="zero"),
        Column(name="氏名", field="name", width=20),
        Column(name="額", field="amount", width=13, kind=Kind.INTEGER),
    ),
)
FORM = Plain(LAYOUT)
JST = dt.timezone(dt.timedelta(hours=9))
HEADER = Header(dt.datetime(2026, 4, 1, 9, tzinfo=JST))
NAME = "P_20260401093015_0001.DAT"
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(0, 99_999).map(lambda n: f"{n:05}") | st.just(""),
            "name": st.text(
                st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
                max_size=20,
            ),
            "amount": st.integers(-(10**11), 10**12).map(str) | st.just(""),
        }
    ),
    min_size=1,
)


def write(folder: Path, content: bytes, name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@given(rows=ROWS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_what_is_written_is_read_and_gives_the_same_bytes(
    tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    encoder = FORM.encoder(None)
    content = b"".join(encoder.framed(HEADER, map(encoder.record, rows)))
    path = write(tmp_path, content)
    facts = FORM.check(path, None, settled=True)
    assert (facts.records, facts.digest) == (len(rows), hashlib.sha256(content).hexdigest())
    read = [row for group in FORM.groups(path, None) for row in group.rows]
    assert [row.values for row in read] == rows
    assert all(row.sound for row in read)
    assert b"".join(encoder.record(row.values) for row in read) == content


@given(content=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_bytes_end_in_facts_or_a_named_fault(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    try:
        facts = FORM.check(path, None, settled=True)
    except BadFile:
        return
    rows = [row for group in FORM.groups(path, None) for row in group.rows]
    assert [row.number for row in rows] == list(range(1, facts.records + 1))


def test_a_file_is_whole_only_when_it_stands_still(tmp_path: Path) -> None:
    path = write(tmp_path, b"00001,n,1\r\n")
    with pytest.raises(Unfinished):
        FORM.check(path, None, settled=False)
    assert FORM.check(path, None, settled=True).records == 1


@pytest.mark.parametrize(
    "content", [b"00001,n,1", b"00001,n,1\r\n00002,", "00001,髙".encode()[:-1]]
)
def test_a_record_without_its_end_is_no_record(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadFile, match="no end") as caught:
        FORM.check(write(tmp_path, content), None, settled=True)
    assert caught.value.code is FileFault.TRUNCATED


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FileFault.EMPTY),
        (b"00001,\xff,1\r\n", FileFault.ENCODING),
        (b"0" * (limits().line_bytes + 1), FileFault.LINE_TOO_LONG),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, code: FileFault) -> None:
    with pytest.raises(BadFile) as caught:
        FORM.check(write(tmp_path, content), None, settled=True)
    assert caught.value.code is code


def test_a_record_against_its_layout_is_refused_without_its_values(tmp_path: Path) -> None:
    content = b"1,n,1\r\n00001,n\r\n00001,n,x\r\n\r\n00002,n,1\r\n"
    groups = list(FORM.groups(write(tmp_path, content), None))
    faults = [fault for group in groups for fault in group.faults]
    assert [(fault.line, fault.field, fault.reason) for fault in faults] == [
        (1, "number", "is not filled with zeros to 5 digits"),
        (2, "", "the record has 2 columns instead of 3"),
        (3, "amount", "is not a whole number"),
        (4, "", "the record has 1 columns instead of 3"),
    ]
    assert groups[-1].rows[0].sound


def test_a_number_that_is_not_filled_is_not_written() -> None:
    with pytest.raises(Unwritable, match="number: is not filled"):
        FORM.encoder(None).record({"number": "12", "name": "", "amount": ""})


def test_the_time_is_that_of_the_name_else_of_the_last_change(tmp_path: Path) -> None:
    assert made_at(write(tmp_path, b"")) == dt.datetime(2026, 4, 1, 9, 30, 15, tzinfo=JST)
    other = write(tmp_path, b"", "20261399999999.DAT")
    os.utime(other, (1_770_000_000, 1_770_000_000))
    assert made_at(other).timestamp() == 1_770_000_000
    with pytest.raises(EdgeError):
        made_at(tmp_path / "none")
