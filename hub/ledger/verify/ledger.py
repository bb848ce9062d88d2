"""Verifies the ledger in its database: every row of every table against the hub's signature.

The head's seal signs the root of the tree and the number of rows of each table. Each entry's
leaf is put together anew from its row and what that refers to, and hashed up to that root. What
is in no leaf is held to what is: numbers are dense and in the order of first use, a salt fits its
check in the leaf, a destroyed month or an erased salt has an entry that says so.

What it cannot see by itself: that the whole database was put back to an older state, which was
good in its time, or emptied. ``witness`` finds that: a copy of the newest checkpoint or seal, kept
elsewhere. Nor that a cosignature was taken off a checkpoint: whoever relies on it keeps a copy,
too. Nor, after a destruction, that rows which a destroyed month used first have exchanged their
numbers, together with all that refers to them: no entry says anything else by that.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, Engine, select

from hub.ledger import head as heads
from hub.ledger.edge import WIDTH
from hub.ledger.head import Head
from hub.ledger.months import Month, all_months
from hub.ledger.reading import driver_rows
from hub.ledger.schema import check_schema
from hub.ledger.tables import head, metadata, months
from hub.ledger.verify.asides import check_asides
from hub.ledger.verify.fault import Fault, reading
from hub.ledger.verify.months import (
    Range,
    check_months,
    destroyed_ranges,
    erased_salts,
    unfinished,
)
from hub.ledger.verify.order import Numbering
from hub.ledger.verify.parts import (
    Kept,
    check_access,
    check_cases,
    check_messages,
    check_terms,
)
from hub.ledger.verify.schema import check_tables, check_types
from hub.ledger.verify.spans import check_left, check_spans, spans
from hub.ledger.verify.tree import Tree, check_checkpoints, check_earlier, check_seal, check_tiles
from schemas.evidence.keys import CosignerVerifier, NoteError, Verifier
from schemas.evidence.note import SignedNote

EARLIER, WITNESS = "earlier checkpoint", "witness checkpoint"
TRIES = 3
"""A month that is destroyed, or a salt that is erased, while it runs makes it begin again."""

Progress = Callable[[int], None]
"""Is told the number of the last entry that is done."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification found.

    ``through`` is the last entry up to which all is good; ``first_bad`` the first entry that is
    not, where ``fault`` is about one. ``halted`` is what the head says of a check that failed
    before: the hub takes it back once all is good. ``unchecked`` says what this database gave no
    means to check. ``unfinished`` are destroyed months whose rows are not all gone yet.
    """

    size: int = 0
    root: bytes = b""
    through: int = 0
    first_bad: int | None = None
    fault: str = ""
    halted: str = ""
    destroyed: tuple[Range, ...] = ()
    erased_salts: int = 0
    checkpoints: int = 0
    seal: str = ""
    unchecked: tuple[str, ...] = ()
    unfinished: tuple[int, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.fault


@dataclass(frozen=True, slots=True)
class _Asked:
    verifier: Verifier
    cosigners: Sequence[CosignerVerifier]
    since: SignedNote | None
    witness: SignedNote | None
    begin: int
    end: int | None
    quick: bool
    progress: Progress | None


def verify(  # noqa: PLR0913 - each is a separate thing that may be asked for
    engine: Engine,
    verifier: Verifier,
    *,
    cosigners: Sequence[CosignerVerifier] = (),
    since: SignedNote | str | None = None,
    witness: SignedNote | None = None,
    begin: int = 1,
    end: int | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> Verified:
    """Verify the ledger, and say what was found; the hub may go on meanwhile.

    Args:
        engine: The database, as ``schema.open_engine`` opens it.
        verifier: The hub's key.
        cosigners: The second parties whose signatures may stand under checkpoints.
        since: An earlier checkpoint: the rows of its entries are not looked at again, only
            their hashes.
        witness: A checkpoint that was kept outside the database; the ledger must go on from it.
        begin: The first entry of a part, rounded down to a whole tile.
        end: The entry after the last one of a part. A part leaves out what concerns all
            entries at once: the list of messages, and checkpoints before ``begin``.
        quick: Leave out SQLite's own check of its pages and indexes.
        progress: Is told the last entry that is done, from time to time.

    Raises:
        LedgerError: the database cannot be read at this moment, or its schema is older or newer
            than this program: nothing was found out.
    """
    try:
        earlier = SignedNote.parse(since) if isinstance(since, str) else since
    except NoteError as error:
        return Verified(fault=f"the earlier checkpoint cannot be used: {error}")
    asked = _Asked(verifier, cosigners, earlier, witness, begin, end, quick, progress)
    try:
        with reading("the ledger's schema"):
            check_schema(engine)
    except Fault as fault:
        return Verified(fault=fault.text)
    found = Verified()
    for _ in range(TRIES):
        before = _what_may_go(engine)
        found = _verified(engine, asked)
        if found.good or _what_may_go(engine) == before:
            break
    return found


def _what_may_go(engine: Engine) -> object:
    """Give what changes when something is destroyed, so that a run beside it begins again.

    Whatever is destroyed or erased, an entry says so.
    """
    try:
        with _snapshot(engine) as connection:
            sizes = driver_rows(connection, "SELECT size FROM ledger_head")
            return sizes, driver_rows(connection, "SELECT month, destroyed FROM ledger_months")
    except Fault as fault:
        return fault.text


def _verified(engine: Engine, asked: _Asked) -> Verified:
    with ThreadPoolExecutor(1) as beside:
        pages = beside.submit(_damaged_pages, engine, asked.quick)
        run = _Run(asked)
        try:
            with _snapshot(engine) as connection:
                run.all(connection)
        except Fault as fault:
            run.faults.append(fault)
        damage = pages.result()
        if damage:
            run.faults.append(Fault(None, damage))
    return run.found()


class _Run:
    """One run through everything; collects faults, so that the first bad entry can be named."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._seen = Verified()
        self._checkpointed = 0
        self.faults: list[Fault] = []
        self._of_tree: list[Fault] = []
        """Those that tell less: that something after a checkpoint is not right, but not what."""

    def all(self, connection: Connection) -> None:
        """Check everything in the order in which one thing rests on another.

        Raises:
            Fault: what all others rest on is not good.
        """
        for table in metadata.tables.values():
            check_types(connection, table)
        now, self._seen = _read_head(connection)
        with reading(months.name):
            known = all_months(connection)
        left = unfinished(connection, known)
        with_table = [month for month in known if not month.destroyed or month in left]
        check_tables(connection, with_table)
        kept = Kept(tuple(known), gaps=any(month.destroyed for month in known), loose=bool(left))
        self._note(lambda: check_months(connection, now, known))
        self._note(lambda: check_asides(connection, now, kept))
        for check in (check_terms, check_access, check_cases):
            self._note(partial(check, connection, now, kept))
        if self._is_whole(now):
            self._note(lambda: check_messages(connection, now, kept))
        self._note(lambda: self._check_rows(connection, now, known))
        for look in (check_tiles, self._check_tree):
            self._note(partial(look, connection, now), self._of_tree)
        gone = [month for month in known if month.destroyed]
        for month, (_, last) in zip(gone, destroyed_ranges(known, now), strict=True):
            if month in left:
                self._note(partial(check_left, connection, now.size, month, last))
        self._seen = replace(self._seen, unfinished=tuple(month.month for month in left))

    def _note(self, check: Callable[[], None], where: list[Fault] | None = None) -> None:
        try:
            check()
        except Fault as fault:
            (self.faults if where is None else where).append(fault)

    def _is_whole(self, now: Head) -> bool:
        asked = self._asked
        return asked.begin <= 1 and (asked.end is None or asked.end > now.size)

    def _check_tree(self, connection: Connection, now: Head) -> None:
        asked = self._asked
        tree = Tree(connection, now.size)
        self._seen = replace(self._seen, root=tree.root)
        self._note(lambda: self._check_checkpoints(connection, tree, now), self._of_tree)
        check_seal(tree, now, asked.verifier, self._checkpointed)
        if asked.witness is not None:
            check_earlier(tree, asked.witness, asked.verifier, WITNESS)

    def _check_rows(self, connection: Connection, now: Head, known: Sequence[Month]) -> None:
        asked = self._asked
        rows_from = asked.begin
        if asked.since is not None:
            tree = Tree(connection, now.size)
            rows_from = 1 + check_earlier(tree, asked.since, asked.verifier, EARLIER)
        erased = erased_salts(connection, known)
        end = now.size + 1 if asked.end is None else min(asked.end, now.size + 1)
        begin = (max(asked.begin, 1) - 1) // WIDTH * WIDTH + 1
        if begin >= end:
            return
        wanted = spans(now, known, erased, rows_from, begin, end)
        order = Numbering(connection, now, known, max(begin, rows_from))
        salts = 0
        for pieces in check_spans(connection, wanted, asked.progress):
            for piece in pieces:
                order.take(piece)
                salts += piece.erased
        if end > now.size:
            order.end()
        self._seen = replace(self._seen, erased_salts=salts, destroyed=destroyed_ranges(known, now))

    def _check_checkpoints(self, connection: Connection, tree: Tree, now: Head) -> None:
        asked = self._asked
        kept = check_checkpoints(
            connection, tree, now, asked.verifier, asked.cosigners, asked.begin - 1
        )
        for count, size in enumerate(kept, 1):
            self._checkpointed = size
            self._seen = replace(self._seen, checkpoints=count)

    def found(self) -> Verified:
        """Give what was found: the fault about the first entry, or else the first one."""
        asked, size = self._asked, self._seen.size
        faults = self.faults or self._of_tree
        if not faults:
            through = size if asked.end is None else min(asked.end - 1, size)
            return replace(self._seen, through=through)
        about_entries = [fault for fault in faults if fault.entry is not None]
        worst = min(about_entries, key=lambda fault: fault.entry or 0, default=faults[0])
        through = max(asked.begin, worst.entry or asked.begin) - 1
        return replace(self._seen, through=through, first_bad=worst.entry, fault=worst.text)


