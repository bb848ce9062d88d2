"""Records of a fixed number of bytes: written, read, and refused with a reason."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.edge.fixed.fields import Lacking, Wrong, decoded, encoded
from hub.edge.form import BadFile, FileFault, Headed, Unfinished
from hub.edge.forms import form_of
from hub.edge.kit import BadRecord, Unencodable, Unwritable
from schemas.fixed_layout import FieldEncoding
from schemas.layout import load_layout
from tests.fixed_values import CANDIDATE, HEADER, codec_of, content_of, read_values, values_of

pytestmark = pytest.mark.unit

NOTIFIED, REQUESTED = "kokuho-federation.notified", "kokuho-federation.requested"
TRANSFERS, RESULTS, RECEIPTS = "bank.transfers", "bank.results", "bank.receipts"
LAYOUTS = (NOTIFIED, REQUESTED, TRANSFERS, RESULTS, RECEIPTS)
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("layout_id", LAYOUTS)
@given(data=st.data())
@FEW
def test_what_is_written_is_read_and_what_is_read_is_written(
    layout_id: str, tmp_path: Path, data: st.DataObject
) -> None:
    rows = data.draw(values_of(layout_id))
    content = content_of(layout_id, rows)
    path = tmp_path / "file"
    path.write_bytes(content)
    found = read_values(layout_id, path)
    assert found == rows
    assert content_of(layout_id, found) == content


@pytest.mark.parametrize("encoding", list(FieldEncoding))
@given(raw=st.binary(min_size=2, max_size=8).filter(lambda raw: len(raw) % 2 == 0))
@settings(max_examples=200)
def test_any_bytes_are_refused_or_come_back(encoding: FieldEncoding, raw: bytes) -> None:
    try:
        text = decoded(encoding, raw)
    except Wrong:
        return
    assert encoded(encoding, text) == raw


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        (FieldEncoding.KANJI, "髙"),
        (FieldEncoding.KANJI, "𠮷"),
        (FieldEncoding.KANJI, "①"),
        (FieldEncoding.KANJI, "A"),
        (FieldEncoding.KANJI, "ｶ"),
        (FieldEncoding.KANJI, "−"),
        (FieldEncoding.KANJI, "〜"),
        (FieldEncoding.KANA, "カ"),
        (FieldEncoding.KANA, "金"),
        (FieldEncoding.ZENGIN, "ｬ"),
        (FieldEncoding.ZENGIN, "ｦ"),
        (FieldEncoding.ZENGIN, "a"),
        (FieldEncoding.CP932, "¥"),
        (FieldEncoding.ASCII, "ｶ"),
    ],
)
def test_a_character_that_an_encoding_lacks_is_named_to_whom_it_concerns(
    encoding: FieldEncoding, text: str
) -> None:
    with pytest.raises(Lacking) as caught:
        encoded(encoding, text)
    assert caught.value.characters == {text}
    assert text == "a" or text not in str(caught.value)


def test_a_record_of_the_federation_stands_where_its_bytes_are_documented() -> None:
    content = content_of(NOTIFIED, [CANDIDATE, CANDIDATE])
    assert (len(content) - 96) % 500 == 0
    assert content[:96] == b"17201 00120260515" + b" " * 31 + b"000004" + b" " * 42
    record = content[596:1096]
    # Documented offsets count from 1 behind the record kind.
    assert record[1:6] == b"17201"
    assert record[9:11] == b"00"
    assert record[12:21] == b"220260515"
    assert record[21:31] == b"1234567890"
    assert record[38:46] == b"19400500"
    assert record[47:72] == "ﾀｶｻｷ ﾖｼﾉｽｹ".encode("cp932").ljust(25)
    assert record[72:75] == b"\x1b$B"
    assert record[75:81] == bytes.fromhex("39623a6a2121")
    assert record[125:128] == b"\x1b(J"
    assert record[128:135] == b"9208577"
    assert record[394:427] == b"00000012300" + b"00000000000" + b" " * 11
    assert content[1596:1617] == b"31720110100 220260515"
    assert content[1617:1626] == b"000000002"
    assert content[1626:1637] == b"00000024600"


def test_what_has_two_names_in_unicode_comes_back_by_that_of_cp932() -> None:
    raw = bytes.fromhex("215d 2141 2142 2171 2172 224c")
    text = decoded(FieldEncoding.KANJI, raw)
    assert text == "－～∥￠￡￢"
    assert text.encode("cp932")
    assert encoded(FieldEncoding.KANJI, text) == raw


def _spoilt(content: bytes, at: int, what: bytes) -> bytes:
    return content[:at] + what + content[at + len(what) :]


DATA = 96 + 500
TRAILER = DATA + 2 * 500
WHOLE_FILE = {
    "cut": (lambda c: c[:-1], FileFault.TRUNCATED, "which is not"),
    "grown": (lambda c: c + b" ", FileFault.TRUNCATED, "which is not"),
    "empty": (lambda _: b"", FileFault.EMPTY, "empty"),
    "no trailer": (lambda c: c[:-500], FileFault.TRUNCATED, "is the file whole"),
    "a second trailer": (lambda c: c + c[-500:], FileFault.LINE, "is the file whole"),
    "wrong count": (
        lambda c: _spoilt(c, TRAILER + 21, b"000000003"),
        FileFault.TRAILER,
        "合計件数",
    ),
    "wrong sum": (lambda c: _spoilt(c, TRAILER + 30, b"00000024601"), FileFault.TRAILER, "金額1"),
    "wrong number in front": (lambda c: _spoilt(c, 48, b"000009"), FileFault.TRAILER, "格納件数"),
    "another code in a record": (lambda c: _spoilt(c, DATA + 9, b"30"), FileFault.LINE, "notice"),
    "another day in a record": (
        lambda c: _spoilt(c, DATA + 13, b"20260516"),
        FileFault.LINE,
        "created_on",
    ),
    "another code in the trailer": (
        lambda c: _spoilt(c, TRAILER + 9, b"30"),
        FileFault.TRAILER,
        "notice",
    ),
    "another scheme": (
        lambda c: _spoilt(_spoilt(c, 96 + 12, b"1"), TRAILER + 12, b"1"),
        FileFault.HEADER,
        "scheme",
    ),
    "no day": (lambda c: _spoilt(c, 9, b"20261315"), FileFault.HEADER, "created_on"),
    "an unknown code": (lambda c: _spoilt(c, 96 + 9, b"99"), FileFault.HEADER, "notice"),
    "a reserve in use": (lambda c: _spoilt(c, 96 + 300, b"X"), FileFault.HEADER, "予備"),
    "no header": (lambda c: _spoilt(c, 96, b"2"), FileFault.HEADER, "レコード区分"),
    "part 0": (lambda c: _spoilt(c, 6, b"000"), FileFault.HEADER, "medium_number"),
    "an unreadable amount": (
        lambda c: _spoilt(c, DATA + 394, b"0000A012300"),
        FileFault.LINE,
        "amount_first",
    ),
}


@pytest.mark.parametrize("spoil", WHOLE_FILE)
def test_a_file_that_is_wrong_as_a_whole_is_set_aside_with_its_reason(
    spoil: str, tmp_path: Path
) -> None:
    change: Callable[[bytes], bytes]
    change, code, words = WHOLE_FILE[spoil]
    path = tmp_path / "Z31.dta"
    path.write_bytes(change(content_of(NOTIFIED, [CANDIDATE, CANDIDATE])))
    with pytest.raises(BadFile, match=words) as caught:
        form_of(NOTIFIED).check(path, None, settled=True)
    assert caught.value.code == code
    assert "1234567890" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 95, 96, 700, 1096, 1596])
def test_a_file_that_may_still_grow_is_waited_for(size: int, tmp_path: Path) -> None:
    path = tmp_path / "Z31.dta"
    path.write_bytes(content_of(NOTIFIED, [CANDIDATE, CANDIDATE])[:size])
    with pytest.raises(Unfinished):
        form_of(NOTIFIED).check(path, None, settled=False)


def test_a_delivery_of_nobody_is_whole(tmp_path: Path) -> None:
    content = content_of(NOTIFIED, [CANDIDATE])
    nobody = content[:DATA] + content[-500:]
    for at, what in ((48, b"000002"), (DATA + 21, b"0" * 9), (DATA + 30, b"0" * 33)):
        nobody = _spoilt(nobody, at, what)
    path = tmp_path / "Z31.dta"
    path.write_bytes(nobody)
    assert form_of(NOTIFIED).check(path, None, settled=True).records == 0
    assert list(form_of(NOTIFIED).groups(path, None)) == []


ONE_RECORD = {
    "kana in another encoding": (47, "カ".encode(), "name_kana"),
    "kanji that are none": (75, b"\x20\x20", "name"),
    "a broken escape": (72, b"   ", ""),
    "a reserve in use": (11, b"X", ""),
    "letters for digits": (21, b"12345A7890", "pension_number"),
    "a half-filled number": (21, b"1234567   ", "pension_number"),
    "an unknown sex": (46, b"7", "sex"),
    "no name": (47, b" " * 25, "name_kana"),
}


@pytest.mark.parametrize("spoil", ONE_RECORD)
def test_a_wrong_slot_refuses_its_record_alone(spoil: str, tmp_path: Path) -> None:
    at, what, field = ONE_RECORD[spoil]
    path = tmp_path / "Z31.dta"
    path.write_bytes(_spoilt(content_of(NOTIFIED, [CANDIDATE, CANDIDATE]), DATA + at, what))
    form = form_of(NOTIFIED)
    assert form.check(path, None, settled=True).records == 2
    first, second = form.groups(path, None)
    (fault,) = first.faults
    assert isinstance(fault, BadRecord)
    assert (fault.number, fault.line, fault.field) == (1, 3, field)
    assert not first.rows[0].sound
    assert not second.faults
    assert second.rows[0].values == CANDIDATE


def test_a_category_is_one_of_its_notice() -> None:
    encoder = form_of(REQUESTED).encoder(None)
    encoder.record(CANDIDATE | {"notice": "01", "category": "03"})
    encoder.record(CANDIDATE | {"notice": "61", "category": "77"})
    with pytest.raises(Unwritable, match="category"):
        encoder.record(CANDIDATE | {"notice": "41", "category": "05"})


def test_results_of_an_even_month_are_refused_in_both_directions(tmp_path: Path) -> None:
    encoder = form_of(NOTIFIED).encoder(None)
    with pytest.raises(Unwritable, match="created_on"):
        encoder.record(CANDIDATE | {"notice": "22", "created_on": "2026-06-15"})
    content = content_of(NOTIFIED, [CANDIDATE | {"notice": "22"}])
    path = tmp_path / "Z34.dta"
    path.write_bytes(content.replace(b"20260515", b"20260615"))
    with pytest.raises(BadFile) as caught:
        form_of(NOTIFIED).check(path, None, settled=True)
    assert caught.value.code == FileFault.OUT_OF_SEASON


@pytest.mark.parametrize(
    ("field", "text", "kind"),
    [
        ("name", "髙崎", Unencodable),
        ("name_kana", "タカサキ", Unencodable),
        ("name", "高崎　", Unwritable),
        ("pension_number", "123", Unwritable),
        ("amount_first", "-1", Unwritable),
        ("amount_first", "007", Unwritable),
        ("amount_first", "100000000000", Unwritable),
        ("birth_date", "3150505", Unwritable),
        ("birth_date", "不詳", Unwritable),
        ("address_kana", "ｱ" * 81, Unwritable),
    ],
)
def test_nothing_is_written_that_would_not_come_back(
    field: str, text: str, kind: type[Unwritable]
) -> None:
    encoder = form_of(NOTIFIED).encoder(None)
    with pytest.raises(kind) as caught:
        encoder.record(CANDIDATE | {field: text})
    assert caught.value.field == field
    assert text not in str(caught.value)
    with pytest.raises(Unwritable, match="no field"):
        encoder.record(CANDIDATE | {"other": ""})


def test_a_part_of_a_delivery_that_a_reader_refuses_is_not_written() -> None:
    with pytest.raises(Unwritable) as caught:
        form_of(NOTIFIED).encoder(None).record(CANDIDATE | {"medium_number": "000"})
    assert caught.value.field == "medium_number"


def test_records_of_two_headings_are_told_apart_and_never_share_a_file() -> None:
    encoder = form_of(NOTIFIED).encoder(None)
    assert isinstance(encoder, Headed)
    one = encoder.record(CANDIDATE)
    other = encoder.record(CANDIDATE | {"created_on": "2026-05-16"})
    like_one = encoder.record(CANDIDATE | {"sex": "1"})
    assert list(encoder.shared([one, other, like_one])) == [[0, 2], [1]]
    with pytest.raises(Unwritable, match="several headings"):
        list(encoder.framed(HEADER, [one, other]))
    assert list(encoder.framed(HEADER, [])) == []


def test_a_file_gets_no_more_than_its_totals_have_room_for() -> None:
    encoder = form_of(NOTIFIED).encoder(None)
    assert isinstance(encoder, Headed)
    large = encoder.record(CANDIDATE | {"amount_first": "9" * 11})
    assert list(encoder.shared([large, large])) == [[0], [1]]
    with pytest.raises(Unwritable, match="no room for the total"):
        list(encoder.framed(HEADER, [large, large]))


def test_a_bank_counts_what_was_debited_apart_from_what_was_not(tmp_path: Path) -> None:
    row = {
        "collector_code": "1234567890",
        "transfer_month_day": "0427",
        "account_bank_code": "0001",
        "account_bank_name_kana": "",
        "account_branch_code": "012",
        "account_branch_name_kana": "",
        "account_account_kind": "1",
        "account_account_number": "0012345",
        "account_holder_kana": "ﾀｶｻｷ ﾖｼﾉｽｹ",
        "transfer_amount": "100",
        "novelty": "0",
        "customer_number": "0000000000123452601",
        "transfer_result": "0",
    }
    content = content_of(
        RESULTS, [row, row, row | {"transfer_result": "1", "transfer_amount": "7"}]
    )
    assert len(content) == 6 * 120
    trailer = content[4 * 120 : 5 * 120]
    assert trailer[:55] == b"8000003000000000207000002000000000200000001000000000007"
    path = tmp_path / "results.dat"
    path.write_bytes(_spoilt(content, 4 * 120 + 24, b"8"))
    with pytest.raises(BadFile, match="振替済件数"):
        form_of(RESULTS).check(path, None, settled=True)


def test_slots_have_to_fill_their_record_and_suit_their_columns() -> None:
    good = load_layout(TRANSFERS).model_dump()
    short = load_layout(TRANSFERS).model_dump()
    short["fixed"]["records"][1]["slots"][0]["bytes"] = 2
    with pytest.raises(ValueError, match="have 121 bytes"):
        type(load_layout(TRANSFERS)).model_validate(short)
    good["columns"] = [c for c in good["columns"] if c["field"] != "novelty"]
    with pytest.raises(ValueError, match="novelty"):
        type(load_layout(TRANSFERS)).model_validate(good)


def test_a_slot_reads_what_it_wrote() -> None:
    amount = codec_of(NOTIFIED, "amount_first")
    assert amount.read(amount.write("12")) == "12"
    assert amount.write("") == b" " * 11
    assert codec_of(NOTIFIED, "name").write("") == b"!!" * 25
