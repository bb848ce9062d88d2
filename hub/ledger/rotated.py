"""A ledger whose pseudonyms were keyed by another key before: what was written then is still found.

What is written gets today's digests. What is looked up by a digest is looked up by what it was
under the retired keys as well, and what the ledger gives back is turned into today's, so that
nobody beyond this module has to know of the others. A ledger without a retired key is a plain
``DatabaseLedger``.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from hub.errors import LedgerError
from hub.ledger import asides
from hub.ledger.beside import NOTHING, Beside, Binding, Shelved
from hub.ledger.model import Entry, Kind, Known, Pseudonyms
from hub.ledger.schema import ANSWER_SECONDS, ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.vault import vault_of
from hub.message import MessageKey
from schemas.evidence.note import Signer


def open_keyed(
    url: str, signer: Signer, pseudonyms: Pseudonyms, answer_seconds: float = ANSWER_SECONDS
) -> DatabaseLedger:
    """Open a ledger, so that what was written by retired keys is found where there are any.

    Raises:
        LedgerError: the database cannot be reached, or its schema is not this code's.
    """
    if pseudonyms.retired:
        return RotatedLedger(url, signer, pseudonyms, answer_seconds=answer_seconds)
    return DatabaseLedger(url, signer, answer_seconds=answer_seconds)


class _Found(NamedTuple):
    """A binding as its row has it, and its digest under today's key where that is known."""

    resident: str
    digest: str
    today: str


class RotatedLedger(DatabaseLedger):
    """The ledger of a site that has retired keys of pseudonyms; else as ``DatabaseLedger``."""

    def __init__(
        self,
        url: str,
        signer: Signer,
        pseudonyms: Pseudonyms,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(url, signer, answer_seconds=answer_seconds, monotonic=monotonic)
        self._aliases = pseudonyms.aliases
        self._pseudonyms = pseudonyms
        self._found: dict[str, _Found] = {}

    def known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        """Tell what is already recorded of these messages; unknown ones are absent."""
        former = {old: key for key in keys for old in self._former_keys(key)}
        found = dict(super().known({*keys, *former}))
        for old, key in former.items():
            if old in found:
                found.setdefault(key, found.pop(old))
        for one in found.values():
            one.resident = self._aliases.today(one.resident)
        return found

    def _former_keys(self, key: MessageKey) -> Iterator[MessageKey]:
        """Name a message that could not be read, which the hub named by a digest, as before."""
        word, dash, digest = key.id.rpartition("-")
        return (MessageKey(key.sender, word + dash + old) for old in self._aliases.former(digest))

    def bindings(self, residents: Collection[str]) -> Mapping[str, str]:
        """Give the digest of the number that each resident is bound to; others are absent."""
        former = {one: self._aliases.former(one) for one in residents}
        rows = super().bindings({*residents, *(old for some in former.values() for old in some)})
        self._found = {}
        for one, some in former.items():
            old = next((old for old in some if old in rows), None)
            if one not in rows and old is not None:
                self._found[one] = _Found(old, rows[old], self._aliases.today(rows[old]))
        bound = {one: rows[one] for one in residents if one in rows}
        return bound | {one: found.today for one, found in self._found.items()}

    def confirmations(
        self, numbers: Collection[int]
    ) -> tuple[Mapping[int, Shelved], frozenset[int]]:
        """Give what was put aside by its numbers, and what of it something newer has overtaken."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            rows = asides.find(connection, numbers)
            found = {number: self._named(one) for number, one in rows.items()}
            silent = [one.key for one in found.values() if not self._aliases.former(one.resident)]
            names = partial(self._names, asides.accepted_by(connection, silent))
            return found, asides.overtaken(connection, found, names)

    def recorded_deaths(self, marks: Collection[str]) -> Mapping[str, bool]:
        """Give the marks under which dead letters are recorded, and if one was not sent again."""
        names = {mark: (mark, *self._aliases.former(mark)) for mark in marks}
        rows = super().recorded_deaths({one for some in names.values() for one in some})
        return {
            mark: any(rows[one] for one in some if one in rows)
            for mark, some in names.items()
            if any(one in rows for one in some)
        }

    def append(
        self, new: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
    ) -> None:
        """Add entries, and what stands beside them, in one durable transaction: all or none.

        The binding of who is accepted here stands under today's pseudonym from then on.
        """
        found, self._found = self._found, {}  # where it fails, they are asked for again
        if found:
            accepted = {one.resident for one in new if one.kind is Kind.ACCEPTANCE}
            beside = replace(beside, bindings=_moved(beside.bindings, found, accepted))
        super().append(new, beside, since)

    def _named(self, one: Shelved) -> Shelved:
        """Give a row with today's pseudonym of whom it is about, as far as that can be known."""
        addressee = self._addressee(one)
        if addressee:
            return replace(one, resident=self._pseudonyms.resident(addressee))
        return replace(one, resident=self._aliases.today(one.resident))

    def _names(self, accepted: Mapping[MessageKey, int], one: Shelved) -> Collection[str] | None:
        former = self._aliases.former(one.resident)
        if former or not one.resident or accepted.get(one.key, one.age) > self._pseudonyms.last:
            return [one.resident, *former] if one.resident else []
        return None  # its pseudonym is of a retired key, and its body says nothing of the resident

    def _addressee(self, one: Shelved) -> str:
        try:
            return addressee_in(vault_of(self._pseudonyms).open(one.id, one.sealed))
        except LedgerError:
            return ""  # it has no body any more; or whoever moves it finds that it does not open


def _moved(
    bindings: Sequence[Binding], found: Mapping[str, _Found], accepted: Collection[str]
) -> list[Binding]:
    """Give the bindings so that those found under retired keys are replaced."""
    changed = {one.resident for one in bindings}
    kept = [
        replace(one, before=old.digest, was=old.resident)
        if (old := found.get(one.resident)) is not None
        else one
        for one in bindings
    ]
    kept += (
        Binding(resident, old.digest, old.today, was=old.resident)
        for resident, old in found.items()
        if resident in accepted and resident not in changed and old.today != old.digest
    )
    return kept


def addressee_in(body: bytes) -> str:
    """Give the 宛名番号 of an event or a copy; empty where its body gives none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    data = document.get("data") if isinstance(document, dict) else None
    number = data.get("addressee_number") if isinstance(data, dict) else None
    return number if isinstance(number, str) else ""
