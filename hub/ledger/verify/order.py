"""Verifies that messages and cases got their numbers in the order of their first use."""

from collections.abc import Sequence

from sqlalchemy import Connection

from hub.ledger.head import Head
from hub.ledger.months import Month
from hub.ledger.reading import driver_rows
from hub.ledger.tables import entries
from hub.ledger.verify.fault import Fault, reading
from hub.ledger.verify.rows import Order, Piece


class Numbering:
    """Joins what the ranges of entries say of the order of numbers."""

    def __init__(
        self, connection: Connection, now: Head, known: Sequence[Month], begin: int
    ) -> None:
        self._now = now
        self._begin = begin
        self._months = {month.first_entry: month for month in known}
        self._gone = any(month.destroyed for month in known)
        self._next_messages = dict(
            zip(
                (month.first_entry for month in known),
                [month.first_message for month in known[1:]] + [now.messages + 1],
                strict=True,
            )
        )
        self._messages, self._cases = _used_before(connection, known, begin)

    def take(self, piece: Piece) -> None:
        """Go on with the next range.

        Raises:
            Fault: a number came before its turn, or a month does not begin at its message.
        """
        if piece.first < self._begin:
            return
        month = self._months.get(piece.first)
        if month is not None:
            if month.first_message != self._messages + 1:
                text = f"ledger_months: {month.month} does not begin at the right message"
                raise Fault(month.first_entry, text)
            if month.destroyed:
                self._messages = self._next_messages[piece.first] - 1
        self._messages = _joined(piece.messages, self._messages, "messages")
        if not self._gone:
            self._cases = _joined(piece.cases, self._cases, "cases")

    def end(self) -> None:
        """See that all numbers are used.

        Raises:
            Fault: they are not.
        """
        if self._messages != self._now.messages:
            raise Fault(None, "ledger_messages: the ledger's head counts some that no entry uses")
        if not self._gone and self._cases != self._now.cases:
            raise Fault(None, "ledger_cases: the ledger's head counts some that no entry uses")


def _joined(order: Order, last: int, what: str) -> int:
    if order.jump > last + 1:
        text = f"ledger_{what}: the numbers do not follow the order of first use"
        raise Fault(order.jump_at, f"{text} at entry {order.jump_at}")
    return max(last, order.highest)


def _used_before(connection: Connection, known: Sequence[Month], begin: int) -> tuple[int, int]:
    """Give the highest numbers of a message and of a case that entries before one have."""
    highest = [0, 0]
    for month in known:
        if month.first_entry < begin:
            highest[0] = max(highest[0], month.first_message - 1)
            if not month.destroyed:
                query = (
                    "SELECT coalesce(max(message_no), 0), coalesce(max(case_id), 0) "  # noqa: S608
                    f"FROM {entries(month.month).name} WHERE seq < ?"
                )
                with reading(month.table):
                    (found,) = driver_rows(connection, query, begin)
                highest = [max(pair) for pair in zip(highest, found, strict=True)]
        elif month.first_entry == begin:
            before = [one for one in known if one.first_entry < begin]
            if before and before[-1].destroyed:
                highest[0] = max(highest[0], month.first_message - 1)
    return highest[0], highest[1]
