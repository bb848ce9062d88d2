"""Comma-separated files with a header record and a trailer (``schemas.layout``)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.edge.delimited import check_file, framed, read_parsed
from hub.edge.form import FileFacts, Header
from hub.edge.groups import Group, groups
from hub.edge.records import RecordEncoder
from schemas.layout import Encoding, Layout


@dataclass(frozen=True, slots=True)
class Framed:
    """The form ``framed``."""

    layout: Layout
    suffix: str = ".csv"
    single: bool = False

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Judge a file as a whole (``hub.edge.form.Form``)."""
        return check_file(path, self.layout, encoding, settled=settled)

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the records of a checked file in groups (``hub.edge.form.Form``)."""
        return groups(read_parsed(path, self.layout, encoding), self.layout)

    def encoder(self, encoding: Encoding | None) -> "FramedEncoder":
        """Make a writer (``hub.edge.form.Form``)."""
        return FramedEncoder(RecordEncoder(self.layout, encoding))


@dataclass(frozen=True, slots=True)
class FramedEncoder:
    """Writes the lines of framed files."""

    lines: RecordEncoder

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a data record (``hub.edge.form.Encoder``)."""
        return self.lines.record(values)

    def framed(self, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the lines of a whole file (``hub.edge.form.Encoder``)."""
        return framed(self.lines, header, records)
