"""The directory of a stranger's ZIP archive: judged before a byte of any part is inflated.

What it says is held to limits, and to what the parts' own headers say. The parts stand side by
side from the first byte to the directory: none overlaps another, none hides in a gap.
"""

import io
import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from hub.edge.form import BadFile, FileFault
from hub.limits import limits

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_ZIP64_MARK = b"PK\x06\x07"
_ZIP64_LOCATOR = 20
_EXTRA = struct.Struct("<HH")
_ZIP64 = 1
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK = b"PK\x03\x04"
_DIRECTORY_RECORD = 1024
"""The most bytes that one part may take in the directory: its name, and a few extra fields."""
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DESCRIBED = 0x0008
_UTF_8 = 0x0800
_DESCRIPTORS = {12, 16}
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_UNCLEAN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_PATH = re.compile(r"[/\\:]")


class Limits(NamedTuple):
    """How much an archive may have: parts, bytes of one and of all, and bytes from one byte.

    ``paths`` says that its parts stand in folders; nothing is ever written there.
    """

    parts: int
    part_bytes: int
    total_bytes: int
    ratio: int
    paths: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A file in the archive: where its data stands, and what is said of it.

    ``stored`` says that its data stands there uncompressed.
    """

    name: str
    size: int
    crc: int
    start: int
    packed: int
    stored: bool


def judged_parts(file: BinaryIO, limits: Limits) -> list[Part]:
    """Give the parts of an archive in the order of their places; their content is not read.

    Raises:
        BadFile: it is no ZIP archive, or one that is not wanted; the code says why.
    """
    directory = _directory_place(file, limits)
    try:
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
    except UnicodeDecodeError:
        raise BadFile(FileFault.ENCODING, "the name of a part is not UTF-8") from None
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError):
        raise BadFile(FileFault.STRUCTURE, "the directory of the archive is damaged") from None
    for info in found:
        _check_kind(info)
        _check_name(info, paths=limits.paths)
        _check_size(info, limits)
    _check_names(found)
    if sum(info.file_size for info in found) > limits.total_bytes:
        reason = f"the parts have over {limits.total_bytes} bytes in all"
        raise BadFile(FileFault.TOO_LARGE, reason)
    return list(_placed(file, found, directory))


def _directory_place(file: BinaryIO, limits: Limits) -> int:
    """Find where the directory begins; what follows it is its end record, and nothing else."""
    size = file.seek(0, io.SEEK_END)
    if size == 0:
        raise BadFile(FileFault.EMPTY, "the archive is empty")
    file.seek(max(0, size - _END.size - _ZIP64_LOCATOR))
    tail = file.read(_END.size + _ZIP64_LOCATOR)
    end = tail[-_END.size :]
    if len(end) < _END.size or not end.startswith(_END_MARK):
        file.seek(0)
        if file.read(len(_LOCAL_MARK)) == _LOCAL_MARK:
            raise BadFile(FileFault.TRUNCATED, "the archive has no end, or something follows it")
        raise BadFile(FileFault.STRUCTURE, "this is no ZIP archive")
    _, disk, first_disk, here, count, length, start, comment = _END.unpack(end)
    if disk or first_disk or comment or here != count or tail.startswith(_ZIP64_MARK):
        raise BadFile(FileFault.STRUCTURE, "the archive has volumes, a comment or ZIP64 records")
    if count > limits.parts or length > limits.parts * _DIRECTORY_RECORD:
        raise BadFile(FileFault.PART_COUNT, f"the archive has over {limits.parts} parts")
    if int(start) + int(length) != size - _END.size:
        raise BadFile(FileFault.STRUCTURE, "the directory is not where the archive says")
    return int(start)


def _check_kind(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise BadFile(FileFault.ENCRYPTED, "a part is encrypted")
    if info.compress_type not in _METHODS:
        raise BadFile(FileFault.COMPRESSION, "a part is neither stored nor deflated")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise BadFile(FileFault.PART_KIND, "a part is a link, a folder or no file")


def _check_name(info: zipfile.ZipInfo, *, paths: bool) -> None:
    name = info.orig_filename
    if paths:
        steps = name.split("/")
        if any(step in {"", ".", ".."} or _PATH.search(step) for step in steps):
            raise BadFile(FileFault.PART_NAME, "the name of a part leads out of the archive")
    elif _PATH.search(name) or name.startswith("."):
        raise BadFile(FileFault.PART_NAME, "the name of a part is a path, or hidden")
    if not name.isascii() and not info.flag_bits & _UTF_8:
        raise BadFile(FileFault.ENCODING, "the name of a part is neither ASCII nor marked UTF-8")
    if any(unicodedata.category(one) in _UNCLEAN for one in name):
        raise BadFile(FileFault.PART_NAME, "the name of a part has a control character")
    most = limits().zip_name_length
    if not name.strip() or len(name) > most:
        reason = f"the name of a part is empty or longer than {most} characters"
        raise BadFile(FileFault.PART_NAME, reason)


def _check_names(found: Sequence[zipfile.ZipInfo]) -> None:
    # Names that a system may take for the same count as the same.
    names = {unicodedata.normalize("NFKC", info.orig_filename).casefold() for info in found}
    if len(names) != len(found):
        raise BadFile(FileFault.PART_NAME, "two parts have the same name")


def _check_size(info: zipfile.ZipInfo, limits: Limits) -> None:
    if info.file_size > limits.part_bytes:
        raise BadFile(FileFault.TOO_LARGE, f"a part has over {limits.part_bytes} bytes")
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        raise BadFile(FileFault.STRUCTURE, "a stored part has two sizes")
    if info.file_size > info.compress_size * limits.ratio and not _is_small(info):
        reason = f"a part is compressed over {limits.ratio} times"
        raise BadFile(FileFault.COMPRESSION, reason)


def _is_small(info: zipfile.ZipInfo) -> bool:
    """Say whether a part is so small that it may be compressed to whatever it can be."""
    return info.file_size <= limits().zip_small_bytes


def _placed(file: BinaryIO, found: Sequence[zipfile.ZipInfo], directory: int) -> Iterator[Part]:
    """Hold each part's own header to the directory, and the parts to one another."""
    at, gaps = 0, {0}
    for info in sorted(found, key=lambda one: one.header_offset):
        if info.header_offset < at:
            raise BadFile(FileFault.OVERLAP, "two parts overlap")
        if info.header_offset - at not in gaps:
            raise BadFile(FileFault.STRUCTURE, "there is something between two parts")
        start = _data_start(file, info)
        at = start + info.compress_size
        gaps = _DESCRIPTORS if info.flag_bits & _DESCRIBED else {0}
        if at > directory:
            raise BadFile(FileFault.OVERLAP, "a part overlaps the directory")
        stored = info.compress_type == zipfile.ZIP_STORED
        yield Part(
            info.filename, info.file_size, info.CRC, start, info.compress_size, stored=stored
        )
    if directory - at not in gaps:
        raise BadFile(FileFault.STRUCTURE, "there is something before the directory")


def _data_start(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MARK):
        raise BadFile(FileFault.STRUCTURE, "a part has no header where the archive says")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra = _LOCAL.unpack(header)
    raw = file.read(name_length)
    stated = (crc, packed, size)
    told = (info.CRC, info.compress_size, info.file_size)
    same = stated == told or (flags & _DESCRIBED and not any(stated))
    encoding = "utf-8" if flags & _UTF_8 else "cp437"
    if (
        not same
        or flags != info.flag_bits
        or method != info.compress_type
        or raw != info.orig_filename.encode(encoding, "replace")
    ):
        raise BadFile(FileFault.STRUCTURE, "a part and the directory tell different things")
    if any(_is_zip64(fields) for fields in (info.extra, file.read(extra))):
        raise BadFile(FileFault.STRUCTURE, "a part has sizes of ZIP64")
    return int(info.header_offset + _LOCAL.size + name_length + extra)


def _is_zip64(fields: bytes) -> bool:
    """Say whether extra fields (APPNOTE 4.5) have other sizes than the header."""
    while len(fields) >= _EXTRA.size:
        kind, length = _EXTRA.unpack_from(fields)
        if kind == _ZIP64:
            return True
        fields = fields[_EXTRA.size + length :]
    return False
