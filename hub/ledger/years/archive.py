"""Archives a closed month: one file that proves itself, and that the hub cannot read.

Inside it is a gzipped tar file (``hub.ledger.years.tape``) with, in this order::

    checkpoint              the signed checkpoint that covers the month: size N and root
    tile/L/…                every tile of level 1 and above of the tree of N entries, and the
                            unfinished one of level 0: they lead from the month to the root
    tile/0/…                for each run of up to 256 entries of the month: the leaf hashes,
    entries/FIRST-LAST      its entries, each after its length (C2SP entry bundle),
    salts/FIRST-LAST        and their salts in the same form; an erased salt has length 0
    certificate             renkei.archive/v1, signed by the hub, over all bytes before it

Salts are what the digests of bodies can be checked with. They make guessing a body possible,
too; so the file is encrypted.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, select

from hub.errors import LedgerError
from hub.ledger.acts import act
from hub.ledger.evidence.certificate import certificate, plain_value
from hub.ledger.leaf import FROM_SQL, LEAF_SQL
from hub.ledger.model import Entry, Kind
from hub.ledger.months import Month
from hub.ledger.reading import driver_rows, parts
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import checkpoints, tiles
from hub.ledger.years.newfile import NewFile
from hub.ledger.years.records import Order, dashed, records
from hub.ledger.years.sealed import encrypt_pieces
from hub.ledger.years.tape import END, member
from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.keys import Signer
from schemas.evidence.merkle import HASH_BYTES, TILE_WIDTH
from schemas.evidence.note import SignedNote
from schemas.evidence.tiles import Tile, encode_bundle, tile_width

ARCHIVE = "archive"
"""The code of the entry of an archive."""
KIND = "renkei.archive/v1"
CHECKPOINT, CERTIFICATE = "checkpoint", "certificate"

_GZIP = 16 + zlib.MAX_WBITS
"""What zlib calls its gzip form (RFC 1952)."""

Progress = Callable[[int, int], None]
"""Is told how many entries are done, and of how many."""


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A month that gets no more entries: those from ``first`` to ``last``.

    ``messages`` are the numbers of those that were new in it, such as ``7-9``; ``7-6`` is none.
    ``archive`` is the SHA-256 of its newest archive, or empty.
    """

    month: Month
    first: int
    last: int
    messages: str
    archive: str = ""

    @property
    def count(self) -> int:
        """How many entries it has."""
        return self.last - self.first + 1

    def said(self) -> str:
        """Give how the details of entries about it begin."""
        return f"month {self.month.month} entries {self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive that was written."""

    path: Path
    month: ClosedMonth
    digest: str
    bytes: int


def closed_months(connection: Connection) -> list[ClosedMonth]:
    """Give the months that get no more entries, also those that are destroyed.

    A month is closed once an entry of a later month is there.
    """
    digests = {}
    for entry in records(connection, Kind.EXPORT, ARCHIVE):
        digests[" ".join(entry.detail.split(" ")[:4])] = entry.digest
    known = list(parts(connection))
    found = [
        ClosedMonth(month, begin, end - 1, f"{month.first_message}-{after.first_message - 1}")
        for (month, begin, end), (after, _, _) in pairwise(known)
    ]
    return [replace(one, archive=digests.get(one.said(), "")) for one in found]


def archive_name(month: int) -> str:
    """Give the name of a month's archive."""
    return f"renkei-ledger-{dashed(month)}.tar.gz.age"


def archive_month(
    ledger: DatabaseLedger,
    month: ClosedMonth,
    folder: Path,
    order: Order,
    progress: Progress | None = None,
) -> Archived:
    """Write the archive of a month, and enter that it was written.

    Raises:
        LedgerError: there is one in the folder already, the month's entries are not all there,
            nobody could read it, or it cannot be written or recorded.
    """
    if month.month.destroyed:
        raise LedgerError(f"the entries of {dashed(month.month.month)} are destroyed")
    note = _covering(ledger, month.last)
    with NewFile(folder / archive_name(month.month.month)) as file:
        with ledger_errors("be read"), ledger.engine.connect() as connection:
            facts = _facts(month, note, order)
            content = _content(connection, month, note, progress)
            pieces = _gzipped(_signed(content, facts, order.signer))
            encrypt_pieces(pieces, file, order.recipients)  # type: ignore[arg-type]  # only written
        file.settle()
        ledger.append([_entry(month, file.digest(), order)])
        file.keep()
        return Archived(file.path, month, file.digest(), file.bytes)


