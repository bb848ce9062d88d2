"""One record in one XML document, checked against its schema in ``schemas/xsd/``.

A document of a stranger is read by ``hub.edge.archives.safexml``, and must then be as its schema
asks; what is at fault is told by its line, never by what stands there. A document that is written
is held to the same schema.
"""

import datetime as dt
import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from lxml import etree

from hub.edge.archives import safexml
from hub.edge.delimited import opened
from hub.edge.filetime import moment_of
from hub.edge.form import BadFile, FileFacts, FileFault, Header, Unfinished
from hub.edge.groups import Group
from hub.edge.kit import BadRecord, Row, Unencodable, Unwritable
from hub.edge.records import ensure_writable, first_fault
from hub.errors import SiteError
from hub.limits import limits
from schemas.layout import Column, Encoding, Layout
from schemas.xml_layout import XmlPlan

_LOCK = threading.Lock()  # a schema keeps the faults of its last document; a courier has a thread
_END = re.compile(rb"</(?:[A-Za-z_][A-Za-z0-9_.-]*:)?([A-Za-z_][A-Za-z0-9_.-]*)\s*>\s*\Z")
_END_BYTES = 256
_FINAL = {FileFault.TOO_LARGE, FileFault.TOO_DEEP, FileFault.TOO_MANY, FileFault.FORBIDDEN}
"""What no further byte can mend."""


@dataclass(frozen=True, slots=True)
class Xml:
    """The form ``xml``; always in UTF-8."""

    layout: Layout
    suffix: str = ".xml"
    single: bool = True

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Judge a file as a whole (``hub.edge.form.Form``)."""
        _only_utf_8(encoding)
        content = _content(path)
        try:
            values = self.values(content)
        except BadFile as bad:
            final = settled or bad.code in _FINAL
            if final or _has_end(content, _plan(self.layout).root):
                raise
            raise Unfinished(bad.reason) from bad
        digest = hashlib.sha256(content).hexdigest()
        return FileFacts(digest, Header(_moment(values[_plan(self.layout).created_at])), 1)

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the one record of a checked file (``hub.edge.form.Form``)."""
        _only_utf_8(encoding)
        values = self.values(_content(path))
        fault = first_fault(self.layout.columns, values)
        faults = [] if fault is None else [BadRecord(1, 1, *fault)]
        yield Group([Row(1, 1, values, sound=fault is None)], faults)

    def encoder(self, encoding: Encoding | None) -> "XmlEncoder":
        """Make a writer (``hub.edge.form.Form``).

        Raises:
            SiteError: the site asks for another encoding than UTF-8.
        """
        _only_utf_8(encoding)
        return XmlEncoder(self.layout)

    def values(self, content: bytes) -> dict[str, str]:
        """Read a document: the text of each column's element, empty where there is none.

        Raises:
            BadFile: it cannot be read safely, or is not as its schema asks.
        """
        if not content:
            raise BadFile(FileFault.EMPTY, "the file is empty")
        plan = _plan(self.layout)
        root = safexml.parse(content)
        line = schema_fault(plan, root)
        if line is not None:
            raise BadFile(FileFault.STRUCTURE, "the document is not as its schema asks", line)
        if root.tag != _named(plan, plan.root):
            raise BadFile(FileFault.LAYOUT, f"the document is no {plan.root}", 1)
        values = {column.field: _text(plan, root, column) for column in self.layout.columns}
        _moment(values[plan.created_at])
        return values


@dataclass(frozen=True, slots=True)
class XmlEncoder:
    """Writes documents; a record is a whole one."""

    layout: Layout

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a document (``hub.edge.form.Encoder``)."""
        ensure_writable(self.layout, values)
        plan = _plan(self.layout)
        root = _built(plan, self.layout.columns, values)
        if schema_fault(plan, root) is not None:
            raise Unwritable("", "the document would not be as its schema asks")
        document: bytes = etree.tostring(
            root, encoding="UTF-8", xml_declaration=True, pretty_print=True
        )
        most = limits().xml_bytes
        if len(document) > most:
            raise Unwritable("", f"the document has over {most} bytes")
        return document

    def framed(self, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the document as it is: what it says of itself is its own (``Encoder``)."""
        del header
        yield from records


def schema_fault(plan: XmlPlan, root: etree._Element) -> int | None:
    """Give the line of the first thing that the schema has against a document."""
    schema = _schema(plan.schema_file)
    with _LOCK:
        if schema.validate(root):
            return None
        return min(int(fault.line) for fault in schema.error_log)


@cache
def _schema(name: str) -> etree.XMLSchema:
    file = resources.files("schemas") / "xsd" / name
    return etree.XMLSchema(etree.fromstring(file.read_bytes()))


def _plan(layout: Layout) -> XmlPlan:
    if layout.xml is None:
        raise ValueError(f"the layout {layout.id} is not of XML documents")
    return layout.xml


def _only_utf_8(encoding: Encoding | None) -> None:
    if encoding not in {None, "utf-8"}:
        raise SiteError(f"encoding is {encoding}: this system's XML documents are UTF-8 always")


def _content(path: Path) -> bytes:
    with opened(path) as file:
        return file.read(limits().xml_bytes + 1)


def _has_end(content: bytes, root: str) -> bool:
    found = _END.search(content[-_END_BYTES:])
    return found is not None and found.group(1) == root.encode()


def _moment(text: str) -> dt.datetime:
    moment = moment_of(text)
    if moment is None:
        raise BadFile(FileFault.HEADER, "the creation time is no time with an offset")
    return moment


def _named(plan: XmlPlan, name: str) -> str:
    return f"{{{plan.namespace}}}{name}"


def _text(plan: XmlPlan, root: etree._Element, column: Column) -> str:
    *around, name = (_named(plan, part) for part in column.path.split("/"))
    found = root.findall("/".join(around)) if around else [root]
    if len(found) < column.place:
        return ""
    return found[column.place - 1].findtext(name) or ""


def _built(plan: XmlPlan, columns: Iterable[Column], values: Mapping[str, str]) -> etree._Element:
    """Make the elements of all values that are not blank, in the order of the columns."""
    root = etree.Element(_named(plan, plan.root), nsmap={None: plan.namespace})
    made: dict[tuple[str, ...], list[etree._Element]] = {(): [root]}

    def element(parts: tuple[str, ...], place: int) -> etree._Element:
        siblings = made.setdefault(parts, [])
        while len(siblings) < place:
            around = element(parts[:-1], 1)
            siblings.append(etree.SubElement(around, _named(plan, parts[-1])))
        return siblings[place - 1]

    for column in columns:
        text = values[column.field]
        if not text:
            continue
        *around, name = column.path.split("/")
        leaf = etree.SubElement(element(tuple(around), column.place), _named(plan, name))
        try:
            leaf.text = text
        except ValueError:
            lacking = safexml.LACKING.intersection(text)
            raise Unencodable(column.field, "XML", lacking) from None
    return root
