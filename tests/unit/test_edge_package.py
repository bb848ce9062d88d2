"""Packages in their wrappers: values come back, and what a stranger may try is set aside."""

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.edge.archives import safexml
from hub.edge.archives.packing import PackageEncoder, package, receipt, wrapper
from hub.edge.archives.zipping import zipped
from hub.edge.form import BadFile, FileFault, Header, Unfinished
from hub.edge.forms import form_of
from hub.edge.forms import package as package_form
from hub.edge.kit import BadRecord, Unwritable
from hub.limits import limited, limits
from mappings.e_application import LAYOUT
from schemas.layout import Encoding, Kind, load_layout

pytestmark = pytest.mark.unit

FORM = form_of(LAYOUT)
COLUMNS = load_layout(LAYOUT).columns
NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
BLANK = dict.fromkeys((column.field for column in COLUMNS), "")
VALUES = BLANK | {
    "addressee_number": "000000000012345",
    "receipt_number": "R1",
    "application_type": "01",
    "application_name": "限度額適用・減額認定証の申請",
    "filed_at": "2026-04-01T09:30:00+09:00",
    "certificate_serial": "0A1B",
    "name": "髙﨑　𠮷子",
    "answers_1_item": "理由",
    "answers_1_text": 'a, "b"',
}
PDF = b"%PDF-1.4\n%%EOF\n"
NOISE = Random(1).randbytes(70_000)  # noqa: S311 - nothing is guarded by it


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_together(parts: Mapping[str, bytes]) -> bytes:
    each: Iterable[tuple[str, list[bytes]]] = ((name, [part]) for name, part in parts.items())
    return b"".join(zipped(each, zipfile.ZIP_DEFLATED))


PARTS = parts_of(package(load_layout(LAYOUT), VALUES, [("添付.pdf", PDF)]))


def wrapped(content: bytes, *, number: str = "R1", digest: str = "", addressee: str = "1") -> bytes:
    digest = digest or hashlib.sha256(content).hexdigest()
    said = receipt(load_layout(LAYOUT), number, addressee, digest)
    return b"".join(wrapper(said, [content]))


def with_parts(**changed: bytes | None) -> bytes:
    """Wrap the package with other parts: ``application`` and ``answers``, or more by name."""
    names = {"application": "application.xml", "answers": "answers.csv"}
    parts = PARTS | {names.get(name, name): part for name, part in changed.items()}
    return wrapped(put_together({name: part for name, part in parts.items() if part is not None}))


def refusal(folder: Path, content: bytes, encoding: Encoding | None = None) -> FileFault:
    path = folder / "SHINSEI_1.zip"
    path.write_bytes(content)
    with pytest.raises(BadFile) as bad:
        FORM.check(path, encoding, settled=True)
    assert "秘密" not in str(bad.value)
    return bad.value.code


def values_of(
    folder: Path, content: bytes, encoding: Encoding | None = None
) -> tuple[Mapping[str, str], list[BadRecord]]:
    path = folder / "SHINSEI_1.zip"
    path.write_bytes(content)
    facts = FORM.check(path, encoding, settled=False)
    assert facts.digest == hashlib.sha256(content).hexdigest()
    assert facts.records == 1
    (group,) = FORM.groups(path, encoding)
    (row,) = group.rows
    assert row.sound == (not group.faults)
    return row.values, group.faults


# -- what comes back -------------------------------------------------------------------

_TEXTS = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"
)
_KINDS: dict[Kind, str | st.SearchStrategy[str]] = {
    Kind.DIGITS: "0123456789",
    Kind.TEXT: _TEXTS,
    Kind.DATE: _TEXTS,
}


@st.composite
def applications(draw: st.DrawFn) -> dict[str, str]:
    values = dict(VALUES)
    for column in COLUMNS:
        if column.field.startswith("attachments_") or column.field == "package_digest":
            continue
        if column.place > 3 or column.kind is Kind.MOMENT or column.codes:
            continue
        texts = st.text(_KINDS[column.kind], min_size=column.required, max_size=column.width)
        values[column.field] = draw(texts)
    return values


