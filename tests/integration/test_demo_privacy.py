"""What a demo shows and writes: nothing personal outside its data folders, no 個人番号 anywhere.

A 個人番号 stands in the systems' own files alone. Whatever broker, database, processes and adapters
wrote beside them is searched for every one that the city has, while the demo runs and afterwards.
"""

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

from adapters.simulation.people import my_number
from hub.ledger.store import DatabaseLedger
from schemas.layout import load_layout
from tests.demo_rig import Renkei, drop_bad_files, node_processes, supervised
from tests.numbers_at_rest import Numbers
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
RESIDENTS = 150
ISSUED = Numbers(
    my_number(first + index)
    for first, last in ((0, 3 * RESIDENTS), (400_000_000, 50), (500_000_000, 50_000))
    for index in range(last)
)
"""Every 個人番号 that such a city could have: of residents, of a mistake, of those outside it."""
OWN = ("to-hub", "from-hub", "processed", "matching")
"""The folders of a drive whose files are the system's own."""
PRIVATE_KEYS = 14 + 1
"""Those of the hub, of thirteen systems, and of the authority."""
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
    at_the_broker: dict[str, int] = field(default_factory=dict)
    numbers_at_the_broker: dict[str, int] = field(default_factory=dict)
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

    def drives(self) -> list[Path]:
        return sorted((self.state / "drives").iterdir())

    def own_files(self) -> list[Path]:
        """Name what belongs to the systems: their folders, and whole files that were set aside."""
        folders = [drive / name for drive in self.drives() for name in OWN]
        aside = [file for drive in self.drives() for file in drive.glob("set-aside/*")]
        files = [file for file in aside if not file.name.startswith("message-")]
        return [self.state / "services", *folders, *files]

    def look_at_the_broker(self) -> None:
        """Search what the broker has on its disk now, for numbers and, to compare, for names."""
        data = self.state / "broker" / "data"
        self.numbers_at_the_broker = ISSUED.found_in_files(data)
        places = {str(file): read(file) for file in data.rglob("*") if file.is_file()}
        self.at_the_broker = found(set(sorted(self.people["name"])[:5]), places)

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


def read(file: Path) -> bytes:
    """Give the content; none where it is gone by now."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    return b""


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
        options = ("--residents", str(RESIDENTS), "--days", "2", "--every", "0.5", "--json")
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
        seen.look_at_the_broker()
        seen.secrets = {file.read_text().strip() for file in (state / "secrets").iterdir()}
        seen.secrets.add(json.loads((state / "broker" / "node.json").read_text())["password"])
        for file in (state / "pki").rglob("*.key"):
            seen.secrets.add(file.read_text().splitlines()[1])
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


def test_no_number_was_on_the_brokers_disk_where_names_were(seen: Seen) -> None:
    assert seen.at_the_broker, "the messages were not where this test has looked"
    assert seen.numbers_at_the_broker == {}


def test_no_number_is_in_any_file_but_the_systems_own(seen: Seen) -> None:
    assert ISSUED.found_in_files(seen.state, seen.own_files()) == {}
    said = {"stdout": seen.run.out, "stderr": seen.run.err}
    assert {name for name, text in said.items() if ISSUED.found_in(text.encode())} == set()
    shown = seen.metrics | seen.processes
    assert {name for name, content in shown.items() if ISSUED.found_in(content)} == set()


def test_the_same_search_finds_the_numbers_in_the_systems_own_files(seen: Seen) -> None:
    sent = seen.state / "drives" / "resident-registry" / "processed"
    assert max(ISSUED.found_in_files(sent).values()) > RESIDENTS // 2
    came = {drive.name: ISSUED.found_in_files(drive / "from-hub") for drive in seen.drives()}
    assert {system for system, files in came.items() if files} >= {"union", "number-linkage"}


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
    assert len(seen.secrets) == 3 + 13 + 2 + 1 + PRIVATE_KEYS
    hidden = ("secrets/", "pki/", "broker/node.json", "broker/conf/")
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
    keys = list((seen.state / "pki").rglob("*.key"))
    assert len(keys) == PRIVATE_KEYS
    assert {mode(file) for file in keys} == {0o600}
    for file in (*(seen.state / "ledger").iterdir(), *(seen.state / "journals").iterdir()):
        assert mode(file) == 0o600, file
    assert mode(seen.state / "ledger") == 0o700


def test_nothing_at_all_is_open_to_everybody(seen: Seen) -> None:
    data, public = seen.state / "broker" / "data", seen.state / "pki"
    paths = [p for p in seen.state.rglob("*") if not {data, public} & {p, *p.parents}]
    open_ones = [str(p) for p in paths if mode(p) & stat.S_IRWXO]
    assert open_ones == []
