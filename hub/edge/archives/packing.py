"""Writes packages, and the wrapper that a courier puts around one as it came.

A package is a ZIP archive with ``application.xml``, ``answers.csv`` and attached PDFs (*assumed*).
The wrapper is one with two parts, both stored: ``receipt.xml``, which says under which 受付番号
it was received, its digest on receipt, and to whom its certificate leads; and ``package.zip``,
the package itself, byte for byte. Both have no time in them: the same content gives the same bytes.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from lxml import etree

from hub.edge.archives import safexml
from hub.edge.archives.zipping import zipped
from hub.edge.kit import Unencodable, Unwritable
from hub.edge.records import RecordEncoder, ensure_fields, first_fault
from schemas.layout import Column, Encoding, Layout

APPLICATION, ANSWERS = "application.xml", "answers.csv"
RECEIPT, PACKAGE = "receipt.xml", "package.zip"
APPLICATION_ROOT, RECEIPT_ROOT = "application", "receipt"
ANSWERS_HEAD = ("項目", "回答")
ADDRESSEE, DIGEST, NUMBER = "addressee_number", "package_digest", "receipt_number"


@dataclass(frozen=True, slots=True)
class Places:
    """Which columns of a package's layout stand where.

    ``answers`` and ``attachments`` have the fields of each place in those lists.
    """

    receipt: tuple[Column, ...]
    application: tuple[Column, ...]
    answers: tuple[tuple[str, str], ...]
    attachments: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, layout: Layout) -> Self:
        """Sort the columns of a layout."""
        fields = {column.field: column for column in layout.columns}
        single = [column for column in layout.columns if column.times == 1]
        counted = range(1, max(column.times for column in layout.columns) + 1)
        answers = [(f"answers_{n}_item", f"answers_{n}_text") for n in counted]
        attachments = [
            (f"attachments_{n}_file_name", f"attachments_{n}_size", f"attachments_{n}_digest")
            for n in counted
        ]
        return cls(
            tuple(fields[name] for name in (NUMBER, ADDRESSEE, DIGEST)),
            tuple(column for column in single if column.field not in {ADDRESSEE, DIGEST}),
            tuple(place for place in answers if place[0] in fields),
            tuple(place for place in attachments if place[0] in fields),
        )


def package(
    layout: Layout,
    values: Mapping[str, str],
    attachments: Iterable[tuple[str, bytes]] = (),
    encoding: Encoding | None = None,
) -> bytes:
    """Write a package as a system of applications does; ``values`` by the layout's fields.

    ``attachments`` are the names and contents of PDFs.

    Raises:
        Unwritable: a value that XML, or the encoding of the answers, has no place for.
    """
    places = Places.of(layout)
    parts: list[tuple[str, Iterable[bytes]]] = [
        (APPLICATION, [_document(APPLICATION_ROOT, places.application, values, layout.id)])
    ]
    answers = [(values[item], values[text]) for item, text in places.answers]
    while answers and not any(answers[-1]):
        answers.pop()
    if answers:
        parts.append((ANSWERS, [_answers(layout, answers, encoding)]))
    parts += [(name, [content]) for name, content in attachments]
    return b"".join(zipped(parts, zipfile.ZIP_DEFLATED))


def receipt(layout: Layout, number: str, addressee: str, digest: str) -> bytes:
    """Write ``receipt.xml``; ``addressee`` is empty where the certificate leads to nobody.

    Raises:
        Unwritable: a value that XML has no place for.
    """
    values = {NUMBER: number, ADDRESSEE: addressee, DIGEST: digest}
    return _document(RECEIPT_ROOT, Places.of(layout).receipt, values, layout.id)


def wrapper(receipt_xml: bytes, content: Iterable[bytes] | None) -> Iterator[bytes]:
    """Give the bytes of a wrapper; without ``content`` where a package was too large to fetch."""
    parts: list[tuple[str, Iterable[bytes]]] = [(RECEIPT, [receipt_xml])]
    if content is not None:
        parts.append((PACKAGE, content))
    return zipped(parts, zipfile.ZIP_STORED)


def _document(
    root: str, columns: Sequence[Column], values: Mapping[str, str], layout: str
) -> bytes:
    document = etree.Element(root, layout=layout)
    for column in columns:
        text = values[column.field]
        if not text:
            continue
        try:
            etree.SubElement(document, column.name).text = text
        except ValueError:
            lacking = safexml.LACKING.intersection(text)
            raise Unencodable(column.field, "XML", lacking) from None
    written: bytes = etree.tostring(document, encoding="UTF-8", xml_declaration=True)
    return written


def _answers(
    layout: Layout, answers: Iterable[tuple[str, str]], encoding: Encoding | None
) -> bytes:
    lines = RecordEncoder(layout, encoding)
    rows = (dict(zip(("item", "text"), row, strict=True)) for row in (ANSWERS_HEAD, *answers))
    return b"".join(map(lines.line, rows))


@dataclass(frozen=True, slots=True)
class PackageEncoder:
    """Writes wrappers with a package in them (``hub.edge.form.Encoder``)."""

    layout: Layout
    encoding: Encoding | None

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write the whole of a file.

        The digest is that of the package that is written: what ``values`` say of it must be the
        same, or blank. The content of attached files is in no record, so it can have none.
        """
        places = Places.of(self.layout)
        ensure_fields(self.layout.fields, values)
        if any(values[field] for place in places.attachments for field in place):
            raise Unwritable(places.attachments[0][0], "is of a file that a record does not hold")
        fault = first_fault((one for one in self.layout.columns if one.field != DIGEST), values)
        if fault is not None:
            raise Unwritable(*fault)
        content = package(self.layout, values, encoding=self.encoding)
        digest = hashlib.sha256(content).hexdigest()
        if values[DIGEST] not in {"", digest}:
            raise Unwritable(DIGEST, "is not that of the package")
        said = receipt(self.layout, values[NUMBER], values[ADDRESSEE], digest)
        return b"".join(wrapper(said, [content]))

    def framed(self, header: object, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the one record, which is the whole file: there is no place for a header."""
        del header
        yield from records
