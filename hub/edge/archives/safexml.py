"""Reads one XML document of strangers: no DTD, no entity, nothing fetched, nothing expanded.

A document with a DOCTYPE is refused before a parser sees it, so that neither XXE nor an entity
bomb has a place to stand. It is in UTF-8, by its bytes and by its declaration.
"""

import re
from typing import NamedTuple

from lxml import etree

from hub.edge.form import BadFile, FileFault
from hub.limits import limits

LACKING = frozenset("\ufffe\uffff")
"""What XML has no place for, besides control characters."""
_BOM = "\ufeff"
_DECLARED = re.compile(r"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_UTF_8 = {"utf-8", "utf8"}


class Bounds(NamedTuple):
    """How much a document may have: bytes, elements in one another, elements in all."""

    size: int
    depth: int
    elements: int


def parse(content: bytes, bounds: Bounds | None = None) -> etree._Element:
    """Give the root of a document; comments and processing instructions are left out.

    Without other ``bounds`` it is held to those of this process.

    Raises:
        BadFile: it is too large or too deep, not UTF-8, has a DOCTYPE, or is not well-formed.
    """
    most, depth, elements = bounds or _bounds()
    if len(content) > most:
        raise BadFile(FileFault.TOO_LARGE, f"an XML document has over {most} bytes")
    try:
        text = content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError:
        raise BadFile(FileFault.ENCODING, "an XML document is not UTF-8") from None
    declared = _DECLARED.match(text)
    if declared and declared.group(1).lower() not in _UTF_8:
        raise BadFile(FileFault.ENCODING, "an XML document declares another encoding than UTF-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadFile(FileFault.FORBIDDEN, "an XML document has a DOCTYPE or an entity")
    # libxml2 keeps depth, names and text within bounds, as long as it is not told otherwise.
    parser = etree.XMLParser(
        encoding="utf-8",  # whatever the document may declare in a way that was not seen
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        reason = "an XML document is not well-formed"
        # Raised without its cause, whose text may show a part of the document.
        raise BadFile(FileFault.STRUCTURE, reason) from None
    _measure(root, depth, elements)
    return root


def _bounds() -> Bounds:
    now = limits()
    return Bounds(now.xml_bytes, now.xml_depth, now.xml_elements)


def _measure(root: etree._Element, most_depth: int, most_elements: int) -> None:
    depth = elements = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth, elements = depth + 1, elements + 1
        if depth > most_depth:
            reason = f"an XML document has over {most_depth} elements in one another"
            raise BadFile(FileFault.TOO_DEEP, reason)
        if elements > most_elements:
            reason = f"an XML document has over {most_elements} elements"
            raise BadFile(FileFault.TOO_MANY, reason)
