"""What was done to the processes of a drill ground, and when the harm of each was over."""

import os
import signal
import time
from dataclasses import dataclass, field


@dataclass
class Strike:
    """One harm; ``over`` is when it ended, after which there is only recovery (monotonic)."""

    victim: str
    how: str
    began: float
    over: float


@dataclass
class Strikes:
    """All strikes so far, and which processes are stopped until when."""

    done: list[Strike] = field(default_factory=list)
    _stopped: dict[int, Strike] = field(default_factory=dict)

    def note(self, victim: str, how: str, pid: int = 0, seconds: float = 0.0) -> Strike:
        """Note a strike that ends after so long; one that stops a process has its number."""
        now = time.monotonic()
        strike = Strike(victim, how, now, now + seconds)
        self.done.append(strike)
        if how == signal.SIGSTOP.name:
            self._stopped[pid] = strike
        return strike

    def thaw(self, *, all_of_them: bool = False) -> None:
        """Let go on what was stopped long enough."""
        now = time.monotonic()
        for pid, strike in list(self._stopped.items()):
            if all_of_them or now >= strike.over:
                del self._stopped[pid]
                strike.over = now
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    continue  # it was killed while it was stopped
