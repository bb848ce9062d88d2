"""The ledger in a database: SQLite or PostgreSQL, one code for both."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine, insert, select

from hub.errors import LedgerError
from hub.ledger import asides, suspects
from hub.ledger import head as heads
from hub.ledger.batch import Numbering, rows_and_hashes
from hub.ledger.beside import NOTHING, Beside, Shelved
from hub.ledger.edge import Edge, goes_on, load_edge
from hub.ledger.head import Head
from hub.ledger.leaf import Recorded, read_leaf
from hub.ledger.meanwhile import Own, refuse_retired, refuse_twice
from hub.ledger.model import Entry, FlowCount, Known
from hub.ledger.months import Month, all_months, begin_month, destructions, month_of
from hub.ledger.reading import leaves
from hub.ledger.recall import (
    catalogue_in_force,
    count_entries,
    plain_key,
    recall,
)
from hub.ledger.schema import ANSWER_SECONDS, SameFile, check_schema, ledger_errors, open_engine
from hub.ledger.tables import checkpoints, entries, tiles
from hub.ledger.writing import insert_rows, put_tiles
from hub.message import MessageKey
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.keys import Verifier
from schemas.evidence.note import SignedNote, Signer

_COVERED = select(checkpoints.c.size).order_by(checkpoints.c.id.desc()).limit(1)
CHECKPOINT_SECONDS = 30.0
"""How long the first entry after a kept checkpoint waits for the next one, at most."""


class DatabaseLedger:
    """The ledger; see ``hub.ledger.model.Ledger`` for what each method promises.

    ``signer`` is the hub's key, which signs the head with every append; ``answer_seconds`` is how
    long the database may take for one answer.

    Raises:
        LedgerError: the database cannot be reached, or its schema is not this code's.
    """

    def __init__(
        self,
        url: str,
        signer: Signer,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = open_engine(url, answer_seconds)
        try:
            check_schema(self._engine)
            with ledger_errors("be read"), self._engine.connect() as connection:
                self._looked = heads.size(connection)
        except LedgerError:
            self._engine.dispose()
            raise
        self._file = SameFile(self._engine)
        self._signer = signer
        self._monotonic = monotonic
        self._numbering = Numbering()
        self._head: Head | None = None
        self._edge: Edge | None = None
        self._asked_at: int | None = None
        self._own = Own()
        self._absent: frozenset[MessageKey] = frozenset()
        self._uncovered_since: float | None = None

    @property
    def engine(self) -> Engine:
        """The database, for those who read what this writes."""
        return self._engine

    @property
    def verifier(self) -> Verifier:
        """What the hub's signatures are checked by."""
        return self._signer.verifier

    @property
    def asked_at(self) -> int | None:
        """How many entries there were when ``known`` was last asked."""
        return self._asked_at

    def append(
        self, new: Sequence[Entry], beside: Beside = NOTHING, since: int | None = None
    ) -> None:
        """Add entries, and what stands beside them, in one durable transaction: all or none.

        Raises:
            LedgerError: nothing was written.
        """
        if not new and not beside:
            return
        self._file.check()
        if not new:
            with ledger_errors("record"), self._engine.begin() as connection:
                first = heads.locked(connection).size + 1
                asides.write(connection, beside, first, stale=True)
            return
        new = [_plain(entry) for entry in new]
        now = self._monotonic()
        with ledger_errors("record"), self._engine.begin() as connection:
            before = heads.locked(connection)
            edge = self._checked_edge(connection, before)
            months = all_months(connection)  # under the lock: another process may have begun one
            if before.size > self._looked:
                refuse_retired(connection, months, self._looked)
            numbering = self._numbering_for(months)
            is_stale = self._asked_at is None or bool(self._own.others(self._asked_at, before.size))
            absent: Collection[MessageKey] = () if is_stale else self._absent
            asked_at = min((at for at in (self._asked_at, since) if at is not None), default=None)
            if asked_at is not None and (others := self._own.others(asked_at, before.size)):
                absent = refuse_twice(connection, months, others, new, numbering.messages)
            months = _with_month_of(connection, before, months, new)
            numbered = numbering.give(connection, before, new, absent)
            rows, hashes = rows_and_hashes(before.size + 1, new, numbered)
            insert_rows(connection, entries(months[-1].month), rows)
            if beside:
                asides.write(connection, beside, before.size + 1, stale=is_stale)
            edge, changed = edge.extended(hashes)
            put_tiles(connection, tiles, changed)
            after = self._sealed(connection, numbered.head, edge, keep=self._is_due(now))
        numbering.learn(numbered)
        self._head, self._edge, self._numbering = after, edge, numbering
        self._looked = after.size
        self._absent = frozenset()
        self._own.recorded(before.size + 1, after.size)
        self._covered(whole=after.checkpoints > before.checkpoints, now=now)

    def tend(self) -> None:
        """Make sure that entries may be added, and sign a checkpoint where one is due."""
        self._file.check()
        with ledger_errors("be read"), self._engine.connect() as connection:
            head, fault = heads.read(connection)
            covered = connection.execute(_COVERED).scalar_one_or_none() or 0
        if fault:
            raise LedgerError(heads.halted(fault))
        if covered < head.size:
            self._covered(whole=False, now=self._monotonic())
        if self._is_due(self._monotonic()):
            self.checkpoint()

    def checkpoint(self) -> str:
        """Sign and keep a checkpoint of all that there is, unless there is one; give its note."""
        self._file.check()
        newest = select(checkpoints.c.size, checkpoints.c.note)
        newest = newest.order_by(checkpoints.c.id.desc()).limit(1)
        with ledger_errors("record"), self._engine.begin() as connection:
            head = heads.locked(connection)
            edge = self._checked_edge(connection, head)
            kept = connection.execute(newest).one_or_none()
            if kept is None or kept.size != head.size:
                head = self._sealed(connection, head, edge, keep=True)
                kept = connection.execute(newest).one()
        self._head, self._edge = head, edge
        self._covered(whole=True, now=self._monotonic())
        return str(kept.note)

    def known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        """Tell what is already recorded of these messages; unknown ones are absent."""
        self._file.check()
        with ledger_errors("be read"), self._engine.connect() as connection:
            asked_at = heads.read(connection)[0].size
            found = recall(connection, keys)
        self._asked_at, self._absent = asked_at, found.absent
        if found.numbers and found.destructions == self._numbering.destructions:
            self._numbering.messages.learn(found.numbers)
        return found.known

    def bindings(self, residents: Collection[str]) -> Mapping[str, str]:
        """Give the digest of the number that each resident is bound to; others are absent."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return asides.bound(connection, residents)

    def released(self) -> Sequence[tuple[int, str]]:
        """Give number and bucket of what was put aside, released, and has not moved."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return asides.waiting(connection)

    def confirmations(
        self, numbers: Collection[int]
    ) -> tuple[Mapping[int, Shelved], frozenset[int]]:
        """Give what was put aside by its numbers, and what of it something newer has overtaken."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            found = asides.find(connection, numbers)
            return found, asides.overtaken(connection, found)

    def recorded_deaths(self, marks: Collection[str]) -> Mapping[str, bool]:
        """Give the marks under which dead letters are recorded, and if one was not sent again."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return asides.recorded(connection, marks)

    def tries(self, marks: Collection[str]) -> Mapping[str, int]:
        """Give how often each suspect was tried that a process did not outlive; or leave it out."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return suspects.tries(connection, marks)

    def suspected(self, marks: Collection[str]) -> None:
        """Note durably that suspects are about to be tried."""
        with ledger_errors("record"), self._engine.begin() as connection:
            suspects.note(connection, marks)

    def cleared(self, marks: Collection[str]) -> None:
        """Note that the process outlived suspects."""
        with ledger_errors("record"), self._engine.begin() as connection:
            suspects.strike_out(connection, marks)

    def catalogue(self) -> str:
        """Give the digest of the catalogue last recorded as in force; empty when none is."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return catalogue_in_force(connection)

    def counts(self) -> list[FlowCount]:
        """Count the entries by sender, type, flow, receiver, kind and code."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return count_entries(connection)

    def size(self) -> int:
        """Count all entries, also those that are destroyed by now."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return heads.read(connection)[0].size

    def entries(self) -> Iterator[Recorded]:
        """Read every entry that is there, in order; streams."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            for _, content in leaves(connection):
                yield read_leaf(content)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _checked_edge(self, connection: Connection, head: Head) -> Edge:
        """Give the edge of the tree; where another wrote the head it must be what was sealed.

        Raises:
            LedgerError: it is not, or does not go on from what this process knows.
        """
        if self._edge is not None and self._head == head:
            return self._edge
        edge = load_edge(connection, head.size)
        head.check(edge.root(), self._signer.verifier)
        if self._edge is not None and not goes_on(connection, self._edge, head.size):
            raise LedgerError(
                "the ledger does not go on from what this process has recorded in it: it was set "
                "back or replaced. Put the right one back, or start the hub again with this one"
            )
        return edge

    def _numbering_for(self, months: Sequence[Month]) -> Numbering:
        """Give the numbers that are remembered; none where their rows may be destroyed by now."""
        gone = destructions(months)
        return self._numbering if self._numbering.destructions == gone else Numbering(gone)

    def _sealed(self, connection: Connection, head: Head, edge: Edge, *, keep: bool) -> Head:
        root = edge.root()
        if keep:
            head = replace(head, checkpoints=head.checkpoints + 1)
            text = Checkpoint(self._signer.name, head.size, root).text()
            note = SignedNote.signed(text, [self._signer.sign(text)]).encode().decode()
            values = {"id": head.checkpoints, "size": head.size, "note": note}
            connection.execute(insert(checkpoints).values(**values))
        head = head.sealed(root, self._signer)
        heads.write(connection, head)
        return head

    def _is_due(self, now: float) -> bool:
        since = self._uncovered_since
        return since is not None and now - since >= CHECKPOINT_SECONDS

    def _covered(self, *, whole: bool, now: float) -> None:
        if whole:
            self._uncovered_since = None
        elif self._uncovered_since is None:
            self._uncovered_since = now


def _plain(entry: Entry) -> Entry:
    key = plain_key(entry.message)
    return entry if key is entry.message else replace(entry, message=key)


def _with_month_of(
    connection: Connection, head: Head, known: list[Month], new: Sequence[Entry]
) -> list[Month]:
    """Give the months; the last one, made if need be, takes these entries."""
    month = month_of(new[-1].at)
    if known and known[-1].month >= month:
        return known
    begun = Month(month, head.size + 1, head.messages + 1)
    begin_month(connection, begun)
    return [*known, begun]
