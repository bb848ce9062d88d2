"""Which of a hub's workers are alive, by a counter of each in the ledger's database.

A worker moves its own counter and looks at those of the others. No two clocks are compared:
whoever looks measures by its own monotonic clock how long a counter has stood still, and only
time in which it looked counts, so one that was frozen, or had no database, holds nothing against
the others. The roster spreads work; it guards nothing (``docs/adr/0017-buckets-and-workers.md``).
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update

from hub.errors import SiteError
from hub.ledger.maintenance import Maintenance, standing
from hub.ledger.schema import ledger_errors
from hub.ledger.tables import workers

log = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""A worker whose counter stood still for so long is gone, as far as sharing the work goes."""
FORGET_SECONDS = 600.0
"""After so long its row is deleted."""
YOUNG_SECONDS = 5.0
"""Of two processes with one name, the one that has lived less than this gives way."""
_LONGEST_STEP = 2 * BEAT_SECONDS
"""What counts of the time between two looks: in a longer one this process was not looking."""


@dataclass(slots=True)
class _Seen:
    """A counter, and when it was first seen so high."""

    beats: int
    since: float


class Roster:
    """The roster as one worker, called ``name``, sees it."""

    def __init__(
        self, engine: Engine, name: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.maintenance: Maintenance | None = None
        """What people said at the last look that went well; also once its time is over."""
        self._engine = engine
        self._monotonic = monotonic
        self._due = self._began = self._last = -1.0
        self._own: int | None = None
        self._watched = 0.0
        self._seen: dict[str, _Seen] = {}
        self._is_shared = False

    @property
    def members(self) -> frozenset[str]:
        """Those that were alive at the last look; this one always."""
        alive = (
            name for name, seen in self._seen.items() if self._watched - seen.since < SILENT_SECONDS
        )
        return frozenset({self.name, *alive})

    def beat(self) -> frozenset[str]:
        """Move the own counter and look at the others, where it is time to; give the members.

        Raises:
            LedgerError: the database cannot be used; the members stay what they were.
            SiteError: another process has this name, and had it first.
        """
        now = self._monotonic()
        if now < self._due:
            return self.members
        self._due = now + BEAT_SECONDS
        expected = None if self._own is None else self._own + 1
        self._own = None  # where it fails, nobody knows whether the counter moved
        with ledger_errors("keep the roster"), self._engine.begin() as connection:
            own = self._moved(connection)
            rows = connection.execute(select(workers.c.name, workers.c.beats))
            counters = {row.name: row.beats for row in rows}
            said = standing(connection)
        self._own = own
        self.maintenance = said
        self._look(counters, now)
        if expected is not None and own > expected:
            self._share(now - self._began)
        self._forget()
        return self.members

    def leave(self) -> None:
        """Take this worker off the roster, where its last look went well: else it would only wait.

        Raises:
            LedgerError: the database cannot be used; the others find out by its silence.
        """
        if self._own is not None and not self._is_shared:
            with ledger_errors("keep the roster"), self._engine.begin() as connection:
                connection.execute(delete(workers).where(workers.c.name == self.name))

    def _moved(self, connection: Connection) -> int:
        step = (
            update(workers)
            .where(workers.c.name == self.name)
            .values(beats=workers.c.beats + 1)
            .returning(workers.c.beats)
        )
        beats: int | None = connection.execute(step).scalar_one_or_none()
        if beats is None:
            beats = 1
            connection.execute(insert(workers).values(name=self.name, beats=beats))
        return beats

    def _look(self, counters: Mapping[str, int], now: float) -> None:
        if self._last < 0:
            self._began = now
        else:
            self._watched += min(now - self._last, _LONGEST_STEP)
        self._last = now
        for name in self._seen.keys() - counters.keys():
            del self._seen[name]
        for name, beats in counters.items():
            seen = self._seen.get(name)
            if seen is None or seen.beats != beats:
                self._seen[name] = _Seen(beats, self._watched)

    def _share(self, age: float) -> None:
        """See to it that two processes do not have one name for long."""
        if age < YOUNG_SECONDS:
            self._is_shared = True
            message = f"another hub process is called {self.name}: give this one another --name"
            raise SiteError(message)
        log.error("another hub process is called %s too: it should end by itself", self.name)

    def _forget(self) -> None:
        """Delete the rows of those that have been silent for long."""
        for name, seen in self._seen.items():
            if self._watched - seen.since < FORGET_SECONDS:
                continue
            row = (workers.c.name == name, workers.c.beats == seen.beats)
            with ledger_errors("keep the roster"), self._engine.begin() as connection:
                connection.execute(delete(workers).where(*row))