@given(applications())
@settings(max_examples=60)
def test_values_that_are_written_are_read_and_written_again(values: dict[str, str]) -> None:
    encoder = FORM.encoder(None)
    content = b"".join(encoder.framed(Header(NOW), [encoder.record(values)]))
    with TemporaryDirectory() as folder:
        read, faults = values_of(Path(folder), content)
    assert not faults
    assert read["package_digest"] == hashlib.sha256(parts_of(content)["package.zip"]).hexdigest()
    assert {**read, "package_digest": ""} == values
    assert encoder.record(read) == content


def test_attached_files_have_name_size_and_digest(tmp_path: Path) -> None:
    values, _ = values_of(tmp_path, with_parts(**{"別紙.PDF": PDF + NOISE}))
    assert values["attachments_1_file_name"] == "添付.pdf"
    assert values["attachments_2_file_name"] == "別紙.PDF"
    assert values["attachments_2_size"] == str(len(PDF) + len(NOISE))
    assert values["attachments_2_digest"] == hashlib.sha256(PDF + NOISE).hexdigest()


def test_answers_may_be_in_the_encoding_of_the_site(tmp_path: Path) -> None:
    content = FORM.encoder("cp932").record(VALUES)
    values, _ = values_of(tmp_path, content, "cp932")
    assert values["answers_1_item"] == "理由"
    assert refusal(tmp_path, content) is FileFault.ENCODING


def test_the_digest_of_a_package_is_the_one_on_receipt(tmp_path: Path) -> None:
    content = put_together(PARTS)
    values, _ = values_of(tmp_path, wrapped(content))
    assert values["package_digest"] == hashlib.sha256(content).hexdigest()
    assert parts_of(wrapped(content))["package.zip"] == content


def test_a_value_that_the_layout_refuses_makes_a_bad_record(tmp_path: Path) -> None:
    application = PARTS["application.xml"].replace(b">01<", b">77<")
    _, faults = values_of(tmp_path, with_parts(application=application))
    assert faults == [BadRecord(1, 1, "application_type", "is not one of the layout's codes")]


def test_a_record_that_no_reader_would_get_back_is_not_written() -> None:
    encoder = PackageEncoder(load_layout(LAYOUT), None)
    attached = {"attachments_1_file_name": "a.pdf"}
    for odd in ({"name": "\x07"}, {"package_digest": "0" * 64}, attached, {"more": ""}):
        with pytest.raises(Unwritable):
            encoder.record(VALUES | odd)
    with pytest.raises(Unwritable):
        PackageEncoder(load_layout(LAYOUT), "cp932").record(VALUES | {"answers_1_text": "𠮷"})


# -- the wrapper ----------------------------------------------------------------------


def test_an_wrapper_that_is_still_written_is_unfinished(tmp_path: Path) -> None:
    content = wrapped(put_together(PARTS))
    for length in (0, 10, len(content) - 1):
        path = tmp_path / f"SHINSEI_{length}.zip"
        path.write_bytes(content[:length])
        with pytest.raises(Unfinished):
            FORM.check(path, None, settled=False)
        with pytest.raises(BadFile):
            FORM.check(path, None, settled=True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (put_together({"receipt.xml": b"x", "package.zip": b"x"}), FileFault.PART_KIND),
        (put_together({"package.zip": put_together(PARTS)}), FileFault.STRUCTURE),
        (put_together(PARTS), FileFault.PART_COUNT),
        (wrapped(put_together(PARTS), digest="0" * 64), FileFault.DIGEST),
        (wrapped(put_together(PARTS), number="R2"), FileFault.STRUCTURE),
        (wrapped(b""), FileFault.EMPTY),
        (wrapped(b"%PDF-1.4"), FileFault.STRUCTURE),
        (wrapped(put_together(PARTS)[:-9]), FileFault.TRUNCATED),
        (b"".join(wrapper(receipt(load_layout(LAYOUT), "R1", "", ""), None)), FileFault.TOO_LARGE),
    ],
)
def test_an_wrapper_that_is_not_right_is_refused(
    tmp_path: Path, content: bytes, code: FileFault
) -> None:
    assert refusal(tmp_path, content) is code


