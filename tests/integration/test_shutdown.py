"""SIGTERM ends every process within ten seconds, whatever is away, silent or hangs; really."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.broker.apply import apply
from hub.broker.node import PrivateNode
from hub.broker.provide import ProvidedBroker
from hub.clock import today
from hub.compose.broker import broker_plan
from hub.compose.checked import load_checked, passwords_of
from hub.demo.site_file import write_site
from hub.demo.state import Parameters, opened
from hub.stop import WITHIN_SECONDS
from tests.demo_rig import OURS, RENKEI, Renkei
from tests.servers.ledgers import ledger_on
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.integration

WITHIN = 10.0
SYSTEMS = ("resident-registry", "tax")
COMMANDS = {
    "hub": ("hub",),
    "watch": ("ledger", "watch"),
    "adapter": ("adapter", "tax"),
}
VHOST = "/"
AT_IT = {
    "hub": "the hub is working",
    "watch": "the watch is working",
    "adapter": "the adapter of tax is working",
}


START_SECONDS = 60.0


@dataclass
class Ground:
    """A site with a broker and, where it says so, a PostgreSQL of its own."""

    node: PrivateNode
    site: Path
    folder: Path

    def start(self, *names: str) -> dict[str, Renkei]:
        """Start these processes."""
        return {
            name: Renkei(self.folder / name, (*COMMANDS[name], "--site", str(self.site)))
            for name in names
        }


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    with PrivateNode(tmp_path_factory.mktemp("node"), name="stopping") as node:
        yield node


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresqlServer]:
    server = PostgresqlServer()
    with server:
        yield server


@contextmanager
def made(node: PrivateNode, folder: Path, ledger: str = "") -> Iterator[Ground]:
    """Make a site on a broker that runs."""
    broker = ProvidedBroker(
        node.host,
        node.port,
        node.management_url,
        node.admin_user,
        node.admin_password,
        "private node",
        node=node,
    )
    with opened(folder / "site", Parameters(1, 0, 1)) as state:
        write_site(state, broker, VHOST, SYSTEMS)
    if ledger:
        text = state.site_file.read_text(encoding="utf-8")
        for line, ours in ledger_on(ledger, state).items():
            text = text.replace(line, ours)
        state.site_file.write_text(text, encoding="utf-8")
    site, catalogue = load_checked(state.site_file)
    with broker.management() as management:
        topology = broker_plan(site, catalogue, today())
        apply(management, VHOST, topology, passwords_of(site), settle=lambda _: None)
    migrated = Renkei(folder / "migrate", ("ledger", "migrate", "--site", str(state.site_file)))
    assert migrated.ended() == 0, migrated.err
    yield Ground(node, state.site_file, folder)


def ended(processes: Mapping[str, Renkei]) -> dict[str, float]:
    """Ask all to stop; give how long each took, in seconds."""
    began = time.monotonic()
    for one in processes.values():
        one.process.send_signal(signal.SIGTERM)
    took = {}
    for name, one in processes.items():
        one.ended(WITHIN + 5)
        took[name] = time.monotonic() - began
    return took


@contextmanager
def started(ground: Ground, *names: str) -> Iterator[dict[str, Renkei]]:
    with ending(ground.start(*names)) as processes:
        yield processes


@contextmanager
def ending(processes: dict[str, Renkei]) -> Iterator[dict[str, Renkei]]:
    try:
        yield processes
    finally:
        for one in processes.values():
            one.end()


def working(processes: dict[str, Renkei]) -> None:
    for name, one in processes.items():
        one.until_said(AT_IT[name])


@pytest.fixture
def ground(node: PrivateNode, tmp_path: Path) -> Iterator[Ground]:
    with made(node, tmp_path) as ground:
        yield ground


@pytest.fixture
def frozen(node: PrivateNode) -> Iterator[Callable[[], None]]:
    try:
        yield node.freeze
    finally:
        node.thaw()


def in_time(processes: Mapping[str, Renkei]) -> None:
    """Ask all to stop; each ends in good order, and soon."""
    for name, seconds in ended(processes).items():
        assert processes[name].process.returncode == 0, processes[name].err
        assert seconds < WITHIN, name


def test_with_a_broker_that_freezes(ground: Ground, frozen: Callable[[], None]) -> None:
    with started(ground, *COMMANDS) as processes:
        working(processes)
        frozen()
        time.sleep(1.0)  # they are in the midst of hearing nothing
        in_time(processes)


def test_with_a_broker_that_was_frozen_before(ground: Ground, frozen: Callable[[], None]) -> None:
    frozen()
    with started(ground, "hub", "adapter") as processes:
        processes["hub"].until_said("the hub begins with catalogue")
        time.sleep(2.0)  # they have opened a connection and wait for the first word
        in_time(processes)


def test_with_a_broker_that_is_gone(ground: Ground, node: PrivateNode) -> None:
    with started(ground, "hub", "adapter") as processes:
        working(processes)
        node.kill()
        try:
            for one in processes.values():
                one.until_said("no link to the broker")
            in_time(processes)
        finally:
            node.start()


def test_with_everything_run_by_one_supervisor(ground: Ground, frozen: Callable[[], None]) -> None:
    up = Renkei(ground.folder / "up", ("up", "--site", str(ground.site)))
    with ending({"up": up}) as processes:
        logs = ground.site.parent / "logs"
        up.until(lambda: said(logs / "hub.log", AT_IT["hub"]), "work of the hub")
        up.until(lambda: said(logs / "adapter-tax.log", AT_IT["adapter"]), "work of the adapter")
        frozen()
        time.sleep(1.0)
        in_time(processes)
        assert "is killed" not in up.err


@pytest.mark.parametrize("is_broker_frozen", [False, True])
def test_with_a_database_that_says_nothing(
    node: PrivateNode,
    frozen: Callable[[], None],
    database: PostgresqlServer,
    tmp_path: Path,
    *,
    is_broker_frozen: bool,
) -> None:
    with (
        database.database() as url,
        made(node, tmp_path, url) as ground,
        started(ground, "hub", "watch") as processes,
    ):
        working(processes)
        with database.frozen():
            if is_broker_frozen:
                frozen()
            time.sleep(2.0)  # they wait for an answer
            for name, seconds in ended(processes).items():
                assert seconds < WITHIN, name


def test_with_a_log_that_nobody_reads(ground: Ground) -> None:
    """Its very first line hangs, as a write to a drive that is gone would."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, bytes(65_536)):
            pass
    os.set_blocking(writing, True)
    command = [*OURS, *RENKEI, "hub", "--site", str(ground.site)]
    with subprocess.Popen(command, stderr=writing, stdout=writing) as hub:
        try:
            until_listening(hub.pid)
            began = time.monotonic()
            hub.terminate()
            assert hub.wait(WITHIN + 5) == 1
            assert WITHIN_SECONDS <= time.monotonic() - began < WITHIN
        finally:
            hub.kill()
            os.close(reading)
            os.close(writing)


def until_listening(pid: int) -> None:
    """Wait until a process has a handler for SIGTERM, as the kernel tells of it."""
    deadline = time.monotonic() + START_SECONDS
    status = Path(f"/proc/{pid}/status")
    while True:
        (caught,) = (line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        assert time.monotonic() < deadline, "it listens to no signal"
        time.sleep(0.02)


def said(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text(encoding="utf-8")
