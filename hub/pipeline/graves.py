"""What a plan writes down of dead letters: that they are there, and that they go once more."""

from dataclasses import dataclass

from hub.errors import KeyMissing
from hub.ledger.beside import Cause, State, Step, Turn
from hub.ledger.model import Kind, Known, commit
from hub.message import partition_of
from hub.pipeline.book import Book, Buried
from hub.pipeline.said import NO_BODY, entry_of
from hub.pipeline.verdict import Dead, Permitted, Release, Resent, Strayed, Terms, Verdict
from hub.statute.reasons import Code


@dataclass(slots=True)
class Graves(Book):
    """The plan of a batch with its dead letters."""

    def resume(self, verdict: Permitted, known: Known) -> None:
        """Send what was accepted and is not recorded as delivered, unless its time is up."""
        open_pairs = known.accepted - known.settled
        for release in verdict.releases:
            if release.terms.pair in open_pairs:
                open_pairs.discard(release.terms.pair)
                code = self._why_too_late(verdict, release.terms, known)
                if code is None:
                    self.send(verdict, release, known)
                else:
                    self.bury(verdict, release, known, code)
        self.withdraw(verdict, open_pairs, known)

    def _why_too_late(self, verdict: Permitted, terms: Terms, known: Known) -> Code | None:
        if verdict.again is not None:
            return None  # however old it is, a person let it go now
        age = self.now - (known.accepted_at or self.now)
        if terms.lasting.expires is not None and age >= terms.lasting.expires:
            return Code.EXPIRED
        was_tried = terms.receiver in verdict.tried
        return Code.NOT_TAKEN if was_tried and age >= terms.lasting.retry else None

    def send(self, verdict: Permitted, release: Release, known: Known) -> None:
        """Send a copy; it is a dead letter where nobody could read its 個人番号."""
        try:
            Book.send(self, verdict, release, known)  # super() does not know a class with slots
        except KeyMissing:
            self.bury(verdict, release, known, Code.NO_KEY)

    def bury(
        self, verdict: Permitted, release: Release, known: Known, code: Code, detail: str = ""
    ) -> None:
        """Put a copy with the dead letters that the hub gives up itself; ``detail`` is no value."""
        terms = release.terms
        known.settled.add(terms.pair)
        bucket = partition_of(release.event.data.addressee_number)
        cause = Cause(Step.SEND, detail)
        self.entomb(verdict, terms.pair, self.copy_of(release, known), code, cause, bucket)

    def entomb(  # noqa: PLR0913, PLR0917 - what a dead letter is
        self,
        verdict: Verdict,
        pair: tuple[str, str],
        body: bytes,
        code: Code,
        cause: Cause,
        bucket: str,
        *,
        is_kept: bool = True,
    ) -> None:
        """Enter a dead letter, and put it on their list where it is ``is_kept``."""
        known = self.of(verdict.key)
        kept = commit(body, self.salt())
        if not pair[1]:
            known.dead_as = kept
        entry = entry_of(
            Kind.EXPIRY if code is Code.EXPIRED else Kind.DEAD_LETTER,
            verdict,
            self.now,
            Terms(*pair, basis=""),
            body=kept,
            resident=known.resident,
            code=code,
            detail=": ".join(filter(None, (cause.step, cause.detail))),
        )
        if is_kept:
            place = len(self.plan.before)
            self.plan.buried.append(
                Buried(place, verdict, body, code, cause, known.resident, bucket, self.now, pair)
            )
        self.plan.before.append(entry)

    def dead(self, verdict: Dead) -> None:
        """Enter a dead letter once, and keep it for a person to decide."""
        known = self.of(verdict.key)
        if not self._is_recorded(verdict, known):
            self._bury(verdict, known)
        if verdict.again is not None:
            again = verdict.again
            pairs = {again.pair} if again.is_dead else known.held
            self.give_up(verdict, pairs, known, verdict.code)
            self.plan.turns.append(again.turn(State.REFUSED))

    def _is_recorded(self, verdict: Dead, known: Known) -> bool:
        if not verdict.cause.mark and not verdict.pair[1] and _is_settled(verdict, known):
            return True  # the hub fails on what has nothing left to do
        is_there = self.deaths.get(verdict.cause.mark)
        # The broker tells deaths by the second. What was sent again may die again in the same.
        if is_there or (is_there is not None and verdict.repeated):
            return True
        return verdict.pair in known.dead if verdict.pair[1] else known.is_dead(verdict.body)

    def _bury(self, verdict: Dead, known: Known) -> None:
        receiver = verdict.pair[1]
        known.resident = known.resident or verdict.resident
        if verdict.cause.mark:
            self.deaths[verdict.cause.mark] = True
        if receiver:
            known.settled.add(verdict.pair)
            known.dead.add(verdict.pair)
        is_done = _is_settled(verdict, known)
        self.entomb(
            verdict,
            verdict.pair,
            verdict.body,
            verdict.code,
            verdict.cause,
            verdict.bucket,
            is_kept=not verdict.is_hubs and not is_done,
        )
        if not receiver and not is_done and verdict.again is None:
            self.notify(verdict, verdict.code)

    def strayed(self, verdict: Strayed) -> None:
        """Enter that a marker died; what it was to move waits for a person once more."""
        self.plan.before.append(
            entry_of(
                Kind.DEAD_LETTER,
                verdict,
                self.now,
                body=NO_BODY,
                code=verdict.code,
                detail=verdict.cause.detail,
            )
        )
        self.plan.turns.append(verdict.again.turn(State.OPEN))

    def resent(self, verdict: Resent) -> None:
        """Send a dead copy once more, as far as today's rules permit and it is still the newest."""
        known, again = self.of(verdict.key), verdict.again
        terms = verdict.terms
        if again.state is State.SENDING and self._is_behind(verdict, known):
            return  # a marker too many: it is called again, and the ledger tells what came first
        code = self._why_not_resent(verdict, known)
        if code is Code.NO_KEY:
            self._bury_again(verdict)
            return
        if code is not None or terms is None:
            self.give_up(verdict, {again.pair}, known, code or Code.WITHDRAWN, verdict.detail)
            has_it = code is Code.RECEIVED
            self.plan.turns.append(again.turn(State.MOVED if has_it else State.REFUSED))
            return
        self.note_newest(verdict, known.resident, terms.receiver, again.age)
        if again.state is State.RELEASED:
            self.plan.turns.append(again.turn(State.SENDING))
        closes = Turn(again.id, State.SENDING, State.MOVED)
        number = verdict.number if verdict.is_sealed else ""
        self.publish(verdict, terms, verdict.copy, known, verdict.bucket, closes, number=number)

    def _bury_again(self, verdict: Resent) -> None:
        """Keep a copy that a person let go, and that nobody could read today."""
        again = verdict.again
        cause = Cause(Step.SEND)
        self.entomb(verdict, again.pair, verdict.body, Code.NO_KEY, cause, again.bucket)
        self.plan.turns.append(again.turn(State.REFUSED))

    def _is_behind(self, verdict: Resent, known: Known) -> bool:
        """See whether something newer stands before it in this batch."""
        again = verdict.again
        there = (verdict.key.sender, verdict.message_type, known.resident, again.pair[1])
        return self.newest_at.get(there, 0) > again.age

    def _why_not_resent(self, verdict: Resent, known: Known) -> Code | None:
        again = verdict.again
        if again.pair in known.receipted:
            return Code.RECEIVED
        if again.pair not in known.accepted:
            return Code.FORGOTTEN
        if again.is_overtaken or self._is_behind(verdict, known):
            return Code.OVERTAKEN
        bound = self.bound.get(again.resident)
        # What is encrypted was digested when it was sent, perhaps under a key that is retired now.
        number = verdict.number
        if number and bound and bound not in {number, self.pseudonyms.aliases.today(number)}:
            return Code.BOUND_MEANWHILE
        return verdict.code


def _is_settled(verdict: Dead, known: Known) -> bool:
    return known.is_accepted(verdict.body) and known.accepted <= known.settled
