"""A workbook's parts: which sheets it has, and where they stand in the archive."""

import datetime as dt
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from lxml import etree

from hub.edge.archives.archive import Archive, Limits, open_archive
from hub.edge.archives.safexml import Bounds, parse
from hub.edge.form import BadFile, FileFault
from hub.limits import InputLimits, limits

_DATE_FORMATS = frozenset(
    map(str, (*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 59)))
)
"""Numbers of built-in formats that show a day (ECMA-376 18.8.30, Japanese ones included)."""
_NO_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_1900, _1904 = dt.date(1899, 12, 30), dt.date(1904, 1, 1)


class Book(NamedTuple):
    """A workbook whose directory was judged.

    ``sheets`` has the part of each sheet by its name, ``strings`` the part of the shared strings
    or nothing. ``dates`` are the cell styles that show a day, counted from ``epoch``.
    """

    archive: Archive
    sheets: Mapping[str, str]
    strings: str
    dates: frozenset[int]
    epoch: dt.date


class _Link(NamedTuple):
    kind: str
    part: str
    outside: bool


def open_book(file: BinaryIO) -> Book:
    """Judge a workbook by its directory and its smallest parts.

    Raises:
        BadFile: it is no workbook, or one that is not wanted; the code says why.
    """
    now = limits()
    if file.seek(0, 2) > now.sheet_bytes:
        raise BadFile(FileFault.TOO_LARGE, f"the workbook has over {now.sheet_bytes} bytes")
    archive = open_archive(file, _limits(now))
    if any(name.startswith("xl/externalLinks/") for name in archive.parts):
        raise _linked()
    main = _part(_links(archive, "").values(), "officeDocument")
    if not main:
        raise BadFile(FileFault.STRUCTURE, "the archive is no workbook")
    links = _links(archive, main)
    if any(link.outside or link.kind.startswith("externalLink") for link in links.values()):
        raise _linked()
    root = _read(archive, main)
    styles = _part(links.values(), "styles")
    return Book(
        archive,
        _sheets(root, links),
        _part(links.values(), "sharedStrings"),
        _dates(_read(archive, styles)) if styles else frozenset(),
        _1904 if _says_1904(root) else _1900,
    )


def _limits(now: InputLimits) -> Limits:
    return Limits(
        parts=now.sheet_parts,
        part_bytes=now.sheet_part_bytes,
        total_bytes=now.sheet_total_bytes,
        ratio=now.sheet_ratio,
        paths=True,
    )


def _linked() -> BadFile:
    return BadFile(FileFault.FORBIDDEN, "the workbook links to another")


def _read(archive: Archive, part: str) -> etree._Element:
    if part not in archive.parts:
        raise BadFile(FileFault.STRUCTURE, "the workbook lacks a part that it names")
    # A part of styles may have thousands of elements: its bytes are what bounds them.
    most = limits().sheet_index_bytes
    return parse(archive.content(part, most), Bounds(most, limits().sheet_depth, most))


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Find elements by their local name: the strict and the usual form differ in namespace."""
    yield from root.iter(f"{{*}}{name}")


def _links(archive: Archive, part: str) -> dict[str, _Link]:
    """Give what a part refers to, by id."""
    folder, name = posixpath.split(part)
    root = _read(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    links = {}
    for link in _named(root, "Relationship"):
        target = posixpath.normpath(posixpath.join("/", folder, link.get("Target", ""))).lstrip("/")
        kind = link.get("Type", "").rpartition("/")[2]
        outside = link.get("TargetMode") == "External"
        links[link.get("Id", "")] = _Link(kind, target, outside)
    return links


def _part(links: Iterable[_Link], kind: str) -> str:
    return next((link.part for link in links if link.kind == kind), "")


def _sheets(root: etree._Element, links: Mapping[str, _Link]) -> dict[str, str]:
    sheets: dict[str, str] = {}
    for sheet in _named(root, "sheet"):
        name = sheet.get("name", "")
        number = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        if number not in links or name in sheets:
            raise BadFile(FileFault.STRUCTURE, "two sheets have one name, or one has no part")
        sheets[name] = links[number].part
    return sheets


def _says_1904(root: etree._Element) -> bool:
    return any(one.get("date1904") in {"1", "true"} for one in _named(root, "workbookPr"))


def _dates(styles: etree._Element) -> frozenset[int]:
    custom = {one.get("numFmtId") for one in _named(styles, "numFmt") if _shows_day(one)}
    cells = next(_named(styles, "cellXfs"), None)
    formats = [] if cells is None else [one.get("numFmtId", "0") for one in _named(cells, "xf")]
    return frozenset(
        place for place, number in enumerate(formats) if number in custom or number in _DATE_FORMATS
    )


def _shows_day(number_format: etree._Element) -> bool:
    code = _NO_FORMAT.sub("", number_format.get("formatCode", "")).lower()
    return "y" in code or "d" in code
