"""Verifies the tree: tiles, root, the head's seal and the checkpoints."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from hub.errors import LedgerError
from hub.ledger.edge import FULL, HASH, WIDTH, load_edge, split
from hub.ledger.head import Head
from hub.ledger.tables import checkpoints, tiles
from hub.ledger.verify.fault import Fault, reading
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import CosignerVerifier, NoteError, Verifier
from schemas.evidence.merkle import subtree_root
from schemas.evidence.note import SignedNote
from schemas.evidence.tiles import HashReader, TileError

_ROWS_A_TIME = 2000
_Keys = dict[tuple[str, int], Verifier | CosignerVerifier]


def tile(connection: Connection, size: int, level: int, number: int) -> bytes:
    """Read a tile as it was when the tree had ``size`` entries.

    Raises:
        Fault: it is missing, or not whole.
    """
    return tile_range(connection, size, level, number, number + 1)


def tile_range(connection: Connection, size: int, level: int, first: int, after: int) -> bytes:
    """Read tiles of a level, one after another; there must be as many hashes as there must be.

    Raises:
        Fault: one is missing, or not whole.
    """
    count = min(after * WIDTH, _hashes(size, level)) - first * WIDTH
    query = (
        select(tiles.c.n, tiles.c.hashes)
        .where(tiles.c.level == level, tiles.c.n >= first, tiles.c.n < after)
        .order_by(tiles.c.n)
    )
    with reading(tiles.name):
        rows = connection.execute(query).all()
    found = {row.n: row.hashes for row in rows}
    for number in range(first, after):
        width = min(count - (number - first) * WIDTH, WIDTH)
        hashes = found.get(number, b"")
        # The last one may have grown since, where the hub goes on meanwhile.
        whole = len(hashes) >= width * HASH if width < WIDTH else len(hashes) == FULL
        if not whole:
            raise Fault(_first(level, number), f"tile {number} of level {level} is not whole")
    return b"".join(found[number] for number in range(first, after))[: count * HASH]


def _hashes(size: int, level: int) -> int:
    return int(size >> (8 * level))


def _first(level: int, number: int) -> int:
    return (number << (8 * (level + 1))) + 1


def check_tiles(connection: Connection, head: Head) -> None:
    """See that there are the tiles of the tree and no others, and that all above level 0 fit.

    Level 0 is held to the entries, and to level 1, elsewhere.

    Raises:
        Fault: a tile is missing, surplus, too long, or not that of the tiles below.
    """
    query = "SELECT level, count(*), min(n), max(n), sum(length(hashes)) FROM ledger_tiles "
    with reading(tiles.name):
        rows = connection.exec_driver_sql(f"{query}GROUP BY level ORDER BY level").all()
    found = {level: tuple(int(number) for number in numbers) for level, *numbers in rows}
    wanted = {}
    for level in range(head.size.bit_length() // 8 + 1):
        if count := _hashes(head.size, level):
            last = (count - 1) // WIDTH
            wanted[level] = (last + 1, 0, last, count * HASH)
    for level in sorted(found.keys() | wanted.keys()):
        if found.get(level) != wanted.get(level):
            raise Fault(None, f"ledger_tiles: level {level} has not the tiles and hashes it must")
    for level in range(1, max(wanted, default=0)):
        _check_level(connection, head.size, level)


def _check_level(connection: Connection, size: int, level: int) -> None:
    for number in range(_hashes(size, level + 1)):
        root = subtree_root(split(tile(connection, size, level, number)))
        above, place = divmod(number, WIDTH)
        if tile(connection, size, level + 1, above)[place * HASH : (place + 1) * HASH] != root:
            raise Fault(
                _first(level, number),
                f"tile {number} of level {level} does not fit the tile above it",
            )


class Tree:
    """The roots of the tree, from its tiles.

    Raises:
        Fault: the last tile of a level is not whole.
    """

    def __init__(self, connection: Connection, size: int) -> None:
        self.size = size
        self._reader = HashReader(
            size, lambda level, number, _: tile(connection, size, level, number)
        )
        try:
            self.root = load_edge(connection, size).root()
        except LedgerError as error:
            raise Fault(None, str(error)) from None

    def root_at(self, size: int) -> bytes:
        """Give the root when there were ``size`` entries.

        Raises:
            Fault: a tile is not whole.
        """
        try:
            return self._reader.range_root(0, size)
        except TileError as error:
            raise Fault(None, f"ledger_tiles: {error}") from None


def check_seal(tree: Tree, head: Head, verifier: Verifier, good: int) -> None:
    """See that the hub has sealed this head and this root.

    ``good`` is how many entries a checkpoint vouches for.

    Raises:
        Fault: it has not.
    """
    if head.size == 0 and not head.seal:
        if replace(head, size=0, seal="") != Head(0, 0, 0, 0, 0, 0):
            raise Fault(None, "ledger_head: there are numbers, but no seal")
        return
    try:
        head.check(tree.root, verifier)
        if len(SignedNote.parse(head.seal).signatures) != 1:
            raise Fault(None, "ledger_head: its seal has more than the hub's signature")
    except LedgerError as error:
        # Whatever was done, it was done after the newest checkpoint that still fits.
        raise Fault(good + 1 if good < head.size else None, f"ledger_head: {error}") from None


def check_checkpoints(  # noqa: PLR0913, PLR0917 - what they are held to, and which of them
    connection: Connection,
    tree: Tree,
    head: Head,
    verifier: Verifier,
    cosigners: Sequence[CosignerVerifier],
    begin: int = 0,
) -> Iterator[int]:
    """Check the kept checkpoints of at least ``begin`` entries; give the size of each good one.

    Raises:
        Fault: one is missing, or is not the hub's, or is not of this tree.
    """
    known: _Keys = {(one.name, one.key_id): one for one in verifier.keys}
    known |= {(one.name, one.key_id): one for one in cosigners}
    newest = good = 0
    for number, size, text in _kept(connection):
        if number != newest + 1 or not good <= size <= head.size:
            raise Fault(good + 1, f"ledger_checkpoints: row {newest + 1} is missing or changed")
        if number > 1 and size == good:
            raise Fault(good + 1, f"ledger_checkpoints: row {number} says the same again")
        newest = number
        if size >= begin:
            try:
                _check_note(text, Checkpoint(verifier.name, size, tree.root_at(size)), known)
            except NoteError as error:
                where = f"ledger_checkpoints: row {number} (of {size} entries)"
                raise Fault(good + 1, f"{where}, {error}") from None
            yield size
        good = size
    if newest != head.checkpoints:
        text = f"{newest} rows, but the ledger's head counts {head.checkpoints}"
        raise Fault(None, f"ledger_checkpoints: {text}")


def _kept(connection: Connection) -> Iterator[tuple[int, int, str]]:
    columns = checkpoints.c
    query = select(columns.id, columns.size, columns.note).order_by(columns.id).limit(_ROWS_A_TIME)
    last: int | None = None
    while True:
        with reading(checkpoints.name):
            later = query if last is None else query.where(columns.id > last)
            rows = connection.execute(later).all()
        yield from ((row.id, row.size, row.note) for row in rows)
        if len(rows) < _ROWS_A_TIME:
            return
        last = rows[-1].id


def _check_note(text: str, wanted: Checkpoint, known: _Keys) -> None:
    """Check a kept checkpoint strictly: each signature is of a known key, valid, and there once.

    Raises:
        NoteError: it is not so.
    """
    note = SignedNote.parse(text)
    keys = [(one.name, one.key_id) for one in note.signatures]
    if len(set(keys)) != len(keys) or not set(keys) <= known.keys():
        raise NoteError("has a signature twice, or one of a key that the site does not know")
    note.verified([known[key] for key in keys])
    if all(not isinstance(known[key], Verifier) for key in keys):
        raise NoteError("is not signed by the hub")
    if Checkpoint.parse(note.text) != wanted:
        raise NoteError("is not a checkpoint of the tree as it stands")


def check_earlier(tree: Tree, note: SignedNote, verifier: Verifier, what: str) -> int:
    """See that the tree goes on from a checkpoint that was kept elsewhere; give its size.

    Raises:
        Fault: it does not, or the checkpoint is not the hub's.
    """
    try:
        earlier = open_checkpoint(note, [verifier])
    except NoteError as error:
        raise Fault(None, f"the {what} cannot be used: {error}") from None
    if earlier.size > tree.size:
        raise Fault(
            tree.size + 1,
            f"the ledger has {tree.size} entries, but the {what} is of {earlier.size}: its end was "
            "cut off, or an older state was put in its place",
        )
    if tree.root_at(earlier.size) != earlier.root:
        raise Fault(None, f"the first {earlier.size} entries are not those of the {what}")
    return earlier.size
