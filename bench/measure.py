"""What a benchmark gives: measures with their references and targets, as a table and as JSON."""

import datetime as dt
import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.table import Column, Table

RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; ``reference`` is what it is held against, measured in the same run.

    ``ratio`` is value over reference; ``target`` is said of ``value`` or of ``ratio``, and
    ``met`` whether it is reached. ``note`` says what was full meanwhile.
    """

    name: str
    value: float
    unit: str
    target: str
    met: bool
    reference: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the reference it is."""
        return self.value / self.reference if self.reference else None


@dataclass(frozen=True, slots=True)
class Machine:
    """What the measures are taken on, and how busy it was before."""

    cores: int
    processor: str
    memory_bytes: int
    system: str
    python: str
    sqlite: str
    load_before: float
    at: str

    @classmethod
    def look(cls) -> Self:
        """Look at this machine."""
        return cls(
            cores=os.cpu_count() or 1,
            processor=_processor(),
            memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            system=platform.platform(),
            python=platform.python_version(),
            sqlite=sqlite3.sqlite_version,
            load_before=os.getloadavg()[0],
            at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def write(measures: Sequence[Measure], machine: Machine, path: Path = RESULTS) -> None:
    """Write all measures and what machine they were taken on."""
    path.parent.mkdir(exist_ok=True)
    whole = {
        "measures": [{**asdict(one), "ratio": one.ratio} for one in measures],
        "machine": asdict(machine),
    }
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show(measures: Sequence[Measure], console: Console) -> None:
    """Print the measures as a table, and below it what was full and what else there is to say."""
    table = Table(
        Column("measure", no_wrap=True), "value", "unit", "reference", "ratio", "target", "met"
    )
    for one in measures:
        reference = "" if one.reference is None else f"{one.reference:,.4g}"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        met = "yes" if one.met else "NO"
        table.add_row(one.name, f"{one.value:,.4g}", one.unit, reference, ratio, one.target, met)
    console.print(table)
    for one in measures:
        if one.note:
            console.print(f"{one.name}: {one.note}", highlight=False, markup=False, soft_wrap=True)
