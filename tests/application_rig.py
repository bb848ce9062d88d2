"""The simulated application system and its courier, on one folder each, for tests."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.e_application import ADAPTER
from adapters.e_application.courier import Rounds
from adapters.e_application.interface import Interface
from adapters.e_application.memory import Memory
from adapters.e_application.outcomes import name_of
from adapters.e_application.server import Server
from adapters.e_application.simulator import application, attached
from adapters.e_application.store import Report, Store
from adapters.simulation.city import City, CityDay
from adapters.simulation.serving import Asked, Reply, Serving
from hub.breaker import Breaker
from hub.edge.archives.packing import package
from hub.edge.folders import Folders
from hub.edge.http.calls import Caller
from hub.edge.kit import Errand
from mappings.e_application import LAYOUT
from schemas.layout import load_layout
from tests.edge_rig import Rig, Standing
from tests.samples import shipped

SYSTEM = ADAPTER.system
SECRET = "a login"  # noqa: S105 - made for the tests
DAY: CityDay = next(City(60).days())


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Office:
    """The simulated system on loopback, and the courier's side below one folder."""

    folder: Path
    server: Server = field(init=False)
    serving: Serving = field(init=False)
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(Store(self.theirs), SECRET)
        self.serving = Serving(self._handle)
        self.folders.make()

    def _handle(self, asked: Asked) -> Reply:
        return self.server.handle(asked)

    def begun_anew(self, name: str) -> "Office":
        """Give the same office with nothing in it, still served."""
        self.folder = self.folder.with_name(name)
        self.server = Server(Store(self.theirs), SECRET)
        self.folders.make()
        return self

    @property
    def theirs(self) -> Path:
        return self.folder / "theirs"

    @property
    def folders(self) -> Folders:
        return Folders(self.folder / SYSTEM)

    def errand(self, secret: str = SECRET) -> Errand:
        return Errand(
            SYSTEM,
            self.folders.root,
            self.folder / "journals" / "memory.sqlite3",
            self.serving.url,
            secret,
            timeout_seconds=5.0,
            poll_seconds=0.05,
            tell=lambda where, error: self.told.append((where, str(error))) if error else None,
        )

    def go(self, rounds: int = 1) -> None:
        """Begin a courier, and let it go some rounds."""
        asyncio.run(self._go(rounds))

    async def _go(self, rounds: int) -> None:
        errand = self.errand()
        caller = Caller(
            errand.url, timeout_seconds=5.0, breaker=Breaker(), attempts=2, sleep=_no_wait
        )
        with Memory(errand.memory) as memory:
            async with caller:
                working = Rounds(errand, memory, Interface(caller, SECRET))
                working.recover()
                for _ in range(rounds):
                    await working.go()

    def apply(self, place: int = 0, **values: str) -> str:
        """Let somebody apply, and give the 受付番号."""
        one = DAY.insured[place]
        layout = load_layout(LAYOUT)
        filled = {**application(layout, one), **values}
        self.put(filled["receipt_number"], package(layout, filled, attached(one)))
        self.server.store.issue(filled["certificate_serial"], "12345678901", one.person.number)
        return filled["receipt_number"]

    def put(self, number: str, content: bytes) -> None:
        path = self.theirs / "to-hub" / name_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def read(self) -> Rig:
        """Let the adapter read what is there."""
        rig = Rig(self.folder)
        rig.broker.routes[f"in.{SYSTEM}"] = "hub"
        walls = Standing(SYSTEM, shipped())
        rig.run(replace(ADAPTER, courier=None), seconds=3.0, walls=walls)
        return rig

    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.folders.to_hub.iterdir())

    def reports(self) -> list[Report]:
        return self.server.store.reports()


@contextmanager
def served(folder: Path) -> Iterator[Office]:
    """Serve an office below a folder."""
    made = Office(folder)
    with made.serving:
        yield made


def received(number: str) -> Report:
    return Report(number, "received", "", "")


def outcome_of(office: Office, number: str) -> tuple[str, str, str]:
    """Carry an application that was received to its end, and give the last report on it."""
    office.go()
    office.read()
    office.go()
    first, last = office.reports()
    assert first == received(number)
    return last[1:]
