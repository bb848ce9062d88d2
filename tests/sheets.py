"""A layout of a workbook for the tests, and workbooks that say other things than they should."""

import io
import re
import zipfile
from collections.abc import Mapping

from schemas.layout import Column, FormName, Kind, Layout

LAYOUT = Layout(
    id="sheet.test",
    title="Sheet",
    title_ja="試験",
    assumed=True,
    source="made for the tests",
    form=FormName.SHEET,
    sheets=("回答書（単票）", "（取引明細表）"),
    group_by="case",
    columns=(
        Column(name="照会番号", field="case", width=15, kind=Kind.DIGITS, required=True),
        Column(name="氏名", field="name", width=40),
        Column(name="口座番号", field="account", width=7, kind=Kind.DIGITS, padding="zero"),
        Column(name="最終取引日", field="last", width=10, kind=Kind.DAY),
        Column(name="残高", field="balance", width=13, kind=Kind.INTEGER),
    ),
)
ROW = {
    "case": "12",
    "name": "架空　花子 <&>",
    "account": "0001234",
    "last": "2026-03-31",
    "balance": "-5",
}


def changed(content: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """Give a workbook with other parts; ``None`` takes one away."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        kept = {name: before.read(name) for name in before.namelist()}
        for name, part in {**kept, **parts}.items():
            if part is not None:
                after.writestr(name, part)
    return made.getvalue()


def with_shared_strings(content: bytes) -> bytes:
    """Give a workbook of ours as Excel writes it: its texts shared, in runs, with readings."""
    texts: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        texts.append(found[1])
        return f'<c t="s"><v>{len(texts) - 1}</v></c>'

    sheet, links, strings = (
        f"xl/{name}"
        for name in ("worksheets/sheet1.xml", "_rels/workbook.xml.rels", "sharedStrings.xml")
    )
    inline = r'<c t="inlineStr"><is><t xml:space="preserve">(.*?)</t></is></c>'
    cells = re.sub(inline, numbered, part_of(content, sheet).decode())
    runs = "".join(
        f'<si><r><t>{text[:1]}</t></r><r><rPr><b/></rPr><t xml:space="preserve">{text[1:]}</t></r>'
        '<rPh sb="0" eb="1"><t>ヨミ</t></rPh></si>'
        for text in texts
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    named = part_of(content, links).decode().replace("</Relationships>", link)
    parts = {sheet: cells, links: named, strings: f'<sst xmlns="{space}">{runs}</sst>'}
    return changed(content, {name: text.encode() for name, text in parts.items()})


def part_of(content: bytes, name: str) -> bytes:
    """Read a part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)