def test_a_changed_package_is_refused(tmp_path: Path) -> None:
    content = wrapped(package(load_layout(LAYOUT), VALUES))
    at = content.index(b"application.xml") + 40
    assert refusal(tmp_path, content[:at] + b"~" + content[at + 1 :]) in {
        FileFault.DIGEST,
        FileFault.STRUCTURE,
    }


def test_the_parts_of_an_wrapper_are_stored(tmp_path: Path) -> None:
    content = put_together(PARTS)
    said = receipt(load_layout(LAYOUT), "R1", "1", hashlib.sha256(content).hexdigest())
    deflated = put_together({"receipt.xml": said, "package.zip": content})
    assert refusal(tmp_path, deflated) is FileFault.COMPRESSION


# -- the package -----------------------------------------------------------------------

XML = PARTS["application.xml"]
EXTERNAL = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HEAD, BODY = XML.split(b"?>", 1)


@pytest.mark.parametrize(
    ("application", "code"),
    [
        (HEAD + b"?>" + EXTERNAL + BODY.replace(b">R1<", b">&e;<"), FileFault.FORBIDDEN),
        (HEAD + b"?>" + LAUGHS + BODY.replace(b">R1<", b">&b;<"), FileFault.FORBIDDEN),
        (HEAD + b"?><!DOCTYPE a SYSTEM 'http://127.0.0.1/a.dtd'>" + BODY, FileFault.FORBIDDEN),
        (XML.decode().encode("utf-16"), FileFault.PART_KIND),
        (XML.replace(b"UTF-8", b"UTF-7"), FileFault.ENCODING),
        (XML.decode().encode("cp932", "replace"), FileFault.ENCODING),
        (XML.replace(b">R1<", b">&e;<"), FileFault.STRUCTURE),
        (XML[:-5], FileFault.STRUCTURE),
        (XML.replace(LAYOUT.encode(), b"another.layout"), FileFault.LAYOUT),
        (XML.replace(b"<application ", b"<receipt ", 1), FileFault.STRUCTURE),
        (XML.replace("氏名>".encode(), "秘密>".encode()), FileFault.STRUCTURE),
        (XML.replace("氏名>".encode(), "受付番号>".encode()), FileFault.STRUCTURE),
        (XML.replace("<氏名>".encode(), "<氏名 a='1'>".encode()), FileFault.STRUCTURE),
        (XML.replace("<氏名>".encode(), "秘密<氏名>".encode()), FileFault.STRUCTURE),
        (XML.replace("髙﨑".encode(), b"<b/>"), FileFault.STRUCTURE),
        (XML.replace(b"09:30:00+09:00", b"09:30:00"), FileFault.HEADER),
        (XML.replace(b"2026-04-01T", b"someday"), FileFault.HEADER),
        (NOISE.hex().encode() * 2, FileFault.TOO_LARGE),
        (b"%PDF-1.4", FileFault.PART_KIND),
        (None, FileFault.STRUCTURE),
    ],
)
def test_a_form_that_is_not_right_is_refused(
    tmp_path: Path, application: bytes | None, code: FileFault
) -> None:
    assert refusal(tmp_path, with_parts(application=application)) is code


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ("項目,回答\r\na,b\r\n".encode("cp932"), FileFault.ENCODING),
        (b"a,b\r\n", FileFault.HEADER),
        (b"", FileFault.HEADER),
        ("項目,回答\r\na\r\n".encode(), FileFault.STRUCTURE),
        ("項目,回答\r\na,b,c\r\n".encode(), FileFault.STRUCTURE),
        ('項目,回答\r\na,"b\r\n'.encode(), FileFault.STRUCTURE),
        ("項目,回答\r\n".encode() + b"a,b\r\n" * 41, FileFault.PART_COUNT),
        (NOISE[: limits().zip_answers_bytes + 1], FileFault.TOO_LARGE),
    ],
)
def test_answers_that_are_not_right_are_refused(
    tmp_path: Path, answers: bytes, code: FileFault
) -> None:
    assert refusal(tmp_path, with_parts(answers=answers)) is code


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", put_together({"a": b""})),
        ("a.pdf", put_together({"a": b""})),
        ("a.pdf", b"\x1f\x8b\x08"),
        ("a.pdf", b"7z\xbc\xaf\x27\x1c"),
        ("a.pdf", b""),
        ("a.pdf", b"MZ\x90"),
        ("a.pdf", b"<html>"),
        ("a.exe", PDF),
        ("a.pdf.exe", PDF),
    ],
)
def test_only_pdfs_may_be_attached(tmp_path: Path, name: str, content: bytes) -> None:
    assert refusal(tmp_path, with_parts(**{name: content})) is FileFault.PART_KIND


