"""The results of drills: one JSON object a line in ``var/fault``, from which the page is made.

A drill notes what it saw with ``note``; ``python -m tests.fault.page`` writes the table of
``docs/reliability.md``.
"""

import datetime as dt
import json
import math
import os
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = "RENKEI_FAULT_RESULTS"
FOLDER = Path(__file__).parents[2] / "var" / "fault"


def machine() -> str:
    """Name the machine by its processor, cores and system."""
    facts: dict[str, Any] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    cores = len(os.sched_getaffinity(0))
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{facts.get('model name', platform.machine())}, {cores} cores, {system}"


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
    file = place(long=long)
    file.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(result), ensure_ascii=False) + "\n"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def noted(file: Path) -> Iterator[Result]:
    """Give the results in a file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield Result(**json.loads(line))


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
