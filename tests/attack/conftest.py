"""The installation that all attacks share, and how an attack notes its outcome."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from hub.broker.node import PrivateNode
from tests.attack.markup import envelope
from tests.attack.receiver import let_die
from tests.attack.results import Outcome, Party, note
from tests.attack.secure import certificates, of_broker
from tests.attack.victim import Victim
from tests.attack.visitors import Console
from tests.fault.ground import SPEAKS, Ground
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
    """Give a hub that runs as a site has it: every connection by certificate, numbers sealed.

    It has two workers, a real broker, PostgreSQL, six adapters, the watch, and a console.
    """
    folder = tmp_path_factory.mktemp("attacked")
    pki = certificates(folder / "made", (*FILES, SPEAKS))
    with ExitStack() as stack:
        node = stack.enter_context(PrivateNode(folder / "node", certificate=of_broker(pki)))
        server = stack.enter_context(PostgresqlServer(certificates=pki))
        ground = Ground(
            folder / "ground", node, server, workers=WORKERS, files=FILES, pki=pki, console=True
        )
        stack.enter_context(ground)
        ground.until_working()
        made = Victim(ground, pki)
        made.until(lambda: made.metric("renkei_hub_connected") == WORKERS, "hub that answers")
        yield made


@pytest.fixture(scope="session")
def console(victim: Victim) -> Iterator[Console]:
    """Give the victim's console, with people who have accounts there."""
    made = Console(victim)
    victim.until(made.answers, "console")
    yield made
    made.close()


@pytest.fixture(scope="session")
def dead_letters(victim: Victim) -> list[int]:
    """Give dead letters of messages whose sender's words are markup."""
    events = [victim.event(**envelope()) for _ in range(3)]
    return let_die(victim, events)


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
