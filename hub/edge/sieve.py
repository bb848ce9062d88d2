"""Lets each record of a file become one message, also where the file is read a second time.

A mapping may look things up, and by the second reading they have changed: the question that a
record answered is closed, the list for matching is another. What was sent or refused at the first
reading stays so. Two records of one file that answer the same question are told apart here too,
for the journal closes a question only when its answer is confirmed.
"""

from collections.abc import Collection

from hub.edge.journal import InboundFile, Journal
from hub.edge.kit import BadRecord, Mapped, Question

_BEFORE = "answered before"
"""Ends what every mapping says of an answer to a closed question."""
ANSWERED = f"the question was {_BEFORE}"
REFUSED = "was refused when the file was first read"


class Sieve:
    """The sieve of one file."""

    def __init__(self, entry: InboundFile, journal: Journal) -> None:
        self._entry = entry
        self._journal = journal
        self._closing: set[Question] = set()

    def sifted(
        self, part: Mapped | BadRecord, line: int, group: Collection[int] = ()
    ) -> Mapped | BadRecord | None:
        """Give what is to be sent or listed; ``None`` for what was sent at an earlier reading.

        ``group`` are the numbers of all records that were mapped together: one message may have
        carried several of them, and then each finds its question answered, by that very message.

        Raises:
            EdgeError: the journal cannot be used.
        """
        if self._answered_itself(part, group):
            return None
        if part.number <= self._entry.confirmed_through:
            return self._of_before(part, line)
        if isinstance(part, BadRecord) or part.closes is None:
            return part
        if part.closes in self._closing:
            return BadRecord(part.number, line, "", ANSWERED)
        self._closing.add(part.closes)
        return part

    def _answered_itself(self, part: Mapped | BadRecord, group: Collection[int]) -> bool:
        return (
            isinstance(part, BadRecord)
            and part.reason.endswith(_BEFORE)
            and any(
                number <= self._entry.confirmed_through
                and self._journal.was_sent(self._entry.digest, number)
                for number in group
            )
        )

    def confirmed(self) -> None:
        """Forget what the journal knows by now."""
        self._closing.clear()

    def _of_before(self, part: Mapped | BadRecord, line: int) -> BadRecord | None:
        # Of a file read before journals noted it, what was sent is not known.
        if not self._entry.read_at or self._journal.was_sent(self._entry.digest, part.number):
            return None
        return part if isinstance(part, BadRecord) else BadRecord(part.number, line, "", REFUSED)
