"""The dead letters (配信不能電文) for a person: look, replay, discard; all of it recorded.

One message is decided about by one person; several together by two: one asks, which gives the
request a number, and another one approves it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.desks.shelf import NOBODY, ShelfDesk, listed
from hub.errors import LedgerError, QuestionError
from hub.ledger import asides
from hub.ledger.acts import Act
from hub.ledger.asides import Wanted
from hub.ledger.beside import Beside, Shelf, Shelved, State, Turn
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import Question, recorded, search
from hub.message import AccessItems
from hub.pipeline.again import Case, again_of
from hub.pipeline.judging import judged
from hub.pipeline.verdict import Permitted, Refused, Resent
from hub.statute.reasons import Code, sentence

MOST_TOGETHER = 10_000
"""How many messages one request can be about."""
_HISTORY = 200
_COMMAND = "renkei dead-letters"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dead letter: ``digest`` is that of its original, ``history`` what the ledger says of it.

    The newest entries are last. ``is_overtaken`` says that a newer message was accepted: it can
    only be discarded. Nothing here says whom it is about.
    """

    row: Shelved
    digest: str
    history: Sequence[Recorded]
    is_overtaken: bool


@dataclass(frozen=True, slots=True)
class DeadLetters(ShelfDesk):
    """Where staff decide about dead letters."""

    shelf = Shelf.DEAD_LETTER
    noun = "dead letter"
    command = _COMMAND
    ending = "discard"
    viewing = Act.DEAD_LETTER
    deciding = Kind.REPLAY

    def show(self, number: int, access: AccessItems) -> Dossier:
        """Tell the history of a dead letter; that somebody looks is recorded first.

        Raises:
            QuestionError: there is no such dead letter.
        """
        row, is_overtaken = self.row(number)
        self.view(row, access)
        asked = Question(message=row.key.id, sender=row.key.sender, limit=_HISTORY)
        with ledger_errors("be read"), self.ledger.engine.connect() as connection:
            found = search(connection, asked).entries[::-1]
        own = next((one for one in found if one.number == row.id), None)
        return Dossier(row, own.digest if own else "", found, is_overtaken)

    def replay(self, number: int, access: AccessItems) -> None:
        """Let a dead letter go its way: the hub moves it, by today's rules, in its place.

        Raises:
            QuestionError: there is no such dead letter.
            LedgerError: it was decided about, is overtaken, or may not move today.
        """
        row, is_overtaken = self.open_row(number)
        if is_overtaken:
            self.refuse(row, sentence(Code.OVERTAKEN).en)
        self._must_be_permitted(row)
        self._decide([row], access, State.RELEASED)

    def discard(self, number: int, access: AccessItems) -> None:
        """Decide that a dead letter goes nowhere; its body is deleted.

        Raises:
            QuestionError: there is no such dead letter.
            LedgerError: it was decided about already.
        """
        row, _ = self.open_row(number)
        self._decide([row], access, State.DISCARDED, Code.DISCARDED)

    def chosen(self, wanted: Wanted) -> list[Shelved]:
        """Give the open dead letters for which all holds that is asked.

        Raises:
            QuestionError: there is none, or there are too many.
        """
        wanted = replace(wanted, shelf=self.shelf, state=State.OPEN)
        found = listed(self.ledger, wanted, MOST_TOGETHER + 1)
        if not found:
            raise QuestionError(f"no open dead letter is like this: {_COMMAND} list")
        if len(found) > MOST_TOGETHER:
            message = f"there are more than {MOST_TOGETHER} like this: ask for fewer, as by --since"
            raise QuestionError(message)
        return found

    def request(self, rows: Sequence[Shelved], access: AccessItems, *, discard: bool) -> int:
        """Ask to replay, or discard, several dead letters together; give the request's number.

        Raises:
            LedgerError: one of them was decided about meanwhile; nothing is asked.
        """
        code = Code.DISCARD_REQUESTED if discard else Code.REQUESTED
        self._decide(rows, access, State.REQUESTED, code, request=0)
        return self.row(rows[0].id)[0].request

    def approve(self, number: int, access: AccessItems) -> tuple[int, bool]:
        """Approve a request; say how many dead letters it was about, and whether they are replayed.

        Without a reason that of the request stands.

        Raises:
            QuestionError: there is no such request.
            LedgerError: it was this very person's.
        """
        rows, asked = self.requested(number)
        if same_person(asked.access.staff, access.staff):
            raise LedgerError(
                f"request {number} was made by {asked.access.staff}: a second person has to "
                f"approve it, with {_COMMAND} approve {number} --staff …"
            )
        access = access._replace(reason=access.reason or asked.access.reason)
        is_replay = asked.code == Code.REQUESTED
        now = State.RELEASED if is_replay else State.DISCARDED
        detail = f", request {number} of {asked.access.staff}"
        self._decide(rows, access, now, "" if is_replay else Code.DISCARDED, detail=detail)
        return len(rows), is_replay

    def decline(self, number: int, access: AccessItems) -> int:
        """Decline a request, or take it back; its dead letters are open again.

        Raises:
            QuestionError: there is no such request.
        """
        rows, _ = self.requested(number)
        self._decide(rows, access, State.OPEN, Code.DECLINED, detail=f", request {number}")
        return len(rows)

    def requested(self, number: int) -> tuple[list[Shelved], Recorded]:
        """Give what a request that waits is about, and the entry that says who asked for what.

        Raises:
            QuestionError: there is no such request.
        """
        wanted = Wanted(self.shelf, State.REQUESTED, request=number)
        with ledger_errors("be read"), self.ledger.engine.connect() as connection:
            rows = asides.listed(connection, wanted, MOST_TOGETHER) if number > 0 else []
            if not rows:
                message = f"no request {number} waits: {_COMMAND} list --status requested"
                raise QuestionError(message)
            (asked,) = recorded(connection, [number])
        return rows, asked

    def _decide(  # noqa: PLR0913 - what a decision is
        self,
        rows: Sequence[Shelved],
        access: AccessItems,
        now: State,
        code: str = "",
        *,
        detail: str = "",
        request: int | None = None,
    ) -> None:
        entries = [
            self.decision(row, access, (row.flow, row.receiver), code, detail) for row in rows
        ]
        turns = [Turn(row.id, row.state, now, request) for row in rows]
        self.ledger.append(entries, Beside(turns=turns))

    def _must_be_permitted(self, row: Shelved) -> None:
        """See whether today's rules let it move; the hub sees to it once more."""
        sent = self.sent(row)
        try:
            verdict = judged(self.judge, Case(sent, again_of(row)), self.clock())
        except Exception as fault:  # noqa: BLE001 - what the hub failed on is what is asked about
            self.refuse(row, f"the hub still fails on it ({type(fault).__name__}).")
        if isinstance(verdict, Refused | Resent) and verdict.code is not None:
            self.refuse(row, sentence(verdict.code, verdict.detail).en)
        if isinstance(verdict, Permitted) and not verdict.releases:
            self.refuse(row, NOBODY)
        if row.receiver and (row.flow, row.receiver) in self.known(row).receipted:
            self.refuse(row, sentence(Code.RECEIVED).en)


def same_person(one: str, other: str) -> bool:
    """Say whether two names of staff are the same, however they were typed."""
    return _plainly(one) == _plainly(other)


def _plainly(staff: str) -> str:
    """Write a name without what a keyboard may write in two ways: width, case, spaces."""
    return "".join(unicodedata.normalize("NFKC", staff).split()).casefold()
