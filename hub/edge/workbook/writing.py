"""Writes a workbook as a stream: sheets of text cells, the same bytes for the same texts."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from xml.sax.saxutils import escape, quoteattr

from hub.edge.archives.zipping import zipped

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def row(texts: Iterable[str]) -> bytes:
    """Write a row of text cells; an empty text is an empty cell."""
    return f"<row>{''.join(map(_cell, texts))}</row>".encode()


def _cell(text: str) -> str:
    if not text:
        return "<c/>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def workbook(sheets: Sequence[str], rows: Iterable[bytes]) -> Iterator[bytes]:
    """Give the parts of a workbook whose first sheet has these rows; the others are empty."""
    numbers = range(1, len(sheets) + 1)
    small = ((name, [(_HEAD + content).encode()]) for name, content in _small_parts(sheets))
    tables = (
        (f"xl/worksheets/sheet{number}.xml", _sheet(rows if number == 1 else ()))
        for number in numbers
    )
    return zipped(chain(small, tables), zipfile.ZIP_DEFLATED)


def _sheet(rows: Iterable[bytes]) -> Iterator[bytes]:
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
    yield from rows
    yield b"</sheetData></worksheet>"


def _small_parts(sheets: Sequence[str]) -> Iterator[tuple[str, str]]:
    numbers = range(1, len(sheets) + 1)
    yield "[Content_Types].xml", _types(numbers)
    main = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", _relations(main)
    named = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, sheets, strict=True)
    )
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>'
    yield "xl/workbook.xml", book
    parts = (
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet"'
        f' Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    yield "xl/_rels/workbook.xml.rels", _relations("".join(parts))


def _relations(links: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}">{links}</Relationships>'


def _types(numbers: Iterable[int]) -> str:
    parts = [("xl/workbook.xml", "sheet.main")]
    parts += [(f"xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers]
    named = "".join(
        f'<Override PartName="/{part}" ContentType="{_KIND}.{kind}+xml"/>' for part, kind in parts
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="{relations}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{named}</Types>'
    )
