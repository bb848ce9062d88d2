"""A disk that gets full: a small file system where one may be mounted, else a limit on files."""

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MOUNT = "RENKEI_FAULT_MOUNT"
SIZE_MB = 48
LIMIT_BYTES = 4096


@dataclass
class SmallDisk:
    """A folder that can be full; a context manager.

    Where this account may mount, it is a file system of its own (``mounted``), and a file of
    zeros fills it: writers get ENOSPC. Elsewhere the writers' own limit of a file's size is
    lowered (RLIMIT_FSIZE): they get EFBIG. ``RENKEI_FAULT_MOUNT=0`` takes the second way.
    """

    folder: Path
    mounted: bool = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0 and os.environ.get(MOUNT) != "0":
            command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "drill"]
            done = subprocess.run([*command, str(self.folder)], capture_output=True, check=False)
            self.mounted = done.returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=True)

    @contextlib.contextmanager
    def full(self, writers: Iterable[int]) -> Iterator[None]:
        """Let there be no room for these processes while the block takes."""
        with self._filled() if self.mounted else _limited(writers):
            yield

    @contextlib.contextmanager
    def _filled(self) -> Iterator[None]:
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                for size in (1 << 20, 4096):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
            assert os.statvfs(self.folder).f_bavail == 0, errno.errorcode[errno.ENOSPC]
            yield
        finally:
            ballast.unlink()


@contextlib.contextmanager
def _limited(writers: Iterable[int]) -> Iterator[None]:
    before = {}
    for pid in writers:
        before[pid] = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (LIMIT_BYTES, before[pid][1]))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
