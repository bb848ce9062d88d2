"""Checks the archive of a month: from its entries up to the root that the hub has signed.

It needs no database: only the file, the identity that opens it, and the hub's verifier key.
"""

import gzip
import hashlib
import json
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hub.errors import LedgerError
from hub.ledger.evidence.certificate import Facts, read_certificate
from hub.ledger.leaf import salt_check
from hub.ledger.years.archive import (
    CERTIFICATE,
    CHECKPOINT,
    KIND,
    leaf_tile,
    runs,
    upper_tiles,
)
from hub.ledger.years.sealed import Identity
from hub.ledger.years.tape import TapeError, member, members
from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.keys import NoteError, Verifier
from schemas.evidence.merkle import HASH_BYTES, TILE_WIDTH, leaf_hashes, subtree_root
from schemas.evidence.note import SignedNote
from schemas.evidence.tiles import HashReader, Tile, TileError, decode_bundle, tile_hashes

_RUN = re.compile(r"entries/([1-9][0-9]{0,18})-([1-9][0-9]{0,18})", re.ASCII)
_MONTH = re.compile(r"[0-9]{6}", re.ASCII)


class ArchiveError(LedgerError):
    """The archive is not what the hub wrote, or is not of this ledger."""


@dataclass(frozen=True, slots=True)
class CheckedArchive:
    """An archive in which everything fits.

    ``salts`` is how many entries still have their salt; ``without`` how many should have one
    and do not, since it was erased before.
    """

    month: int
    first: int
    last: int
    checkpoint: Checkpoint
    facts: Facts
    salts: int
    without: int


def check_archive(
    path: Path,
    identity: Identity,
    verifiers: Sequence[Verifier],
    progress: Callable[[int], None] | None = None,
) -> CheckedArchive:
    """Decrypt and check an archive; ``progress`` is told how many entries are checked.

    Raises:
        ArchiveError: it cannot be decrypted, or something in it does not fit.
        LedgerError: it cannot be read.
    """
    try:
        with path.open("rb") as file, tempfile.TemporaryFile() as plain:
            try:
                identity.decrypt(file, plain)
            except LedgerError as error:
                raise ArchiveError(f"{path.name}: {error}") from None
            plain.seek(0)
            with gzip.open(plain) as tape:
                return check_tape(tape, verifiers, progress)  # type: ignore[arg-type]  # only read
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ArchiveError(f"{path.name} is no archive: its gzip form is damaged") from None
    except OSError as error:
        raise LedgerError(f"{path.name} cannot be read: {error.strerror or error}") from None


def check_tape(
    file: BinaryIO,
    verifiers: Sequence[Verifier],
    progress: Callable[[int], None] | None = None,
) -> CheckedArchive:
    """Check what was decrypted.

    Raises:
        ArchiveError: something in it does not fit.
        OSError: it cannot be read.
    """
    try:
        return _Check(file, verifiers, progress).run()
    except (TapeError, TileError, NoteError) as error:
        raise ArchiveError(f"the archive is not as the hub wrote it: {error}") from None


