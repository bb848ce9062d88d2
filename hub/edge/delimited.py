"""The one reader and writer of the files that ``schemas.layout`` describes.

A reader that must not send a record of a bad file asks ``check_file`` first, which streams
the file once without keeping it, and then reads it again with ``read_parsed``. Lines are
split at LF before they are decoded: neither UTF-8 nor cp932 has that byte inside a character.
"""

import datetime as dt
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hub.edge import files
from hub.edge.form import BadFile, FileFacts, FileFault, Header, Unfinished, endless
from hub.edge.groups import GroupSizes
from hub.edge.kit import Unwritable
from hub.edge.records import CONTROL, Parsed, RecordEncoder, record_parser, split
from hub.limits import limits
from schemas.layout import Encoding, Layout

ITEM_WIDTH = 80
"""The longest department, terminal or staff in characters: that of an event's attribute."""

_BOM = b"\xef\xbb\xbf"
_COUNT = re.compile(r"[0-9]{1,12}")
_HEADER_PARTS = 6
_TRAILER_PARTS = 2


# -- reading ---------------------------------------------------------------------------


def check_file(
    path: Path, layout: Layout, encoding: Encoding | None = None, *, settled: bool = False
) -> FileFacts:
    """Read a file once and judge it as a whole.

    ``settled`` says that its writer is known to be done: only then is a trailer without a
    line end taken for the end, and a file of no bytes for a bad one.

    Raises:
        BadFile: wrong encoding, layout, header, line or trailer; none, if it is ``settled``.
        Unfinished: there is no trailer yet.
        EdgeError: the file is gone or cannot be read.
    """
    with opened(path) as file:
        ensure_size(file)
        return _check(file, layout, encoding or layout.encoding, settled=settled)


def read_parsed(path: Path, layout: Layout, encoding: Encoding | None = None) -> Iterator[Parsed]:
    """Read the data records one by one, sound or not; ``check_file`` judges the file.

    Raises:
        BadFile: a line cannot be read at all.
        EdgeError: the file is gone or cannot be read.
    """
    parse = record_parser(layout)
    with opened(path) as file:
        number = 0
        for line in lines_of(file, encoding or layout.encoding):
            kind = _kind_of(line.text)
            if kind == "D":
                number += 1
                yield parse(number, line.number, line.text)
            elif kind == "T":
                return


class Line(NamedTuple):
    """A line, without its end; ``ended`` says whether it had one."""

    number: int
    text: str
    ended: bool


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a file for reading, and only a regular one.

    Raises:
        EdgeError: it is gone or cannot be read, now or inside the block.
    """
    with (
        files.mapped("cannot read", path),
        os.fdopen(files.open_file(path, os.O_RDONLY), "rb") as file,
    ):
        yield file


def ensure_size(file: BinaryIO) -> None:
    """Make sure that a file is not larger than any that is read.

    Raises:
        BadFile: it is.
    """
    most = limits().file_bytes
    if os.fstat(file.fileno()).st_size > most:
        raise BadFile(FileFault.TOO_LARGE, f"the file has over {most} bytes")


def _check(file: BinaryIO, layout: Layout, encoding: Encoding, *, settled: bool) -> FileFacts:
    hasher = hashlib.sha256()
    lines = lines_of(file, encoding, hasher.update)
    header = _read_header(next(lines, None), layout, settled=settled)
    sizes = GroupSizes(layout)
    records = 0
    for line in lines:
        kind = _kind_of(line.text)
        if not line.ended and not (settled and kind == "T"):
            break
        if kind == "D":
            records += 1
            if sizes.too_large(line.text):
                raise BadFile(FileFault.GROUP_TOO_LARGE, sizes.reason, line.number)
        elif kind == "T":
            _check_trailer(line, records)
            _check_end(lines)
            return FileFacts(hasher.hexdigest(), header, records)
        else:
            raise BadFile(
                FileFault.LINE, "a line is neither a data record nor a trailer", line.number
            )
    raise endless("there is no trailer", settled=settled)


def lines_of(
    file: BinaryIO, encoding: Encoding, see: Callable[[bytes], object] | None = None
) -> Iterator[Line]:
    """Split and decode; a last line without an end is decoded as far as it goes.

    ``see`` is given every byte.

    Raises:
        BadFile: a line is too long, or in another encoding.
    """
    number, most = 0, limits().line_bytes
    while raw := file.readline(most + 1):
        number += 1
        if see is not None:
            see(raw)
        if len(raw) > most:
            raise BadFile(FileFault.LINE_TOO_LONG, f"a line has over {most} bytes", number)
        ended = raw.endswith(b"\n")
        if number == 1:
            raw = _without_bom(raw, encoding)
        yield Line(number, _decoded(raw, encoding, number, ended=ended), ended)


def _without_bom(raw: bytes, encoding: Encoding) -> bytes:
    if raw.startswith(_BOM) and encoding != "utf-8":
        raise BadFile(FileFault.ENCODING, f"the file is UTF-8, not {encoding}", 1)
    return raw.removeprefix(_BOM)


def _decoded(raw: bytes, encoding: Encoding, number: int, *, ended: bool) -> str:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if not ended:  # the writer may be in the middle of a character
            return raw.decode(encoding, errors="replace")
        raise BadFile(FileFault.ENCODING, f"a line is not {encoding}", number) from error
    return text.removesuffix("\n").removesuffix("\r") if ended else text


def _kind_of(text: str) -> str:
    """Give a line's record kind, ``D`` for data and ``T`` for the trailer; else empty."""
    if text.startswith("D,"):
        return "D"
    first = text.partition(",")[0]
    return {"T": "T", "D": "D", '"T"': "T", '"D"': "D"}.get(first, "")


