"""What a demo tells whoever started it while it runs."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path


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


def held_said(held: Collection[str], running: Collection[str], file: Path) -> str:
    """Say which processes people hold by that file, and which names in it are no process here.

    >>> held_said(["adapter-tax", "tax"], ["hub", "adapter-tax"], Path("hold"))
    'adapter-tax is held by hold; no process here is called tax'
    >>> held_said([], ["hub"], Path("hold"))
    ''
    """
    known = sorted(set(held) & set(running))
    others = sorted(set(held) - set(running))
    verb = "is" if len(known) == 1 else "are"
    parts = [f"{', '.join(known)} {verb} held by {file}"] if known else []
    if others:
        parts.append(f"no process here is called {' or '.join(others)}")
    return "; ".join(parts)
