"""Being asked to stop: SIGTERM and SIGINT set a flag that every loop looks at."""

import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Becomes true once the process is asked to stop; a second signal ends it at once.

    ``signal`` is the signal that asked, or ``None``.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._asked = False
        self._raising = False
        # Unlike an Event, its ``put`` may be called by a signal's handler while the same
        # thread is inside ``get``.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def __call__(self) -> bool:
        """Say whether to stop."""
        return self._asked

    def ask(self) -> None:
        """Ask to stop."""
        self._asked = True
        self._bell.put(None)

    def reset(self) -> None:
        """Forget the request: the next signal asks anew."""
        self._asked = False
        while not self._bell.empty():
            self._bell.get()

    def wait(self, seconds: float) -> bool:
        """Wait until asked, or so long; say whether asked."""
        if not self._asked:
            try:
                self._bell.get(timeout=seconds)
            except queue.Empty:
                return self._asked
        return self._asked

    def on_signals(self) -> "Stop":
        """Take SIGTERM and SIGINT as the request; call it on the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        return self

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Let a signal break off what runs inside the block, and not only be noted.

        For steps that look at no flag, such as starting a broker. What they opened is closed
        on the way out.

        Raises:
            KeyboardInterrupt: asked to stop, at its start or inside.
        """
        self._raising = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._raising = False

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal = number
        self.ask()
        if self._raising:
            self._raising = False
            raise KeyboardInterrupt