def _covering(ledger: DatabaseLedger, last: int) -> SignedNote:
    """Give the earliest checkpoint that covers an entry; sign one where there is none."""
    query = select(checkpoints.c.note).where(checkpoints.c.size >= last)
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        found = connection.execute(query.order_by(checkpoints.c.size).limit(1)).scalar()
    return SignedNote.parse(found or ledger.checkpoint())


def _facts(month: ClosedMonth, note: SignedNote, order: Order) -> list[tuple[str, str]]:
    checkpoint = Checkpoint.parse(note.text)
    return [
        ("log", checkpoint.origin),
        ("month", str(month.month.month)),
        ("entries", f"{month.first}-{month.last}"),
        ("checkpoint", f"{checkpoint.size} {checkpoint.root.hex()}"),
        ("at", order.at.isoformat(timespec="seconds")),
        ("staff", plain_value(order.access.staff)),
    ]


def _entry(month: ClosedMonth, digest: str, order: Order) -> Entry:
    return act(
        Kind.EXPORT, order.access, order.at, code=ARCHIVE, digest=digest, detail=month.said()
    )


def _signed(
    content: Iterator[bytes], facts: list[tuple[str, str]], signer: Signer
) -> Iterator[bytes]:
    """Give the content, and the certificate over all of it at its end."""
    hashed = hashlib.sha256()
    for piece in content:
        hashed.update(piece)
        yield piece
    stated = certificate(KIND, [*facts, ("content", hashed.hexdigest())], signer)
    yield member(CERTIFICATE, stated.encode()) + END


def _gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress: entries repeat much. Without a time or a name, so equal bytes stay equal."""
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def upper_tiles(size: int) -> Iterator[Tile]:
    """Give the unfinished tile of level 0 and every tile above, in order."""
    level, hashes = 0, size
    while hashes:
        full, partial = divmod(hashes, TILE_WIDTH)
        for index in range(full if level else 0):
            yield Tile(level, index)
        if partial:
            yield Tile(level, full, partial)
        level, hashes = level + 1, full


def runs(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut entries (from 1) where tiles end: first and last of each run."""
    while first <= last:
        end = min(last, ((first - 1) // TILE_WIDTH + 1) * TILE_WIDTH)
        yield first, end
        first = end + 1


def leaf_tile(size: int, first: int) -> Tile:
    """Give the tile with the leaf hash of an entry (from 1)."""
    index = (first - 1) // TILE_WIDTH
    return Tile(0, index, tile_width(size, 0, index))


def _content(
    connection: Connection, month: ClosedMonth, note: SignedNote, progress: Progress | None
) -> Iterator[bytes]:
    size = Checkpoint.parse(note.text).size
    yield member(CHECKPOINT, note.encode())
    for tile in upper_tiles(size):
        yield member(tile.path, tile_bytes(connection, tile))
    for first, last in runs(month.first, month.last):
        tile = leaf_tile(size, first)
        yield member(tile.path, tile_bytes(connection, tile))
        entries, salts = _entries(connection, month.month, first, last)
        yield member(f"entries/{first}-{last}", encode_bundle(entries))
        yield member(f"salts/{first}-{last}", encode_bundle(salts))
        if progress is not None:
            progress(last - month.first + 1, month.count)


def tile_bytes(connection: Connection, tile: Tile) -> bytes:
    """Read a tile as it was in an earlier tree; it has only grown since.

    Raises:
        LedgerError: it is not there, or is too short.
    """
    query = select(tiles.c.hashes).where(tiles.c.level == tile.level, tiles.c.n == tile.index)
    found = bytes(connection.execute(query).scalar_one_or_none() or b"")
    wanted = tile.width * HASH_BYTES
    if len(found) < wanted:
        raise LedgerError(f"{tile.path} is not whole: run renkei ledger verify")
    return found[:wanted]


def _entries(
    connection: Connection, month: Month, first: int, last: int
) -> tuple[list[bytes], list[bytes]]:
    query = (
        f"SELECT {LEAF_SQL}, e.salt {FROM_SQL.format(entries=month.table)} "
        "WHERE e.seq >= ? AND e.seq <= ? ORDER BY e.seq"
    )
    rows = driver_rows(connection, query, first, last)
    if len(rows) != last - first + 1:
        raise LedgerError(f"entries {first}-{last} are not all there: run renkei ledger verify")
    return [said.encode() for said, _ in rows], [bytes(salt or b"") for _, salt in rows]
