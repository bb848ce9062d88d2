"""Real processes take over a changed catalogue while they run, or keep the one they have."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hub.broker.free import choose_ports
from hub.broker.link import PikaLink
from hub.compose.checked import load_checked
from hub.ledger.store import DatabaseLedger
from hub.message import partition_of
from hub.names import inbound_exchange
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER
from tests.conftest import Vhost
from tests.demo_rig import OURS, RENKEI
from tests.samples import ADDRESSEE, CHANGED, REGISTRY, SIGNER, event, wire
from tests.servers.ledgers import rows_of
from tests.walls_rig import NAMED, Office

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 30.0
CLOSED = """
[catalogue.flows.I1]
close = true
reason = "tests"
decided_by = "somebody"
decided_on = 2026-01-01

[catalogue.flows.M1b]
close = true
reason = "tests"
decided_by = "somebody"
decided_on = 2026-01-01
"""
FAULTY = CLOSED.replace("close = true", "clos = true")


class Running:
    """A hub and the union's adapter, each a process, and their site."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.port = choose_ports()["management"]
        self.say("")
        assert office.renkei("ledger", "migrate") == 0
        self.processes = [self._start("hub"), self._start("adapter", "union")]

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        line = [*OURS, *RENKEI, *command, "--site"]
        return subprocess.Popen([*line, str(self.office.site_file)], cwd=ROOT, env=environment)

    def say(self, decisions: str) -> None:
        """Write the site file with these decisions about the catalogue."""
        self.office.write(decisions, f"metrics_port = {self.port}")

    def send(self, message_id: str) -> None:
        body = wire(event(id=message_id))
        outgoing = Outgoing(
            inbound_exchange(REGISTRY),
            CHANGED,
            body,
            message_id,
            CHANGED,
            partition=partition_of(ADDRESSEE),
        )
        with PikaLink(self.office.vhost.settings(REGISTRY)) as link:
            assert link.publish([outgoing]) == [Sent.CONFIRMED]

    def rows(self) -> list[Mapping[str, Any]]:
        ledger = DatabaseLedger(f"sqlite:///{self.office.folder / 'ledger.sqlite3'}", SIGNER)
        with closing(ledger):
            return rows_of(ledger)

    def until(self, holds: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Wait for an entry."""
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end:
            assert all(process.poll() is None for process in self.processes)
            found = [row for row in self.rows() if holds(row)]
            if found:
                return found[0]
            time.sleep(0.1)  # an entry of another process is no event here
        raise AssertionError(self.rows())

    def outcome(self, message_id: str) -> tuple[str, str]:
        """Wait for what becomes of a message: a refusal, or the union's receipt."""
        row = self.until(
            lambda row: row["message_id"] == message_id and row["kind"] in {"refusal", "receipt"}
        )
        return row["kind"], row["code"]

    def change(self, number: int) -> Mapping[str, Any]:
        """Wait for the so-many-th change of the catalogue, counted from 0."""
        seen: list[Mapping[str, Any]] = []

        def holds(row: Mapping[str, Any]) -> bool:
            if row["kind"] == "catalogue-change" and row not in seen:
                seen.append(row)
            return len(seen) > number and row == seen[number]

        return self.until(holds)

    def metrics(self) -> str:
        where = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(where, timeout=5) as answer:
            return str(answer.read().decode())

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(LIMIT_SECONDS) for process in self.processes] == [0, 0]


@pytest.fixture
def running(tmp_path: Path, vhost: Vhost) -> Iterator[Running]:
    office = Office(tmp_path, vhost)
    assert office.renkei("broker", "apply") == 0
    made = Running(office)
    try:
        yield made
    finally:
        for process in made.processes:
            if process.poll() is None:
                process.kill()
                process.wait(LIMIT_SECONDS)
        for user in (HUB_USER, *NAMED):
            vhost.management.delete("users", user)


def test_flows_are_closed_and_opened_while_hub_and_adapter_run(running: Running) -> None:
    start = running.change(0)
    assert (start["code"], start["detail"]) == ("", "before none")
    running.send("one")
    assert running.outcome("one") == ("receipt", "delivered")

    running.say(CLOSED)
    change = running.change(1)
    assert change["detail"] == f"before {start['digest']}; I1 closed, M1b closed"
    assert change["digest"] == load_checked(running.office.site_file, ())[1].digest
    running.send("two")
    assert running.outcome("two") == ("refusal", "closed")
    assert f'renkei_catalogue_info{{digest="{change["digest"]}"}} 1.0' in running.metrics()

    running.say(FAULTY)
    refused = running.change(2)
    assert refused["code"] == "catalogue-refused"
    assert "site.toml:" in refused["detail"]
    running.send("three")
    assert running.outcome("three") == ("refusal", "closed")
    assert "renkei_catalogue_refused_total 1.0" in running.metrics()

    running.say("")
    back = running.change(3)
    assert (back["digest"], back["code"]) == (start["digest"], "")
    running.send("four")
    assert running.outcome("four") == ("receipt", "delivered")
    running.stop()