def test_a_package_has_so_many_parts(tmp_path: Path) -> None:
    more = {f"{number}.pdf": PDF for number in range(2, 22)}
    assert refusal(tmp_path, with_parts(**more)) is FileFault.PART_COUNT
    more.popitem()
    assert values_of(tmp_path, with_parts(**more))[0]["attachments_20_size"] == str(len(PDF))


def test_what_is_in_the_way_of_an_archive_is_refused_inside_an_wrapper(tmp_path: Path) -> None:
    bomb = {"a.pdf": PDF + bytes(5 << 20)}
    assert refusal(tmp_path, with_parts(**bomb)) is FileFault.COMPRESSION
    path = {"../a.pdf": PDF}
    assert refusal(tmp_path, with_parts(**path)) is FileFault.PART_NAME
    assert refusal(tmp_path, with_parts(**{"あ" * 101: PDF})) is FileFault.PART_NAME


def test_a_package_may_have_so_many_bytes(tmp_path: Path) -> None:
    content = put_together(PARTS)
    with limited(zip_bytes=len(content)):
        values_of(tmp_path, wrapped(content))
    with limited(zip_bytes=len(content) - 1):
        assert refusal(tmp_path, wrapped(content)) is FileFault.TOO_LARGE


def test_a_courier_reads_the_form_of_a_package_without_its_wrapper(tmp_path: Path) -> None:
    path = tmp_path / "fetched"
    path.write_bytes(put_together(PARTS))
    form = package_form.Package(load_layout(LAYOUT))
    assert form.application(path)["certificate_serial"] == "0A1B"
    path.write_bytes(b"PK")
    with pytest.raises(BadFile):
        form.application(path)


@pytest.mark.parametrize(
    "declaration",
    [
        b"<?xml version='1.0'\nencoding='utf-7'?>",
        b"<?xml version='>' encoding='utf-7'?>",
        b"<?xml version='1.0' encoding='shift_jis'?>",
    ],
)
def test_no_declaration_changes_the_encoding_of_a_document(declaration: bytes) -> None:
    hidden = declaration + b"<a>+ADw-!DOCTYPE a+AD4-</a>"
    try:
        text = safexml.parse(hidden).text
    except BadFile as bad:
        assert bad.code in {FileFault.ENCODING, FileFault.STRUCTURE}  # noqa: PT017
    else:
        assert text == "+ADw-!DOCTYPE a+AD4-"


def test_comments_and_instructions_are_left_out_and_depth_has_an_end() -> None:
    root = safexml.parse(b"<a>1<!-- 2 --><?three?>4<b>&amp;</b></a>")
    assert (root.text, root[0].text, len(root)) == ("14", "&", 1)
    with pytest.raises(BadFile) as bad:
        safexml.parse(b"<a>" * 5000 + b"</a>" * 5000)
    assert bad.value.code is FileFault.STRUCTURE
