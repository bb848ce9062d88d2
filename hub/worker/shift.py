"""One link's worth of work: batch after batch, each judged while the one before is confirmed.

::

    take k+1 → judge k+1 ─┐
    copies of k confirmed ┴→ record: deliveries of k, acceptances of k+1 → ack k → publish k+1

One transaction a batch, and the broker works while the hub does; ``docs/adr/0005-ledger-first.md``.
What a receiver's queue does not take waits in the room, unacknowledged; the others go on.
"""

import datetime as dt
import logging
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hub.errors import LedgerError
from hub.ledger.beside import Beside, Turn
from hub.ledger.model import Entry, Known
from hub.ledger.vault import vault_of
from hub.message import MessageKey
from hub.observe import Stage
from hub.pipeline.again import Case, cases_of, marked
from hub.pipeline.book import Plan, Send
from hub.pipeline.judge import Judge
from hub.pipeline.kept import beside_of, ended
from hub.pipeline.plan import keys_of, marks_in, numbered_in
from hub.pipeline.verdict import (
    Permitted,
    Receipted,
    Verdict,
)
from hub.pipeline.waiting import Name, named
from hub.ports import Delivery, Link, Sent
from hub.worker.intray import InTray
from hub.worker.told import came_again, sent_again, timed
from hub.worker.tools import Tools
from hub.worker.traced import Followed, followed
from hub.worker.trial import ProcessEnded, Trial, trial_of
from hub.worker.under import (
    Under,
    are_apart,
    are_others,
    names_of,
    origin,
    origins_of,
    plain_keys,
    tell,
)
from hub.worker.verdicts import Judged, Records, plan_of, verdict_of

log = logging.getLogger(__name__)

MOST_AT_ONCE = 1000
"""Messages and receipts in one transaction; one event may bring a thousand receipts."""
PATIENCE_SECONDS = 0.005
"""How long what is confirmed waits for something new to be recorded with."""
MOST_UNDER = 8
"""So many batches may be under way."""
TURN_EVERY = 50
"""So many messages are judged between two looks at the socket."""


