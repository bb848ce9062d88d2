"""XML documents: read by their schema, never believed, and written as they were read."""

import datetime as dt
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.form import BadFile, FileFault, Unfinished
from hub.edge.forms import form_of
from hub.edge.forms.xml import Xml
from hub.edge.kit import Unwritable
from hub.errors import SiteError
from schemas.layout import Column, Kind

pytestmark = pytest.mark.unit

LAYOUTS = (
    "inquiries",
    "permitted-inquiries",
    "permits",
    "inquiry-results",
    "listings",
    "code-requests",
    "code-receipts",
    "code-results",
)
PERSON = "000000000012345"


def form(name: str) -> Xml:
    found = form_of(f"intermediate-server.{name}")
    assert isinstance(found, Xml)
    return found


def a_request() -> dict[str, str]:
    values = dict.fromkeys((one.field for one in form("code-requests").layout.columns), "")
    return values | {
        "message_id": "r-1",
        "addressee_number": PERSON,
        "unified_number": "100000000012345",
        "request_id": "q-1",
        "requested_at": "2026-04-01T09:00:00.123+09:00",
    }


def document() -> bytes:
    return form("code-requests").encoder(None).record(a_request())


def fault(content: bytes) -> FileFault:
    with pytest.raises(BadFile) as caught:
        form("code-requests").values(content)
    assert PERSON not in str(caught.value)
    return caught.value.code


# -- reading and writing ---------------------------------------------------------------


def texts(column: Column) -> st.SearchStrategy[str]:
    if column.codes:
        return st.sampled_from(sorted(column.codes))
    if column.kind is Kind.MOMENT:
        moments = st.datetimes(timezones=st.just(dt.UTC))
        return moments.map(lambda at: at.isoformat(timespec="milliseconds"))
    if column.kind is Kind.DAY:
        return st.dates().map(dt.date.isoformat)
    if column.kind is Kind.DIGITS:
        least = column.width if column.padding else 1
        return st.text("0123456789", min_size=least, max_size=column.width)
    odd = st.sampled_from("<>&\"' ]髙𠮷゙　")
    clean = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="￾￿")
    return st.text(odd | clean, min_size=1, max_size=column.width)


@st.composite
def records(draw: st.DrawFn, name: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for column in form(name).layout.columns:
        blank = not column.required and (column.place > 3 or draw(st.booleans()))
        values[column.field] = "" if blank else draw(texts(column))
    return values


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYOUTS)
@given(data=st.data())
def test_what_is_written_reads_the_same_and_is_written_the_same(
    name: str, data: st.DataObject
) -> None:
    values = data.draw(records(name))
    content = form(name).encoder("utf-8").record(values)
    assert form(name).values(content) == values
    assert form(name).encoder(None).record(form(name).values(content)) == content


def test_a_list_keeps_its_places() -> None:
    values = dict.fromkeys((one.field for one in form("listings").layout.columns), "")
    values["answered_at"] = "2026-04-01T09:00:00Z"
    values |= {"processing_number_1": "a", "processing_number_100": "z"}
    assert form("listings").values(form("listings").encoder(None).record(values)) == values


def test_a_file_is_one_record_with_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(document())
    facts = form("code-requests").check(path, None, settled=False)
    assert facts.digest == hashlib.sha256(document()).hexdigest()
    assert facts.records == 1
    assert facts.header.created_at.isoformat() == "2026-04-01T09:00:00.123000+09:00"
    (group,) = form("code-requests").groups(path, None)
    assert group.rows[0].values == a_request()
    assert group.rows[0].sound
    assert not group.faults


def test_other_forms_of_the_same_document_are_read() -> None:
    text = document().decode()
    prefixed = re.sub(r"<(/?)([A-Z])", r"<\1x:\2", text).replace("xmlns=", "xmlns:x=")
    for content in (
        prefixed.encode(),
        b"\xef\xbb\xbf" + document(),
        text.replace("q-1", "<![CDATA[q-1]]>").encode(),
        text.partition("?>")[2].strip().encode(),
    ):
        assert form("code-requests").values(content) == a_request()


# -- what is not read ------------------------------------------------------------------

BOMB = "".join(
    f'<!ENTITY {name} "{f"&{of};" * 10}">'
    for name, of in zip("bcdefghij", "abcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE CodeRequest>",
        '<!DOCTYPE CodeRequest SYSTEM "http://127.0.0.1:9/a.dtd">',
        '<!DOCTYPE CodeRequest [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE CodeRequest [<!ENTITY % x SYSTEM "http://127.0.0.1:9/a"> %x;]>',
        f'<!DOCTYPE CodeRequest [<!ENTITY a "aaaaaaaaaa">{BOMB}]>',
    ],
)
@pytest.mark.parametrize("used", ["q-1", "&x;", "&j;"])
def test_a_doctype_is_refused_before_anything_is_made_of_it(doctype: str, used: str) -> None:
    text = document().decode().replace("q-1", used).replace("?>", f"?>{doctype}", 1)
    assert fault(text.encode()) is FileFault.FORBIDDEN


