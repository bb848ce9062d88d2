"""The grounds of the drills: one with SQLite and one with PostgreSQL, on one private broker."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from hub.broker.node import PrivateNode
from tests.fault.arrivals import Arrivals
from tests.fault.disk import SmallDisk
from tests.fault.drill import Drill, Ready
from tests.fault.ground import FILES, Ground
from tests.fault.load import Load
from tests.servers.postgresql import PostgresqlServer

SEED = "RENKEI_DRILL_SEED"
ROUNDS = "RENKEI_DRILL_ROUNDS"
WORKERS = 3
LONG_ROUNDS = 6
Act = Callable[[Drill, int], None]
"""What is done in a drill, and how often."""


@dataclass
class Grounds:
    """Makes grounds on one private broker, which is killed now and then.

    A ground serves one drill after another; each round of a long drill, and the drill after one
    that failed, have a new one. ``seed`` is that of the first round.
    """

    folder: Path
    long: bool
    seed: int
    _node: PrivateNode | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _made: dict[str, tuple[Ready, ExitStack]] = field(default_factory=dict)
    _count: int = 0

    def seeds(self) -> range:
        """Give the seed of each round of a drill: one for a short one, more for a long one."""
        rounds = int(os.environ.get(ROUNDS, LONG_ROUNDS)) if self.long else 1
        return range(self.seed, self.seed + rounds)

    def conduct(self, kind: str, name: str, act: Act, times: int) -> None:
        """Run a drill on grounds of a kind, in as many rounds as there are seeds."""
        for seed in self.seeds():
            self.taken(kind).conduct(name, seed, lambda drill: act(drill, times))

    def taken(self, kind: str) -> Ready:
        """Give a ground of a kind.

        ``plain`` has one hub process and an SQLite ledger on a small disk; ``proxied`` is the
        same, but that all processes reach the broker through a proxy; ``wide`` has several hub
        processes and a PostgreSQL ledger.
        """
        made = self._made.pop(kind, None)
        if made is not None and (made[0].spoiled or self.long):
            made[1].close()
            made = None
        if made is None:
            for _, stack in self._made.values():
                stack.close()  # two at once would take each other's cores
            self._made.clear()
            made = self._new(kind)
        self._made[kind] = made
        return made[0]

    def _new(self, kind: str) -> tuple[Ready, ExitStack]:
        self._count += 1
        folder = self.folder / f"{kind}-{self._count}"
        if self._node is None:
            self._node = self._stack.enter_context(PrivateNode(self.folder / "node"))
        with ExitStack() as stack:
            if kind == "wide":
                server = stack.enter_context(PostgresqlServer())
                ground = Ground(folder, self._node, server, workers=WORKERS)
            else:
                disk = stack.enter_context(SmallDisk(folder / "disk"))
                ground = Ground(folder, self._node, disk=disk, proxied=kind == "proxied")
            made = ready(stack, ground, long=self.long)
            return made, stack.pop_all()

    def close(self) -> None:
        """End everything."""
        with self._stack:
            for _, stack in self._made.values():
                stack.close()


def chosen(all_of_them: Iterable[object], lasting: Collection[object]) -> list[object]:
    """Give the parameters of a drill, with a mark on those of the long run alone."""
    return [
        pytest.param(one, marks=pytest.mark.lasting) if one in lasting else one
        for one in all_of_them
    ]


def ready(stack: ExitStack, ground: Ground, *, long: bool) -> Ready:
    """Bring a ground to work, for as long as the stack stands."""
    stack.enter_context(ground)
    ground.until_working()
    drives = ground.state.root / "drives"
    chances = Random(1)  # noqa: S311 - a drill
    load = Load(drives / FILES[0], ground.url, ground.state.pki, chances)
    arrivals = stack.enter_context(Arrivals(drives))
    return Ready(ground, load, arrivals, f"RabbitMQ {ground.version()}", long)


@pytest.fixture(scope="session")
def grounds(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Grounds]:
    long = bool(pytestconfig.getoption("--long"))
    made = Grounds(tmp_path_factory.mktemp("grounds"), long, int(os.environ.get(SEED, "1")))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def seed(grounds: Grounds) -> int:
    """Give the seed of the first round."""
    return grounds.seed
