"""The hub's worker: take a batch, judge it, record it, send it, record that, acknowledge it.

One thread, one batch after another (``docs/adr/0005-ledger-first.md``). Whatever fails in
between leaves the batch unacknowledged; it is tried again, here or after a redelivery, and
the plan asks only for what is not recorded yet.
"""

import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.errors import LedgerError, LinkLost, RenkeiError
from hub.ledger.beside import NOTHING, Beside
from hub.ledger.model import Entry, Known, Ledger
from hub.ledger.vault import vault_of
from hub.message import RELEASE_TYPE, MessageKey
from hub.observe import HubObserver
from hub.pipeline.again import Case, cases_of, marked, marker
from hub.pipeline.book import Send
from hub.pipeline.judge import Judge
from hub.pipeline.kept import beside_of, ended
from hub.pipeline.letters import Letter
from hub.pipeline.plan import keys_of, numbered_in, plan_batch
from hub.pipeline.verdict import Ordered, Receipted, Verdict
from hub.ports import Delivery, Link, Sent

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
"""How long a take waits for a first message; also how soon a stop is noticed."""
MOST_AT_ONCE = 2000
"""Messages and receipts in one transaction; one event may bring a thousand receipts."""
RELEASED_SECONDS = 0.5
"""How often the worker looks for messages that staff have released, at the most."""
CALL_SECONDS = 60.0
"""After so long a released message that has not moved gets another marker: a queue may be lost."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class NotTakenError(RenkeiError):
    """The broker did not take every copy: a receiver's queue is full or missing."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Moves batches from the hub's queues to the receivers' queues.

    ``rules`` gives the judge to ask now; it is called between two batches, and at least every
    ``IDLE_SECONDS``. ``notified`` are the systems that have a queue for notices; ``clock``
    gives aware times.
    """

    rules: Callable[[], Judge]
    ledger: Ledger
    notified: frozenset[str]
    observe: HubObserver
    clock: Callable[[], dt.datetime]
    batch: int = 500

    def run(self, connect: Callable[[], Link | None], stopping: Callable[[], bool]) -> None:
        """Work until ``stopping``; ``connect`` gives a link, or nothing once it is stopping."""
        while not stopping():
            link = connect()
            if link is None:
                return
            log.info("linked to the broker: the hub is working")
            self.observe.linked()
            try:
                with link:
                    self._work(link, stopping)
            except LinkLost as lost:
                log.warning("the link to the broker is lost: %s", lost)
                self.observe.link_lost()

    def _work(self, link: Link, stopping: Callable[[], bool]) -> None:
        trouble: str | None = None
        called: dict[int, float] = {}
        looked = 0.0
        while not stopping():
            self.rules()
            trouble = self._tended(trouble)
            if trouble:
                link.idle(IDLE_SECONDS)
                continue
            if time.monotonic() - looked >= RELEASED_SECONDS:
                looked = time.monotonic()
                self.call(link, called)
            batch = link.take(self.batch, IDLE_SECONDS)
            if batch:
                self._until_moved(link, batch, stopping)

    def call(self, link: Link, called: dict[int, float]) -> None:
        """Put markers of released messages into their partitions; ``called`` says when they got it.

        A new link begins with none: a broker that was replaced has lost them.
        """
        now = time.monotonic()
        try:
            released = self.ledger.released()
        except LedgerError as error:
            log.warning("what was released waits: %s", error)
            return
        waiting = [one for one in released if now - called.get(one[0], -math.inf) > CALL_SECONDS]
        fates = link.publish([marker(number, bucket) for number, bucket in waiting])
        for (number, _), fate in zip(waiting, fates, strict=True):
            if fate is Sent.CONFIRMED:
                called[number] = now
                log.info("confirmation %d was released and goes its way", number)

    def _tended(self, before: str | None) -> str:
        """Look after the ledger; give what is wrong with it, and tell only what is new."""
        try:
            self.ledger.tend()
        except LedgerError as error:
            trouble = str(error)
            if trouble != before:
                log.warning("nothing moves: %s", trouble)
                self.observe.ledger_available(available=False, why=trouble)
            return trouble
        if before:
            log.info("the ledger takes entries again")
        if before != "":
            self.observe.ledger_available(available=True)
        return ""

    def _until_moved(
        self, link: Link, batch: Sequence[Delivery], stopping: Callable[[], bool]
    ) -> None:
        """Move a batch; while it cannot be, take nothing else and keep the link alive."""
        began = time.monotonic()
        rest = batch
        troubled = False
        for pause in _pauses():
            try:
                while rest:
                    rest = self.move(link, rest)
            except (LedgerError, NotTakenError) as trouble:
                troubled = True
                log.warning("nothing moves: %s; trying again in %.1f s", trouble, pause)
                is_ledgers = isinstance(trouble, LedgerError)
                self.observe.ledger_available(available=not is_ledgers, why=str(trouble))
            else:
                self.observe.ledger_available(available=True)
                self.observe.batch_done(len(batch), time.monotonic() - began)
                if troubled:
                    log.info("moving again after %.1f s", time.monotonic() - began)
                return
            if not _waited(link, pause, stopping):
                return

    def move(self, link: Link, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        """Judge, record, send, record and acknowledge a batch, or as much as goes at once.

        Returns:
            The rest of the batch. What was acknowledged must not be given again: the broker
            closes a channel that acknowledges twice.

        Raises:
            LedgerError: something could not be recorded; nothing was sent without its entry.
            NotTakenError: the broker did not take every copy; those it took are recorded.
            LinkLost: the connection is gone.
        """
        now = self.clock()
        judge = self.rules()
        judged: list[_Judged] = []
        weight = taken = 0
        for case in self._cases(batch, judge):
            taken += 1
            if case is None:
                continue
            verdict = _judged(judge, case, now)
            judged.append((case, verdict))
            weight += len(verdict.receipts) if isinstance(verdict, Receipted) else 1
            if weight >= MOST_AT_ONCE:
                break
        self._settle(link, judge, judged, now)
        link.ack(batch[taken - 1])
        return batch[taken:]

    def _cases(self, batch: Sequence[Delivery], judge: Judge) -> Iterator[Case | None]:
        numbers = {number for one in batch if (number := marked(one)) is not None}
        if not numbers:
            return map(Case, batch)
        found, overtaken = self.ledger.confirmations(numbers)
        return cases_of(batch, found, overtaken, vault_of(judge.pseudonyms))

    def _settle(
        self, link: Link, judge: Judge, judged: Sequence["_Judged"], now: dt.datetime
    ) -> None:
        verdicts = [verdict for _, verdict in judged]
        known = self.ledger.known(keys_of(verdicts))
        residents = numbered_in(verdicts)
        plan = plan_batch(
            _as_accepted(judge, judged, known),
            known,
            now=now,
            pseudonyms=judge.pseudonyms,
            notified=self.notified,
            bound=self.ledger.bindings(residents) if residents else {},
        )
        self._record(plan.before, beside_of(plan, vault_of(judge.pseudonyms)))
        self._send(link, plan.sends)

    def _record(self, entries: Sequence[Entry], beside: Beside = NOTHING) -> None:
        self.ledger.append(entries, beside)
        self.observe.recorded(entries)

    def _send(self, link: Link, sends: Sequence[Send]) -> None:
        """Publish, and record what was confirmed.

        A notice that its queue does not take is let go: the refusal that it tells of is in
        the ledger, and a system that reads no notices must not hold up the others.
        """
        fates = link.publish([send.outgoing for send in sends])
        confirmed = [
            send.confirmed
            for send, fate in zip(sends, fates, strict=True)
            if fate is Sent.CONFIRMED and send.confirmed is not None
        ]
        self._record(confirmed, Beside(turns=ended(sends, fates)))
        untold = sum(
            fate is not Sent.CONFIRMED and send.confirmed is None
            for send, fate in zip(sends, fates, strict=True)
        )
        if untold:
            log.warning("%d notices of refusals were not taken by their queues", untold)
        open_queues = {
            f"{send.outgoing.routing_key} ({fate})"
            for send, fate in zip(sends, fates, strict=True)
            if fate in {Sent.REFUSED, Sent.UNROUTABLE} and send.confirmed is not None
        }
        if open_queues:
            message = f"the broker did not take copies for {', '.join(sorted(open_queues))}"
            raise NotTakenError(message)


_Judged = tuple[Case, Verdict]


def _judged(judge: Judge, case: Case, at: dt.datetime) -> Verdict:
    if case.again is not None and case.delivery.routing_key == RELEASE_TYPE:
        letter = Letter.read(case.delivery.body)
        return Ordered(letter.key, case.delivery.body, letter, case.again)
    verdict = judge.judge(case.delivery, at)
    if case.again is None or isinstance(verdict, Receipted | Ordered):
        return verdict
    return replace(verdict, again=case.again)


def _as_accepted(
    judge: Judge, judged: Sequence[_Judged], known: Mapping[MessageKey, Known]
) -> Iterator[Verdict]:
    """Judge what is already accepted by the day of its acceptance, not by today's."""
    for case, verdict in judged:
        earlier = known.get(verdict.key)
        if (
            earlier is not None
            and earlier.accepted_at is not None
            and earlier.is_accepted(verdict.body)
        ):
            yield _judged(judge, case, earlier.accepted_at)
        else:
            yield verdict


def _waited(link: Link, pause: float, stopping: Callable[[], bool]) -> bool:
    """Keep the link alive for this long; false as soon as it is time to stop."""
    while pause > 0 and not stopping():
        link.idle(min(pause, IDLE_SECONDS))
        pause -= IDLE_SECONDS
    return not stopping()


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)