class _Check:
    """One pass over an archive."""

    def __init__(
        self,
        file: BinaryIO,
        verifiers: Sequence[Verifier],
        progress: Callable[[int], None] | None,
    ) -> None:
        self._verifiers = verifiers
        self._progress = progress
        self._content = hashlib.sha256()
        self._members = self._hashed(file)
        self._upper: dict[tuple[int, int], bytes] = {}
        self._salts = self._without = 0

    def _hashed(self, file: BinaryIO) -> Iterator[tuple[str, bytes]]:
        for name, content in members(file):
            if name != CERTIFICATE:
                self._content.update(member(name, content))
            yield name, content

    def run(self) -> CheckedArchive:
        note = SignedNote.parse(self._next(CHECKPOINT))
        checkpoint = open_checkpoint(note, self._verifiers)
        self._read_upper(checkpoint)
        first, last, certificate = self._read_runs(checkpoint.size)
        if next(self._members, None) is not None:
            raise ArchiveError("the archive goes on after its certificate")
        facts = self._certified(certificate, checkpoint, first, last)
        month = int(dict(facts)["month"])
        return CheckedArchive(month, first, last, checkpoint, facts, self._salts, self._without)

    def _next(self, wanted: str) -> bytes:
        name, content = next(self._members, ("", b""))
        if name != wanted:
            raise ArchiveError(f"the archive has {name or 'nothing'} where {wanted} should be")
        return content

    def _read_upper(self, checkpoint: Checkpoint) -> None:
        """Read what lies above the leaves, and hold all of it to the signed root."""
        size = checkpoint.size
        for tile in upper_tiles(size):
            content = self._next(tile.path)
            if len(content) != tile.width * HASH_BYTES:
                raise ArchiveError(f"{tile.path} has another length than it should")
            self._upper[tile.level, tile.index] = content
        for tile in upper_tiles(size):
            if tile.level and tile.width == TILE_WIDTH:
                self._hold_to_parent(tile, tile_hashes(self._upper[tile.level, tile.index]))
        root = HashReader(size, lambda level, index, _: self._upper[level, index]).root()
        if root != checkpoint.root:
            raise ArchiveError("the tiles do not lead to the root that was signed")

    def _hold_to_parent(self, tile: Tile, hashes: Sequence[bytes]) -> None:
        index, place = divmod(tile.index, TILE_WIDTH)
        above = self._upper[tile.level + 1, index]
        if above[place * HASH_BYTES : (place + 1) * HASH_BYTES] != subtree_root(hashes):
            raise ArchiveError(f"{tile.path} is not what the tile above it says")

    def _read_runs(self, size: int) -> tuple[int, int, bytes]:
        """Check entry by entry; give the first, the last, and the certificate that follows."""
        begun: int | None = None
        last = 0
        for name, content in self._members:
            if name == CERTIFICATE and begun is not None:
                return begun, last, content
            first, end = self._read_run(size, name, content)
            if begun is not None and (first != last + 1 or last % TILE_WIDTH):
                raise ArchiveError(f"entries {last + 1} to {first - 1} are missing")
            begun, last = first if begun is None else begun, end
            if self._progress is not None:
                self._progress(last - begun + 1)
        raise ArchiveError("the archive ends without its certificate")

    def _read_run(self, size: int, name: str, content: bytes) -> tuple[int, int]:
        entries_name, bundle = next(self._members, ("", b""))
        said = _RUN.fullmatch(entries_name)
        if said is None:
            raise ArchiveError(
                f"the archive has {entries_name or 'nothing'} where entries should be"
            )
        first, last = int(said[1]), int(said[2])
        if not first <= last <= size or next(runs(first, last)) != (first, last):
            raise ArchiveError(f"{entries_name} is no run of this ledger")
        tile = leaf_tile(size, first)
        hashes = tile_hashes(content)
        if name != tile.path or len(hashes) != tile.width:
            raise ArchiveError(f"the archive has {name} where {tile.path} should be")
        self._hold_leaves(tile, hashes)
        entries = decode_bundle(bundle, last - first + 1)
        place = (first - 1) % TILE_WIDTH
        found = leaf_hashes(entries)
        for number, (one, wanted) in enumerate(
            zip(found, hashes[place : place + len(found)], strict=True), first
        ):
            if one != wanted:
                raise ArchiveError(f"entry {number} does not have its hash")
        salts = decode_bundle(self._next(f"salts/{first}-{last}"), len(entries))
        for number, (entry, salt) in enumerate(zip(entries, salts, strict=True), first):
            self._check_salt(number, entry, salt)
        return first, last

    def _hold_leaves(self, tile: Tile, hashes: Sequence[bytes]) -> None:
        if tile.width == TILE_WIDTH:
            self._hold_to_parent(tile, hashes)
        elif self._upper[0, tile.index] != b"".join(hashes):
            raise ArchiveError(f"{tile.path} stands there twice and differs")

    def _check_salt(self, number: int, entry: bytes, salt: bytes) -> None:
        said = json.loads(entry)  # its hash is right, so it is what the hub wrote
        check = said["salt_check"]
        if said["entry"] != number:
            raise ArchiveError(f"entry {number} says that it is entry {said['entry']}")
        if salt and salt_check(salt) != check:
            raise ArchiveError(f"the salt of entry {number} was changed")
        self._salts += bool(salt)
        self._without += bool(check and not salt)

    def _certified(self, note: bytes, checkpoint: Checkpoint, first: int, last: int) -> Facts:
        kind, facts = read_certificate(note, self._verifiers)
        said = dict(facts)
        wanted = {
            "log": checkpoint.origin,
            "entries": f"{first}-{last}",
            "checkpoint": f"{checkpoint.size} {checkpoint.root.hex()}",
            "content": self._content.hexdigest(),
        }
        if kind != KIND or _MONTH.fullmatch(said.get("month", "")) is None:
            raise ArchiveError("the certificate is not that of an archive")
        wrong = sorted(key for key, value in wanted.items() if said.get(key) != value)
        if wrong:
            raise ArchiveError(f"the certificate says something else: {', '.join(wrong)}")
        return facts
