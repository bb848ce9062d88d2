"""ZIP archives of strangers: what is refused, by which code, and with how little memory."""

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.edge.archives.archive import Archive, Limits, open_archive
from hub.edge.form import BadFile, FileFault

pytestmark = pytest.mark.unit

LIMITS = Limits(parts=4, part_bytes=300_000, total_bytes=500_000, ratio=100)
MANY = 1 << 20
TEXT = b"a text that can be compressed, " * 50
NOISE = Random(1).randbytes(200_000)  # noqa: S311 - nothing is guarded by it
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

Part = tuple[str | zipfile.ZipInfo, bytes]


def zipped(*parts: Part, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return file.getvalue()


def opened(content: bytes, limits: Limits = LIMITS) -> Archive:
    return open_archive(io.BytesIO(content), limits)


def read(content: bytes, limits: Limits = LIMITS) -> dict[str, bytes]:
    archive = opened(content, limits)
    return {name: archive.content(name, MANY) for name in archive.parts}


def refusal(content: bytes, limits: Limits = LIMITS) -> FileFault:
    with pytest.raises(BadFile) as bad:
        read(content, limits)
    assert "secret" not in bad.value.reason
    return bad.value.code


def patched(content: bytes, mark: bytes, offset: int, form: str, value: int) -> bytes:
    """Change a number in the first header of a kind; without the local one it contradicts."""
    at = content.index(mark) + offset
    return content[:at] + struct.pack(form, value) + content[at + struct.calcsize(form) :]


def in_both(content: bytes, local: int, central: int, form: str, value: int) -> bytes:
    return patched(patched(content, LOCAL, local, form, value), CENTRAL, central, form, value)


def with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_parts_are_read_as_they_were_written(method: int) -> None:
    parts = {"a.xml": TEXT, "b.pdf": b"", "添付　書類.pdf": NOISE}
    assert read(zipped(*parts.items(), method=method)) == parts


def test_parts_written_as_a_stream_are_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a", "b"):
            archive.writestr(name, TEXT)
    assert read(pipe.getvalue()) == {"a": TEXT, "b": TEXT}


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "..",
        "/etc/secret",
        "folder/secret",
        "..\\secret",
        "\\\\server\\secret",
        "C:secret",
        ".secret",
        "secret\x07",
        "secret\n",
        "sec\u202eret",
        " ",
        "s" * 101,
    ],
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    assert refusal(zipped((name, b"x"))) is FileFault.PART_NAME


def test_a_name_with_a_nul_is_refused() -> None:
    content = zipped(("secret.pdf_", b"x")).replace(b"secret.pdf_", b"secret.pdf\0")
    assert refusal(content) is FileFault.PART_NAME


@pytest.mark.parametrize("other", ["a.pdf", "A.PDF", "ａ.pdf"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(other: str) -> None:
    assert refusal(zipped(("a.pdf", b"1"), (other, b"2"))) is FileFault.PART_NAME


def test_a_name_in_an_unmarked_encoding_is_refused() -> None:
    content = zipped(("secret", b"x")).replace(b"secret", "添付書".encode("cp932"))
    assert refusal(content) is FileFault.ENCODING
    broken = zipped(("あい", b"x")).replace("あい".encode(), b"\xff" * 6)
    assert refusal(broken) is FileFault.ENCODING


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_another_thing_that_is_no_file_is_refused(kind: int) -> None:
    assert refusal(zipped((with_mode("a", kind | 0o777), b"/etc/passwd"))) is FileFault.PART_KIND


def test_a_folder_is_refused() -> None:
    assert refusal(zipped(("folder/", b""))) is FileFault.PART_KIND


@pytest.mark.parametrize("flag", [0x0001, 0x0040, 0x2000])
def test_an_encrypted_part_is_refused(flag: int) -> None:
    content = in_both(zipped(("a", TEXT)), 6, 8, "<H", flag)
    assert refusal(content) is FileFault.ENCRYPTED


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused(method: int) -> None:
    assert refusal(zipped(("a", TEXT), method=method)) is FileFault.COMPRESSION


def test_too_many_parts_are_refused() -> None:
    parts = [(f"{number}", b"") for number in range(5)]
    assert len(read(zipped(*parts[:4]))) == 4
    assert refusal(zipped(*parts)) is FileFault.PART_COUNT


def test_a_long_directory_is_refused_before_it_is_read() -> None:
    content = zipped(*((f"{number}", b"") for number in range(9000)))
    for offset in (8, 10):
        content = patched(content, END, offset, "<H", 1)
    assert refusal(content) is FileFault.PART_COUNT


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (LIMITS.part_bytes, None),
        (LIMITS.part_bytes + 1, FileFault.TOO_LARGE),
    ],
)
def test_a_part_over_its_limit_is_refused(size: int, code: FileFault | None) -> None:
    content = zipped(("a", bytes(size)), method=zipfile.ZIP_STORED)
    if code is None:
        assert len(read(content)["a"]) == size
    else:
        assert refusal(content) is code


