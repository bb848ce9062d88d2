"""Parses a part of a workbook as a stream: no tree is built, and nothing is kept."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from lxml import etree

from hub.edge.archives.archive import Archive
from hub.edge.form import BadFile, FileFault
from hub.limits import limits

FoundT = TypeVar("FoundT")


class Target(ABC, Generic[FoundT]):
    """Gets what the parser meets, and puts into ``found`` what is complete.

    A subclass says what begins and ends with an element; elements of other namespaces than the
    root's, and how a text is read aloud (``rPh``), are passed over.
    """

    def __init__(self) -> None:
        self.found: list[FoundT] = []
        self._space: str | None = None
        self._depth = 0
        self._aside = 0
        self._text: list[str] = []
        self._length = 0
        self._taking = False
        self._limits = limits()

    # -- what lxml calls -----------------------------------------------------------------

    def doctype(self, *_: str | None) -> None:
        """Refuse a DOCTYPE."""
        raise BadFile(FileFault.FORBIDDEN, "a part of the workbook has a DOCTYPE")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        self._depth += 1
        if self._depth > self._limits.sheet_depth:
            raise BadFile(FileFault.TOO_DEEP, "a part of the workbook is nested too deeply")
        space, _, name = tag.rpartition("}")
        if self._space is None:
            self._space = space
        if self._aside or space != self._space or name == "rPh":
            self._aside += 1
        else:
            self._taking = name in {"t", "v"}
            self._begin(name, attributes)

    def end(self, tag: str) -> None:
        """End an element."""
        self._depth -= 1
        if self._aside:
            self._aside -= 1
        else:
            self._taking = False
            self._end(tag.rpartition("}")[2])

    def data(self, text: str) -> None:
        """Keep text of a value, within bounds."""
        if self._taking and not self._aside:
            self._length += len(text)
            if self._length > self._limits.sheet_text:
                reason = f"a cell has over {self._limits.sheet_text} characters"
                raise BadFile(FileFault.TOO_LARGE, reason)
            self._text.append(text)

    def close(self) -> None:
        """End the document: nothing is left to do."""

    # -- what a subclass says --------------------------------------------------------------

    def _taken(self) -> str:
        """Give the text since the last time."""
        text = "".join(self._text)
        self._text.clear()
        self._length = 0
        return text

    @abstractmethod
    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Meet an element that is not passed over."""

    @abstractmethod
    def _end(self, name: str) -> None:
        """Come to its end; ``_taken`` gives what it says."""


def parsed(archive: Archive, part: str, target: Target[FoundT]) -> Iterator[FoundT]:
    """Stream what a target finds in a part.

    Raises:
        BadFile: the part is missing, no XML in UTF-8, or what the target does not want.
    """
    if part not in archive.parts:
        raise BadFile(FileFault.STRUCTURE, "the workbook lacks a part that it names")
    # libxml2 keeps names and attributes within bounds, as long as it is not told otherwise.
    parser = etree.XMLParser(
        target=target,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        for chunk in archive.chunks(part):
            parser.feed(chunk)
            yield from target.found
            target.found.clear()
        parser.close()
    except etree.XMLSyntaxError:
        # Raised without its cause, whose text may show a part of the document.
        raise BadFile(FileFault.STRUCTURE, "a part of the workbook is not well-formed") from None
    yield from target.found
