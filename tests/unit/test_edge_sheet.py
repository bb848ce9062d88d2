"""Workbooks: round trips, what other programs write, and what is refused."""

import datetime as dt
import io
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.workbook.external_link import ExternalLink
from openpyxl.workbook.external_link.external import ExternalBook

from hub.edge.form import BadFile, FileFault, Header, Unfinished
from hub.edge.forms.sheet import Sheet
from hub.edge.kit import Row, Unwritable
from hub.edge.workbook import cells
from hub.limits import limits
from tests.sheets import LAYOUT, ROW, changed, part_of, with_shared_strings

pytestmark = pytest.mark.unit

FORM = Sheet(LAYOUT)
HEADER = Header(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC))
SHEET = "xl/worksheets/sheet1.xml"
NAME = "KAITOU_20260401093015.xlsx"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "case": st.integers(1, 5).map(lambda n: f"{n:03}"),
            "name": TEXT.map(lambda text: text[:40]),
            "account": st.integers(0, 9_999_999).map(lambda n: f"{n:07}") | st.just(""),
            "last": st.dates().map(dt.date.isoformat) | st.just(""),
            "balance": st.integers(-(10**11), 10**12).map(str) | st.just(""),
        }
    ),
    max_size=8,
).map(lambda rows: sorted(rows, key=lambda row: row["case"]))


def book(*rows: dict[str, str]) -> bytes:
    encoder = FORM.encoder(None)
    return b"".join(encoder.framed(HEADER, map(encoder.record, rows)))


def write(folder: Path, content: bytes) -> Path:
    path = folder / NAME
    path.write_bytes(content)
    return path


def read(path: Path) -> list[Row]:
    return [row for group in FORM.groups(path, None) for row in group.rows]


def fault(folder: Path, content: bytes) -> BadFile:
    path = write(folder, content)
    with pytest.raises(BadFile) as caught:
        FORM.check(path, None, settled=True)
    return caught.value


