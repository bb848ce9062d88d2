"""Give the entries of one append their numbers, and make their rows and hashes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from hub.ledger.head import Head
from hub.ledger.leaf import (
    Terms,
    access_said,
    json_text,
    leaf,
    microseconds,
    salt_check,
    terms_of,
)
from hub.ledger.model import Entry
from hub.ledger.numbers import (
    MessageRef,
    Numbers,
    access_row,
    find_access,
    find_cases,
    find_messages,
    find_terms,
    terms_row,
)
from hub.ledger.tables import access, cases, messages, terms
from hub.ledger.writing import insert_rows
from hub.message import AccessItems, MessageKey
from schemas.evidence.merkle import leaf_hash


@dataclass(frozen=True, slots=True)
class Numbered:
    """What the entries of one append refer to, and the numbers that it has got.

    ``described`` gives for each entry the numbers of its case and of its message, and what its
    leaf says of terms and access; ``head`` is the ledger's head after them, not sealed yet.
    """

    head: Head
    described: list[tuple[int, int, str]]
    terms: dict[Terms, int]
    access: dict[AccessItems, int]
    cases: dict[tuple[int, int], int]
    messages: dict[MessageRef, int]


class Numbering:
    """The numbers that this process knows to be committed.

    ``destructions`` is what ``months.destructions`` gave when the first of them was learnt: once
    it has grown, rows may be gone whose numbers are remembered here.
    """

    def __init__(self, destructions: int = 0) -> None:
        self.destructions = destructions
        self._terms: Numbers[Terms] = Numbers()
        self._access: Numbers[AccessItems] = Numbers()
        self._cases: Numbers[tuple[int, int]] = Numbers()
        self.messages: Numbers[MessageRef] = Numbers()

    def give(
        self,
        connection: Connection,
        head: Head,
        new: Sequence[Entry],
        absent: Collection[MessageKey] = (),
    ) -> Numbered:
        """Number what the entries refer to, and insert what of it is new.

        ``absent`` are messages of which there is nothing in the ledger.
        """
        shared = [(terms_of(entry), entry.access) for entry in new]
        refs = [MessageRef(*entry.message, entry.resident) for entry in new]
        once = dict.fromkeys(shared)  # few, and long: each is looked up once an entry and no more
        of_terms, new_terms = self._terms.given(
            connection, [one for one, _ in once], head.terms, find_terms
        )
        of_access, new_access = self._access.given(
            connection, [items for _, items in once], head.access, find_access
        )
        pairs = {(one, items): (of_terms[one], of_access[items]) for one, items in once}
        of_cases, new_cases = self._cases.given(connection, pairs.values(), head.cases, find_cases)
        of_messages, new_messages = self.messages.given(
            connection, refs, head.messages, partial(find_messages, absent=absent)
        )
        lines = {
            (one, items): (of_cases[pair], f"{one.said()},{access_said(items)}")
            for (one, items), pair in pairs.items()
        }
        insert_rows(connection, terms, [terms_row(of_terms[one], one) for one in new_terms])
        insert_rows(connection, access, [access_row(of_access[one], one) for one in new_access])
        insert_rows(connection, cases, [(of_cases[pair], *pair) for pair in new_cases])
        insert_rows(connection, messages, [(of_messages[ref], *ref) for ref in new_messages])
        after = replace(
            head,
            size=head.size + len(new),
            terms=head.terms + len(new_terms),
            access=head.access + len(new_access),
            cases=head.cases + len(new_cases),
            messages=head.messages + len(new_messages),
        )
        described = [
            (case, of_messages[ref], said)
            for (case, said), ref in zip(map(lines.__getitem__, shared), refs, strict=True)
        ]
        return Numbered(after, described, of_terms, of_access, of_cases, of_messages)

    def learn(self, numbered: Numbered) -> None:
        """Remember numbers, once they are committed."""
        self._terms.learn(numbered.terms)
        self._access.learn(numbered.access)
        self._cases.learn(numbered.cases)
        self.messages.learn(numbered.messages)


def rows_and_hashes(
    first: int, new: Sequence[Entry], numbered: Numbered
) -> tuple[list[tuple[object, ...]], list[bytes]]:
    """Make the rows of ``tables.entries`` and the leaf hashes; ``first`` is the first number."""
    rows: list[tuple[object, ...]] = []
    hashes: list[bytes] = []
    described = zip(new, numbered.described, strict=True)
    for number, (entry, (case, message, said)) in enumerate(described, first):
        at = microseconds(entry.at)
        check = salt_check(entry.salt)
        detail = json_text(entry.detail) if entry.detail else '""'
        content = leaf(number, at, said, entry.message, entry.resident, entry.digest, check, detail)
        hashes.append(leaf_hash(content))
        rows.append((number, at, case, message, entry.digest, check, detail, entry.salt or None))
    return rows, hashes
