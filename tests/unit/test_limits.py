"""How much of what comes from outside is taken: each limit holds, and each can be set."""

import datetime as dt
import re
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.compose.checked import load_checked
from hub.edge import files
from hub.edge.archives import safexml
from hub.edge.archives.archive import Limits, open_archive
from hub.edge.delimited import check_file
from hub.edge.form import BadFile, FileFault, Header
from hub.edge.forms import form_of
from hub.edge.forms.sheet import Sheet
from hub.edge.groups import GroupSizes
from hub.edge.http.calls import Call
from hub.edge.kit import Unwritable
from hub.edge.records import RecordEncoder
from hub.edge.survey import pattern_of
from hub.errors import EdgeError
from hub.limits import InputLimits, limited, limits, take_over
from hub.pipeline.judge import Judge
from hub.pipeline.verdict import Refused
from hub.statute.reasons import Code
from tests.pki_rig import SITE, Pki
from tests.samples import NOW, SIGNER, delivery, judge
from tests.sheets import LAYOUT as SHEET_LAYOUT
from tests.sheets import ROW

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def code_of(content: bytes) -> FileFault:
    with pytest.raises(BadFile) as caught:
        safexml.parse(content)
    return caught.value.code


def test_every_limit_is_held_to_somewhere() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("hub", "adapters")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "limits.py"
    )
    unused = [name for name in InputLimits.model_fields if not re.search(rf"\.{name}\b", text)]
    assert unused == []


def test_none_can_be_nothing_or_endless() -> None:
    for name, field in InputLimits.model_fields.items():
        for value in (0, -1, 1 << 62):
            with pytest.raises(ValidationError):
                InputLimits.model_validate({name: value})
        InputLimits.model_validate({name: field.default})


def test_a_site_says_what_its_processes_hold_to(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    for name, text in {"key": "k" * 40, "ledger-key": SIGNER.text()}.items():
        (tmp_path / "secrets" / name).touch(mode=0o600)
        (tmp_path / "secrets" / name).write_text(text)
    text = SITE + "[limits]\nxml_depth = 12\nqueue_bytes = 1_000_000_000\n"
    site = Pki(tmp_path, text).made().site_file
    before = limits()
    try:
        load_checked(site)
        assert limits() == before.model_copy(update={"xml_depth": 12, "queue_bytes": 1_000_000_000})
    finally:
        take_over(before)


# -- XML ---------------------------------------------------------------------------------------


def test_a_document_is_as_deep_and_has_as_many_elements_as_is_said() -> None:
    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    safexml.parse(nested(32))
    assert code_of(nested(33)) is FileFault.TOO_DEEP
    wide = b"<a>" + b"<b/>" * 19_999 + b"</a>"
    safexml.parse(wide)
    assert code_of(wide.replace(b"<a>", b"<a><b/>")) is FileFault.TOO_MANY
    with limited(xml_depth=2, xml_elements=3, xml_bytes=40):
        safexml.parse(b"<a><b/><b/></a>")
        assert code_of(nested(3)) is FileFault.TOO_DEEP
        assert code_of(b"<a><b/><b/><b/></a>") is FileFault.TOO_MANY
        assert code_of(b"<a>" + b" " * 40 + b"</a>") is FileFault.TOO_LARGE


def test_deep_json_is_refused_and_nobody_falls() -> None:
    """A fixed limit: the reader of JSON itself goes no deeper than 200."""
    judged: Judge = judge()
    for body in (b"[" * 100_000, b'{"a":' * 30_000 + b"1" + b"}" * 30_000):
        verdict = judged.judge(delivery(body), NOW)
        assert isinstance(verdict, Refused)
        assert verdict.code is Code.UNREADABLE


def test_an_event_is_as_large_as_is_said() -> None:
    body = delivery(b'{"specversion":"1.0"}')
    with limited(event_bytes=10):
        verdict = judge().judge(body, NOW)
    assert isinstance(verdict, Refused)
    assert verdict.code is Code.TOO_LARGE


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["framed", "plain", "fixed"])
def test_a_file_is_as_large_as_is_said(tmp_path: Path, name: str) -> None:
    form = {
        "framed": form_of("care-insurance.status"),
        "plain": form_of("number-linkage.inquiries"),
        "fixed": form_of("bank.transfers"),
    }[name]
    path = tmp_path / "file"
    path.write_bytes(b"x" * 2000)
    with limited(file_bytes=1999), pytest.raises(BadFile) as caught:
        form.check(path, None, settled=True)
    assert caught.value.code is FileFault.TOO_LARGE
    assert "over 1999 bytes" in caught.value.reason


