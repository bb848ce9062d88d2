"""How often something may happen, and how often it is told. In memory: a restart forgets."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

_MOST_KEYS = 10_000


@dataclass(slots=True)
class Limiter:
    """Permits so many times in so many seconds, for each key."""

    most: int
    seconds: float
    monotonic: Callable[[], float] = time.monotonic
    _times: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def permits(self, key: str) -> bool:
        """Count one more, and say whether that is permitted."""
        now = self.monotonic()
        with self._lock:
            times = self._times.setdefault(key, deque())
            self._times.move_to_end(key)
            while len(self._times) > _MOST_KEYS:
                self._times.popitem(last=False)
            while times and times[0] <= now - self.seconds:
                times.popleft()
            if len(times) >= self.most:
                return False
            times.append(now)
            return True


@dataclass(slots=True)
class Muted:
    """Tells of what happens too often only so often, and then how often it was."""

    limiter: Limiter
    _untold: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def due(self, key: str) -> int:
        """Count one more; give how many are to be told of now, none when it is not yet time."""
        told = self.limiter.permits(key)
        with self._lock:
            number = self._untold.pop(key, 0) + 1
            if told or (key not in self._untold and len(self._untold) >= _MOST_KEYS):
                return number
            self._untold[key] = number
            return 0

    def overdue(self) -> list[tuple[str, int]]:
        """Give what was not told yet and can be now: by key, how often it was."""
        with self._lock:
            keys = [key for key in self._untold if self.limiter.permits(key)]
            return [(key, self._untold.pop(key)) for key in keys]
