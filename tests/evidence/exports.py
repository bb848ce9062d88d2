"""Exports for tests, and the tree's root as RFC 6962 defines it, word for word."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.evidence.checkpoint import Checkpoint
from schemas.evidence.merkle import Peaks, leaf_hashes, subtree_root
from schemas.evidence.note import Cosigner, CosignerVerifier, SignedNote, Signer, Verifier
from schemas.evidence.tiles import TILE_WIDTH, encode_bundle, tiles_of

ORIGIN = "ledger.kanazawa.example/transfers"
COSIGNER = "auditor.kanazawa.example"
SIGNER = Signer(f"PRIVATE+KEY+{ORIGIN}+e8c771eb+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f")
"""A fixed key that signs nothing real, so that a failing test can be run again alike."""
WITNESS = Cosigner(f"PRIVATE+KEY+{COSIGNER}+9b2ae214+BCAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/")


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, by its recursive definition, from leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def sample_entries(count: int, *, length: int = 40) -> list[bytes]:
    """Entries that differ, of about this length."""
    return [b"%d:" % number * (1 + length // 8) for number in range(count)]


@dataclass
class MadeLog:
    """A log whose entries are all at hand."""

    entries: list[bytes]
    signer: Signer = SIGNER
    rows: list[list[bytes]] = field(init=False)

    def __post_init__(self) -> None:
        row = leaf_hashes(self.entries)
        self.rows = [row]
        while len(row) >= TILE_WIDTH:
            row = [
                subtree_root(row[at : at + TILE_WIDTH])
                for at in range(0, len(row) - TILE_WIDTH + 1, TILE_WIDTH)
            ]
            self.rows.append(row)

    @property
    def verifiers(self) -> list[Verifier]:
        return [self.signer.verifier]

    def root(self, size: int) -> bytes:
        peaks = Peaks()
        peaks.extend(self.rows[0][:size])
        return peaks.root()

    def range_root(self, begin: int, end: int) -> bytes:
        return mth(self.rows[0][begin:end])

    def checkpoint(self, size: int | None = None, *, cosigned_at: int | None = None) -> SignedNote:
        size = len(self.entries) if size is None else size
        text = Checkpoint(self.signer.name, size, self.root(size)).text()
        lines = [self.signer.sign(text)]
        if cosigned_at is not None:
            lines.append(WITNESS.sign(text, cosigned_at))
        return SignedNote.signed(text, lines)

    def tile(self, level: int, index: int, width: int) -> bytes:
        return b"".join(self.rows[level][index * TILE_WIDTH :][:width])

    def export(self, folder: Path, note: SignedNote | None = None) -> Path:
        """Write the export that tlog-tiles describes."""
        folder.mkdir(parents=True)
        note = self.checkpoint() if note is None else note
        (folder / "checkpoint").write_bytes(note.encode())
        for tile in tiles_of(len(self.entries)):
            write(folder / tile.path, self.tile(tile.level, tile.index, tile.width))
            if tile.level == 0:
                held = self.entries[tile.start : tile.start + tile.width]
                write(folder / tile.bundle().path, encode_bundle(held))
        return folder


def witnesses() -> list[CosignerVerifier]:
    return [WITNESS.verifier]


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