def test_parts_over_the_limit_of_all_are_refused() -> None:
    parts = [(name, bytes(200_000)) for name in "abc"]
    assert refusal(zipped(*parts, method=zipfile.ZIP_STORED)) is FileFault.TOO_LARGE


def test_a_bomb_is_refused_by_its_ratio() -> None:
    assert read(zipped(("a", bytes(60_000)))) == {"a": bytes(60_000)}
    assert refusal(zipped(("a", bytes(250_000)))) is FileFault.COMPRESSION


def test_a_bomb_that_lies_of_its_size_is_not_inflated() -> None:
    bomb = zipped(("a", bytes(40 << 20)))
    lying = in_both(bomb, 22, 24, "<L", 1000)
    tracemalloc.start()
    try:
        assert refusal(lying) is FileFault.STRUCTURE
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_large_part_is_streamed() -> None:
    limits = Limits(1, 64 << 20, 64 << 20, 2000)
    archive = opened(zipped(("a", bytes(40 << 20))), limits)
    tracemalloc.start()
    try:
        assert sum(map(len, archive.chunks("a"))) == 40 << 20
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    with pytest.raises(BadFile) as bad:
        archive.content("a", 1 << 20)
    assert bad.value.code is FileFault.TOO_LARGE


def quine_like(content: bytes) -> bytes:
    """Let a second entry of the directory stand for the data of the first."""
    directory = content.index(CENTRAL)
    end = content.index(END)
    entries = content[directory:end]
    first = entries[: len(entries) // 2]
    twice = first + first.replace(b"a.pdf", b"b.pdf")
    return content[:directory] + twice + content[end:]


def test_parts_that_share_their_data_are_refused() -> None:
    content = zipped(("a.pdf", TEXT), ("c.pdf", TEXT))
    assert refusal(quine_like(content)) in {FileFault.OVERLAP, FileFault.STRUCTURE}


def test_a_part_inside_another_is_refused() -> None:
    inner = zipped(("b.pdf", b"x"), method=zipfile.ZIP_STORED)
    content = zipped(("a.pdf", b"...." + inner), ("b.pdf", b"x"), method=zipfile.ZIP_STORED)
    place = content.index(LOCAL, 1)
    second = content.index(CENTRAL, content.rindex(b"b.pdf") - 60)
    at = second + 42
    content = content[:at] + struct.pack("<L", place) + content[at + 4 :]
    assert refusal(content) is FileFault.OVERLAP


def test_a_part_that_reaches_into_the_directory_is_refused() -> None:
    content = zipped(("a", TEXT), method=zipfile.ZIP_STORED)
    longer = len(TEXT) + 10
    content = in_both(in_both(content, 18, 20, "<L", longer), 22, 24, "<L", longer)
    assert refusal(content) is FileFault.OVERLAP


@pytest.mark.parametrize(
    ("local", "form", "value"),
    [(6, "<H", 0x0800), (8, "<H", 0), (14, "<L", 1), (18, "<L", 7), (22, "<L", 7)],
)
def test_a_header_that_contradicts_the_directory_is_refused(
    local: int, form: str, value: int
) -> None:
    content = patched(zipped(("a", TEXT)), LOCAL, local, form, value)
    assert refusal(content) is FileFault.STRUCTURE


def test_another_name_in_the_header_is_refused() -> None:
    content = zipped(("aaa.pdf", TEXT))
    assert refusal(content.replace(b"aaa.pdf", b"bbb.pdf", 1)) is FileFault.STRUCTURE


@pytest.mark.parametrize("size", [len(TEXT) - 1, len(TEXT) + 1])
def test_a_size_that_is_not_the_contents_is_refused(size: int) -> None:
    assert refusal(in_both(zipped(("a", TEXT)), 22, 24, "<L", size)) is FileFault.STRUCTURE


def test_data_behind_the_end_of_a_stream_is_refused() -> None:
    content = zipped(("a", TEXT))
    directory = content.index(CENTRAL)
    packed = struct.unpack_from("<L", content, 18)[0]
    content = content[:directory] + b"hide" + content[directory:]
    content = in_both(content, 18, 20, "<L", packed + 4)
    content = patched(content, END, 16, "<L", directory + 4)
    assert refusal(content) is FileFault.STRUCTURE


def test_a_wrong_check_sum_is_refused() -> None:
    assert refusal(in_both(zipped(("a", TEXT)), 14, 16, "<L", 1)) is FileFault.STRUCTURE


def test_bytes_before_between_and_behind_are_refused() -> None:
    content = zipped(("a", TEXT))
    directory = content.index(CENTRAL)
    between = content[:directory] + b"hidden" + content[directory:]
    between = patched(between, END, 16, "<L", directory + 6)
    assert refusal(b"#!/bin/sh\n" + content) is FileFault.STRUCTURE
    moved = patched(patched(content, END, 16, "<L", directory + 12), CENTRAL, 42, "<L", 12)
    assert refusal(b"#!/bin/bash\n" + moved) is FileFault.STRUCTURE
    assert refusal(between) is FileFault.STRUCTURE
    assert refusal(content + b"hidden") is FileFault.TRUNCATED


def test_a_comment_and_volumes_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"secret"
    assert refusal(file.getvalue()) in {FileFault.STRUCTURE, FileFault.TRUNCATED}
    assert refusal(patched(zipped(("a", b"")), END, 4, "<H", 1)) is FileFault.STRUCTURE


def test_zip64_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a", "w", force_zip64=True) as part:
        part.write(TEXT)
    assert refusal(file.getvalue()) is FileFault.STRUCTURE
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        info = zipfile.ZipInfo("a")
        info.extra = struct.pack("<HHQQ", 1, 16, len(TEXT), len(TEXT))
        archive.writestr(info, TEXT)
    assert refusal(file.getvalue()) is FileFault.STRUCTURE
    content = zipped(("a", TEXT))
    end = content.index(END)
    locator = b"PK\x06\x07" + bytes(16)
    assert refusal(content[:end] + locator + content[end:]) is FileFault.STRUCTURE


@pytest.mark.parametrize("content", [b"", b"P", b"%PDF-1.4 of no archive", bytes(100)])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    assert refusal(content) is (FileFault.STRUCTURE if content else FileFault.EMPTY)


SOUND = zipped(("a.xml", TEXT), ("b.pdf", b"%PDF-1.4"))


def test_a_truncated_archive_is_told_as_such_wherever_it_ends() -> None:
    codes = {refusal(SOUND[:length]) for length in range(4, len(SOUND))}
    assert codes == {FileFault.TRUNCATED}


def _only_bad_files(work: Callable[[], object]) -> None:
    with suppress(BadFile):
        work()


@given(st.data())
@example(None)
def test_any_change_is_a_bad_file_or_harmless(data: st.DataObject | None) -> None:
    content = bytearray(SOUND)
    if data is not None:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _only_bad_files(lambda: read(bytes(content)))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bad_file(content: bytes) -> None:
    _only_bad_files(lambda: read(content))
