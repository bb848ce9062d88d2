"""Numbers for what stands once: terms, access items, cases and messages.

Numbers are given in order of first use, under the lock of the head, and are remembered by this
process only once they are committed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, select

from hub.ledger.chunks import among, chunks
from hub.ledger.leaf import Terms, access_said, json_text
from hub.ledger.tables import access, cases, messages, terms
from hub.message import AccessItems, MessageKey

KEPT = 4_000
"""How many numbers of one kind a process remembers before it begins anew."""

KeyT = TypeVar("KeyT")
Find = Callable[[Connection, Sequence[KeyT]], Mapping[KeyT, int]]


class MessageRef(NamedTuple):
    """A message as it stands in the ledger: once for each resident that it was found to be about.

    A message that was refused is about nobody; accepted later it is about somebody.
    """

    sender: str
    message_id: str
    resident: str

    @property
    def key(self) -> MessageKey:
        """The message, whomever it is about."""
        return MessageKey(self.sender, self.message_id)


class Numbers(Generic[KeyT]):
    """The committed numbers of one kind that this process knows."""

    def __init__(self) -> None:
        self._known: dict[KeyT, int] = {}

    def learn(self, numbers: Mapping[KeyT, int]) -> None:
        """Remember committed numbers."""
        if len(self._known) > KEPT:
            self._known = {}
        self._known.update(numbers)

    def remembered(self, keys: Iterable[KeyT]) -> dict[KeyT, int]:
        """Give the numbers of those keys that are remembered."""
        return {key: self._known[key] for key in keys if key in self._known}

    def given(
        self, connection: Connection, keys: Iterable[KeyT], last: int, find: Find[KeyT]
    ) -> tuple[dict[KeyT, int], list[KeyT]]:
        """Give the number of each key, and the keys that are new, numbered on from ``last``.

        ``find`` looks in the ledger for those that are not remembered.
        """
        wanted = dict.fromkeys(keys)
        known = self._known
        missing = [key for key in wanted if key not in known]
        found = find(connection, missing) if missing else {}
        numbers: dict[KeyT, int] = {}
        new: list[KeyT] = []
        for key in wanted:
            number = known.get(key) or found.get(key)
            if number is None:
                new.append(key)
                number = last + len(new)
            numbers[key] = number
        return numbers, new


def terms_row(number: int, value: Terms) -> tuple[object, ...]:
    """Give the row of terms."""
    said = value.said()
    return (
        number,
        value.kind,
        value.message_type,
        value.flow,
        value.sender,
        value.receiver,
        value.code,
        value.basis,
        value.purpose,
        json_text(value.released),
        json_text(value.withheld),
        said,
        said_digest(said, value.code),
    )


def access_row(number: int, items: AccessItems) -> tuple[object, ...]:
    """Give the row of access items."""
    said = access_said(items)
    words = (items.staff, items.department, items.terminal, items.reason, items.operation)
    return (number, *words, said, said_digest(said))


def said_digest(said: str, code: str = "") -> str:
    """Give what a row of terms or access items is found by."""
    return hashlib.sha256(f"{code}\n{said}".encode()).hexdigest()


def find_terms(connection: Connection, keys: Sequence[Terms]) -> dict[Terms, int]:
    """Find the numbers of terms that are recorded."""
    by_digest = {said_digest(key.said(), key.code): key for key in keys}
    return _found_by_digest(connection, terms, by_digest)


def find_access(connection: Connection, keys: Sequence[AccessItems]) -> dict[AccessItems, int]:
    """Find the numbers of access items that are recorded."""
    by_digest = {said_digest(access_said(key)): key for key in keys}
    return _found_by_digest(connection, access, by_digest)


def _found_by_digest(
    connection: Connection, table: Table, by_digest: Mapping[str, KeyT]
) -> dict[KeyT, int]:
    query = select(table.c.digest, table.c.id).where(
        table.c.digest.in_(bindparam("digests", expanding=True))
    )
    found: dict[KeyT, int] = {}
    for some in chunks(list(by_digest)):
        for digest, number in connection.execute(query, {"digests": some}):
            found[by_digest[digest]] = number
    return found


def find_cases(
    connection: Connection, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], int]:
    """Find the numbers of pairs of terms and access items that are recorded."""
    query = select(cases.c.id).where(
        cases.c.terms_id == bindparam("terms"), cases.c.access_id == bindparam("access")
    )
    found = {}
    for pair in keys:
        values = {"terms": pair[0], "access": pair[1]}
        number = connection.execute(query, values).scalar_one_or_none()
        if number is not None:
            found[pair] = number
    return found


def find_refs(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[int, MessageRef]:
    """Find all that stands in the ledger of these senders' message ids, by its number."""
    # By sender, so that a system that uses others' ids makes nobody else's look-up longer.
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for sender, message_id in keys:
        wanted[sender].add(message_id)
    query = _refs_query(connection.dialect.name)
    return {
        number: MessageRef(sender, *said)
        for sender, ids in wanted.items()
        for some in chunks(sorted(ids))
        for number, *said in connection.execute(query, {"sender": sender, "ids": some})
    }


@cache
def _refs_query(dialect: str) -> Select[int, str, str]:
    is_asked = among(messages.c.message_id, "ids", dialect)
    return select(messages.c.no, messages.c.message_id, messages.c.resident).where(
        messages.c.sender == bindparam("sender"), is_asked
    )


def find_messages(
    connection: Connection, keys: Sequence[MessageRef], absent: Collection[MessageKey] = ()
) -> dict[MessageRef, int]:
    """Find the numbers of messages that are recorded; not asked of those known to be absent."""
    asked = (key[:2] for key in keys if key[:2] not in absent)
    return {ref: number for number, ref in find_refs(connection, asked).items()}
