"""Threads that look at something again and again beside a process's own work."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from hub.errors import RenkeiError, placed

log = logging.getLogger(__name__)


class Lookouts:
    """Keeps such threads; where one fails on something unknown, the process is to end.

    Else its figures would stay as they were, and look well. A supervisor starts the process anew.
    """

    def __init__(self) -> None:
        self._faults: list[str] = []

    @contextmanager
    def each(  # noqa: PLR0913 - what is looked at, and how
        self,
        seconds: float,
        look: Callable[[], object],
        name: str,
        *,
        patience: float,
        end: Callable[[], object] = lambda: None,
        at_once: bool = False,
    ) -> Iterator[None]:
        """Call ``look`` every so many seconds for the time of the context, and ``end`` after it.

        ``patience`` is how long the last look is waited for; ``at_once``: the first look is now.
        """
        over = Event()

        def run() -> None:
            pause = 0.0 if at_once else seconds
            try:
                while not over.wait(pause):
                    look()
                    pause = seconds
                end()
            except Exception as error:  # noqa: BLE001 - said by check, in the process's own thread
                self._faults.append(f"{name}: {placed(error)}")

        thread = Thread(target=run, name=name, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(patience)

    def check(self) -> None:
        """See that none has failed.

        Raises:
            RenkeiError: one has, on something unknown.
        """
        if self._faults:
            raise RenkeiError(f"a look around failed: {'; '.join(self._faults)}")
