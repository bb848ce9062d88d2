"""Reads one XML document of strangers: no DTD, no entity, nothing fetched, nothing expanded.

A document with a DOCTYPE is refused before a parser sees it, so that neither XXE nor an entity
bomb has a place to stand. It is in UTF-8, by its bytes and by its declaration.
"""

import re

from lxml import etree

from hub.edge.form import BadFile, FileFault

XML_LIMIT = 262_144
"""The most bytes of a document that is read whole."""

LACKING = frozenset("\ufffe\uffff")
"""What XML has no place for, besides control characters."""
_BOM = "\ufeff"
_DECLARED = re.compile(r"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_UTF_8 = {"utf-8", "utf8"}


def parse(content: bytes, most: int = XML_LIMIT) -> etree._Element:
    """Give the root of a document; comments and processing instructions are left out.

    Raises:
        BadFile: it is too large, not UTF-8, has a DOCTYPE, or is not well-formed.
    """
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
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        reason = "an XML document is not well-formed"
        # Raised without its cause, whose text may show a part of the document.
        raise BadFile(FileFault.STRUCTURE, reason) from None
