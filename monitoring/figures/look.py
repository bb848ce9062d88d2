"""Looks at tail and processes, and gives the picture: for ``renkei top`` and the console.

One look serves all who ask within a moment, and nothing runs while nobody asks.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock

from hub.clock import JST
from hub.errors import LedgerError
from hub.ledger.tail import Turn
from hub.statute.model import Catalogue
from monitoring.figures.lines import Picture, picture
from monitoring.figures.live import live_of
from monitoring.figures.scrape import Ask, Target, ask_all
from monitoring.figures.window import Window

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""So long a picture is good."""


class Figures:
    """Gives the picture of now; may be asked from several threads."""

    def __init__(  # noqa: PLR0913 - what a picture is made of
        self,
        targets: Sequence[Target],
        ask: Ask,
        follow: Callable[[], Turn] | None,
        catalogue: Callable[[], Catalogue],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(JST),
    ) -> None:
        """Look at these; ``follow`` is a tail's ``look``, and without one there are no rates."""
        self._targets = targets
        self._ask = ask
        self._turn = follow
        self._catalogue = catalogue
        self._monotonic = monotonic
        self._clock = clock
        self._lock = Lock()
        self._window = Window()
        self._made: tuple[float, Picture] | None = None
        self._trouble = ""

    def look(self) -> Picture:
        """Give a picture that is no older than ``LOOK_SECONDS``.

        What cannot be asked is left out of it; nothing is raised for that.
        """
        with self._lock:
            now = self._monotonic()
            if self._made is None or now - self._made[0] >= LOOK_SECONDS:
                self._follow(now)
                live = live_of(ask_all(self._targets, self._ask))
                made = picture(self._catalogue(), self._window, live, now, self._clock())
                self._made = (now, made)
            return self._made[1]

    def _follow(self, now: float) -> None:
        if self._turn is None:
            return
        trouble = ""
        try:
            self._window.add(now, self._turn())
        except LedgerError as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            log.warning("there are no new rates: %s", trouble)
        self._trouble = trouble
