"""The hub's worker: from link to link, until it is told to stop."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hub.errors import LedgerError, LinkLost
from hub.pipeline.waiting import WaitingRoom
from hub.ports import Link
from hub.worker.caller import Caller
from hub.worker.intray import InTray
from hub.worker.shift import Shift
from hub.worker.tools import Tools

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
"""How long a take waits for a first message; also how soon a stop is noticed."""
TEND_SECONDS = 0.5
"""How often the worker looks after the ledger, and at its share of the queues."""
RELEASED_SECONDS = 0.5
"""How often the worker looks for messages that staff have released, at the most."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
WAITING = 2000
"""How many messages may wait for receivers whose queues take nothing, by default."""

Queues = Callable[[], Sequence[str]]


@dataclass(slots=True)
class Worker:
    """Moves batches from the hub's queues to the receivers' queues.

    ``queues`` gives those to consume now, of the hub's ``partitions``; it is asked between two
    batches. ``room`` bounds what waits for receivers.
    """

    tools: Tools
    queues: Queues
    partitions: int
    room: WaitingRoom = field(default_factory=lambda: WaitingRoom(WAITING))
    _survived: set[bytes] = field(default_factory=set)
    _noted: dict[str, int] = field(default_factory=dict)
    _trouble: str | None = None

    def run(self, connect: Callable[[], Link | None], stopping: Callable[[], bool]) -> None:
        """Work until ``stopping``; ``connect`` gives a link, or nothing once it is stopping."""
        while not stopping():
            link = connect()
            if link is None:
                break
            log.info("linked to the broker: the hub is working")
            self.tools.observe.linked()
            shift = self.shift(link)
            try:
                with link:
                    self._work(shift, link, stopping)
            except LinkLost as lost:
                log.warning("the link to the broker is lost: %s", lost)
                self.tools.observe.link_lost()
                if not (self._trouble and stopping()):
                    shift.rescue()
        self._strike_out()

    def _strike_out(self) -> None:
        """Note, at an end in good order, that no suspect brought it about."""
        if not self._noted or self._trouble:
            return
        try:
            self.tools.ledger.cleared(self._noted)
        except LedgerError as error:
            log.warning("%d suspects stay noted: %s", len(self._noted), error)

    def shift(self, link: Link) -> Shift:
        """Begin work over a link."""
        self.room.clear()
        return Shift(self.tools, link, InTray(link, self.room, self._survived, self._noted))

    def _work(self, shift: Shift, link: Link, stopping: Callable[[], bool]) -> None:
        caller = Caller(shift, self.partitions)
        tended = looked = -math.inf
        pauses = _pauses()
        while not stopping():
            now = time.monotonic()
            if now - tended >= TEND_SECONDS:
                self.tools.rules()
                if not self._tended():
                    link.idle(IDLE_SECONDS)
                    continue
                tended = now
                self._share_out(shift)
            if now - looked >= RELEASED_SECONDS:
                looked = now
                caller.call()
            try:
                shift.step(IDLE_SECONDS)
            except LedgerError as error:
                self._complain(str(error))
                _wait(link, next(pauses), stopping)
                tended = -math.inf
            else:
                self._is_well()
                pauses = _pauses()
        if not self._trouble:  # a ledger that does not answer would only be waited for once more
            shift.end()

    def _share_out(self, shift: Shift) -> None:
        """Take up this worker's queues of now; let go of others when nothing is under way."""
        wanted = frozenset(self.queues())
        if wanted == shift.tray.queues:
            return
        shift.end()  # no further step: under load the next batch is always there
        if shift.is_settled:
            shift.tray.consume(wanted)

    def _tended(self) -> bool:
        """Look after the ledger; say whether it takes entries."""
        try:
            self.tools.ledger.tend()
        except LedgerError as error:
            self._complain(str(error))
            return False
        return True

    def _is_well(self) -> None:
        """Tell, where it was told otherwise or nothing yet, that the ledger takes entries."""
        if self._trouble:
            log.info("the ledger takes entries again")
        if self._trouble != "":
            self.tools.observe.ledger_available(available=True)
        self._trouble = ""

    def _complain(self, trouble: str) -> None:
        """Tell what is wrong with the ledger, once."""
        if trouble != self._trouble:
            log.warning("nothing moves: %s", trouble)
            self.tools.observe.ledger_available(available=False, why=trouble)
        self._trouble = trouble


def _wait(link: Link, pause: float, stopping: Callable[[], bool]) -> None:
    """Keep the link alive for this long, or until it is time to stop."""
    while pause > 0 and not stopping():
        link.idle(min(pause, IDLE_SECONDS))
        pause -= IDLE_SECONDS


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)
