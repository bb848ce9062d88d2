"""Kill any one process in the middle of the demo: nothing is lost, nothing is doubled.

The moment is a point in the ledger's growth, not a time, so that it is hit on any machine.
What stands in the receivers' files afterwards is compared, record by record, with what an
undisturbed run of the same city wrote.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo_rig import OURS, RENKEI, arrived

pytestmark = pytest.mark.fault

RESIDENTS, DAYS, SEED = 200, 1, 5
PATIENCE = 240.0
LONG_ROUNDS = 25
VICTIMS = (
    "hub",
    "adapter-intermediate-server",
    "simulator-intermediate-server",
    "broker",
    "demo",
)
MORE_VICTIMS = (
    "adapter-union",
    "adapter-resident-registry",
    "adapter-tax",
    "adapter-premium-collection",
    "adapter-number-linkage",
)
"""In the long run alone: the drills of ``tests/fault`` kill adapters too."""

Record = tuple[str, ...]


@dataclass
class Demo:
    """One demo process and its folder."""

    state: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [*OURS, *RENKEI, "demo", "--json"]
        command += ["--residents", str(RESIDENTS), "--days", str(DAYS), "--seed", str(SEED)]
        with (
            (self.state.parent / "out").open("wb") as out,
            (self.state.parent / "err").open("ab") as err,
        ):
            self.process = subprocess.Popen(
                [*command, "--state", str(self.state)], stdout=out, stderr=err
            )

    def finish(self) -> dict[str, object]:
        assert self.process is not None
        status = self.process.wait(PATIENCE)
        said = (self.state.parent / "err").read_text()
        assert status == 0, said
        lines = (self.state.parent / "out").read_text().splitlines()
        answer: dict[str, object] = json.loads(lines[-1])
        return answer

    def entries(self) -> int:
        """Read how many entries the ledger has; none before there is one."""
        file = self.state / "ledger" / "ledger.sqlite3"
        try:
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
                return int(database.execute("SELECT size FROM ledger_head").fetchone()[0])
        except (sqlite3.Error, TypeError):
            return 0

    def pid(self, victim: str) -> int:
        if victim == "demo":
            assert self.process is not None
            return self.process.pid
        if victim == "broker":
            return int(_processes(self.state / "broker")["server"])
        return int(json.loads((self.state / "logs" / "processes.json").read_text())[victim])

    def kill_at(self, victim: str, entries: int) -> int:
        """Kill a process once the ledger has so many entries; say how many it had then."""
        self.wait(lambda: self.entries() >= entries)
        at = self.entries()
        os.kill(self.pid(victim), signal.SIGKILL)
        return at

    def wait(self, event: Callable[[], bool]) -> None:
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE
        while not event():
            assert self.process.poll() is None, (self.state.parent / "err").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)  # a file of another process has no event to wait for

    def records(self) -> Counter[Record]:
        """Give every record in the receivers' files, without what differs from run to run."""
        return arrived(self.state)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


def _processes(broker: Path) -> dict[str, int]:
    for file in broker.glob("*.json"):
        document = json.loads(file.read_text())
        if "processes" in document:
            processes: dict[str, int] = document["processes"]
            return processes
    raise AssertionError("the private node has no list of its processes")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path / "state")
    try:
        yield one
    finally:
        one.end()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Counter[Record]]:
    """Run the same city once in peace: how many entries it makes, and what arrives."""
    one = Demo(tmp_path_factory.mktemp("peace") / "state")
    try:
        one.start()
        answer = one.finish()
        assert answer["reconciled"] is True
        return one.entries(), one.records()
    finally:
        one.end()


def drill(
    demo: Demo, undisturbed: tuple[int, Counter[Record]], victim: str, chance: random.Random
) -> None:
    total, expected = undisturbed
    demo.start()
    demo.kill_at(victim, chance.randrange(total * 9 // 10))
    assert demo.process is not None
    if victim == "demo":
        demo.process.wait(PATIENCE)
        demo.start()
    answer = demo.finish()
    assert answer["reconciled"] is True
    assert demo.records() == expected


def test_a_broker_killed_during_the_forbidden_attempts_is_tended_and_they_are_made_again(
    demo: Demo, undisturbed: tuple[int, Counter[Record]]
) -> None:
    _, expected = undisturbed
    demo.start()
    said = demo.state.parent / "err"
    demo.wait(lambda: "trying what no statute permits" in said.read_text())
    os.kill(demo.pid("broker"), signal.SIGKILL)
    answer = demo.finish()
    assert answer["reconciled"] is True
    assert demo.records() == expected


@pytest.mark.parametrize(
    "victim", [*VICTIMS, *(pytest.param(one, marks=pytest.mark.lasting) for one in MORE_VICTIMS)]
)
def test_a_killed_process_loses_and_doubles_nothing(
    victim: str,
    demo: Demo,
    undisturbed: tuple[int, Counter[Record]],
    pytestconfig: pytest.Config,
    tmp_path: Path,
) -> None:
    chance = random.Random(f"{victim} {os.environ.get('RENKEI_DRILL_SEED', '1')}")  # noqa: S311 - a drill
    drill(demo, undisturbed, victim, chance)
    if pytestconfig.getoption("--long"):
        for number in range(LONG_ROUNDS):
            folder = tmp_path / f"round-{number}"
            folder.mkdir()
            another = Demo(folder / "state")
            try:
                drill(another, undisturbed, victim, chance)
            finally:
                another.end()
