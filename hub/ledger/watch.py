"""Watches the ledger all the time: does it take a write, and is everything in it right?

What was added is recomputed soon after, and the whole ledger again and again, a slice at a
time. A fault halts the ledger: nothing moves until a later look at the whole finds it right.
The newest sealed head is kept in a file outside the database, so that a database that was set
back or cut off is found.
"""

import datetime as dt
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, select, update

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.ages import age_of
from hub.ledger.asides import count_kept
from hub.ledger.beside import Shelf, State
from hub.ledger.head import Head
from hub.ledger.schema import SameFile, ledger_errors, sqlite_path
from hub.ledger.tables import checkpoints, head

log = logging.getLogger(__name__)

ROOM_BYTES = 65_536
"""As much as one small append may need on the disk."""
CHECK_SECONDS = 5.0
"""How long after a look at what is new the next one begins."""
SWEEP_SECONDS = 30.0
"""How long after a look at the whole ledger the next one begins, at least."""
SOON_DONE = 100_000
"""So many entries are looked at within a second or two, also when it is time to stop."""
SWEEP_SHARE = 10
"""Of the time, looks at the whole take no more than one part in so many."""
MENDED_SECONDS = 10.0
"""How long after a look that found a fault the whole is looked at again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found: right through an entry, or the first bad one and what is wrong.

    ``seal`` is that of the head that was found right.
    """

    through: int
    first_bad: int | None = None
    fault: str = ""
    seal: str = ""


class Observer(Protocol):
    """Gets told what the watch sees; ``monitoring.ledger`` makes metrics of it."""

    def seen(self, size: int, through: int, checkpoint_age: dt.timedelta) -> None:
        """So many entries, recomputed through this one; the oldest without a checkpoint."""
        ...

    def written(self, trouble: str) -> None:
        """Say whether the database takes a write; the text says why not."""
        ...

    def put_aside(self, kept: Mapping[tuple[Shelf, State], int]) -> None:
        """Say how many messages wait on which list, by state."""
        ...

    def swept(self, at: dt.datetime) -> None:
        """Note that the whole ledger was found right."""
        ...

    def judged(self, first_bad: int | None, fault: str) -> None:
        """Say what is wrong, or with an empty text that nothing is."""
        ...


Check = Callable[[int | None], Finding]
"""Recomputes the ledger: from an entry on, or as a whole where none is given.

Raises ``LedgerError`` where the database cannot be read at all.
"""


