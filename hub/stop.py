"""Being asked to stop: SIGTERM and SIGINT set a flag that every loop looks at."""

import faulthandler
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

log = logging.getLogger(__name__)

WITHIN_SECONDS = 8.5
"""A process ends so long after it was asked to, whatever it hangs in."""
_SAY_SECONDS = 0.3
_ASKING = (signal.SIGTERM, signal.SIGINT)


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
        for number in _ASKING:
            signal.signal(number, self._signalled)
        return self

    def end_within(
        self, seconds: float = WITHIN_SECONDS, end: Callable[[int], object] = os._exit
    ) -> "Stop":
        """End the process so long after it was asked to stop; call it on the main thread.

        A folder, a database or a lock may hang, and what waits for it looks at no flag. Nothing is
        lost by an end at any moment: what is not acknowledged comes again. The signal is heard
        also while the main thread hangs where no handler in Python can run.
        """
        hears, says = os.pipe()
        os.set_blocking(says, False)
        signal.set_wakeup_fd(says, warn_on_full_buffer=False)
        guard = threading.Thread(
            target=_guard, args=(hears, seconds, end), name="stop-guard", daemon=True
        )
        guard.start()
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


def _guard(hears: int, seconds: float, end: Callable[[int], object]) -> None:
    """Wait for the first signal that asks, and end the process so long after it."""
    while (heard := os.read(hears, 1)) and heard[0] not in _ASKING:
        pass
    if heard:
        time.sleep(seconds)
        # What hangs may be the log itself: it must not keep the process.
        threading.Thread(target=_say_where, args=(seconds,), daemon=True).start()
        time.sleep(_SAY_SECONDS)
        end(1)


def _say_where(seconds: float) -> None:
    log.error(
        "not done %g s after being asked to stop: ended as it is; what is not acknowledged comes"
        " again. It hangs here:",
        seconds,
    )
    with suppress(OSError, ValueError):  # there may be no stderr
        faulthandler.dump_traceback()
