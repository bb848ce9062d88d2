"""What a simulator is: the other side of the wire, as the demo and the tests play it.

``adapters.simulation.played.Played`` is the base of all: a simulator states what differs. It has
no state of its own but files, so that it goes on where it was.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from adapters.simulation.city import CityDay
from adapters.simulation.misbehaviour import Misbehaviour
from hub.clock import JST
from hub.edge import files
from hub.edge.form import Header
from hub.edge.forms import form_of
from hub.edge.kit import Unwritable
from hub.errors import EdgeError

TO_HUB, FROM_HUB = "to-hub", "from-hub"
BROKER = "broker"
MATCHING = "matching"
"""Where the office puts its own list for matching."""
READ_FOLDERS = ("processed", "set-aside")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of the day. ``fresh`` is false when it had been written before."""

    path: Path
    layout: str
    message_type: str
    records: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A record that a receiving system found in a file; ``values`` by the layout's fields.

    What a wire has no place for is empty; where it cannot carry the message's sender and id the
    record is ``key``: a part of its values that names it among the sender's records.
    """

    sender: str
    message_id: str
    flow: str
    message_type: str
    addressee_number: str
    values: Mapping[str, str]
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Misdeed:
    """An attempt that no statute permits.

    ``event`` is a whole CloudEvents event, valid but for its misdeed. ``expected_code`` is the
    hub's code of refusal, or ``BROKER`` where RabbitMQ itself must refuse. ``copies`` are the
    queues named in a ``CC`` header; ``signed_as`` is another user's name in ``user_id``.
    """

    name: str
    title: str
    as_system: str
    exchange: str
    routing_key: str
    event: dict[str, Any]
    expected_code: str
    copies: tuple[str, ...] = ()
    signed_as: str = ""


class WrongDelivery(EdgeError):
    """A receiving system found something in its files that must not be; names no person."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where the interface of a system that is reached by HTTP is served.

    ``folder`` holds what it hands out (``to-hub``) and what it was given (``from-hub``); ``port``
    is one of 127.0.0.1, ``secret`` what the hub's side logs in with.
    """

    folder: Path
    port: int
    secret: str = field(repr=False)
    misbehaves: frozenset[Misbehaviour] = frozenset()


class Simulator(Protocol):
    """One system.

    ``folder`` is always its shared drive, with ``to-hub`` and ``from-hub``; of a system that is
    served it is the service's own folder.
    """

    @property
    def system(self) -> str:
        """The system's id."""
        ...

    @property
    def served(self) -> bool:
        """Whether the system is reached by HTTP, so that ``serve`` has to run beside."""
        ...

    def write(self, day: CityDay, folder: Path) -> list[WrittenFile]:
        """Write the day's files as the real system would; those that exist are left alone."""
        ...

    def react(self, folder: Path) -> list[WrittenFile]:
        """Answer what arrived since; called again and again, and answers nothing twice.

        Raises:
            WrongDelivery: what arrived is not what the real system would take.
        """
        ...

    def receive(self, folder: Path) -> Iterator[ReceivedRecord]:
        """Stream what arrived, checking it; raises ``WrongDelivery`` or ``BadFile``."""
        ...

    def read_back(self, folder: Path) -> list[ReceivedRecord]:
        """Give all that ``receive`` gives."""
        ...

    def misdeeds(self) -> tuple[Misdeed, ...]:
        """Give the forbidden attempts that this system makes."""
        ...

    def serve(self, service: Service) -> AbstractContextManager[object]:
        """Serve the interface as long as the block takes (``adapters.simulation.serving``).

        Raises:
            EdgeError: the system has none.
            OSError: the port is taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class DayFile:
    """A file that a sending system writes for a day: its header's items and its rows."""

    name: str
    layout: str
    message_type: str
    header: Header
    rows: Iterable[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that a simulator puts together itself, byte by byte."""

    name: str
    layout: str
    message_type: str
    content: bytes
    records: int


def is_there(name: str, folder: Path) -> bool:
    """Say whether a file of this name waits for the hub's side, or was read by it."""
    places = (folder / TO_HUB / name, *(folder / read / name for read in READ_FOLDERS))
    return any(place.exists() for place in places)


def put(file: DayFile | MadeFile, folder: Path) -> WrittenFile:
    """Write a file whole, unless it is there or was already read by the hub's side.

    Raises:
        Unwritable: a row has no place in the layout; no file is left.
        EdgeError: the folder cannot be used.
    """
    path = folder / TO_HUB / file.name
    if is_there(file.name, folder):
        records = file.records if isinstance(file, MadeFile) else sum(1 for _ in file.rows)
        return WrittenFile(path, file.layout, file.message_type, records, fresh=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file, MadeFile):
        files.write_whole(path, file.content)
        records = file.records
    else:
        records = _write(path, file)
    return WrittenFile(path, file.layout, file.message_type, records, fresh=True)


def _write(path: Path, file: DayFile) -> int:
    encoder = form_of(file.layout).encoder(None)
    rows = _Counted(file.rows)
    temporary = files.temporary_name(path)
    try:
        files.write_synced(temporary, encoder.framed(file.header, map(encoder.record, rows)))
    except Unwritable:
        files.remove(temporary)
        raise
    files.rename(temporary, path)
    return rows.count


def file_name(prefix: str, day: CityDay, hour: int) -> str:
    """Name a day's file so that the order of names is the order of time.

    ``<prefix>_<yyyymmddhhmmss>_<sequence>_<full|delta>.csv``
    """
    kind = "full" if day.is_initial else "delta"
    return f"{prefix}_{day.date:%Y%m%d}{hour:02d}0000_{day.number + 1:04d}_{kind}.csv"


def header_of(day: CityDay, hour: int, items: tuple[str, str, str]) -> Header:
    """Make the header of a file written at that hour: department, terminal and staff."""
    at = dt.datetime.combine(day.date, dt.time(hour), JST)
    return Header(at, *items)


class _Counted:
    """Counts rows while they are written, so that none has to be kept."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        for row in self._rows:
            self.count += 1
            yield row
