"""The installation that all attacks share, and how an attack notes its outcome."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from hub.broker.node import PrivateNode
from tests.attack.results import Outcome, Party, note
from tests.attack.victim import Victim
from tests.fault.ground import Ground
from tests.servers.postgresql import PostgresqlServer

FILES = (
    "deposit-inquiry",
    "e-application",
    "intermediate-server",
    "premium-collection",
    "resident-registry",
    "union",
)
WORKERS = 2


@pytest.fixture(scope="session")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Give a hub that runs: two workers, a real broker, PostgreSQL, six adapters, the watch."""
    folder = tmp_path_factory.mktemp("attacked")
    with PrivateNode(folder / "node") as node, PostgresqlServer() as server:
        ground = Ground(folder / "ground", node, server, workers=WORKERS, files=FILES)
        with ground:
            ground.until_working()
            yield Victim(ground)


@dataclass
class Report:
    """Notes what became of an attack."""

    test: str
    began: float = field(default_factory=time.monotonic)

    def __call__(  # noqa: PLR0913 - what a row has
        self, party: Party, attack: str, way: str, *, refused: str, recorded: str, alerted: str
    ) -> None:
        took = round(time.monotonic() - self.began, 2)
        note(Outcome(attack, party, way, refused, recorded, alerted, took, self.test))


@pytest.fixture
def report(victim: Victim, request: pytest.FixtureRequest) -> Report:
    """Give what notes the outcome of this attack; its time runs from here."""
    victim.mark()
    return Report(request.node.nodeid)
