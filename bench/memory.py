"""The memory of processes while they work: the most each held, and whether it grew."""

import statistics
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Self

from bench.measure import Measure
from bench.usage import resident_bytes

SAMPLE_SECONDS = 0.5
MOST_MB = 150
GROWN = 1.1
"""The last third may hold so many times what the first third held, and count as flat."""
MEGA = 1_000_000


class Memory:
    """Looks at processes in a thread; the broker is looked at too, but held to nothing."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._held: defaultdict[str, list[int]] = defaultdict(list)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            for name, pid in self._pids.items():
                self._held[name].append(resident_bytes(pid))

    def measure(self) -> Measure:
        """Give the most that any process of the hub's held."""
        most = {name: max(held) / MEGA for name, held in self._held.items()}
        ours = {name: held for name, held in most.items() if name != "broker"}
        growth = {name: _growth(self._held[name]) for name in ours}
        value = max(ours.values())
        each = ", ".join(
            f"{name} {held:.0f} MB ({growth[name]:+.0%})" for name, held in ours.items()
        )
        broker = f"; the broker {most['broker']:.0f} MB" if "broker" in most else ""
        flat = all(one <= GROWN - 1 for one in growth.values())
        return Measure(
            "process_memory_mb",
            value,
            "MB",
            f"<= {MOST_MB}, flat",
            value <= MOST_MB and flat,
            note=f"most of each (last third beside first third): {each}{broker}",
        )


def _growth(held: list[int]) -> float:
    third = max(len(held) // 3, 1)
    return statistics.mean(held[-third:]) / statistics.mean(held[:third]) - 1
