"""The folder of an export: a new one appears whole or not at all, an old one is added to.

An earlier export stays as good as it was until the very last step: tiles never change, a longer
one has another name, and the checkpoint is exchanged by one rename when all else is on the disk.
If that is cut short, the files that the checkpoint knows nothing of are found by the audit, and
the next export puts them right.
"""

import fcntl
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.errors import LedgerError
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.folder import CHECKPOINT, shown
from schemas.evidence.note import MAX_NOTE_BYTES, NoteError, SignedNote
from schemas.evidence.tiles import Tile, TileError, parse_path, tile_width

_NEW_CHECKPOINT = f".{CHECKPOINT}.part"
_FILE, _FOLDER = 0o600, 0o700
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_WRITERS = 8
"""How many files are synced at once: a disk syncs several in about the time of one."""
_WAITING = 64

Keep = Callable[[Tile], bool]


class ExportFolder:
    """Where an export is written to; a context manager.

    ``earlier`` is the checkpoint of the export that is there already, if one is. Without
    ``finish``, a new folder is removed again, and an old one is left as it was.

    Raises:
        LedgerError: the folder has something else in it, or another export is at work on it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.earlier: SignedNote | None = None
        self._earlier_size = 0
        self._place = self.folder
        self._made: set[str] = set()
        self._pending: deque[Future[None]] = deque()
        self._stack = ExitStack()
        self._finished = False

    def __enter__(self) -> Self:
        with self._stack:
            with _errors(self.folder):
                self._begin()
            pool = ThreadPoolExecutor(_WRITERS, "export")
            self._writers = self._stack.enter_context(pool)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack, _errors(self.folder):
            if self._finished:
                return
            self._writers.shutdown(cancel_futures=True)
            if self.earlier is None:
                shutil.rmtree(self._place)
            else:
                self._tidy(lambda tile: _belongs(tile, self._earlier_size))

    def write(self, tile: Tile, data: bytes) -> None:
        """Write a tile or bundle; one that the earlier export has is left as it is.

        It may be on the disk only when ``finish`` has returned.

        Raises:
            LedgerError: this one, or one before it, cannot be written.
        """
        if _belongs(tile, self._earlier_size):
            return
        path = tile.path
        with _errors(self.folder):
            above = path.rpartition("/")[0]
            if above not in self._made:
                (self._place / above).mkdir(_FOLDER, parents=True, exist_ok=True)
                self._made.add(above)
            self._pending.append(self._writers.submit(_write, self._place / path, data))
            while len(self._pending) > _WAITING:
                self._pending.popleft().result()

    def finish(self, note: bytes, size: int, without: Keep) -> None:
        """Make the export whole: from now on it is that of this checkpoint.

        Tiles and bundles that no export of this size has, and those ``without`` names, go.

        Raises:
            LedgerError: it cannot be done; a crash leaves what the class says.
        """
        with _errors(self.folder):
            while self._pending:
                self._pending.popleft().result()
            for folder, _, _ in os.walk(self._place):
                _sync(Path(folder))
            _write(self._place / _NEW_CHECKPOINT, note)
            _sync(self._place)
            (self._place / _NEW_CHECKPOINT).replace(self._place / CHECKPOINT)
            self._finished = self.earlier is not None
            _sync(self._place)
            if self.earlier is None:
                self._place.rename(self.folder)
                self._finished = True
                _sync(self.folder.parent)
            else:
                self._tidy(lambda tile: _belongs(tile, size) and not without(tile))

    def _begin(self) -> None:
        if self.folder.exists() and any(self.folder.iterdir()):
            self._lock(self.folder)
            self._read_earlier()
            return
        self._place = self.folder.with_name(f".{self.folder.name}.part")
        self._place.parent.mkdir(_FOLDER, parents=True, exist_ok=True)
        self._place.mkdir(_FOLDER, exist_ok=True)
        self._lock(self._place)
        self._tidy(lambda _: False)  # what a crash left

    def _lock(self, folder: Path) -> None:
        handle = os.open(folder, _LIST)
        self._stack.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.path.samestat(os.fstat(handle), folder.stat())
        except (BlockingIOError, FileNotFoundError):
            same = False
        if not same:
            raise LedgerError(f"another export to {self.folder} is at work: wait for it")

    def _read_earlier(self) -> None:
        for _, path in _files(self.folder):
            _known(self.folder, path)
        try:
            with (self.folder / CHECKPOINT).open("rb") as file:
                self.earlier = SignedNote.parse(file.read(MAX_NOTE_BYTES + 1))
            self._earlier_size = Checkpoint.parse(self.earlier.text).size
        except (FileNotFoundError, NoteError):
            raise LedgerError(
                f"{self.folder} is not empty, and it is no export: its checkpoint is missing or "
                "cannot be read. Name a new folder"
            ) from None

    def _tidy(self, keep: Keep) -> None:
        """Remove every file that is not kept, and the folders that are empty then."""
        for whole, path in _files(self._place):
            tile = _known(self._place, path)
            kept = path == CHECKPOINT and self.earlier is not None
            if not (keep(tile) if tile is not None else kept):
                whole.unlink()
        for folder, _, _ in os.walk(self._place, topdown=False):
            if Path(folder) != self._place and next(Path(folder).iterdir(), None) is None:
                Path(folder).rmdir()


@contextmanager
def _errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"the export {folder} cannot be written: {error.strerror or error}"
        raise LedgerError(message) from None


def _belongs(tile: Tile, size: int) -> bool:
    return tile.width == tile_width(size, tile.level, tile.index)


def _known(folder: Path, path: str) -> Tile | None:
    """Give the tile that a file is; none for a checkpoint."""
    if path in {CHECKPOINT, _NEW_CHECKPOINT}:
        return None
    try:
        return parse_path(path)
    except TileError:
        message = f"{folder} has {shown(path)}, which no export has: name a new folder"
        raise LedgerError(message) from None


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Give all that is not a folder, with its path below this one; links are not followed."""
    for place, folders, names in os.walk(folder, onerror=_fail):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*names, *links):
            whole = Path(place, name)
            yield whole, whole.relative_to(folder).as_posix()


def _fail(error: OSError) -> None:
    raise error


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, _WRITE, _FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, _LIST)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
