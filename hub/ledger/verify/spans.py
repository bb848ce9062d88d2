"""Verifies a range of whole tiles: their entries, their hashes, and the tile above them.

A range can be looked at by itself, so that several processes share the work.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context

from sqlalchemy import Connection, Engine

from hub.errors import LedgerError
from hub.ledger.edge import HASH, WIDTH, split
from hub.ledger.head import Head
from hub.ledger.months import Month
from hub.ledger.reading import driver_rows
from hub.ledger.schema import open_engine
from hub.ledger.tables import entries
from hub.ledger.verify.fault import Fault, reading
from hub.ledger.verify.rows import Piece, count_erased, entry_hashes, hashes_of
from hub.ledger.verify.schema import check_types
from hub.ledger.verify.tree import tile, tile_range
from schemas.evidence.merkle import subtree_root

TILES_A_SPAN = 64
TILES_A_TIME = 16
PROCESSES = 2
ALONE = 100_000
"""As many entries are verified without a second process, which takes a while to start."""


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of one month, ``after`` exclusive; ``rows`` says whether they are looked at.

    Of destroyed ones, and of those that an earlier checkpoint vouches for, only hashes are.
    """

    month: int
    first: int
    after: int
    rows: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Whole tiles of level 0, ``after`` exclusive, in a tree of ``size`` entries."""

    size: int
    first: int
    after: int
    parts: tuple[Part, ...]
    erased: frozenset[int]

    @property
    def last_entry(self) -> int:
        """The last entry in it."""
        return min(self.after * WIDTH, self.size)


def spans(  # noqa: PLR0913, PLR0917 - what cuts the entries into pieces
    head: Head,
    months: Sequence[Month],
    erased: frozenset[int],
    rows_from: int,
    begin: int,
    end: int,
) -> Iterator[Span]:
    """Cut the entries ``begin`` to ``end`` (exclusive), rounded out to whole tiles, into spans.

    Rows are looked at from the entry ``rows_from`` on. The salts of ``erased`` may be missing.
    Spans are made as they are asked for: a head that was changed may speak of any number.
    """
    first, after = (begin - 1) // WIDTH, -(-(end - 1) // WIDTH)
    of_salts = sorted(erased)
    for start in range(first, after, TILES_A_SPAN):
        stop = min(start + TILES_A_SPAN, after)
        its = of_salts[bisect_right(of_salts, start * WIDTH) : bisect_right(of_salts, stop * WIDTH)]
        parts = tuple(_parts(head, months, rows_from, start, stop))
        yield Span(head.size, start, stop, parts, frozenset(its))


def _parts(
    head: Head, months: Sequence[Month], rows_from: int, start: int, stop: int
) -> Iterator[Part]:
    begin, end = start * WIDTH + 1, min(stop * WIDTH, head.size) + 1
    afters = [month.first_entry for month in months[1:]] + [head.size + 1]
    for month, after in zip(months, afters, strict=True):
        first, last = max(begin, month.first_entry), min(end, after)
        middle = min(max(first, rows_from), last)
        if first < middle:
            yield Part(month.month, first, middle, rows=False)
        if middle < last:
            yield Part(month.month, middle, last, rows=not month.destroyed)


def check_span(connection: Connection, span: Span) -> list[Piece]:
    """Verify a span; give what was found in its parts, in order.

    Raises:
        Fault: the first entry of it that is bad.
    """
    pieces = [Piece(part.first, part.after) for part in span.parts]
    for start in range(span.first, span.after, TILES_A_TIME):
        stop = min(start + TILES_A_TIME, span.after)
        begin, end = start * WIDTH + 1, min(stop * WIDTH, span.size) + 1
        stored = tile_range(connection, span.size, 0, start, stop)
        parents = _parents(connection, span.size, start, stop)
        for part, piece in zip(span.parts, pieces, strict=True):
            first, after = max(begin, part.first), min(end, part.after)
            if part.rows and first < after:
                wanted = stored[(first - begin) * HASH : (after - begin) * HASH]
                _check_rows(connection, span, part, piece, (first, after), wanted)
        _check_parents(start, stored, parents)
    return pieces


def _check_rows(  # noqa: PLR0913, PLR0917 - one range of rows and what it is held to
    connection: Connection,
    span: Span,
    part: Part,
    piece: Piece,
    rows: tuple[int, int],
    wanted: bytes,
) -> None:
    table = entries(part.month)
    first, after = rows
    check_types(connection, table, first, after)
    bad_salt = None
    try:
        hashes = hashes_of(connection, table.name, piece, first, after)
    except Fault as fault:
        hashes, bad_salt = None, fault
    if hashes != wanted:
        _locate(connection, span, table.name, rows, wanted)
    if bad_salt is not None:
        raise bad_salt
    piece.erased += count_erased(connection, table.name, span.erased, first, after)


def check_left(connection: Connection, size: int, month: Month, last: int) -> None:
    """See that what is still there of a destroyed month is what it was.

    Raises:
        Fault: a row was changed or put in.
    """
    table = entries(month.month)
    check_types(connection, table)
    with reading(table.name):
        query = f"SELECT count(*) FROM {table.name} WHERE seq < ? OR seq > ?"  # noqa: S608 - ours
        ((surplus,),) = driver_rows(connection, query, month.first_entry, last)
    if surplus:
        raise Fault(month.first_entry, f"{table.name}: there are entries of other months in it")
    for first in range(month.first_entry, last + 1, TILES_A_TIME * WIDTH):
        after = min(first + TILES_A_TIME * WIDTH, last + 1)
        start, stop = (first - 1) // WIDTH, -(-(after - 1) // WIDTH)
        stored = tile_range(connection, size, 0, start, stop)
        for entry, found in entry_hashes(connection, table.name, first, after):
            at = (entry - 1 - start * WIDTH) * HASH
            if stored[at : at + HASH] != found:
                raise Fault(entry, f"entry {entry}, of a destroyed month, was changed")


def _locate(
    connection: Connection, span: Span, table: str, rows: tuple[int, int], wanted: bytes
) -> None:
    """Find the first entry that is not what its tile says.

    Raises:
        Fault: there is one.
    """
    first, after = rows
    found = dict(entry_hashes(connection, table, first, after))
    for entry in range(first, after):
        at = (entry - first) * HASH
        if entry not in found:
            raise Fault(entry, f"entry {entry} is missing, or what it refers to is")
        if found[entry] != wanted[at : at + HASH]:
            raise Fault(entry, _differs(connection, span, entry, found))


def _differs(connection: Connection, span: Span, entry: int, found: dict[int, bytes | None]) -> str:
    """Say which of the two was changed: the entry, or its tile."""
    number, place = divmod(entry - 1, WIDTH)
    hashes = split(tile(connection, span.size, 0, number))
    parent = _parents(connection, span.size, number, number + 1)
    fresh = [found.get(one) for one in range(number * WIDTH + 1, number * WIDTH + WIDTH + 1)]
    if parent and None not in fresh and subtree_root([one for one in fresh if one]) == parent[0]:
        return f"tile {number} of level 0 was changed at entry {entry}; the entry itself is good"
    if parent and subtree_root(hashes) != parent[0]:
        return f"entry {entry} and tile {number} of level 0 were changed, or the tile above it"
    return f"entry {entry} was changed: hash {place} of tile {number} of level 0 is not its hash"


def _parents(connection: Connection, size: int, start: int, stop: int) -> list[bytes]:
    """Give the hashes of level 1 above the full tiles of a range."""
    full = min(stop, size // WIDTH)
    first, after = start // WIDTH, -(-full // WIDTH)
    if start >= full:
        return []
    hashes = tile_range(connection, size, 1, first, after)
    begin = (start - first * WIDTH) * HASH
    return split(hashes[begin : begin + (full - start) * HASH])


def _check_parents(start: int, stored: bytes, parents: Sequence[bytes]) -> None:
    full = WIDTH * HASH
    for place, parent in enumerate(parents):
        hashes = split(stored[place * full : (place + 1) * full])
        if subtree_root(hashes) != parent:
            first = (start + place) * WIDTH + 1
            raise Fault(
                first,
                f"entries {first}-{first + WIDTH - 1}: their hashes do not fit tile "
                f"{(start + place) // WIDTH} of level 1; they were rewritten, or it was",
            )


# -- several processes -----------------------------------------------------------------------

_engines: list[Engine] = []


def check_spans(
    connection: Connection, wanted: Iterator[Span], progress: Callable[[int], None] | None
) -> Iterator[list[Piece]]:
    """Verify spans, in other processes where there are many; give what was found, in order.

    ``progress`` is told the number of the last entry that is done.

    Raises:
        Fault: the first entry that is bad.
        LedgerError: a process ended before its time.
    """
    begun = list(islice(wanted, ALONE // (TILES_A_SPAN * WIDTH) + 1))
    together = len(begun) * TILES_A_SPAN * WIDTH > ALONE
    everything = chain(begun, wanted)
    checked = _by_processes(connection, everything) if together else _here(connection, everything)
    for span, pieces in checked:
        if progress is not None:
            progress(span.last_entry)
        yield pieces


def _here(connection: Connection, wanted: Iterable[Span]) -> Iterator[tuple[Span, list[Piece]]]:
    for span in wanted:
        yield span, check_span(connection, span)


def _by_processes(
    connection: Connection, wanted: Iterable[Span]
) -> Iterator[tuple[Span, list[Piece]]]:
    url = connection.engine.url.render_as_string(hide_password=False)
    pool = ProcessPoolExecutor(
        PROCESSES, mp_context=get_context("spawn"), initializer=_open, initargs=(url,)
    )
    try:
        waiting: deque[tuple[Span, Future[list[Piece]]]] = deque()
        for span in wanted:
            waiting.append((span, pool.submit(_in_a_process, span)))
            if len(waiting) > 2 * PROCESSES:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    except BrokenProcessPool:
        raise LedgerError(
            "the ledger could not be verified: a process of it ended before its time (look for "
            "memory that ran out), run it again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _open(url: str) -> None:
    _engines.append(open_engine(url))


def _in_a_process(span: Span) -> list[Piece]:
    with reading("the ledger"), _engines[0].connect() as connection:
        return check_span(connection, span)
