"""The dead letters (配信不能電文) for a person: look, replay, discard; all of it recorded.

One message is decided about by one person, unless the site wants two; several together by two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from hub.desks.requests import MOST_TOGETHER, End, RequestDesk
from hub.desks.shelf import NOBODY, listed
from hub.errors import QuestionError
from hub.ledger.acts import Act
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import Question, search
from hub.message import AccessItems
from hub.pipeline.again import Case, again_of
from hub.pipeline.judging import judged
from hub.pipeline.verdict import Permitted, Refused, Resent
from hub.statute.reasons import Code, sentence

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
class DeadLetters(RequestDesk):
    """Where staff decide about dead letters."""

    shelf = Shelf.DEAD_LETTER
    name = "dead-letters"
    noun = "dead letter"
    command = _COMMAND
    ending = "discard"
    viewing = Act.DEAD_LETTER
    deciding = Kind.REPLAY
    ends = MappingProxyType(
        {
            State.RELEASED: End(Code.REQUESTED, ""),
            State.DISCARDED: End(Code.DISCARD_REQUESTED, Code.DISCARDED),
        }
    )

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

    def replay(self, number: int, access: AccessItems) -> int:
        """Let a dead letter go its way: the hub moves it, by today's rules, in its place.

        Where a second person has to approve it, give the number of the request, else 0.

        Raises:
            QuestionError: there is no such dead letter.
            LedgerError: it was decided about, is overtaken, or may not move today.
        """
        row, is_overtaken = self.open_row(number)
        if is_overtaken:
            self.refuse(row, sentence(Code.OVERTAKEN).en)
        self._must_be_permitted(row)
        return self.settle(row, access, State.RELEASED)

    def discard(self, number: int, access: AccessItems) -> int:
        """Decide that a dead letter goes nowhere; its body is deleted.

        Where a second person has to approve it, give the number of the request, else 0.

        Raises:
            QuestionError: there is no such dead letter.
            LedgerError: it was decided about already.
        """
        row, _ = self.open_row(number)
        return self.settle(row, access, State.DISCARDED)

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

    def pairs(self, row: Shelved, now: State) -> Sequence[tuple[str, str]]:  # noqa: ARG002 - as others
        """Give the flow and the receiver that a copy is for; an original has none."""
        return [(row.flow, row.receiver)]

    def _must_be_permitted(self, row: Shelved) -> None:
        """See whether today's rules let it move; the hub sees to it once more."""
        sent = self.sent(row)
        try:
            verdict = judged(self.judge, Case(sent, again_of(row)), self.clock())
        except Exception as fault:  # noqa: BLE001 - what the hub failed on is what is asked about
            self.refuse(
                row,
                f"the hub still fails on it ({type(fault).__name__}).",
                f"Bring the program up to date, or report the fault with the hub's log; "
                f"{self._then(row)}",
            )
        if isinstance(verdict, Refused | Resent) and verdict.code is not None:
            said = sentence(verdict.code, verdict.detail).en
            self.refuse(row, said, self._remedy(row, verdict.code))
        if isinstance(verdict, Permitted) and not verdict.releases:
            self.refuse(row, NOBODY)
        if row.receiver and (row.flow, row.receiver) in self.known(row).receipted:
            self.refuse(row, sentence(Code.RECEIVED).en)

    def _remedy(self, row: Shelved, code: Code) -> str:
        """Say what has to be done before a replay can work; empty where none ever can."""
        if code is Code.NO_KEY:
            return (
                f"Make one where the authority's key is: renkei pki issue {row.receiver}, and put "
                f"its new file of pki/parties there at the hub; {self._then(row)}"
            )
        if code is Code.NUMBER_UNREADABLE and row.code == Code.KEY_AWAITED:
            return (
                "The hub's private key for it is still away: bring it into hub/enc of the folder "
                f"of certificates (the error of renkei dead-letters show {row.id} names it); "
                f"{self._then(row)}"
            )
        return ""

    def _then(self, row: Shelved) -> str:
        return f"then {_COMMAND} replay {row.id}. Until then it stays here."
