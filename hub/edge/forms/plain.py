"""Comma-separated files of data records alone (``schemas.layout``): no header, no trailer.

Nothing inside such a file says that it is whole. It is taken for whole when it has stood still
for the site's ``settle_seconds`` and its last record has a line end; a writer that uses a
temporary name and renames makes sure of it. A file that lost whole records at its end cannot be
told from one that never had them: whoever asks must notice that no answer came.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.edge.delimited import ensure_size, lines_of, opened
from hub.edge.filetime import made_at
from hub.edge.form import BadFile, FileFacts, FileFault, Header, Unfinished
from hub.edge.groups import Group, GroupSizes, groups
from hub.edge.records import Parsed, RecordEncoder, record_parser
from schemas.layout import Encoding, Layout

_LEAD = "D,"
"""What a framed file's data record has before its values, and a plain one has not."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The form ``plain``."""

    layout: Layout
    suffix: str = ".DAT"
    single: bool = False

    def check(self, path: Path, encoding: Encoding | None, *, settled: bool) -> FileFacts:
        """Judge a file as a whole (``hub.edge.form.Form``)."""
        if not settled:
            raise Unfinished("the file has no trailer: it is whole when it stands still")
        hasher = hashlib.sha256()
        sizes = GroupSizes(self.layout)
        records = 0
        with opened(path) as file:
            ensure_size(file)
            for line in lines_of(file, encoding or self.layout.encoding, hasher.update):
                if not line.ended:
                    raise BadFile(FileFault.TRUNCATED, "the last record has no end")
                records += 1
                if sizes.too_large(_LEAD + line.text):
                    raise BadFile(FileFault.GROUP_TOO_LARGE, sizes.reason, line.number)
        if not records:
            raise BadFile(FileFault.EMPTY, "the file is empty")
        return FileFacts(hasher.hexdigest(), Header(made_at(path)), records)

    def groups(self, path: Path, encoding: Encoding | None) -> Iterator[Group]:
        """Read the records of a checked file in groups (``hub.edge.form.Form``)."""
        return groups(self._parsed(path, encoding), self.layout)

    def _parsed(self, path: Path, encoding: Encoding | None) -> Iterator[Parsed]:
        parse = record_parser(self.layout)
        with opened(path) as file:
            for line in lines_of(file, encoding or self.layout.encoding):
                yield parse(line.number, line.number, _LEAD + line.text)

    def encoder(self, encoding: Encoding | None) -> "PlainEncoder":
        """Make a writer (``hub.edge.form.Form``)."""
        return PlainEncoder(RecordEncoder(self.layout, encoding))


@dataclass(frozen=True, slots=True)
class PlainEncoder:
    """Writes the lines of plain files."""

    lines: RecordEncoder

    def record(self, values: Mapping[str, str]) -> bytes:
        """Write a data record (``hub.edge.form.Encoder``)."""
        return self.lines.record(values).removeprefix(_LEAD.encode())

    def framed(self, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
        """Give the lines of a whole file, which has no place for a header."""
        del header
        yield from records
