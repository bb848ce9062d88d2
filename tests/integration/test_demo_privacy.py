"""Nothing that a demo shows or writes outside its data folders says anything about a person."""

import contextlib
import csv
import json
import os
import signal
import stat
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.ledger.store import DatabaseLedger
from schemas.layout import load_layout
from tests.demo_rig import Renkei, drop_bad_files, node_processes, supervised
from tests.samples import SIGNER
from tests.servers.ledgers import rows_of

pytestmark = pytest.mark.integration

PERSONAL = (
    "my_number",
    "addressee_number",
    "household_number",
    "name",
    "name_kana",
    "birth_date",
    "address",
    "building",
)
LAYOUT = "resident-registry.residents"
ENCODINGS = ("utf-8", "cp932", "utf-16-le")
SHORTEST = 3
"""Shorter texts stand in too many places by chance."""
FEWEST_METRICS = 5
SILENT = ("care-insurance", "premium-collection", "resident-registry", "tax", "union", "welfare")
"""Systems whose journals name nobody: nothing is asked of them, and no list is kept for them."""


@dataclass
class Seen:
    """Everything that was seen of a demo, by where it was seen."""

    state: Path
    run: Renkei
    metrics: dict[str, bytes] = field(default_factory=dict)
    processes: dict[str, bytes] = field(default_factory=dict)
    people: dict[str, set[str]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def outside(self) -> dict[str, bytes]:
        """Give what anybody may look at: all but the systems' and the broker's own data."""
        files = {
            str(file.relative_to(self.state)): file.read_bytes()
            for file in self.state.rglob("*")
            if file.is_file() and not self._holds_data(file)
        }
        said = {"stdout": self.run.out.encode(), "stderr": self.run.err.encode()}
        return files | said | self.metrics | self.processes | {"ledger rows": self._rows()}

    def _holds_data(self, file: Path) -> bool:
        parts = file.relative_to(self.state).parts
        asks = parts[0] == "journals" and not parts[1].startswith(SILENT)
        return parts[0] in {"drives", "services"} or parts[:2] == ("broker", "data") or asks

    def _rows(self) -> bytes:
        ledger = DatabaseLedger(f"sqlite:///{self.state / 'ledger' / 'ledger.sqlite3'}", SIGNER)
        try:
            return "\n".join(map(str, rows_of(ledger))).encode()
        finally:
            ledger.close()


def people_of(drive: Path) -> dict[str, set[str]]:
    """Read whatever the registry's own files say about anybody, by field."""
    fields = [column.field for column in load_layout(LAYOUT).columns]
    found: dict[str, set[str]] = {name: set() for name in PERSONAL}
    for file in drive.glob("processed/JUKI_*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.reader(lines):
                if row[0] == "D":
                    values = dict(zip(fields, row[1:], strict=True))
                    for name in PERSONAL:
                        found[name].add(values[name])
    return {name: {v for v in values if len(v) >= SHORTEST} for name, values in found.items()}


def look_at_processes(seen: Seen, number: int) -> None:
    pids = supervised(seen.state / "logs") | node_processes(seen.state / "broker")
    for name, pid in (pids | {"demo": seen.run.process.pid}).items():
        for part in ("cmdline", "environ"):
            # Of a process that leaves no dumps, only root can read the environment.
            with contextlib.suppress(ProcessLookupError, FileNotFoundError, PermissionError):
                content = Path(f"/proc/{pid}/{part}").read_bytes()
                seen.processes[f"{part} of {name} ({number})"] = content


def look_at_metrics(seen: Seen) -> None:
    groups = json.loads((seen.state / "metrics-targets.json").read_text())
    for group in groups:
        (target,) = group["targets"]
        with urllib.request.urlopen(f"http://{target}/metrics", timeout=5) as answer:
            seen.metrics[f"metrics of {group['labels']['process']}"] = answer.read()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("privacy")
    state = folder / "state"
    before = os.umask(0)  # a careless account: the command has to take care itself
    try:
        options = ("--residents", "150", "--days", "2", "--every", "0.5", "--json")
        run = Renkei(folder, ("demo", "--serve", *options, "--state", str(state)))
    finally:
        os.umask(before)
    seen = Seen(state, run)
    try:
        run.until_said("starting the hub")
        look_at_processes(seen, 1)
        run.until_said("day 3 is written")
        processed = state / "drives" / "tax" / "processed"
        run.until(lambda: any(processed.glob("*_full.csv")), "the first file of the tax system")
        drop_bad_files(state / "drives" / "tax")
        rejects = state / "drives" / "tax" / "rejects"
        run.until(lambda: any(rejects.iterdir()), "rejects")
        for receiver in ("premium-collection", "union"):
            drive = state / "drives" / receiver / "from-hub"
            run.until(lambda drive=drive: any(drive.glob("residents_*.csv")), "delivery")
        look_at_processes(seen, 2)
        look_at_metrics(seen)
        seen.people = people_of(state / "drives" / "resident-registry")
        seen.secrets = {file.read_text().strip() for file in (state / "secrets").iterdir()}
        seen.secrets.add(json.loads((state / "broker" / "node.json").read_text())["password"])
        assert run.stopped(signal.SIGTERM) == 0, run.err
        yield seen
    finally:
        run.end()


def found(texts: set[str], places: dict[str, bytes]) -> dict[str, int]:
    """Say in how many ways these texts stand in each place; never the texts themselves."""
    hits = {}
    needles = set[bytes]()
    for text in texts:
        needles.add(json.dumps(text)[1:-1].encode())
        for encoding in ENCODINGS:
            with contextlib.suppress(UnicodeEncodeError):
                needles.add(text.encode(encoding))
    for place, content in places.items():
        number = sum(needle in content for needle in needles)
        if number:
            hits[place] = number
    return hits


@pytest.mark.parametrize("name", PERSONAL)
def test_nothing_personal_is_found_outside_the_data_folders(seen: Seen, name: str) -> None:
    assert seen.people[name]
    assert found(seen.people[name], seen.outside()) == {}


@pytest.mark.parametrize("name", PERSONAL)
def test_the_same_search_finds_it_where_it_belongs(seen: Seen, name: str) -> None:
    drive = seen.state / "drives" / "resident-registry" / "processed"
    files = {file.name: file.read_bytes() for file in drive.iterdir()}
    assert found(seen.people[name], files)


def test_the_search_looked_everywhere(seen: Seen) -> None:
    outside = seen.outside()
    systems = ("premium-collection", "resident-registry", "tax", "union")
    for place in (
        "stdout",
        "stderr",
        "ledger rows",
        "ledger/ledger.sqlite3",
        "site.toml",
        "logs/hub.log",
        "broker/log/rabbit.log",
        "metrics of hub",
        "cmdline of server (1)",
        *(["environ of hub (2)"] if os.geteuid() == 0 else []),
        *(f"metrics of {system}" for system in systems),
        *(f"journals/{system}.sqlite3" for system in systems),
        *(f"logs/adapter-{system}.log" for system in systems),
        *(f"cmdline of adapter-{system} (2)" for system in systems),
    ):
        assert outside[place], place
    assert b"renkei_ledger_entries_total{" in outside["metrics of hub"]
    assert b"renkei_adapter_records_rejected_total{" in outside["metrics of tax"]
    assert all(content.count(b"\n") > FEWEST_METRICS for content in seen.metrics.values())


def test_no_secret_stands_where_it_may_be_seen(seen: Seen) -> None:
    assert len(seen.secrets) == 3 + 13 + 2 + 1
    hidden = ("secrets/", "broker/node.json", "broker/conf/")
    places = {p: c for p, c in seen.outside().items() if not p.startswith(hidden)}
    assert found(seen.secrets, places) == {}
    drives = {str(f): f.read_bytes() for f in (seen.state / "drives").rglob("*") if f.is_file()}
    assert found(seen.secrets, drives) == {}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_look_into_the_folder(seen: Seen) -> None:
    assert mode(seen.state) == 0o700
    assert mode(seen.state / "secrets") == 0o700
    assert {mode(file) for file in (seen.state / "secrets").iterdir()} == {0o600}
    for file in (*(seen.state / "ledger").iterdir(), *(seen.state / "journals").iterdir()):
        assert mode(file) == 0o600, file
    assert mode(seen.state / "ledger") == 0o700


def test_nothing_at_all_is_open_to_everybody(seen: Seen) -> None:
    data = seen.state / "broker" / "data"
    paths = [p for p in seen.state.rglob("*") if data not in p.parents]
    open_ones = [str(p) for p in paths if mode(p) & stat.S_IRWXO]
    assert open_ones == []
