"""The hub's worker: take a batch, judge it, record it, send it, record that, acknowledge it.

One thread, one batch after another (``docs/adr/0005-ledger-first.md``). Whatever fails in
between leaves the batch unacknowledged; it is tried again, here or after a redelivery, and
the plan asks only for what is not recorded yet.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.errors import LedgerError, LinkLost, RenkeiError
from hub.ledger.model import Entry, Known, Ledger
from hub.message import MessageKey
from hub.observe import HubObserver
from hub.pipeline.judge import Judge
from hub.pipeline.plan import Send, keys_of, plan_batch
from hub.pipeline.verdict import Receipted, Verdict
from hub.ports import Delivery, Link, Sent

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
"""How long a take waits for a first message; also how soon a stop is noticed."""
MOST_AT_ONCE = 2000
"""Messages and receipts in one transaction; one event may bring a thousand receipts."""
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
        while not stopping():
            self.rules()
            trouble = self._tended(trouble)
            if trouble:
                link.idle(IDLE_SECONDS)
                continue
            batch = link.take(self.batch, IDLE_SECONDS)
            if batch:
                self._until_moved(link, batch, stopping)

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
        verdicts: list[Verdict] = []
        weight = 0
        for delivery in batch:
            verdict = judge.judge(delivery, now)
            verdicts.append(verdict)
            weight += len(verdict.receipts) if isinstance(verdict, Receipted) else 1
            if weight >= MOST_AT_ONCE:
                break
        self._settle(link, judge, batch, verdicts, now)
        link.ack(batch[len(verdicts) - 1])
        return batch[len(verdicts) :]

    def _settle(
        self,
        link: Link,
        judge: Judge,
        batch: Sequence[Delivery],
        verdicts: Sequence[Verdict],
        now: dt.datetime,
    ) -> None:
        known = self.ledger.known(keys_of(verdicts))
        plan = plan_batch(
            _as_accepted(judge, batch, verdicts, known),
            known,
            now=now,
            pseudonyms=judge.pseudonyms,
            notified=self.notified,
        )
        self._record(plan.before)
        self._send(link, plan.sends)

    def _record(self, entries: Sequence[Entry]) -> None:
        self.ledger.append(entries)
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
        self._record(confirmed)
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


def _as_accepted(
    judge: Judge,
    batch: Sequence[Delivery],
    verdicts: Sequence[Verdict],
    known: Mapping[MessageKey, Known],
) -> Iterator[Verdict]:
    """Judge what is already accepted by the day of its acceptance, not by today's."""
    for delivery, verdict in zip(batch, verdicts, strict=False):  # the batch may be longer
        earlier = known.get(verdict.key)
        if (
            earlier is not None
            and earlier.accepted_at is not None
            and earlier.is_accepted(verdict.body)
        ):
            yield judge.judge(delivery, earlier.accepted_at)
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
