"""A list of gaps that may be long: kept in memory while it is short, and on disk beyond that."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Self

from hub.reconcile.model import Gap, Lack

IN_MEMORY = 1 << 20
"""Bytes that a list may take before it goes to a temporary file without a name."""


class Spool:
    """A list of gaps that is written once, from its beginning, and read as often as need be."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed below
        self._count = 0

    def add(self, gap: Gap) -> None:
        """Add a gap at the end."""
        line = json.dumps((*gap[:4], gap.lack.name), ensure_ascii=False)
        self._file.write(f"{line}\n".encode())
        self._count += 1

    def extend(self, gaps: Iterable[Gap]) -> None:
        """Add gaps at the end, in order."""
        for gap in gaps:
            self.add(gap)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Gap]:
        self._file.seek(0)
        for line in self._file:
            sender, message_id, flow, receiver, lack = json.loads(line)
            yield Gap(sender, message_id, flow, receiver, Lack[lack])
        self._file.seek(0, 2)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