def _read_header(line: Line | None, layout: Layout, *, settled: bool) -> Header:
    if line is None:
        if settled:
            raise BadFile(FileFault.EMPTY, "the file is empty")
        raise Unfinished("the file is empty")
    if not line.ended:
        raise endless("the header has no end", settled=settled)
    parts = split(line.text)
    if parts is None or len(parts) != _HEADER_PARTS or parts[0] != "H":
        raise BadFile(FileFault.HEADER, "the first line is no header record of six items", 1)
    _, layout_id, created_at, *items = parts
    if layout_id != layout.id:
        raise BadFile(FileFault.LAYOUT, f"the header does not name the layout {layout.id}", 1)
    for name, item in zip(("department", "terminal", "staff"), items, strict=True):
        if len(item) > ITEM_WIDTH or CONTROL.search(item):
            raise BadFile(FileFault.HEADER, f"the {name} in the header is too long or unclean", 1)
    return Header(_read_time(created_at), *items)


def _read_time(text: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadFile(FileFault.HEADER, "the creation time is not ISO 8601", 1) from error
    if time.utcoffset() is None:
        raise BadFile(FileFault.HEADER, "the creation time has no offset from UTC", 1)
    return time


def _check_trailer(line: Line, records: int) -> None:
    parts = split(line.text)
    if parts is None or len(parts) != _TRAILER_PARTS or not _COUNT.fullmatch(parts[1]):
        raise BadFile(FileFault.TRAILER, "the trailer has no number of records", line.number)
    if int(parts[1]) != records:
        reason = f"the trailer counts {int(parts[1])} records, the file has {records}"
        raise BadFile(FileFault.TRAILER, reason, line.number)


def _check_end(lines: Iterator[Line]) -> None:
    after = next(lines, None)
    if after is not None:
        raise BadFile(FileFault.AFTER_TRAILER, "there is data after the trailer", after.number)


# -- writing ---------------------------------------------------------------------------


def write_file(
    path: Path,
    layout: Layout,
    header: Header,
    rows: Iterable[Mapping[str, str]],
    *,
    encoding: Encoding | None = None,
) -> None:
    """Write a whole file under a temporary name, sync it, and give it its name.

    Raises:
        Unwritable: a value that the layout or the encoding has no place for; no file is left.
        EdgeError: the folder or disk cannot be used.
    """
    encoder = RecordEncoder(layout, encoding)
    temporary = files.temporary_name(path)
    try:
        files.write_synced(temporary, framed(encoder, header, map(encoder.record, rows)))
    except Unwritable:
        files.remove(temporary)
        raise
    files.rename(temporary, path)


def framed(encoder: RecordEncoder, header: Header, records: Iterable[bytes]) -> Iterator[bytes]:
    """Give the lines of a whole file around its encoded records.

    Raises:
        Unwritable: the header has an item that a file has no place for.
    """
    yield encoder.line(_header_parts(encoder.layout, header))
    count = 0
    for record in records:
        yield record
        count += 1
    yield f"T,{count}\r\n".encode("ascii")


def _header_parts(layout: Layout, header: Header) -> dict[str, str]:
    if header.created_at.utcoffset() is None:
        raise Unwritable("created_at", "has no offset from UTC")
    items = {"department": header.department, "terminal": header.terminal, "staff": header.staff}
    for name, item in items.items():
        if len(item) > ITEM_WIDTH or CONTROL.search(item):
            raise Unwritable(name, "is too long or unclean")
    return {"kind": "H", "layout": layout.id, "at": header.created_at.isoformat()} | items
