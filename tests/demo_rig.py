"""Runs ``renkei`` as a process, and drops strangers' files onto a demo's drive."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.broker.provide import MANAGEMENT_URL, URL, ProvidedBroker

PATIENCE = 240.0
RENKEI = (sys.executable, "-m", "hub.cli.main")
OURS = ("setpriv", "--pdeathsig=TERM")
"""Stands before a command that is to stop when the tests end, however they end."""


@dataclass
class Renkei:
    """One process of the command line; what it says is in ``out`` and ``err`` of a folder."""

    folder: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [*OURS, *RENKEI, *self.arguments],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env=os.environ | self.environment,
            )

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text(encoding="utf-8")

    def answer(self) -> dict[str, Any]:
        """Give the object on the last line of stdout."""
        document: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return document

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait until it ends; give its status."""
        return self.process.wait(seconds)

    def stopped(self, number: int = signal.SIGTERM, seconds: float = PATIENCE) -> int:
        """Ask it to stop; give its status."""
        self.process.send_signal(number)
        return self.ended(seconds)

    def until(self, event: Callable[[], bool], what: str) -> None:
        """Wait for something that it does."""
        deadline = time.monotonic() + PATIENCE
        while not event():
            assert self.process.poll() is None, f"it ended before {what}: {self.err}"
            assert time.monotonic() < deadline, f"no {what}: {self.err}"
            time.sleep(0.02)  # other processes' files have no event to wait for

    def until_said(self, text: str) -> None:
        self.until(lambda: text in self.err, f"text {text!r}")

    def end(self) -> None:
        """Leave nothing behind, also when a test has failed."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def named(broker: ProvidedBroker) -> dict[str, str]:
    """Give the environment that names a broker."""
    user, password = broker.admin_user, broker.admin_password.get_secret_value()
    return {
        URL: f"amqp://{user}:{password}@{broker.host}:{broker.port}",
        MANAGEMENT_URL: broker.management_url,
    }


def alive(pid: int) -> bool:
    """Say whether a process runs; one that nobody has waited for yet does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def gone(pids: Mapping[str, int], seconds: float = 15.0) -> bool:
    """Wait until none of these processes runs any more."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids.values())):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def supervised(logs: Path) -> dict[str, int]:
    """Read which processes a supervisor runs."""
    try:
        document: dict[str, int] = json.loads((logs / "processes.json").read_text())
    except FileNotFoundError:
        return {}
    return document


def node_processes(broker: Path) -> dict[str, int]:
    """Read which processes a private node has; none before it is started."""
    try:
        document = json.loads((broker / "node.json").read_text())
    except FileNotFoundError:
        return {}
    processes: dict[str, int] = document["processes"]
    return processes


# -- what arrived ------------------------------------------------------------------------------

ANSWERING = (
    "bank",
    "deposit-inquiry",
    "e-application",
    "intermediate-server",
    "kokuho-federation",
    "number-linkage",
)
"""Systems that answer what they get: how their records share files, and when, is not determined."""
PROCESSES = 17
"""The hub, the watch, thirteen adapters and two simulators that are served."""


def arrived(state: Path) -> Counter[tuple[str, ...]]:
    """Give every record in the receivers' files, without what differs from run to run.

    That is when it was accepted, and of an answer all but whose it is.
    """
    found: Counter[tuple[str, ...]] = Counter()
    for file in sorted(state.glob("drives/*/from-hub/*.csv")):
        receiver = file.parent.parent.name
        with file.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.reader(lines) if row[0] == "D"]
        found.update((receiver, *_lasting(row)) for row in rows)
    return found


def _lasting(row: list[str]) -> list[str]:
    if row[1] in ANSWERING:
        return [row[1], row[3]]
    return ["T" if cell.startswith("20") and "T" in cell and "+" in cell else cell for cell in row]


# -- strangers' files ------------------------------------------------------------------------

BAD_RECORD = "ZEI_99990101000000_9998_delta.csv"
WRONG_ENCODING = "ZEI_99990101000000_9999_delta.csv"
TRUNCATED = "ZEI_00000101000000_0000_full.csv"


def drop_bad_files(tax: Path) -> None:
    """Put a bad record, a wrong encoding and a truncated file onto the tax system's drive.

    The one good record is about somebody out of scope, so that nobody gets it.
    """
    full = next((tax / "processed").glob("ZEI_*_full.csv")).read_text(encoding="utf-8")
    head, *rows = full.splitlines()[:-1]
    cells = next(cells for row in rows if (cells := row.split(","))[8] == "0" and alone(row, rows))
    good, bad = ",".join(cells), ",".join(["D", "9" * 12, *cells[2:13], "many", *cells[14:]])
    whole = f"{head}\r\n{good}\r\n{bad}\r\nT,2\r\n"
    put(tax, BAD_RECORD, whole.encode())
    put(tax, WRONG_ENCODING, whole.encode("cp932"))
    put(tax, TRUNCATED, whole.encode()[: len(whole) // 2])


def alone(row: str, rows: list[str]) -> bool:
    group = row.split(",")[1]
    return sum(other.split(",")[1] == group for other in rows) == 1


def put(drive: Path, name: str, content: bytes) -> None:
    temporary = drive / "to-hub" / f".{name}.tmp"
    temporary.write_bytes(content)
    temporary.chmod(0o640)
    temporary.replace(drive / "to-hub" / name)