def _read_head(connection: Connection) -> tuple[Head, Verified]:
    """Give the head, and what it says so far.

    Raises:
        Fault: there is not just one.
    """
    with reading(head.name):
        numbers = list(connection.execute(select(head.c.id)).scalars())
        if numbers != [1]:
            raise Fault(None, "ledger_head: there is not just the one row")
        now, fault = heads.read(connection)
    if min(now.size, now.messages, now.terms, now.access, now.cases, now.checkpoints) < 0:
        raise Fault(None, "ledger_head: a number is below zero")
    unchecked: tuple[str, ...] = ()
    if connection.dialect.name == "postgresql":
        unchecked = ("indexes: PostgreSQL checks them with its extension amcheck",)
    return now, Verified(size=now.size, seal=now.seal, halted=fault, unchecked=unchecked)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """Read everything as it was at one moment."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with reading("the ledger"), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver begins no transaction for a SELECT by itself.
            connection.exec_driver_sql("BEGIN")
        yield connection


def _damaged_pages(engine: Engine, quick: bool) -> str:  # noqa: FBT001 - run by a thread
    """Let SQLite check its pages and indexes; give what is wrong."""
    if quick or engine.dialect.name != "sqlite":
        return ""
    try:
        with reading("the database's file"), engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    except Fault as fault:
        return fault.text
    if said == "ok":
        return ""
    return "the database's file is damaged: SQLite's own integrity_check does not pass"