@dataclass(slots=True)
class Shift:
    """Moves batches over one link; after ``LinkLost`` or ``end`` it is over.

    ``_owed`` are the entries, and ``_turns`` the changes of the confirmation list, that the
    broker's confirms ask for; ``_done`` is acknowledged once those are recorded.
    """

    tools: Tools
    link: Link
    tray: InTray
    _under: deque[Under] = field(default_factory=deque)
    _owed: list[Entry] = field(default_factory=list)
    _owed_since: int | None = None
    _turns: list[Turn] = field(default_factory=list)
    _done: list[Delivery] = field(default_factory=list)
    _is_contested: bool = False
    _began: float = 0.0

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is in hand but what waits in the room."""
        return self.is_settled and not self.tray.rest

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is under way, and nothing owed to the ledger or to the queues."""
        return not (self._under or self._owes)

    @property
    def _owes(self) -> bool:
        return bool(self._owed or self._turns or self._done)

    def step(self, wait: float) -> int:
        """Move on by one batch, waiting at the most ``wait`` seconds if there is nothing to do.

        Returns:
            How many messages were judged.

        Raises:
            LedgerError: something could not be recorded. Nothing was sent without its entry, and
                the next step tries the same again.
            LinkLost: the connection is gone.
        """
        began = time.monotonic()
        patience = wait if self.is_idle else min(wait, PATIENCE_SECONDS)
        batch = self.tray.batch(self.tools.batch, patience)
        now = self.tools.clock()
        judge = self.tools.rules()
        taken = time.monotonic()
        trial = trial_of(batch, self.tray, self.tools.ledger, judge.pseudonyms)
        judged, count = self._judge(judge, trial, now)
        if count:
            self.tools.observe.took(Stage.JUDGE, time.monotonic() - taken)
        traced = followed(self.tools.traces, judged, taken)
        early = self._landed(judge, judged, trial, now)
        if not count and not self._owes:
            return 0
        plan, judged = early or self._plan(judge, self._not_ended(judged), now)
        planned = time.monotonic()
        with timed(self.tools.observe, Stage.RECORD):
            self._record(plan, judge)
        if traced is not None:
            traced.recorded(plan.before, planned)
        moved = self.tray.moved(count)
        self.tools.observe.came_again(came_again(moved, self.tray.room))
        self._outlived(trial, moved)
        recorded, self._done = self._done, []
        self._start(plan, moved, judged, began, traced)
        self._acknowledge(recorded)
        return count

    def end(self) -> None:
        """Record what was confirmed and acknowledge it; what else is in hand goes back.

        Raises:
            LinkLost: the connection is gone.
        """
        self._land(whole=True)
        if self.rescue():
            recorded, self._done = self._done, []
            self._acknowledge(recorded)

    def rescue(self) -> bool:
        """Record what was confirmed, although the link may be lost; say whether that went well.

        What is not recorded is sent again, with the same content; its receiver takes it once.
        """
        while self._under and not self._under[0].sending.open:
            self._land_first()
        if not self._owed and not self._turns:
            return True
        try:
            self.tools.ledger.append(self._owed, Beside(turns=self._turns), self._owed_since)
        except LedgerError as error:
            log.warning("%d confirmed copies are not recorded: %s", len(self._owed), error)
            return False
        self.tools.observe.recorded(self._owed)
        self._owed, self._turns, self._owed_since = [], [], None
        return True

    def _acknowledge(self, recorded: Sequence[Delivery]) -> None:
        if recorded:
            self.link.ack(recorded)
            self.tools.observe.batch_done(len(recorded), time.monotonic() - self._began)

    # -- judging -----------------------------------------------------------------------

    def _judge(self, judge: Judge, trial: Trial, now: dt.datetime) -> tuple[list[Judged], int]:
        """Judge a batch, or as much of it as goes into one transaction; say how much that is."""
        judged: list[Judged] = []
        guilty = trial.guilty()
        weight = count = 0
        for case in self._cases(trial.batch, judge):
            count += 1
            if case is not None:
                ends = ProcessEnded() if count - 1 in guilty else None
                verdict = verdict_of(judge, case, now, ends)
                judged.append((case, verdict))
                weight += len(verdict.receipts) if isinstance(verdict, Receipted) else 1
                if isinstance(verdict, Permitted) and verdict.in_clear:
                    self.tools.observe.number_in_clear(verdict.key.sender)
            if weight >= MOST_AT_ONCE:
                break
            if not count % TURN_EVERY:
                self.link.turn()
        return judged, count

    def _outlived(self, trial: Trial, moved: Sequence[Delivery]) -> None:
        if trial.suspects:
            self.tray.outlived(moved)
            try:
                self.tools.ledger.cleared(trial.suspects)
            except LedgerError as error:  # what is recorded must go its way; it is done at the end
                log.warning("%d suspects stay noted: %s", len(trial.suspects), error)
                return
            for mark in trial.suspects:
                self.tray.noted.pop(mark, None)

    def _cases(self, batch: Sequence[Delivery], judge: Judge) -> Iterator[Case | None]:
        numbers = {number for one in batch if (number := marked(one)) is not None}
        room = self.tray.room
        if not numbers and not room.size:
            return map(Case, batch)
        found, overtaken = self.tools.ledger.confirmations(numbers)
        cases = cases_of(batch, found, overtaken, vault_of(judge.pseudonyms))
        return (
            replace(case, tried=tried) if case and (tried := room.tried(case.taken)) else case
            for case in cases
        )

    def _not_ended(self, judged: Sequence[Judged]) -> list[Judged]:
        """Leave out markers of what the batch before has brought to its end: it moves once."""
        ended = {turn.id for turn in self._turns}
        return [one for one in judged if one[0].again is None or one[0].again.id not in ended]

    def _plan(
        self, judge: Judge, judged: Sequence[Judged], now: dt.datetime
    ) -> tuple[Plan, list[Judged]]:
        return plan_of(judge, judged, self._recall, now=now, notified=self.tools.notified)

    def _recall(self, verdicts: Sequence[Verdict]) -> Records:
        ledger = self.tools.ledger
        residents = numbered_in(verdicts)
        marks = marks_in(verdicts)
        return Records(
            known=self._known(keys_of(verdicts)),
            bound=ledger.bindings(residents) if residents else {},
            deaths=ledger.recorded_deaths(marks) if marks else {},
        )

    def _known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        """Give what is recorded of these messages, and what is owed to the records."""
        asked = {*keys, *(entry.message for entry in self._owed)} if self._is_contested else keys
        known = self.tools.ledger.known(asked) if asked else {}
        if self._is_contested:
            since = self._owed_since or 0
            self._owed = [one for one in self._owed if not _is_recorded(one, known, since)]
            self._turns = self._not_turned()
            self._owed_since = self.tools.ledger.asked_at
            self._is_contested = False
        for entry in self._owed:
            message = known.get(entry.message)
            if message is not None:
                message.settled.add((entry.flow, entry.receiver))
                message.delivered.add((entry.flow, entry.receiver))
        return known

    def _not_turned(self) -> list[Turn]:
        """Leave out what is turned already: by an append whose answer was lost, or by an heir."""
        if not self._turns:
            return []
        found, _ = self.tools.ledger.confirmations({turn.id for turn in self._turns})
        return [one for one in self._turns if one.id in found and found[one.id].state is one.was]

    # -- recording and sending ------------------------------------------------------------

    def _record(self, plan: Plan, judge: Judge) -> None:
        # A copy may be dead already that was delivered by the batch before: first that, then this.
        entries = [*self._owed, *plan.before]
        kept = beside_of(plan, vault_of(judge.pseudonyms), len(self._owed))
        turns = [*kept.turns, *self._turns]
        try:
            beside = Beside(kept.bindings, kept.asides, turns)
            self.tools.ledger.append(entries, beside, self._owed_since)
        except LedgerError:
            self._is_contested = True
            raise
        self.tools.observe.recorded(entries)
        self._owed, self._turns, self._owed_since = [], [], None

    def _start(
        self,
        plan: Plan,
        deliveries: Sequence[Delivery],
        judged: Sequence[Judged],
        began: float,
        traced: Followed | None,
    ) -> None:
        """Publish what may go now."""
        of = origins_of(judged)
        room = self.tray.room
        sends: list[Send] = []
        held: list[Send] = []
        for send in plan.sends:
            entry = send.confirmed
            may_go = (
                entry is None
                or room.lets_all(entry.receiver)
                or room.may_send(
                    origin(of, entry), entry.receiver, send.outgoing.order_key, overdue=send.overdue
                )
            )
            (sends if may_go else held).append(send)
        observe = self.tools.observe
        observe.tried_again(sent_again(sends, of, room))
        published = time.monotonic()
        sending = self.link.start([send.outgoing for send in sends])
        if sends:
            observe.took(Stage.PUBLISH, time.monotonic() - published)
        keys = plain_keys(judged)
        self._under.append(
            Under(
                deliveries,
                of,
                sends,
                held,
                sending,
                began,
                published,
                keys,
                names_of(judged, keys),
                self.tools.ledger.asked_at,
                traced,
            )
        )

    def _landed(
        self, judge: Judge, judged: Sequence[Judged], trial: Trial, now: dt.datetime
    ) -> tuple[Plan, list[Judged]] | None:
        """See what is confirmed of what is under way; give a plan that needs not know of it.

        Where nothing waits or is suspected, the fate of what is under way changes no plan that asks
        about other messages: that is made while the broker confirms. What is about other residents
        too goes its way without waiting for those.
        """
        keys = plain_keys(judged)
        calm = not (self.tray.room.size or trial.suspects)
        few = len(self._under) < MOST_UNDER
        if calm and few and are_apart(names_of(judged, keys), self._under):
            self._land(whole=False)
            return None
        early = calm and self._under and not self._is_contested and are_others(keys, self._under)
        plan = self._plan(judge, judged, now) if early else None
        self._land(whole=True)
        return plan

    def _land(self, *, whole: bool) -> None:
        """See what is confirmed of what is under way; wait for the ``whole`` of it, or for none."""
        if self._under and not whole:
            self.link.turn()
        while self._under and (whole or not self._under[0].sending.open):
            self._land_first()

    def _land_first(self) -> None:
        """Wait for the confirms of one batch; see what is owed then, and what waits."""
        under = self._under[0]
        fates = self.link.finish(under.sending)
        self._under.popleft()
        if under.sends:
            self.tools.observe.took(Stage.CONFIRM, time.monotonic() - under.published)
            under.told(fates)
        if self._owed_since is None:  # of several that are owed the first was asked about first
            self._owed_since = under.asked_at
        missing: dict[Name, list[Send]] = {}
        tried: set[int] = set()
        told: dict[str, Sent] = {}
        for send, fate in zip(under.sends, fates, strict=True):
            entry = send.confirmed
            if entry is None:
                continue
            if fate is not Sent.WITHHELD and told.get(entry.receiver) is not fate:
                told[entry.receiver] = fate
                self.tray.room.told(entry.receiver, worked=fate is Sent.CONFIRMED)
            if fate is Sent.CONFIRMED:
                self._owed.append(entry)
            else:
                missing.setdefault(named(under.origin(entry)), []).append(send)
                if fate is not Sent.WITHHELD:
                    tried.add(id(send))
        for send in under.held:
            if send.confirmed is not None:
                missing.setdefault(named(under.origin(send.confirmed)), []).append(send)
        withheld = [Sent.WITHHELD] * len(under.held)
        self._turns += ended([*under.sends, *under.held], [*fates, *withheld])
        tell(under.sends, fates)
        self._part(under, missing, tried)
        self._began = under.began

    def _part(
        self, under: Under, missing: Mapping[Name, Sequence[Send]], tried: Collection[int]
    ) -> None:
        """Put what misses copies into the room; the rest is done."""
        room = self.tray.room
        if not missing and not room.size:
            self._done += under.deliveries
            return
        for delivery in under.deliveries:
            sends = missing.get(named(delivery))
            if sends is not None:
                room.put(
                    delivery,
                    {send.outgoing.routing_key for send in sends},
                    {send.outgoing.order_key for send in sends},
                    tried={send.outgoing.routing_key for send in sends if id(send) in tried},
                )
                continue
            if delivery in room:
                room.done(delivery)
            self._done.append(delivery)
        self.tools.observe.waiting(room.receivers())


def _is_recorded(entry: Entry, known: Mapping[MessageKey, Known], since: int) -> bool:
    message = known.get(entry.message)
    return message is not None and message.is_delivered_since(entry.flow, entry.receiver, since)
