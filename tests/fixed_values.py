"""Values for the columns of fixed-length layouts, made by hypothesis from the layouts alone."""

import datetime as dt
from pathlib import Path

from hypothesis import strategies as st

from hub.edge.fixed.fields import SlotCodec, slot_codec
from hub.edge.form import Header
from hub.edge.forms import form_of
from schemas.fixed_layout import FieldEncoding, Holds, Slot
from schemas.layout import Column, Kind, load_layout

_NARROW = "".join(bytes([byte]).decode("cp932") for byte in range(0xA1, 0xE0))
_KANJI = "亜腕金沢市広坂一丁目高崎吉之助ア・ー々〇０９Ａｚ〓～－∥￠￡￢"
_ALPHABETS = {
    FieldEncoding.ASCII: st.characters(min_codepoint=0x21, max_codepoint=0x7E),
    FieldEncoding.KANA: st.sampled_from(_NARROW + "AZ09()-~\\"),
    FieldEncoding.ZENGIN: st.sampled_from(_NARROW[0x10:] + "AZ09()-."),
    FieldEncoding.KANJI: st.sampled_from(_KANJI),
}
HEADER = Header(dt.datetime(2026, 5, 1, 9, tzinfo=dt.UTC))

CANDIDATE = {
    "medium_number": "001",
    "medium": "",
    "insurance_scheme": "2",
    "city_code": "17201",
    "collector_code": "101",
    "notice": "00",
    "created_on": "2026-05-15",
    "pension_number": "1234567890",
    "pension_code": "0120",
    "birth_date": "1940-05-00",
    "sex": "2",
    "name_kana": "ﾀｶｻｷ ﾖｼﾉｽｹ",
    "name": "高崎　吉之助",
    "postal_code": "9208577",
    "address_kana": "ｶﾅｻﾞﾜｼ ﾋﾛｻｶ",
    "address": "金沢市広坂一丁目",
    "category": "",
    "result": "",
    "transferred": "",
    "event_date": "",
    "amount_first": "12300",
    "amount_second": "0",
    "amount_third": "",
    "mutual_aid_certificate": "",
}
"""A record of ``kokuho-federation.notified``."""


def slot_of(layout_id: str, field: str) -> Slot:
    """Give a slot of a column: that of the data record, or else of a frame."""
    plan = load_layout(layout_id).fixed
    assert plan is not None
    records = (plan.data, *plan.records)
    return next(
        slot
        for record in records
        for slot in record.slots
        if slot.field == field and slot.holds is Holds.FIELD
    )


def codec_of(layout_id: str, field: str) -> SlotCodec:
    columns = {column.field: column for column in load_layout(layout_id).columns}
    return slot_codec(slot_of(layout_id, field), columns[field])


def values_of(layout_id: str) -> st.SearchStrategy[list[dict[str, str]]]:
    """Make the rows of one file: the common columns are those of the first row."""
    layout = load_layout(layout_id)
    assert layout.fixed is not None
    common = layout.fixed.common()
    row = st.fixed_dictionaries(
        {
            column.field: _texts(column, slot_of(layout_id, column.field))
            for column in layout.columns
        }
    ).map(lambda values: _in_agreement(values, layout_id))
    return st.lists(row, min_size=1, max_size=4).map(
        lambda rows: [one | {name: rows[0][name] for name in common} for one in rows]
    )


def _in_agreement(values: dict[str, str], layout_id: str) -> dict[str, str]:
    # Codes that depend on another column, and months, are left to tests of their own.
    for column in load_layout(layout_id).columns:
        if column.codes_by:
            values[column.field] = ""
    if "notice" in values:
        values["created_on"] = f"{values['created_on'][:5]}05-15"
    return values


def _texts(column: Column, slot: Slot) -> st.SearchStrategy[str]:
    made = _filled(column, slot)
    return made if column.required else st.just("") | made


def _filled(column: Column, slot: Slot) -> st.SearchStrategy[str]:
    if column.codes:
        return st.sampled_from(sorted(column.codes))
    if column.kind in {Kind.DAY, Kind.DATE}:
        return st.dates(min_value=dt.date(1900, 1, 1)).map(dt.date.isoformat)
    if column.kind is Kind.INTEGER:
        return st.integers(0, 10**9 - 1).map(str)
    if column.field == "medium_number":
        return st.just("001")
    if column.kind is Kind.DIGITS:
        return st.text("0123456789", min_size=slot.bytes, max_size=slot.bytes)
    return st.text(_ALPHABETS[slot.encoding], min_size=1, max_size=column.width)


def content_of(layout_id: str, rows: list[dict[str, str]]) -> bytes:
    """Write a file of these rows."""
    encoder = form_of(layout_id).encoder(None)
    return b"".join(encoder.framed(HEADER, map(encoder.record, rows)))


def read_values(layout_id: str, path: Path) -> list[dict[str, str]]:
    """Read a file that must be right, with all its records."""
    form = form_of(layout_id)
    form.check(path, None, settled=True)
    found = list(form.groups(path, None))
    assert not [fault for group in found for fault in group.faults]
    return [dict(row.values) for group in found for row in group.rows]
