"""The base of all simulators: what every system does alike, by the wires of its adapter.

A system that only receives is a ``Played`` as it is. One that writes gives ``days``, one that
answers gives ``reactions``; one that is served over HTTP is a class of its own with ``serve``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulation.city import CityDay
from adapters.simulation.kit import (
    FROM_HUB,
    DayFile,
    MadeFile,
    Misdeed,
    ReceivedRecord,
    Service,
    WrittenFile,
    put,
)
from adapters.simulation.receiving import files_of, read_file, receive
from hub.edge.kit import Adapter
from hub.errors import EdgeError

File = DayFile | MadeFile


class NotYet(Exception):
    """A reaction has to wait for something else to arrive; it is asked again later."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a system writes when a file of the outbound wire ``prefix`` has arrived.

    ``answer`` gives the answer from the path and its records, or ``None`` where nothing is to be
    said; it raises ``NotYet`` where it has to wait. It depends on what arrived alone, and its name
    follows from the arrived file's, so that whoever answers again after a crash writes nothing
    twice.
    """

    prefix: str
    answer: Callable[[Path, Sequence[ReceivedRecord]], File | None]


def _writes_nothing(_day: CityDay) -> Iterable[File]:
    return ()


@dataclass(frozen=True)
class Played:
    """A simulated system (``adapters.simulation.kit.Simulator``) by the wires of its adapter."""

    adapter: Adapter
    days: Callable[[CityDay], Iterable[File]] = _writes_nothing
    reactions: tuple[Reaction, ...] = ()
    forbidden: tuple[Misdeed, ...] = ()
    served: bool = False
    _settled: set[Path] = field(default_factory=set, compare=False, repr=False)

    @property
    def system(self) -> str:
        """The system's id."""
        return self.adapter.system

    def write(self, day: CityDay, folder: Path) -> list[WrittenFile]:
        """Write the day's files as the real system would; those that exist are left alone."""
        return [put(file, folder) for file in self.days(day)]

    def react(self, folder: Path) -> list[WrittenFile]:
        """Answer each file that arrived, once; answers that were there are told of, not fresh.

        Raises:
            WrongDelivery: a record against its layout.
            BadFile: a file against its layout.
        """
        return [
            answer
            for reaction in self.reactions
            for path in self._arrived(reaction.prefix, folder)
            if (answer := self._answer(reaction, path, folder)) is not None
        ]

    def receive(self, folder: Path) -> Iterator[ReceivedRecord]:
        """Stream the records of ``from-hub`` in the order of the files.

        Raises:
            WrongDelivery: a record against its layout, a message twice, or an older version of
                a thing after a newer one.
            BadFile: a file against its layout, or with a wrong total.
        """
        for wire in self.adapter.outbound:
            yield from receive(wire, folder)

    def read_back(self, folder: Path) -> list[ReceivedRecord]:
        """Give all that ``receive`` gives."""
        return list(self.receive(folder))

    def misdeeds(self) -> tuple[Misdeed, ...]:
        """Give the forbidden attempts that this system makes."""
        return self.forbidden

    def serve(self, service: Service) -> AbstractContextManager[object]:
        """Refuse: this system is reached by files alone.

        Raises:
            EdgeError: always.
        """
        del service
        raise EdgeError(f"{self.system} has no interface to serve: it is reached by files")

    def _arrived(self, prefix: str, folder: Path) -> Iterator[Path]:
        wire = next(wire for wire in self.adapter.outbound if wire.prefix == prefix)
        if (folder / FROM_HUB).is_dir():
            yield from (path for path in files_of(wire, folder) if path not in self._settled)

    def _answer(self, reaction: Reaction, path: Path, folder: Path) -> WrittenFile | None:
        wire = next(wire for wire in self.adapter.outbound if wire.prefix == reaction.prefix)
        try:
            answer = reaction.answer(path, list(read_file(path, wire)))
        except NotYet:
            return None
        written = put(answer, folder) if answer is not None else None
        self._settled.add(path)
        return written
