"""How the files of a system go wrong on request: whatever it writes is spoiled on its way.

A simulator writes into a folder of its own; what it wrote is carried to the drive from there,
well or badly. A served system misbehaves by ``manners_of``.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from adapters.simulation.kit import FROM_HUB, MATCHING, READ_FOLDERS, TO_HUB
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.serving import Manners
from hub.edge import files

SLOW_SECONDS = 3.0
_PIECES = 10
_OFTEN = 3
_TRAILERS = re.compile(rb"(?:T,[0-9]+|[0-9]{6,})(?=[^0-9]*9?[^0-9]*\Z)")
"""The number that ends a trailer: of lines, or of fixed lengths, before the end record of banks."""
_LENGTHS = ((96, 500), (0, 120))
"""Bytes before the records, and of each: of the 国保連合会, and of banks."""
_WRONG = {"utf-8": "cp932", "cp932": "utf-8"}


def manners_of(misbehaves: AbstractSet[Misbehaviour]) -> Manners:
    """Say how a served system behaves: some things for good, others for its next few replies."""
    return Manners(
        down=Misbehaviour.DOWN in misbehaves,
        slow_seconds=SLOW_SECONDS if Misbehaviour.SLOW in misbehaves else 0.0,
        truncated=_OFTEN if Misbehaviour.TRUNCATED in misbehaves else 0,
        wrongly_encoded=_OFTEN if Misbehaviour.WRONG_ENCODING in misbehaves else 0,
    )


def workshop(drive: Path, folder: Path) -> Path:
    """Make a folder in which a simulator sees its drive, but for what it writes itself.

    Raises:
        OSError: it cannot be made.
    """
    (folder / TO_HUB).mkdir(parents=True, exist_ok=True)
    for name in (FROM_HUB, MATCHING, *READ_FOLDERS):
        link = folder / name
        if not link.is_symlink():
            (drive / name).mkdir(parents=True, exist_ok=True)
            link.symlink_to((drive / name).resolve(), target_is_directory=True)
    return folder


def carry(
    written: Iterable[Path],
    drive: Path,
    misbehaves: AbstractSet[Misbehaviour] = frozenset(),
    sleep: Callable[[float], object] = time.sleep,
) -> list[Path]:
    """Bring files to ``to-hub`` of a drive, spoiled as was asked for; give what is there then.

    With ``down`` nothing is brought: it stays where it is until the system is up again.

    Raises:
        EdgeError: a folder cannot be used.
        OSError: a file cannot be read.
    """
    if Misbehaviour.DOWN in misbehaves:
        return []
    order = sorted(written, reverse=Misbehaviour.OUT_OF_ORDER in misbehaves)
    return [path for one in order for path in _carried(one, drive / TO_HUB, misbehaves, sleep)]


def _carried(
    source: Path,
    folder: Path,
    misbehaves: AbstractSet[Misbehaviour],
    sleep: Callable[[float], object],
) -> Sequence[Path]:
    content = source.read_bytes()
    if Misbehaviour.WRONG_ENCODING in misbehaves:
        content = _wrongly_encoded(content)
    if Misbehaviour.WRONG_TOTALS in misbehaves:
        content = _wrongly_counted(content)
    if Misbehaviour.WRONG_CODE in misbehaves:
        content = _wrongly_coded(content)
    if Misbehaviour.TRUNCATED in misbehaves:
        content = content[: len(content) // 2]
    names = [source.name]
    if Misbehaviour.DUPLICATE in misbehaves:
        names.append(f"{source.stem}_again{source.suffix}")
    for name in names:
        if Misbehaviour.SLOW in misbehaves:
            _write_slowly(folder / name, content, sleep)
        else:
            files.write_whole(folder / name, content)
    files.remove(source)
    return [folder / name for name in names]


def _wrongly_encoded(content: bytes) -> bytes:
    """Write text in the other encoding; where that is the same, begin with a byte that is wrong."""
    for encoding, other in _WRONG.items():
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        written = text.encode(other, errors="replace")
        return written if written != content else b"\xff" + content
    return b"\xff" + content


def _wrongly_counted(content: bytes) -> bytes:
    """Let the last number of a file be another: that of a trailer, where a file has one."""
    found = _TRAILERS.search(content)
    if found is None:
        return content
    last = found.end() - 1
    return content[:last] + str((int(content[last:][:1]) + 1) % 10).encode() + content[last + 1 :]


def _wrongly_coded(content: bytes) -> bytes:
    """Let a record in the middle be of an unknown kind: of lines, or of fixed lengths."""
    fits = ((front, size) for front, size in _LENGTHS if (len(content) - front) % size == 0)
    front, size = next(fits, (0, 0))
    if content.startswith(b"H,") or not size:
        at = content.find(b"\n", len(content) // 2) + 1
    else:
        at = front + (len(content) - front) // size // 2 * size
    return content[:at] + b"X" + content[at + 1 :]


def _write_slowly(path: Path, content: bytes, sleep: Callable[[float], object]) -> None:
    """Let a file grow under its own name, as a system does that knows no better."""
    size = max(1, len(content) // _PIECES)
    with path.open("wb") as file:
        for start in range(0, len(content), size):
            file.write(content[start : start + size])
            file.flush()
            sleep(SLOW_SECONDS / _PIECES)
