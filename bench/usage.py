"""What was full meanwhile: processor time of processes and of the whole machine, from /proc."""

import os
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
FULL = 0.93
"""A core of which so much is used has nothing left: the rest is the kernel's own."""
DISTURBED = 0.25
"""Cores that others may use; the kernel's own work and the meter take something."""
_UTIME, _STIME, _PPID = 11, 12, 1
"""Places in /proc/PID/stat behind the name."""
_IDLE, _IOWAIT = 3, 4


@dataclass(frozen=True, slots=True)
class Looked:
    """One look: the seconds that each named process tree and the machine have used so far."""

    at: float
    used: Mapping[str, float]
    idle: float
    waiting: float

    def until(self, later: "Looked") -> "Usage":
        """Give what was used between two looks."""
        seconds = later.at - self.at
        return Usage(
            cores={name: (later.used[name] - used) / seconds for name, used in self.used.items()},
            busy=max(0.0, 1 - (later.idle - self.idle) / seconds / CORES),
            waiting=(later.waiting - self.waiting) / seconds / CORES,
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """Cores that each process used; the machine's share that was busy, or waited for a disk."""

    cores: Mapping[str, float]
    busy: float
    waiting: float

    @property
    def others(self) -> float:
        """Give the cores that everything else on the machine used."""
        return max(0.0, self.busy * CORES - sum(self.cores.values()))

    def said(self) -> str:
        """Say it."""
        each = ", ".join(f"{name} {cores:.0%}" for name, cores in self.cores.items())
        return (
            f"of a core: {each}, all else {self.others:.0%};"
            f" {CORES} cores together {self.busy:.0%} busy, {self.waiting:.0%} waiting for the disk"
        )

    def full(self) -> str:
        """Name what had nothing left, or that everything had."""
        if self.busy >= FULL and self.others > DISTURBED:
            return "full by other programs: take it again on a quiet machine"
        if self.busy >= FULL:
            return f"full: all {CORES} cores"
        alone = [name for name, cores in self.cores.items() if FULL <= cores <= 1 / FULL]
        if alone:
            return f"full: the one core that {' and '.join(alone)} can use"
        return "nothing was full: it waits for answers and for the disk"


def look(processes: Mapping[str, int]) -> Looked:
    """Look at the processes of these ids and all below them."""
    trees = _trees()
    used = {name: sum(trees.get(pid, {}).values()) for name, pid in processes.items()}
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    waiting = int(fields[_IOWAIT]) / _TICKS
    return Looked(time.monotonic(), used, int(fields[_IDLE]) / _TICKS + waiting, waiting)


def _trees() -> Mapping[int, Mapping[int, float]]:
    """Give for each process the seconds used by it and by each one below it."""
    seconds: dict[int, float] = {}
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        pid = int(stat.parent.name)
        seconds[pid] = (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS
        parents[pid] = int(fields[_PPID])
    trees: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for pid, used in seconds.items():
        above = pid
        while above:
            trees[above][pid] = used
            above = parents.get(above, 0)
    return trees


def resident_bytes(pid: int) -> int:
    """Give the memory that a process holds; 0 once it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
