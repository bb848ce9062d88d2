"""What the lists that wait for a person have in common: the confirmations and the dead letters."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from hub.errors import LedgerError, QuestionError
from hub.ledger import asides
from hub.ledger.acts import Act, act
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.model import Entry, Kind, Known
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.vault import vault_of
from hub.limits import GREATEST_NUMBER
from hub.message import AccessItems
from hub.pipeline.judge import Judge
from hub.ports import Delivery


def listed(ledger: DatabaseLedger, wanted: Wanted, most: int) -> list[Shelved]:
    """Give what stands on a list, the oldest first; none of it says who it is about.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return asides.listed(connection, wanted, most)


def counted(ledger: DatabaseLedger, wanted: Wanted) -> int:
    """Count what stands on a list.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return asides.counted(connection, wanted)


def undecided(ledger: DatabaseLedger, shelf: Shelf) -> int:
    """Count what waits on a list for a person: nobody has decided, or a second one has to.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        kept = asides.count_kept(connection)
    return kept[shelf, State.OPEN] + kept[shelf, State.REQUESTED]


def requests(ledger: DatabaseLedger, shelf: Shelf) -> dict[int, int]:
    """Give the requests that wait for a second person, and how many messages each is about.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        return asides.requests(connection, shelf)


NOBODY = "none of its flows carries this person today."


@dataclass(frozen=True, slots=True)
class ShelfDesk:
    """Where staff decide; every method raises ``LedgerError`` when it cannot be done.

    ``judge`` is that of today's catalogue. ``ending`` is the command by which a row goes nowhere.
    """

    shelf: ClassVar[Shelf]
    noun: ClassVar[str]
    command: ClassVar[str]
    ending: ClassVar[str]
    viewing: ClassVar[Act]
    deciding: ClassVar[Kind]

    ledger: DatabaseLedger
    judge: Judge
    clock: Callable[[], dt.datetime]

    def row(self, number: int) -> tuple[Shelved, bool]:
        """Give a row of this list, and whether something newer has overtaken it.

        Raises:
            QuestionError: there is none of this number.
        """
        asked = [number] if 0 < number <= GREATEST_NUMBER else []
        found, overtaken = self.ledger.confirmations(asked)
        if number not in found or found[number].shelf is not self.shelf:
            message = f"there is no {self.noun} {number}: {self.command} list"
            raise QuestionError(message)
        return found[number], number in overtaken

    def open_row(
        self, number: int, states: Sequence[State] = (State.OPEN,)
    ) -> tuple[Shelved, bool]:
        """Give a row that nobody has decided about.

        Raises:
            QuestionError: there is none of this number.
            LedgerError: somebody has decided.
        """
        row, is_overtaken = self.row(number)
        if row.state is State.REQUESTED:
            raise LedgerError(
                f"{self.noun} {number} waits for a second person, who has to decide about request "
                f"{row.request}: {self.command} approve or decline {row.request}"
            )
        if row.state not in states:
            raise LedgerError(
                f"{self.noun} {number} was decided about already ({row.state}): entry "
                f"{row.decided} of the ledger says by whom"
            )
        return row, is_overtaken

    def body(self, row: Shelved) -> bytes:
        """Decrypt what was put aside; a row out of a list is without it.

        Raises:
            LedgerError: the key is not the one that it was kept with, or it was changed.
        """
        return vault_of(self.judge.pseudonyms).open(row.id, row.sealed)

    def sent(self, row: Shelved) -> Delivery:
        """Give the message of a row as its sender sent it, for the judge."""
        return Delivery(0, "", row.message_type, row.key.sender, self.body(row))

    def known(self, row: Shelved) -> Known:
        """Tell what the ledger says of a row's message; nothing once its month is destroyed."""
        return self.ledger.known([row.key]).get(row.key) or Known()

    def refuse(self, row: Shelved, why: str, remedy: str = "") -> NoReturn:
        """Say that a row may not move, and what to do: a remedy, or that it can only be ended.

        Raises:
            LedgerError: always.
        """
        todo = remedy or f"It can be {self.ending}ed: {self.left(row)}"
        raise LedgerError(f"{self.noun} {row.id} may not move by today's rules: {why} {todo}")

    def left(self, row: Shelved) -> str:
        """Say by which commands a row goes nowhere: one that is asked for has to be open first."""
        before = ""
        if row.state is State.REQUESTED:
            before = f"{self.command} decline {row.request}, then "
        return f"{before}{self.command} {self.ending} {row.id}"

    def view(self, row: Shelved, access: AccessItems) -> None:
        """Record that somebody looks."""
        said = f"{self.noun} {row.id} message {row.key.sender}/{row.key.id}"
        self.ledger.append(
            [
                act(
                    Kind.LOG_VIEW,
                    access,
                    self.clock(),
                    code=self.viewing,
                    detail=said,
                    resident=row.resident,
                )
            ]
        )

    def decision(
        self,
        row: Shelved,
        access: AccessItems,
        pair: tuple[str, str],
        code: str = "",
        detail: str = "",
    ) -> Entry:
        """Say what a person decides about a row."""
        return Entry(
            kind=self.deciding,
            at=self.clock(),
            message=row.key,
            message_type=row.message_type,
            flow=pair[0],
            receiver=pair[1],
            resident=row.resident,
            code=code,
            detail=f"{self.noun} {row.id}{detail}",
            access=access,
        )
