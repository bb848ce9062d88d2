"""What an adapter tells of its work; numbers and names, never what a record says."""

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

from hub.edge.ignored import Ignored
from hub.edge.journal import TakenKey


class EdgeObserver(Protocol):
    """Told after each thing that happened; a repetition after a crash is told again.

    Implementations must not raise. ``monitoring`` counts and logs, the tests remember. The name
    of a file in ``to-hub`` is as its system chose it: it may hold any character.
    """

    def connected(self) -> None:
        """Tell that the link to the broker is up."""
        ...

    def disconnected(self) -> None:
        """Tell that the link to the broker is gone, or closed."""
        ...

    def file_read(self, name: str, message_type: str, records: int, rejected: int) -> None:
        """Tell that a file was read to its end, and how many of its records were rejected."""
        ...

    def file_repeated(self, name: str) -> None:
        """Tell that a file came which had already been read."""
        ...

    def file_set_aside(self, name: str, code: str, line: int) -> None:
        """Tell that a file was set aside whole; 0 where no line is at fault."""
        ...

    def file_ignored(self, name: str, reason: Ignored) -> None:
        """Tell, once, of a name in ``to-hub`` that nobody will read."""
        ...

    def surveyed(
        self, waiting: int, oldest: dt.datetime | None, ignored: Mapping[Ignored, int]
    ) -> None:
        """Tell what is in ``to-hub``: files not yet read, and names that nobody will read, by why.

        ``oldest`` is the time, with its zone, since which the oldest waiting file is there.
        """
        ...

    def published(self, message_type: str, count: int) -> None:
        """Tell that messages were confirmed by the broker."""
        ...

    def held_back(self, count: int) -> None:
        """Tell that the broker did not take messages, which are published again later."""
        ...

    def file_written(self, name: str, message_type: str, records: int) -> None:
        """Tell that a file stands in the receiver's folder."""
        ...

    def file_took(self, direction: str, seconds: float) -> None:
        """Tell how long a file took: ``in`` from the system, or ``out`` to it."""
        ...

    def arrived(self, flow: str, critical: Mapping[int, int], delivery: Mapping[int, int]) -> None:
        """Tell how many messages of a flow that are in files now took so many whole seconds.

        ``critical`` counts from when the file was made that they came from, ``delivery`` from
        when the hub accepted them. By two clocks: it may be negative.
        """
        ...

    def message_set_aside(self, name: str, code: str, key: TakenKey | None) -> None:
        """Tell that a message has no place on the receiver's wire; ``name`` is its file's.

        ``key`` says which message of which flow, where the hub itself published it.
        """
        ...

    def messages_marked(self, count: int) -> None:
        """Tell that messages stand in files with marks for characters that the encoding lacks."""
        ...

    def message_repeated(self, count: int) -> None:
        """Tell that messages came again which are in a file already."""
        ...

    def receipts_sent(self, count: int) -> None:
        """Tell that receipts were confirmed by the broker."""
        ...

    def notices_written(self, count: int) -> None:
        """Tell that notices of the hub were written down."""
        ...

    def trouble(self, where: str, error: Exception) -> None:
        """Tell what could not be done and is tried again: a folder, the journal, the link."""
        ...

    def recovered(self, where: str, seconds: float) -> None:
        """Tell that what was in trouble works again, and how long it was."""
        ...

    def catalogue_in_force(self, digest: str) -> None:
        """Tell by which catalogue is judged from now on."""
        ...

    def catalogue_refused(self) -> None:
        """Tell that a changed catalogue has faults; the one before stays in force."""
        ...