def test_a_line_and_a_group_are_as_large_as_is_said(tmp_path: Path) -> None:
    form = form_of("care-insurance.status")
    layout = form.layout  # type: ignore[attr-defined]
    path = tmp_path / "file.csv"
    path.write_bytes(b"H," + b"x" * 2000 + b"\n")
    with limited(line_bytes=1500), pytest.raises(BadFile) as caught:
        check_file(path, layout, settled=True)
    assert caught.value.code is FileFault.LINE_TOO_LONG
    values = {column.field: "" for column in layout.columns}
    with limited(line_bytes=10):
        encoder = RecordEncoder(layout)
    with pytest.raises(Unwritable):
        encoder.record(values)
    with limited(group_records=2):
        sizes = GroupSizes(SHEET_LAYOUT)
    assert [sizes.too_large_with("001") for _ in range(3)] == [False, False, True]


def test_a_folder_has_as_many_names_as_is_said(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.csv").touch()
    with limited(folder_files=5):
        assert len(files.names_in(tmp_path)) == 5
    with limited(folder_files=4), pytest.raises(EdgeError, match=r"over 4 names.*limits\.folder"):
        files.names_in(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["a" * 197 + ".csv", "a\n.csv", "a\x1b[2J.csv", "a\u2028.csv", "a\x7f.csv", "a\udcff.csv"],
)
def test_a_name_that_is_too_long_or_unclean_is_nobodys(name: str) -> None:
    assert pattern_of(name, ["*.csv"]) is None
    assert pattern_of("a" * 196 + ".csv", ["*.csv"]) == "*.csv"


# -- archives and workbooks ---------------------------------------------------------------------


def a_workbook() -> bytes:
    encoder = Sheet(SHEET_LAYOUT).encoder(None)
    header = Header(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC))
    return b"".join(encoder.framed(header, [encoder.record(ROW)]))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("sheet_bytes", 100, FileFault.TOO_LARGE),
        ("sheet_parts", 2, FileFault.PART_COUNT),
        ("sheet_part_bytes", 100, FileFault.TOO_LARGE),
        ("sheet_index_bytes", 100, FileFault.TOO_LARGE),
        ("sheet_total_bytes", 1000, FileFault.TOO_LARGE),
        ("sheet_rows", 1, FileFault.TOO_MANY),
        ("sheet_columns", 1, FileFault.TOO_MANY),
        ("sheet_text", 1, FileFault.TOO_LARGE),
        ("sheet_depth", 2, FileFault.TOO_DEEP),
    ],
)
def test_a_workbook_is_as_large_as_is_said(
    tmp_path: Path, name: str, value: int, code: FileFault
) -> None:
    form = Sheet(SHEET_LAYOUT)
    path = tmp_path / "a.xlsx"
    path.write_bytes(a_workbook())
    form.check(path, None, settled=True)
    with limited(**{name: value}), pytest.raises(BadFile) as caught:
        form.check(path, None, settled=True)
    assert caught.value.code is code


def test_a_part_is_compressed_freely_up_to_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"a" * 60_000)
    allowed = Limits(parts=1, part_bytes=1 << 20, total_bytes=1 << 20, ratio=2)
    with path.open("rb") as file:
        open_archive(file, allowed)
        with limited(zip_small_bytes=59_999), pytest.raises(BadFile) as caught:
            open_archive(file, allowed)
    assert caught.value.code is FileFault.COMPRESSION


def test_a_name_in_an_archive_is_as_long_as_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(a_workbook())
    allowed = Limits(parts=50, part_bytes=1 << 20, total_bytes=1 << 20, ratio=100, paths=True)
    with path.open("rb") as file:
        open_archive(file, allowed)
        with limited(zip_name_length=5), pytest.raises(BadFile) as caught:
            open_archive(file, allowed)
    assert caught.value.code is FileFault.PART_NAME


def test_an_answer_over_http_is_as_large_as_is_said() -> None:
    assert Call("ask", "GET", "a").most_bytes == 1 << 20
    with limited(answer_bytes=5000):
        assert Call("ask", "GET", "a").most_bytes == 5000


def test_the_page_names_every_limit_and_what_it_is() -> None:
    page = (ROOT / "docs/site-file.md").read_text(encoding="utf-8").split("## `[limits]`")[1]
    assert [name for name in InputLimits.model_fields if f"`{name}`" not in page] == []
