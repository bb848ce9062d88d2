"""One simulator alone: it writes its days, answers what arrives, and says what it got."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import adapters
from adapters.simulation.city import City, CityDay
from adapters.simulation.kit import (
    FROM_HUB,
    TO_HUB,
    Service,
    Simulator,
    WrittenFile,
    WrongDelivery,
)
from adapters.simulation.misbehaving import carry, workshop
from adapters.simulation.misbehaviour import Misbehaviour
from hub.edge import overdue
from hub.edge.form import BadFile
from hub.edge.kit import Adapter
from hub.errors import SiteError
from hub.stop import Stop

LOOK_SECONDS = 0.2
_WORKSHOP = ".simulator"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is simulated, and how.

    ``folder`` is the system's drive, or the folder of its service. ``days`` is how many follow
    the initial load, one every ``every`` seconds: ``None`` goes on without end. ``idle`` writes
    no days at all and only answers. ``secret`` is asked for by a served system on ``port``.
    """

    system: str
    folder: Path
    residents: int = 200
    seed: int = 1
    days: int | None = None
    every: float = 10.0
    idle: bool = False
    port: int = 0
    secret: str = field(default="", repr=False)
    misbehaves: frozenset[Misbehaviour] = frozenset()


def simulate(wanted: Wanted, say: Say, stop: Stop) -> None:
    """Be one system until ``stop``.

    Raises:
        SiteError: there is no such system, or the folder or port cannot be used.
        EdgeError: the folder cannot be used any more.
    """
    simulator = adapters.simulator(wanted.system)
    with _usable(wanted):
        for name in (TO_HUB, FROM_HUB):
            (wanted.folder / name).mkdir(parents=True, exist_ok=True)
        with _served(simulator, wanted):
            for line in first_lines(simulator, adapters.find(wanted.system), wanted):
                say(line)
            _Play(simulator, wanted, say).run(stop)
    say("stopped")


@contextlib.contextmanager
def _usable(wanted: Wanted) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or f"port {wanted.port} or {wanted.folder}"
        raise SiteError(f"{where} cannot be used: {error.strerror}") from error


@contextlib.contextmanager
def _served(simulator: Simulator, wanted: Wanted) -> Iterator[None]:
    if not simulator.served:
        yield
        return
    service = Service(wanted.folder, wanted.port, wanted.secret, wanted.misbehaves)
    with simulator.serve(service):
        yield


def first_lines(simulator: Simulator, adapter: Adapter, wanted: Wanted) -> Iterator[str]:
    """Say what somebody has to do who builds against it."""
    bad = f", misbehaving: {', '.join(sorted(wanted.misbehaves))}" if wanted.misbehaves else ""
    yield f"playing {simulator.system}, a city of {wanted.residents} residents{bad}"
    if simulator.served:
        yield f"  its interface: http://127.0.0.1:{wanted.port} (log in with the secret)"
        yield f"  what it has and got: {wanted.folder}"
    else:
        # An adapter writes files about what is overdue to itself.
        layouts = dict.fromkeys(wire.layout for wire in adapter.inbound)
        written = [layout for layout in layouts if layout != overdue.LAYOUT]
        if written:
            yield f"  it writes its files into {wanted.folder / TO_HUB}; take them away from there"
        yield from (f"    schemas/layouts/{layout}.toml" for layout in written)
        yield f"  it reads and checks what you put into {wanted.folder / FROM_HUB}"
    for wire in adapter.outbound:
        yield f"    {wire.prefix}_…: schemas/layouts/{wire.layout}.toml"
    yield f"  more: docs/systems/{simulator.system}.md; Ctrl-C ends it"


class _Play:
    def __init__(self, simulator: Simulator, wanted: Wanted, say: Say) -> None:
        self._simulator = simulator
        self._wanted = wanted
        self._say = say
        self._got: Counter[str] = Counter()
        self._names: Sequence[str] = ()
        spoilt = wanted.misbehaves and not simulator.served
        own = wanted.folder / _WORKSHOP
        self._folder = workshop(wanted.folder, own) if spoilt else wanted.folder
        self._carries = bool(spoilt)

    def run(self, stop: Stop) -> None:
        days = (
            iter(())
            if self._wanted.idle
            else City(self._wanted.residents, self._wanted.seed).days()
        )
        due = time.monotonic()
        while not stop():
            if time.monotonic() >= due and (day := self._next(days)) is not None:
                self._tell(self._simulator.write(day, self._folder), f"day {day.number}, ")
                due = time.monotonic() + self._wanted.every
            self._look()
            stop.wait(LOOK_SECONDS)

    def _next(self, days: Iterator[CityDay]) -> CityDay | None:
        day = next(days, None)
        if day is not None and self._wanted.days is not None and day.number > self._wanted.days:
            return None
        return day

    def _look(self) -> None:
        """Answer and check what arrived; what is wrong is told and does not end it."""
        names = sorted(path.name for path in (self._wanted.folder / FROM_HUB).iterdir())
        if names == self._names and not self._simulator.served:
            return
        try:
            self._tell(self._simulator.react(self._folder), "answer, ")
            if names != self._names:
                self._names = names
                self._check()
        except (WrongDelivery, BadFile) as wrong:
            self._names = names
            self._say(f"WRONG: {wrong}")

    def _check(self) -> None:
        got = Counter(record.message_type for record in self._simulator.receive(self._folder))
        for kind, count in (got - self._got).items():
            self._say(f"got {count} records of {kind}, as the layout says")
        self._got = got

    def _tell(self, written: Sequence[WrittenFile], what: str) -> None:
        fresh = [one for one in written if one.fresh]
        for one in fresh:
            self._say(f"{what}{one.path.name}: {one.records} records of {one.message_type}")
        if self._carries:
            waiting = (self._folder / TO_HUB).iterdir()
            carry(
                (path for path in waiting if not path.name.startswith(".")),
                self._wanted.folder,
                self._wanted.misbehaves,
            )
