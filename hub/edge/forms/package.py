"""One application in one ZIP package, in the wrapper of the courier that fetched it.

``hub.edge.archives.packing`` says what stands in both. Everything a stranger wrote is read through
its neighbours ``archive`` and ``safexml``: within limits, and never extracted. A package that
breaks one is set aside whole, with the limit's own code.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from lxml import etree

from hub.edge.archives import packing, safexml
from hub.edge.archives.archive import Archive, Limits, Window, open_archive
from hub.edge.archives.packing import PackageEncoder, Places
from hub.edge.delimited import opened
from hub.edge.filetime import moment_of
from hub.edge.form import BadFile, FileFacts, FileFault, Header, Unfinished
from hub.edge.groups import Group
from hub.edge.kit import BadRecord, Row
from hub.edge.records import first_fault, split
from hub.limits import limits
from schemas.layout import Column, Encoding, Layout

_PDF = b"%PDF-"
_HEAD = 8
_ARCHIVES = (b"PK", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ")


@dataclass(frozen=True, slots=True)
class Package:
    """The form ``package``."""

    layout: Layout
    suffix: str = ".zip"
    single: bool = True

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Judge a file as a whole (``hub.edge.form.Form``)."""
        with opened(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            values = self._values(file, encoding, settled=settled)
        return FileFacts(digest, Header(_filed_at(values["filed_at"])), 1)

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the one record of a checked file (``hub.edge.form.Form``)."""
        with opened(path) as file:
            values = self._values(file, encoding, settled=True)
        fault = first_fault(self.layout.columns, values)
        faults = [] if fault is None else [BadRecord(1, 1, *fault)]
        yield Group([Row(1, 1, values, sound=fault is None)], faults)

    def encoder(self, encoding: Encoding | None) -> PackageEncoder:
        """Make a writer (``hub.edge.form.Form``)."""
        return PackageEncoder(self.layout, encoding)

    def application(self, path: Path) -> Mapping[str, str]:
        """Read ``application.xml`` of a package that is in no wrapper yet, by fields.

        Raises:
            BadFile: the package, or this part of it, is not to be used.
            EdgeError: it cannot be read.
        """
        with opened(path) as file:
            return self._application(open_archive(file, self._limits()))

    # -- the wrapper ------------------------------------------------------------------

    def _values(
        self, file: BinaryIO, encoding: Encoding | None, *, settled: bool
    ) -> dict[str, str]:
        try:
            outer = open_archive(file, _wrapper())
        except BadFile as bad:
            if settled or bad.code not in {FileFault.TRUNCATED, FileFault.EMPTY}:
                raise
            raise Unfinished(bad.reason) from None
        if packing.RECEIPT not in outer.parts:
            raise BadFile(FileFault.STRUCTURE, "the wrapper has no receipt.xml")
        said = self._document(outer, packing.RECEIPT, packing.RECEIPT_ROOT, self._places().receipt)
        if packing.PACKAGE not in outer.parts:
            reason = f"the package has over {limits().zip_bytes} bytes and was not fetched"
            raise BadFile(FileFault.TOO_LARGE, reason)
        if not all(part.stored for part in outer.parts.values()):
            raise BadFile(FileFault.COMPRESSION, "the parts of the wrapper are not stored")
        if _digest(outer.chunks(packing.PACKAGE)) != said[packing.DIGEST]:
            raise BadFile(FileFault.DIGEST, "the package has another digest than on receipt")
        part = outer.parts[packing.PACKAGE]
        inner = Window(file, part.start, part.size)
        # ``zipfile`` and the archive only read it and go to places in it.
        values = self._package(open_archive(cast("BinaryIO", inner), self._limits()), encoding)
        if values[packing.NUMBER] != said[packing.NUMBER]:
            reason = "the application has another 受付番号 than it was received under"
            raise BadFile(FileFault.STRUCTURE, reason)
        return values | said

    # -- the package -------------------------------------------------------------------

    def _package(self, archive: Archive, encoding: Encoding | None) -> dict[str, str]:
        values = dict.fromkeys((column.field for column in self.layout.columns), "")
        values |= self._application(archive)
        places = self._places()
        if packing.ANSWERS in archive.parts:
            content = archive.content(packing.ANSWERS, limits().zip_answers_bytes)
            values |= _placed(places.answers, _answers(content, encoding or self.layout.encoding))
        own = {packing.APPLICATION, packing.ANSWERS}
        attached = [_attachment(archive, name) for name in archive.parts if name not in own]
        return values | _placed(places.attachments, attached)

    def _application(self, archive: Archive) -> dict[str, str]:
        if packing.APPLICATION not in archive.parts:
            raise BadFile(FileFault.STRUCTURE, "the package has no application.xml")
        columns = self._places().application
        return self._document(archive, packing.APPLICATION, packing.APPLICATION_ROOT, columns)

    def _document(
        self, archive: Archive, name: str, root: str, columns: Sequence[Column]
    ) -> dict[str, str]:
        content = archive.content(name, limits().xml_bytes)
        if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise BadFile(FileFault.PART_KIND, f"{name} is no XML document")
        document = safexml.parse(content)
        if document.tag != root or document.get("layout") != self.layout.id:
            raise BadFile(FileFault.LAYOUT, f"{name} does not name the layout {self.layout.id}")
        return _elements(document, columns, name)

    def _limits(self) -> Limits:
        now, parts = limits(), 2 + len(self._places().attachments)
        return Limits(parts, now.zip_part_bytes, now.zip_total_bytes, now.zip_ratio)

    def _places(self) -> Places:
        return Places.of(self.layout)


def _wrapper() -> Limits:
    now = limits()
    return Limits(2, now.zip_bytes, now.zip_bytes + now.xml_bytes, 1)


def _elements(document: etree._Element, columns: Sequence[Column], name: str) -> dict[str, str]:
    fields = {column.name: column.field for column in columns}
    values: dict[str, str] = {}
    beside = (document.text or "").strip()
    for element in document:
        field = fields.get(str(element.tag))
        beside += (element.tail or "").strip()
        if field is None or field in values or len(element) or element.attrib or beside:
            reason = f"{name} has an element twice, or something that its layout does not have"
            raise BadFile(FileFault.STRUCTURE, reason)
        values[field] = element.text or ""
    return dict.fromkeys(fields.values(), "") | values


def _answers(content: bytes, encoding: Encoding) -> list[Sequence[str]]:
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode(encoding)
    except UnicodeDecodeError:
        raise BadFile(FileFault.ENCODING, f"answers.csv is not {encoding}") from None
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    rows = [split(line) for line in lines]
    if rows[0] != list(packing.ANSWERS_HEAD):
        raise BadFile(FileFault.HEADER, "answers.csv does not begin with its two titles")
    found = [row for row in rows[1:] if row is not None]
    if len(found) != len(rows) - 1 or any(len(row) != len(packing.ANSWERS_HEAD) for row in found):
        raise BadFile(FileFault.STRUCTURE, "answers.csv has a line that is no item with its answer")
    return list(found)


def _attachment(archive: Archive, name: str) -> tuple[str, str, str]:
    hasher, head = hashlib.sha256(), b""
    for chunk in archive.chunks(name):
        head = head if len(head) >= _HEAD else head + chunk[:_HEAD]
        hasher.update(chunk)
    if head.startswith(_ARCHIVES):
        raise BadFile(FileFault.PART_KIND, "there is an archive inside the package")
    if not head.startswith(_PDF) or not name.casefold().endswith(".pdf"):
        raise BadFile(FileFault.PART_KIND, "an attached file is no PDF")
    return name, str(archive.parts[name].size), hasher.hexdigest()


def _placed(places: Sequence[tuple[str, ...]], found: Sequence[Sequence[str]]) -> dict[str, str]:
    if len(found) > len(places):
        raise BadFile(FileFault.PART_COUNT, f"a list has over {len(places)} places")
    return {
        field: text
        for place, texts in zip(places, found, strict=False)
        for field, text in zip(place, texts, strict=True)
    }


def _filed_at(text: str) -> dt.datetime:
    at = moment_of(text)
    if at is None:
        raise BadFile(FileFault.HEADER, "the time of filing is no moment with its offset")
    return at


def _digest(chunks: Iterable[bytes]) -> str:
    hasher = hashlib.sha256()
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.hexdigest()