class Watch:
    """Looks after one ledger; ``tick`` is called about every second.

    ``sweeper`` runs the looks at the whole ledger beside, one at a time.
    """

    def __init__(  # noqa: PLR0913 - what a watch is made of
        self,
        engine: Engine,
        check: Check,
        witness: Path,
        observe: Observer,
        sweeper: Executor,
        *,
        clock: Callable[[], dt.datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._check = check
        self._witness = witness
        self._observe = observe
        self._sweeper = sweeper
        self._clock = clock
        self._monotonic = monotonic
        self._file = SameFile(engine)
        self._through = 0
        self._sweep_due = self._check_due = self._sweep_began = monotonic()
        self._sweep: Future[Finding] | None = None
        self._finding = Finding(0)
        self._known = False
        self._faults = self._faults_before = 0
        self._kept = self._not_kept = ""

    def tick(self) -> None:
        """Look once: write, recompute what is new, and begin a look at the whole when due.

        What goes wrong with the database itself is told and tried again at the next tick.
        """
        try:
            self.probe()
            self._look()
        except LedgerError as error:
            self._observe.written(str(error))
        else:
            self._observe.written("")

    def last(self) -> None:
        """Look once more before the end, so that the newest entries are checked and kept."""
        self._check_due = self._monotonic()
        self.tick()
        try:
            with ledger_errors("be read"), self._engine.connect() as connection:
                now, _ = heads.read(connection)
            if not self._known and now.size <= SOON_DONE:
                self._known = True
                self._take(self._check(1))
        except LedgerError as error:
            self._observe.written(str(error))

    def probe(self) -> None:
        """Make the database write: a full disk is to show before a message comes.

        Raises:
            LedgerError: it does not, or the ledger's file is not the one that was opened.
        """
        self._file.check()
        probe = update(head).where(head.c.id == 1).values(size=head.c.size)
        with ledger_errors("be written"):
            with self._engine.begin() as connection:
                connection.execute(probe)
            path = sqlite_path(self._engine)
            if path is not None:
                # SQLite writes no page that stays as it was; its disk is asked for room.
                _ask_for_room(path.parent)

    def _look(self) -> None:
        with ledger_errors("be read"), self._engine.connect() as connection:
            now, fault = heads.read(connection)
            self._observe.put_aside(count_kept(connection))
        if fault and not self._known:
            self._observe.judged(None, fault)
        self._turn_sweep(now)
        if self._is_new(now.size):
            self._check_due = self._monotonic() + CHECK_SECONDS
            self._take(self._check(self._through + 1))
        if self._known and fault != self._finding.fault:
            self._halt(self._finding.fault)
        self._observe.seen(now.size, self._through, self._uncovered_for(now))

    def _turn_sweep(self, now: Head) -> None:
        """Begin a look at the whole when it is due, and take what one has found."""
        if self._known and now.size < self._through:
            # The ledger was set back: that is for the whole, which knows the witness.
            self._sweep_due = min(self._sweep_due, self._monotonic())
        if self._sweep is None and self._monotonic() >= self._sweep_due:
            self._sweep = self._sweeper.submit(self._check, None)
            self._sweep_began = self._monotonic()
            self._faults_before = self._faults
        if self._sweep is not None and self._sweep.done():
            self._end_sweep(self._sweep)

    def _is_new(self, size: int) -> bool:
        if not self._known or self._finding.fault or size <= self._through:
            return False
        return self._monotonic() >= self._check_due

    def _end_sweep(self, sweep: "Future[Finding]") -> None:
        self._sweep = None
        self._sweep_due = self._monotonic() + MENDED_SECONDS
        finding = sweep.result()
        if not finding.fault and self._faults != self._faults_before:
            # It began before the fault came, and may not have seen it.
            self._sweep_due = self._monotonic()
            return
        self._known = True
        self._take(finding)
        if not finding.fault:
            took = self._monotonic() - self._sweep_began
            pause = max(SWEEP_SECONDS, took * (SWEEP_SHARE - 1))
            self._sweep_due = self._monotonic() + pause
            self._observe.swept(self._clock())

    def _take(self, finding: Finding) -> None:
        if finding.fault:
            self._faults += 1
            self._sweep_due = self._monotonic() + MENDED_SECONDS
        if finding.fault != self._finding.fault:
            if finding.fault:
                log.error("%s", finding.fault)
            else:
                log.info("the ledger is right again")
        self._finding = finding
        self._through = finding.through
        self._observe.judged(finding.first_bad, finding.fault)
        if not finding.fault:
            self._keep(finding.seal)

    def _halt(self, fault: str) -> None:
        """Halt the ledger, or let it go on with an empty text."""
        with ledger_errors("be halted"), self._engine.begin() as connection:
            heads.set_fault(connection, fault)

    def _keep(self, seal: str) -> None:
        """Keep a head that was found right outside the database, whole or as it was before.

        That it goes on from the one that was kept before was a part of the check. Where it cannot
        be kept, that is logged once and tried again: the ledger itself is not wrong.
        """
        if not seal or seal == self._kept:
            return
        temporary = self._witness.with_name(f".{self._witness.name}.tmp")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(seal)
                opened.flush()
                os.fsync(handle)
            temporary.replace(self._witness)
        except OSError as error:
            trouble = f"{self._witness} cannot be written: {error.strerror}"
            if trouble != self._not_kept:
                log.error("no head is kept outside the database: %s", trouble)  # noqa: TRY400 - its text
            self._not_kept = trouble
            return
        if self._not_kept:
            log.info("the head is kept in %s again", self._witness)
        self._kept, self._not_kept = seal, ""

    def _uncovered_for(self, now: Head) -> dt.timedelta:
        """Say for how long the first entry that no kept checkpoint covers has been there."""
        newest = select(checkpoints.c.size).order_by(checkpoints.c.id.desc()).limit(1)
        with ledger_errors("be read"), self._engine.connect() as connection:
            covered = connection.execute(newest).scalar_one_or_none() or 0
            if covered >= now.size:
                return dt.timedelta()
            return age_of(connection, covered + 1, self._clock()) or dt.timedelta()


def _ask_for_room(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(ROOM_BYTES))
        file.flush()
        os.fsync(file.fileno())
