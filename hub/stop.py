"""Being asked to stop: SIGTERM and SIGINT set a flag that every loop looks at."""

import signal
import threading
from types import FrameType


class Stop:
    """Becomes true once the process is asked to stop; a second signal ends it at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def __call__(self) -> bool:
        """Say whether to stop."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Ask to stop."""
        self._asked.set()

    def reset(self) -> None:
        """Forget the request: the next signal asks anew."""
        self._asked.clear()

    def wait(self, seconds: float) -> bool:
        """Wait until asked, or so long; say whether asked."""
        return self._asked.wait(seconds)

    def on_signals(self) -> "Stop":
        """Take SIGTERM and SIGINT as the request; call it on the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        return self

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._asked.set()
