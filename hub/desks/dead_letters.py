"""The dead letters (配信不能電文) for a person: look, replay, discard; all of it recorded.

One message is decided about by one person, unless the site wants two; several together by two.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from hub.desks.requests import MOST_TOGETHER, End, RequestDesk
from hub.desks.shelf import NOBODY, listed
from hub.errors import LedgerError, QuestionError
from hub.ledger.acts import Act
from hub.ledger.asides import MEANWHILE, Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.chunks import chunks
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind, Known
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import Question, search
from hub.message import AccessItems
from hub.pipeline.again import Case, again_of
from hub.pipeline.judging import judged
from hub.pipeline.verdict import Permitted, Refused, Resent
from hub.statute.reasons import Code, sentence

_HISTORY = 200
_COMMAND = "renkei dead-letters"
_NAMED = 10
"""So many of a request's dead letters are named that may not move, for so many reasons."""


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


class Bar(NamedTuple):
    """Why a dead letter may not move today; ``remedy`` is empty where nothing can help."""

    why: str
    remedy: str = ""


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
        return self.settle(self.open_row(number)[0], access, State.RELEASED)

    def discard(self, number: int, access: AccessItems) -> int:
        """Decide that a dead letter goes nowhere; its body is deleted.

        Where a second person has to approve it, give the number of the request, else 0.

        Raises:
            QuestionError: there is no such dead letter.
            LedgerError: it was decided about already.
        """
        return self.settle(self.open_row(number)[0], access, State.DISCARDED)

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

    def permit(self, rows: Sequence[Shelved], now: State) -> None:
        """See whether dead letters may move today; the hub sees to it once more.

        Raises:
            LedgerError: some may not; without this, the hub would delete them at their turn.
        """
        bars = self.bars(rows) if now is State.RELEASED else {}
        barred = [row for row in rows if row.id in bars]
        if not barred:
            return
        first = barred[0]
        if len(rows) == 1:
            self.refuse(first, *bars[first.id])
        before = ""
        if first.state is State.REQUESTED:
            before = f"{_COMMAND} decline {first.request}, then "
        raise LedgerError(
            f"{len(barred)} of these {len(rows)} dead letters may not move by today's rules, and "
            f"nothing is decided: {_named(bars)} The others alone can be asked for: {before}"
            f"{_COMMAND} replay … --movable, with the options that choose"
        )

    def movable(self, rows: Sequence[Shelved]) -> list[Shelved]:
        """Give those of some dead letters that may move today."""
        bars = self.bars(rows)
        return [row for row in rows if row.id not in bars]

    def bars(self, rows: Sequence[Shelved]) -> dict[int, Bar]:
        """Say of dead letters by number why they may not move today; others are left out.

        Of many, some are looked at together: no more bodies are read at once.

        Raises:
            LedgerError: somebody else has decided about one, or its body cannot be decrypted.
        """
        bars: dict[int, Bar] = {}
        for some in chunks(rows):
            found, overtaken = self.ledger.confirmations([row.id for row in some])
            known = self.ledger.known({row.key for row in some})
            for row in some:
                full = found.get(row.id)
                if full is None or full.state is not row.state:
                    raise LedgerError(MEANWHILE)
                bar = Bar(sentence(Code.OVERTAKEN).en) if row.id in overtaken else None
                bar = bar or self._bar(full, known.get(row.key) or Known())
                if bar is not None:
                    bars[row.id] = bar
        return bars

    def _bar(self, row: Shelved, known: Known) -> Bar | None:
        """Say what today's rules have against a dead letter; nothing where it may move."""
        sent = self.sent(row)
        try:
            verdict = judged(self.judge, Case(sent, again_of(row)), self.clock())
        except Exception as fault:  # noqa: BLE001 - what the hub failed on is what is asked about
            return Bar(
                f"the hub still fails on it ({type(fault).__name__}).",
                f"Bring the program up to date, or report the fault with the hub's log; "
                f"{self._then(row)}",
            )
        if isinstance(verdict, Refused | Resent) and verdict.code is not None:
            said = sentence(verdict.code, verdict.detail).en
            return Bar(said, self._remedy(row, verdict.code))
        if isinstance(verdict, Permitted) and not verdict.releases:
            return Bar(NOBODY)
        if row.receiver and (row.flow, row.receiver) in known.receipted:
            return Bar(sentence(Code.RECEIVED).en)
        return None

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
        again = f"replay {row.id}"
        if row.state is State.REQUESTED:
            again = f"approve {row.request}"
        return f"then {_COMMAND} {again}. Until then it stays here."


def _named(bars: Mapping[int, Bar]) -> str:
    """Say why dead letters may not move, and which; what can be done, of the first for each why."""
    by_why: defaultdict[str, list[int]] = defaultdict(list)
    for number, bar in bars.items():
        by_why[bar.why].append(number)
    return " ".join(
        f"{_numbers(numbers)}: {why} {bars[numbers[0]].remedy or 'They can be discarded.'}"
        for why, numbers in islice(by_why.items(), _NAMED)
    )


def _numbers(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return f"{', '.join(map(str, numbers[:_NAMED]))}{more}"