@given(rows=ROWS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_is_written_is_read_and_gives_the_same_bytes(
    tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    content = book(*rows)
    path = write(tmp_path, content)
    assert FORM.check(path, None, settled=True).records == len(rows)
    found = read(path)
    assert [row.values for row in found] == rows
    assert all(row.sound for row in found)
    assert book(*(dict(row.values) for row in found)) == content


def test_another_program_reads_what_is_written() -> None:
    loaded = openpyxl.load_workbook(io.BytesIO(book(ROW, ROW | {"name": ""})))
    assert loaded.sheetnames == list(LAYOUT.sheets)
    assert list(loaded[LAYOUT.sheets[0]].values) == [
        tuple(column.name for column in LAYOUT.columns),
        tuple(ROW.values()),
        ("12", None, "0001234", "2026-03-31", "-5"),
    ]


def made(change: Callable[[openpyxl.Workbook], object] = lambda _: None) -> bytes:
    """Let openpyxl make a workbook: numbers, days, and other columns."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = LAYOUT.sheets[0]
    workbook.create_sheet(LAYOUT.sheets[1])
    workbook.create_sheet("another")
    sheet.append([])
    sheet.append(["備考", "照会番号", "残高", "氏名", "口座番号", "最終取引日"])
    sheet.append(["x", 12, -5, "架空　花子", 1234, dt.date(2026, 3, 31)])
    sheet.append([])
    sheet.append([None, "13", "0", "架空　花子", "0001234", "2026-03-31"])
    change(workbook)
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def test_what_another_program_writes_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, made())
    assert FORM.check(path, None, settled=True).records == 2
    first, second = read(path)
    same = {"name": "架空　花子", "account": "0001234", "last": "2026-03-31"}
    assert first == Row(1, 3, {"case": "12", "balance": "-5", **same})
    assert second == Row(2, 5, {"case": "13", "balance": "0", **same})


def test_shared_strings_are_read_without_their_readings(tmp_path: Path) -> None:
    content = with_shared_strings(book(ROW, ROW | {"name": "x"}))
    assert b"inlineStr" not in part_of(content, SHEET)
    path = write(tmp_path, content)
    assert FORM.check(path, None, settled=True).records == 2
    assert [row.values for row in read(path)] == [ROW, ROW | {"name": "x"}]


def test_a_day_of_the_other_calendar_is_the_same_day(tmp_path: Path) -> None:
    def since_1904(workbook: openpyxl.Workbook) -> None:
        workbook.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    path = write(tmp_path, made(since_1904))
    assert [row.values["last"] for row in read(path)] == ["2026-03-31", "2026-03-31"]


def formula(workbook: openpyxl.Workbook) -> None:
    workbook[LAYOUT.sheets[0]]["D3"] = "=1+1"


def linked(workbook: openpyxl.Workbook) -> None:
    link = ExternalLink(externalBook=ExternalBook())
    link.file_link = openpyxl.packaging.relationship.Relationship(
        type="externalLinkPath", Target="http://example.invalid/x.xlsx", TargetMode="External"
    )
    workbook._external_links.append(link)


def renamed(workbook: openpyxl.Workbook) -> None:
    workbook[LAYOUT.sheets[1]].title = "取引明細表"


def twice(workbook: openpyxl.Workbook) -> None:
    workbook[LAYOUT.sheets[0]]["G2"] = "氏名"


def far(workbook: openpyxl.Workbook) -> None:
    workbook[LAYOUT.sheets[0]].cell(3, limits().sheet_columns + 1, "x")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (formula, FileFault.FORBIDDEN),
        (linked, FileFault.FORBIDDEN),
        (renamed, FileFault.LAYOUT),
        (twice, FileFault.HEADER),
        (far, FileFault.TOO_MANY),
    ],
)
def test_a_workbook_that_is_not_wanted_is_refused(
    tmp_path: Path, change: Callable[[openpyxl.Workbook], object], code: FileFault
) -> None:
    assert fault(tmp_path, made(change)).code is code


def xml(body: str, head: str = "") -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    start = f'<?xml version="1.0"?>{head}<worksheet xmlns="{space}"><sheetData>'
    return f"{start}{body}</sheetData></worksheet>".encode()


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (xml("<row><c><v>&x;</v></c></row>", '<!DOCTYPE a [<!ENTITY x "y">]>'), "forbidden"),
        (xml("", '<!DOCTYPE a SYSTEM "file:///etc/passwd">'), "forbidden"),
        (xml("<row r='5'/><row r='4'/>"), "structure"),
        (xml("<row><c r='B1'/><c r='A1'/></row>"), "structure"),
        (xml("<row r='1048577'/>"), "too-many"),
        (xml(f"<row r='{'9' * 5000}'/>"), "structure"),
        (xml("<row><c r='1A'/></row>"), "structure"),
        (xml(f"<row><c t='s'><v>{'9' * 5000}</v></c></row>"), "structure"),
        (xml(f"<row><c t='str'><v>{'x' * 32_768}</v></c></row>"), "too-large"),
        (xml("<row><c t='s'><v>0</v></c></row>"), "structure"),
        (xml("<row><c t='s'><v>x</v></c></row>"), "structure"),
        (xml("<row><c t='?'><v>x</v></c></row>"), "structure"),
        (xml("<row><c><v>1,5</v></c></row>"), "structure"),
        (xml("<a>" * 80 + "</a>" * 80), "too-deep"),
        (xml("<row>"), "structure"),
        (xml("") + b"\xff", "structure"),
        (b"", "structure"),
        (xml(""), "header"),
    ],
)
def test_a_hostile_part_is_refused(tmp_path: Path, part: bytes, code: str) -> None:
    assert fault(tmp_path, changed(book(ROW), {SHEET: part})).code == code


@pytest.mark.parametrize(
    "name",
    [
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/sharedStrings.xml",
        SHEET,
    ],
)
@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE a>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/a"> %x;]>',
        b'<!DOCTYPE a [<!ATTLIST row r CDATA "2">]>',
    ],
)
def test_a_doctype_is_refused_in_every_part_that_is_read(
    tmp_path: Path, name: str, doctype: bytes
) -> None:
    content = made() if name == "xl/styles.xml" else with_shared_strings(book(ROW))
    part = part_of(content, name)
    root = re.sub(rb"<\?xml.*?\?>", b"", part).lstrip()
    bad = changed(content, {name: b'<?xml version="1.0"?>' + doctype + root})
    assert fault(tmp_path, bad).code is FileFault.FORBIDDEN


@pytest.mark.parametrize(
    "name", ["xl/workbook.xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", SHEET]
)
def test_a_workbook_that_lacks_a_part_is_refused(tmp_path: Path, name: str) -> None:
    assert fault(tmp_path, changed(book(ROW), {name: None})).code is FileFault.STRUCTURE


@pytest.mark.slow
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = changed(book(ROW), {SHEET: xml(" " * 100_000_000)})
    assert len(bomb) < 200_000
    tracemalloc.start()
    code = fault(tmp_path, bomb).code
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code is FileFault.COMPRESSION
    assert peak < 2_000_000


def test_a_number_beyond_all_bounds_is_text(tmp_path: Path) -> None:
    content = book(ROW)
    part = part_of(content, SHEET).replace(
        b'<c t="inlineStr"><is><t xml:space="preserve">-5</t></is></c>', b"<c><v>1E+99999</v></c>"
    )
    (row,) = read(write(tmp_path, changed(content, {SHEET: part})))
    assert (row.values["balance"], row.sound) == ("1E+99999", False)


def test_a_text_is_read_whole_and_without_how_it_is_read_aloud(tmp_path: Path) -> None:
    content = book(ROW | {"name": "架空花子"})
    aloud = "<rPh sb='0' eb='2'><t>カクウ</t></rPh>"
    runs = f"<r><t>架空</t></r><r><t>花子</t></r>{aloud}"
    part = part_of(content, SHEET).decode().replace('<t xml:space="preserve">架空花子</t>', runs)
    (row,) = read(write(tmp_path, changed(content, {SHEET: part.encode()})))
    assert row.values["name"] == "架空花子"


def test_macros_are_never_opened(tmp_path: Path) -> None:
    path = write(tmp_path, changed(book(ROW), {"xl/vbaProject.bin": b"\xff" * 100}))
    assert [row.values for row in read(path)] == [ROW]


def test_every_beginning_of_a_workbook_is_unfinished(tmp_path: Path) -> None:
    content = book(ROW)
    for length in range(0, len(content), 7):
        path = write(tmp_path, content[:length])
        with pytest.raises((Unfinished, BadFile)) as caught:
            FORM.check(path, None, settled=False)
        if length >= 4:
            assert isinstance(caught.value, Unfinished)
        with pytest.raises(BadFile):
            FORM.check(path, None, settled=True)


@given(content=st.binary(max_size=400), keep=st.integers(0, 3000), seed=st.integers(0, 2**32))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_any_bytes_end_in_facts_or_a_named_fault(
    tmp_path: Path, content: bytes, keep: int, seed: int
) -> None:
    whole = bytearray(book(ROW))
    whole[seed % len(whole)] ^= 1 + seed % 255
    for one in (content, bytes(whole), bytes(whole)[:keep] + content):
        try:
            FORM.check(write(tmp_path, one), None, settled=True)
        except BadFile:
            continue
        read(tmp_path / NAME)


@pytest.mark.slow
def test_memory_is_flat_however_many_strings_are_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "_IN_MEMORY", 100_000)
    peaks = []
    for count in (5_000, 15_000):
        strings = "".join(f"<si><t>架空　{n:030}</t></si>" for n in range(count))
        rows = "".join(f"<row><c><v>{n}</v></c><c t='s'><v>{n}</v></c></row>" for n in range(count))
        head = "".join(
            f"<c t='inlineStr'><is><t>{column.name}</t></is></c>" for column in LAYOUT.columns
        )
        content = book()
        links = part_of(content, "xl/_rels/workbook.xml.rels").replace(
            b"</Relationships>",
            b'<Relationship Id="s" Type="x/sharedStrings" Target="s.xml"/></Relationships>',
        )
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts = {
            SHEET: xml(f"<row>{head}</row>{rows}"),
            "xl/s.xml": f'<sst xmlns="{space}">{strings}</sst>'.encode(),
            "xl/_rels/workbook.xml.rels": links,
        }
        path = write(tmp_path, changed(content, parts))
        tracemalloc.start()
        assert FORM.check(path, None, settled=True).records == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 800_000, peaks


def test_what_a_reader_would_not_get_back_is_not_written() -> None:
    encoder = FORM.encoder(None)
    for change in ({"name": "\ufffe"}, {"account": "12"}, {"case": ""}):
        with pytest.raises(Unwritable):
            encoder.record(ROW | change)
