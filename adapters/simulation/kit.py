"""What a simulator is: the other side of the wire, as the demo and the tests play it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from adapters.simulation.city import CityDay
from hub.edge.delimited import write_file
from hub.edge.form import Header
from hub.errors import EdgeError
from schemas.layout import load_layout

JST = dt.timezone(dt.timedelta(hours=9))
TO_HUB, FROM_HUB = "to-hub", "from-hub"
BROKER = "broker"
_READ_FOLDERS = ("processed", "set-aside")


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
    """A record that a receiving system found in a file; ``values`` by the layout's fields."""

    sender: str
    message_id: str
    flow: str
    message_type: str
    addressee_number: str
    values: Mapping[str, str]


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


class Simulator(Protocol):
    """One system; ``folder`` is always its shared drive, with ``to-hub`` and ``from-hub``."""

    @property
    def system(self) -> str:
        """The system's id."""
        ...

    def write(self, day: CityDay, folder: Path) -> list[WrittenFile]:
        """Write the day's files as the real system would; those that exist are left alone."""
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


@dataclass(frozen=True, slots=True)
class DayFile:
    """A file that a sending system writes for a day: its header's items and its rows."""

    name: str
    layout: str
    message_type: str
    header: Header
    rows: Iterable[Mapping[str, str]]


def put(file: DayFile, folder: Path) -> WrittenFile:
    """Write a file whole, unless it is there or was already read by the hub's side.

    Raises:
        EdgeError: the folder cannot be used.
    """
    path = folder / TO_HUB / file.name
    places = (path, *(folder / read / file.name for read in _READ_FOLDERS))
    if any(place.exists() for place in places):
        records = sum(1 for _ in file.rows)
        return WrittenFile(path, file.layout, file.message_type, records, fresh=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = _Counted(file.rows)
    write_file(path, load_layout(file.layout), file.header, rows)
    return WrittenFile(path, file.layout, file.message_type, rows.count, fresh=True)


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
