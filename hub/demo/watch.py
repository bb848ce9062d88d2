"""What a demo tells whoever started it while it runs."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the demo is: records in all files, those read, entries of the ledger."""

    records: int
    read: int
    entries: int


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told: ``say`` gets lines, ``progress`` numbers while it runs."""

    say: Callable[[str], None]
    progress: Callable[[Progress], None]
