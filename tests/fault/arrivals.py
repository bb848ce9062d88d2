"""What stands in the receivers' files, and since when; read as a receiving system would read it."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import adapters
from adapters.simulation.kit import WrongDelivery
from adapters.simulation.receiving import files_of, read_file
from hub.edge.form import BadFile
from hub.message import MessageKey

RECEIVERS = ("premium-collection", "union")
LOOK_SECONDS = 0.1


class Copy(NamedTuple):
    """One record of a receiver's file; its place in the files of its wire is its order."""

    key: MessageKey
    flow: str
    receiver: str
    resident: str


@dataclass
class Arrivals:
    """Looks at the receivers' drives again and again on a thread of its own.

    ``copies`` are all records in the order of the files of each wire; ``first`` is when a message
    was first seen at a receiver (monotonic, a tenth of a second late at most).
    """

    drives: Path
    copies: list[Copy] = field(default_factory=list)
    first: dict[tuple[MessageKey, str], float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)
    _end: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._looking)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _looking(self) -> None:
        while not self._end.wait(LOOK_SECONDS):
            try:
                self.look()
            except (WrongDelivery, BadFile) as fault:
                self.faults.append(str(fault))

    def look(self) -> None:
        """Read the files that have come since the last look."""
        with self._lock:
            for receiver in RECEIVERS:
                self.copies += self._new(receiver)

    def _new(self, receiver: str) -> Iterator[Copy]:
        for wire in adapters.find(receiver).outbound:
            for path in files_of(wire, self.drives / receiver):
                if path in self._seen:
                    continue
                self._seen.add(path)
                now = time.monotonic()
                for record in read_file(path, wire):
                    key = MessageKey(record.sender, record.message_id)
                    self.first.setdefault((key, receiver), now)
                    yield Copy(key, record.flow, receiver, record.addressee_number)
