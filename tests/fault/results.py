"""The results of drills: one JSON object a line in ``var/fault``, from which the page is made.

A drill notes what it saw with ``note``; ``python -m tests.fault.page`` writes the table of
``docs/reliability.md``.
"""

import datetime as dt
import math
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.pages import machine, note_line, noted_lines

RESULTS = "RENKEI_FAULT_RESULTS"
FOLDER = Path(__file__).parents[2] / "var" / "fault"


@dataclass(frozen=True, slots=True)
class Result:
    """What one run of a drill came to.

    ``drill`` is its name in the table. ``times`` counts the faults, ``kills`` those of them that
    ended a process by force. ``aside`` are copies of which the ledger says why they did not
    arrive. ``recovery`` has, for each fault whose end can be told, the seconds from then until a
    message that was sent after it had arrived at every receiver.
    """

    drill: str
    times: int
    messages: int
    lost: int
    doubled: int
    aside: int = 0
    recovery: Sequence[float] = ()
    kills: int = 0
    seed: str = ""
    broker: str = ""
    ledger: str = ""
    note: str = ""
    on: str = field(default_factory=lambda: dt.datetime.now().astimezone().date().isoformat())
    machine: str = field(default_factory=machine)


def place(*, long: bool) -> Path:
    """Say where results go; those of short runs stand apart and are on no page."""
    named = os.environ.get(RESULTS)
    return Path(named) if named else FOLDER / ("results.jsonl" if long else "short.jsonl")


def note(result: Result, *, long: bool) -> None:
    """Append a result; several processes may."""
    note_line(place(long=long), asdict(result))


def noted(file: Path) -> Iterator[Result]:
    """Give the results in a file."""
    for line in noted_lines(file):
        yield Result(**line)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(recovery: Sequence[float]) -> Mapping[str, float]:
    """Give median, 99th percentile and maximum in seconds; nothing for no values."""
    if not recovery:
        return {}
    return {
        "median": statistics.median(recovery),
        "p99": percentile(recovery, 0.99),
        "max": max(recovery),
    }
