"""The simulators of a demo: what they wrote, what they answer, and what they found in the end."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import adapters
from adapters.simulation.city import CityDay
from adapters.simulation.expected import Told, expected
from adapters.simulation.kit import WrittenFile, WrongDelivery
from hub.clock import today
from hub.demo.content import Contents
from hub.demo.state import DemoState
from hub.demo.tally import Arrived, arrived
from hub.edge.form import BadFile

REACT_SECONDS = 0.3


@dataclass(slots=True)
class Players:
    """The simulators' hands on the drives.

    ``files`` has the number of records by system and file name, ``expected`` who has to arrive
    because of them, and ``faults`` what a system found wrong in what it was to answer.
    """

    state: DemoState
    systems: tuple[str, ...]
    about_to_reach_days: int
    files: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    expected: defaultdict[Told, set[str]] = field(default_factory=lambda: defaultdict(set))
    faults: dict[str, str] = field(default_factory=dict)
    _due: float = 0.0

    @property
    def records(self) -> int:
        """How many records all files have together."""
        return sum(sum(files.values()) for files in self.files.values())

    def write(self, system: str, day: CityDay) -> None:
        """Let one system write what it has to say about a day."""
        self._note(system, adapters.simulator(system).write(day, self._folder(system)))

    def expect(self, day: CityDay) -> None:
        """Note who has to arrive because of a day."""
        for told, persons in expected(day, self.about_to_reach_days, today()):
            self.expected[told] |= persons

    def react(self) -> bool:
        """Let every system answer what it got; say whether one had something to say.

        It is called often, and looks only every now and then. A served system answers itself.
        """
        if time.monotonic() < self._due:
            return False
        said = False
        for system in self.systems:
            simulator = adapters.simulator(system)
            if simulator.served or system in self.faults:
                continue
            try:
                answers = simulator.react(self._folder(system))
            except (WrongDelivery, BadFile) as error:
                self.faults[system] = f"{system}: {error}"
                continue
            self._note(system, answers)
            said = said or any(answer.fresh for answer in answers)
        self._due = time.monotonic() + REACT_SECONDS
        return said

    def received(self, contents: Contents) -> tuple[dict[str, Arrived], list[str]]:
        """Read every receiver's files; a system that got what it must not have is a fault."""
        faults = list(self.faults.values())
        received = {}
        for system in self.systems:
            if not adapters.find(system).outbound:
                continue
            try:
                records = adapters.simulator(system).receive(self._folder(system))
                received[system] = arrived(contents.seen(system, records))
            except (WrongDelivery, BadFile) as error:
                faults.append(f"{system}: {error}")
        return received, list(dict.fromkeys(faults))

    def _folder(self, system: str) -> Path:
        served = adapters.simulator(system).served
        return self.state.service(system) if served else self.state.drive(system)

    def _note(self, system: str, written: Iterable[WrittenFile]) -> None:
        if adapters.simulator(system).served:
            return  # its courier makes the files of the drive
        for file in written:
            self.files[system][file.path.name] = file.records
