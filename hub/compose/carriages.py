"""What the installed adapters can carry, told to the check of the catalogue."""

from collections.abc import Iterator

import adapters
from hub.statute.check import Carriage


def carriages() -> list[Carriage]:
    """List each message type that an adapter reads from or writes for its system.

    A layout of which no message is made, such as that of a list for matching, has none.
    """
    return [one for system in adapters.systems() for one in _of(system)]


def _of(system: str) -> Iterator[Carriage]:
    adapter = adapters.find(system)
    for read in adapter.inbound:
        yield Carriage(system, "in", read.message_type, read.layout)
    for written in adapter.outbound:
        yield Carriage(system, "out", written.message_type, written.layout)
    for layout in (*adapter.layouts, *filter(None, [adapter.matching])):
        yield Carriage(system, "in", "", layout)
