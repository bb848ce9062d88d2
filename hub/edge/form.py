"""What a form of file is: a form knows how bytes become records and records bytes, no system.

``schemas.layout`` names a layout's form and holds all of it that is data; ``hub.edge.forms`` has
one module for each form, and gives the form of a layout.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from hub.edge.groups import Group
from schemas.layout import Encoding


class FileFault(StrEnum):
    """Why a file is set aside whole."""

    EMPTY = "empty"
    ENCODING = "encoding"
    LAYOUT = "layout"
    HEADER = "header"
    LINE = "line"
    LINE_TOO_LONG = "line-too-long"
    TRAILER = "trailer"
    AFTER_TRAILER = "after-trailer"
    TRUNCATED = "truncated"
    CHANGED = "changed"
    GROUP_TOO_LARGE = "group-too-large"
    NOT_PERMITTED = "not-permitted"
    STRUCTURE = "structure"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY = "too-many"
    FORBIDDEN = "forbidden"
    PART_COUNT = "part-count"
    PART_NAME = "part-name"
    PART_KIND = "part-kind"
    ENCRYPTED = "encrypted"
    COMPRESSION = "compression"
    OVERLAP = "overlap"
    DIGEST = "digest"
    OUT_OF_SEASON = "out-of-season"
    PART_MISSING = "part-missing"
    PART_REPEATED = "part-repeated"


class BadFile(ValueError):
    """A file that cannot be read as its layout; ``line`` is 0 where no line is at fault."""

    def __init__(self, code: FileFault, reason: str, line: int = 0) -> None:
        super().__init__(f"{reason} (line {line})" if line else reason)
        self.code = code
        self.reason = reason
        self.line = line


class Unfinished(ValueError):
    """The file has no end yet: its writer may still be at it."""


def endless(reason: str, *, settled: bool) -> BadFile | Unfinished:
    """Give the error of a file that lacks its end; none will come of one that is ``settled``."""
    return BadFile(FileFault.TRUNCATED, reason) if settled else Unfinished(reason)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself; ``created_at`` has an offset from UTC.

    A form without a place for department, terminal and staff leaves them empty.
    """

    created_at: dt.datetime
    department: str = ""
    terminal: str = ""
    staff: str = ""


class Part(NamedTuple):
    """Which part of which delivery a file is; parts are numbered from 1."""

    delivery: str
    number: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a whole file: its SHA-256 in hex, header, and number of records.

    ``part`` where files of this layout come as parts of one delivery.
    """

    digest: str
    header: Header
    records: int
    part: Part | None = None


class Encoder(Protocol):
    """Writes the files of one layout in one encoding."""

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a data record; ``values`` has exactly the layout's fields.

        Raises:
            Unencodable: a value has characters that the encoding lacks, or would turn into
                others: what is to become of the record is not the form's to say.
            Unwritable: a value that a reader would refuse or not get back.
        """
        ...

    def framed(self, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the parts of a whole file around its encoded records.

        Raises:
            Unwritable: the header has an item that a file has no place for.
        """
        ...


@runtime_checkable
class Headed(Protocol):
    """An encoder whose files say some values and totals once, for all their records."""

    def shared(self, records: Sequence[bytes]) -> Iterator[list[int]]:
        """Share encoded records out among files, by their places: each has one heading's."""
        ...


class Form(Protocol):
    """How the files of one layout are read and written.

    ``suffix`` ends the names of files that are written. A ``single`` form has one record a file.
    """

    @property
    def suffix(self) -> str:
        """End of a file's name, with its dot."""
        ...

    @property
    def single(self) -> bool:
        """Whether a file has exactly one record."""
        ...

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Read a file once, holding memory flat, and judge it as a whole.

        ``settled`` says that its writer is known to be done.

        Raises:
            BadFile: it cannot be read as its layout.
            Unfinished: its end is lacking, and ``settled`` is false.
            EdgeError: it is gone or cannot be read.
        """
        ...

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the records of a checked file in groups, holding memory flat.

        Raises:
            BadFile: it changed since it was checked.
            EdgeError: it is gone or cannot be read.
        """
        ...

    def encoder(self, encoding: Encoding | None) -> Encoder:
        """Make a writer; ``None`` takes the layout's own encoding."""
        ...