def test_an_entity_without_a_doctype_is_not_well_formed() -> None:
    assert fault(document().replace(b"q-1", b"&x;")) is FileFault.STRUCTURE


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "shift_jis"])
def test_another_encoding_cannot_hide_anything(encoding: str) -> None:
    text = document().decode().replace("UTF-8", encoding).replace("q-1", "照会")
    hidden = text.replace("?>", '?><!DOCTYPE CodeRequest [<!ENTITY x "y">]>', 1)
    for one in (text, hidden):
        assert fault(one.encode(encoding)) in {FileFault.ENCODING, FileFault.FORBIDDEN}


def test_a_declared_encoding_that_is_not_utf_8_is_refused() -> None:
    assert fault(document().replace(b"UTF-8", b"UTF-7")) is FileFault.ENCODING


def test_deep_nesting_is_refused() -> None:
    for depth, code in ((50, FileFault.TOO_DEEP), (20_000, FileFault.STRUCTURE)):
        deep = b"<Q>" * depth + b"</Q>" * depth  # the parser itself gives up at 256
        assert fault(document().replace(b"q-1", deep)) is code


def test_a_document_that_is_too_large_is_refused(tmp_path: Path) -> None:
    content = document().replace(b"q-1", b"q" * 300_000)
    assert fault(content) is FileFault.TOO_LARGE
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(BadFile, match="over 262144 bytes"):
        form("code-requests").check(path, None, settled=False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RecordId", "RecordIdentifier"),
        ("fgu:1", "fgu:2"),
        ("CodeRequest", "CodeReceipt"),
        (PERSON, PERSON + "9"),
        ("2026-04-01T09:00:00.123+09:00", "2026-04-01T09:00:00.123"),
        ("2026-04-01T09:00:00.123+09:00", "2026-02-30T09:00:00+09:00"),
        ("<RequestId>q-1</RequestId>", ""),
        ("<RequestId>q-1</RequestId>", "<RequestId/>"),
        ("<RequestId>q-1</RequestId>", "<RequestId>q-1</RequestId>" * 2),
        ("<RecordId>", '<RecordId at="1">'),
    ],
)
def test_a_document_against_its_schema_is_refused(old: str, new: str) -> None:
    text = document().decode()
    assert old in text
    assert fault(text.replace(old, new).encode()) in {FileFault.STRUCTURE, FileFault.LAYOUT}


def test_another_document_of_the_same_schema_is_refused() -> None:
    values = {"message_id": "r", "processing_number": "1", "received_at": "2026-04-01T09:00:00Z"}
    assert fault(form("code-receipts").encoder(None).record(values)) is FileFault.LAYOUT


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_anything_else_is_refused_with_a_clear_error(content: bytes) -> None:
    with pytest.raises(BadFile):
        form("code-requests").values(content)


@given(at=st.integers(0, 360), byte=st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused_but_never_fails(at: int, byte: int) -> None:
    content = bytearray(document())
    content[at % len(content)] = byte
    said = ""
    try:
        form("code-requests").values(bytes(content))
    except BadFile as bad:
        said = str(bad)
    assert PERSON not in said


# -- files that are not whole yet, and what is not written ------------------------------


def test_a_document_without_its_end_may_still_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    whole = document().strip()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(Unfinished):
            form("code-requests").check(path, None, settled=False)
        with pytest.raises(BadFile):
            form("code-requests").check(path, None, settled=True)
    path.write_bytes(whole.replace(b"q-1", b""))
    with pytest.raises(BadFile):
        form("code-requests").check(path, None, settled=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_id", ""),
        ("request_id", "a\nb"),
        ("request_id", "\ufffe"),
        ("request_id", "x" * 41),
        ("unified_number", "12"),
        ("requested_at", "2026-04-01"),
        ("requested_at", "2026-04-01T09:00:00+20:00"),
    ],
)
def test_what_a_reader_would_refuse_is_not_written(field: str, value: str) -> None:
    with pytest.raises(Unwritable):
        form("code-requests").encoder(None).record(a_request() | {field: value})


def test_only_the_layouts_fields_are_written() -> None:
    with pytest.raises(Unwritable):
        form("code-requests").encoder(None).record(a_request() | {"other": ""})


def test_it_is_always_utf_8() -> None:
    with pytest.raises(SiteError, match="cp932"):
        form("code-requests").encoder("cp932")
