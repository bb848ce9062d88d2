"""What a benchmark gives: measures with their references and targets, as a table and as JSON."""

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; ``reference`` is what it is held against, measured in the same run.

    ``ratio`` is value over reference; ``target`` is said of ``value`` or of ``ratio``, and
    ``met`` whether it is reached.
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


def write(measures: Sequence[Measure], path: Path = RESULTS) -> None:
    """Write all measures and what machine they were taken on."""
    path.parent.mkdir(exist_ok=True)
    whole = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "measures": [{**asdict(one), "ratio": one.ratio} for one in measures],
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "load_before": os.getloadavg()[0],
        },
    }
    path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show(measures: Sequence[Measure], console: Console) -> None:
    """Print the measures as a table."""
    table = Table("measure", "value", "unit", "reference", "ratio", "target", "met", "note")
    for one in measures:
        reference = "" if one.reference is None else f"{one.reference:,.4g}"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        met = "yes" if one.met else "NO"
        row = (one.name, f"{one.value:,.4g}", one.unit, reference, ratio, one.target, met)
        table.add_row(*row, one.note)
    console.print(table)
