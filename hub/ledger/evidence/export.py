"""Writes the ledger out as C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

Whatever is written was held to the signed checkpoint before: each entry to its hash, the hashes
to the root. Bundles that have an entry of a destroyed month are left out whole, since a bundle
cannot be written in part; their hashes are there, so the tree verifies without them.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from hub.errors import LedgerError
from hub.ledger.acts import act
from hub.ledger.edge import FULL, HASH, WIDTH, Edge, split
from hub.ledger.evidence.folder import ExportFolder
from hub.ledger.evidence.treeread import edge_at, leaf_hashes_of
from hub.ledger.head import read
from hub.ledger.model import Kind
from hub.ledger.reading import leaves, parts
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import Verifier
from schemas.evidence.merkle import leaf_hashes
from schemas.evidence.note import NoteError, SignedNote
from schemas.evidence.tiles import ENTRIES, Tile, encode_bundle

TILES = "tiles"
"""The code of the entry by which an export is recorded."""
_LEAVES_A_TIME = 40 * WIDTH

Range = tuple[int, int]
"""The first and the last entry, from 1."""
Progress = Callable[[int, int], None]
"""Is told how many entries are written, and of how many."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    ``before`` is how many entries the folder's earlier export had, 0 for a new one. ``destroyed``
    are the entries that are no more: an auditor needs these ranges, with their certificates.
    """

    checkpoint: Checkpoint
    before: int
    destroyed: tuple[Range, ...]


def export(  # noqa: PLR0913 - what is written where, and who asks
    ledger: DatabaseLedger,
    verifier: Verifier,
    folder: Path,
    access: AccessItems,
    at: dt.datetime,
    *,
    progress: Progress | None = None,
) -> Exported:
    """Record that the ledger is exported, sign a checkpoint that covers that, and write it all.

    ``folder`` is new, empty, or has an earlier export of this ledger, which is brought up to date.

    Raises:
        LedgerError: it cannot be done. The folder is as it was, then; if the disk failed in the
            very last step, the next export puts it right.
    """
    with ExportFolder(folder) as target:
        before = _before(ledger, verifier, target)
        detail = f"{ledger.size() + 1} entries or more, to {target.folder.name}"
        ledger.append([act(Kind.EXPORT, access, at, code=TILES, detail=detail)])
        note = SignedNote.parse(ledger.checkpoint())
        checkpoint = open_checkpoint(note, [verifier])
        with ledger_errors("be exported"), ledger.engine.connect() as connection:
            destroyed = tuple(
                (first, after - 1)
                for month, first, after in parts(connection, 1, checkpoint.size + 1)
                if month.destroyed
            )
            aligned = before - before % WIDTH
            writing = _Writing(connection, target, destroyed)
            root = writing.all(aligned, checkpoint.size, progress)
        if root != checkpoint.root:
            raise LedgerError(
                "the ledger's tiles do not have the root that was signed: run renkei ledger verify"
            )
        target.finish(note.encode(), checkpoint.size, writing.lacks)
    return Exported(checkpoint, before, destroyed)


def _before(ledger: DatabaseLedger, verifier: Verifier, target: ExportFolder) -> int:
    """Give how many entries the earlier export has, which must be how this ledger begins."""
    if target.earlier is None:
        return 0
    try:
        earlier = open_checkpoint(target.earlier, [verifier])
    except NoteError as error:
        message = f"{target.folder} is no export of this ledger: {error}. Name a new folder"
        raise LedgerError(message) from None
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        size = read(connection)[0].size
        fits = earlier.size <= size and edge_at(connection, earlier.size).root() == earlier.root
    if not fits:
        raise LedgerError(
            f"this ledger does not begin with the {earlier.size} entries of {target.folder}, whose "
            "checkpoint it has signed: the ledger was changed or set back. Keep that folder as it "
            "is, and run renkei ledger verify"
        )
    return earlier.size


class _Writing:
    """Writes tiles and bundles from one connection to one folder."""

    def __init__(
        self, connection: Connection, target: ExportFolder, destroyed: Sequence[Range]
    ) -> None:
        self._connection = connection
        self._target = target
        self._destroyed = destroyed

    def all(self, begin: int, size: int, progress: Progress | None) -> bytes:
        """Write from the entry at index ``begin`` on, where a tile begins; give the root."""
        edge = edge_at(self._connection, begin)
        for start in range(begin, size, _LEAVES_A_TIME):
            stop = min(start + _LEAVES_A_TIME, size)
            hashes = split(leaf_hashes_of(self._connection, start, stop))
            for bundle, entries in self._bundles(start, stop, hashes):
                self._target.write(bundle, encode_bundle(entries))
            edge, changed = edge.extended(hashes)
            for level, number, data in changed:
                if len(data) == FULL:
                    self._target.write(Tile(level, number), data)
            if progress is not None:
                progress(stop, size)
        self._unfinished(edge)
        return edge.root()

    def lacks(self, tile: Tile) -> bool:
        """Say whether a file is a bundle of which an entry was destroyed."""
        if tile.level != ENTRIES:
            return False
        first, last = tile.start + 1, tile.start + tile.width
        return any(begin <= last and first <= end for begin, end in self._destroyed)

    def _unfinished(self, edge: Edge) -> None:
        for level, data in enumerate(edge.levels):
            if data:
                number = (edge.size >> (8 * level)) // WIDTH
                self._target.write(Tile(level, number, len(data) // HASH), data)

    def _bundles(
        self, start: int, stop: int, hashes: Sequence[bytes]
    ) -> Iterator[tuple[Tile, list[bytes]]]:
        """Read entries, hold them to their hashes, and cut them into bundles."""
        found = dict(leaves(self._connection, start + 1, stop + 1))
        for begin in range(start, stop, WIDTH):
            end = min(begin + WIDTH, stop)
            bundle = Tile(ENTRIES, begin // WIDTH, end - begin)
            if self.lacks(bundle):
                continue
            entries = [found.get(number, "").encode() for number in range(begin + 1, end + 1)]
            made = leaf_hashes(entries)
            wanted = hashes[begin - start : end - start]
            if made != wanted:
                bad = next(at for at, one in enumerate(made) if one != wanted[at])
                message = f"entry {begin + 1 + bad} is gone or does not have its hash"
                raise LedgerError(f"{message}: run renkei ledger verify")
            yield bundle, entries
