"""Decisions that two persons make: one asks, which makes a request, and another one approves it.

A request has the number of the ledger's entry that asks. While it waits, nobody decides about its
messages in another way; declining it, also one's own, opens them again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from hub.desks.persons import is_somebody, same_person
from hub.desks.shelf import ShelfDesk, counted
from hub.errors import LedgerError, QuestionError
from hub.ledger import asides
from hub.ledger.asides import Wanted
from hub.ledger.beside import Beside, Shelved, State, Turn
from hub.ledger.leaf import Recorded
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import recorded
from hub.limits import GREATEST_NUMBER
from hub.message import AccessItems
from hub.statute.reasons import Code

MOST_TOGETHER = 10_000
"""How many messages one request can be about."""


class End(NamedTuple):
    """What a decision is in the ledger: the code of who asks for it, and of who decides."""

    asked: Code
    decided: str


@dataclass(frozen=True, slots=True)
class RequestDesk(ShelfDesk):
    """Where staff decide alone or by two; ``second_person`` names the lists of the latter.

    ``name`` is the list's in the site file. ``ends`` has what can be decided.
    """

    name: ClassVar[str]
    ends: ClassVar[Mapping[State, End]]

    second_person: Collection[str] = ()

    @property
    def is_for_two(self) -> bool:
        """Say whether the site wants a second person for a single message, too."""
        return self.name in self.second_person

    def pairs(self, row: Shelved, now: State) -> Sequence[tuple[str, str]]:
        """Give the flows and receivers for which a message is decided about.

        Raises:
            LedgerError: it may not go to this state today.
        """
        raise NotImplementedError

    def permit(self, rows: Sequence[Shelved], now: State) -> None:
        """See whether messages may go to a state today; where ``pairs`` sees to it, nothing.

        Raises:
            LedgerError: some may not; nothing is decided.
        """

    def request(self, rows: Sequence[Shelved], access: AccessItems, now: State) -> int:
        """Ask that messages go to a state; give the request's number.

        Raises:
            QuestionError: nobody is named who asks.
            LedgerError: one of them was decided about meanwhile, or may not go there today; nothing
                is asked.
        """
        _somebody(access)
        self._decide(rows, access, State.REQUESTED, self.ends[now].asked, wanted=now, request=0)
        return self.row(rows[0].id)[0].request

    def approve(self, number: int, access: AccessItems) -> tuple[int, State]:
        """Approve a request; say how many messages it was about, and where they go.

        Without a reason that of the request stands.

        Raises:
            QuestionError: there is no such request, or nobody is named who approves it.
            LedgerError: it was this very person's, or is not permitted any more.
        """
        _somebody(access)
        rows, asked = self.requested(number)
        if same_person(asked.access.staff, access.staff):
            raise LedgerError(
                f"request {number} was made by {asked.access.staff}: a second person has to "
                f"approve it, with {self.command} approve {number} --staff …"
            )
        access = access._replace(reason=access.reason or asked.access.reason)
        now = self.asked_for(asked)
        detail = f", request {number} of {asked.access.staff}"
        self._decide(rows, access, now, self.ends[now].decided, detail=detail)
        return len(rows), now

    def decline(self, number: int, access: AccessItems) -> int:
        """Decline a request, or take it back; its messages are open again.

        Raises:
            QuestionError: there is no such request, or nobody is named who declines it.
        """
        _somebody(access)
        rows, asked = self.requested(number)
        is_own = same_person(asked.access.staff, access.staff)
        detail = f", request {number}{' taken back' if is_own else ''}"
        self._decide(rows, access, State.OPEN, Code.DECLINED, detail=detail)
        return len(rows)

    def requested(self, number: int, most: int = MOST_TOGETHER) -> tuple[list[Shelved], Recorded]:
        """Give what a request that waits is about, and the entry that says who asked for what.

        Of the messages no more than ``most`` are given, without their bodies.

        Raises:
            QuestionError: there is no such request.
        """
        wanted = self._waiting(number)
        with ledger_errors("be read"), self.ledger.engine.connect() as connection:
            rows = asides.listed(connection, wanted, most) if 0 < number <= GREATEST_NUMBER else []
            if not rows:
                message = f"no request {number} waits: {self.command} list --status requested"
                raise QuestionError(message)
            (asked,) = recorded(connection, [number])
        return rows, asked

    def count(self, number: int) -> int:
        """Count the messages that a request that waits is about."""
        return counted(self.ledger, self._waiting(number))

    def asked_for(self, asked: Recorded) -> State:
        """Say where the messages of a request are to go.

        Raises:
            LedgerError: its entry is not one that asks.
        """
        for state, end in self.ends.items():
            if asked.code == end.asked:
                return state
        raise LedgerError(f"entry {asked.number} asks for nothing: run renkei ledger verify")

    def settle(self, row: Shelved, access: AccessItems, now: State) -> int:
        """Decide about one message; give 0, or a request's number where two persons decide.

        Raises:
            LedgerError: it was decided about, or may not go to this state today.
        """
        if self.is_for_two:
            return self.request([row], access, now)
        self._decide([row], access, now, self.ends[now].decided)
        return 0

    def _waiting(self, number: int) -> Wanted:
        return Wanted(self.shelf, State.REQUESTED, request=number)

    def _decide(  # noqa: PLR0913 - what a decision is
        self,
        rows: Sequence[Shelved],
        access: AccessItems,
        now: State,
        code: str,
        *,
        wanted: State | None = None,
        detail: str = "",
        request: int | None = None,
    ) -> None:
        self.permit(rows, wanted or now)
        entries = [
            self.decision(row, access, pair, code, detail)
            for row in rows
            for pair in self.pairs(row, wanted or now)
        ]
        turns = [Turn(row.id, row.state, now, request, row.request) for row in rows]
        self.ledger.append(entries, Beside(turns=turns))


def _somebody(access: AccessItems) -> None:
    if not is_somebody(access.staff):
        raise QuestionError("what two persons decide needs a name of each: say who it is")
