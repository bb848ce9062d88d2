"""What an adapter tells of its work; numbers and names, never what a record says."""

from typing import Protocol


class EdgeObserver(Protocol):
    """Told after each thing that happened; a repetition after a crash is told again.

    Implementations must not raise. ``monitoring`` counts, the tests remember.
    """

    def connected(self) -> None:
        """Tell that the link to the broker is up."""
        ...

    def disconnected(self) -> None:
        """Tell that the link to the broker is gone, or closed."""
        ...

    def file_read(self, message_type: str, records: int, rejected: int) -> None:
        """Tell that a file was read to its end, and how many of its records were rejected."""
        ...

    def file_repeated(self) -> None:
        """Tell that a file came which had already been read."""
        ...

    def file_set_aside(self, code: str) -> None:
        """Tell that a file was set aside whole."""
        ...

    def published(self, message_type: str, count: int) -> None:
        """Tell that messages were confirmed by the broker."""
        ...

    def held_back(self, count: int) -> None:
        """Tell that the broker did not take messages, which are published again later."""
        ...

    def file_written(self, message_type: str, records: int) -> None:
        """Tell that a file stands in the receiver's folder."""
        ...

    def message_set_aside(self, code: str) -> None:
        """Tell that a message has no place on the receiver's wire."""
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

    def catalogue_in_force(self, digest: str) -> None:
        """Tell by which catalogue is judged from now on."""
        ...

    def catalogue_refused(self) -> None:
        """Tell that a changed catalogue has faults; the one before stays in force."""
        ...
