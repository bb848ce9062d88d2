"""Verifies an export of the ledger from its files alone: no database, no hub.

    python -m schemas.evidence.audit DIR --key VKEY [--cosigner VKEY] [--since FILE]
                                         [--destroyed FIRST-LAST]

Ends with 0 when all is good, 1 when something is not, 2 when it could not be asked so. Entries
are counted from 1 in what it says.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from schemas.evidence.checkpoint import Checkpoint, open_checkpoint
from schemas.evidence.export import EntryFault, Progress, Range, TreeReader
from schemas.evidence.folder import (
    CHECKPOINT,
    FileFault,
    entry_after,
    read_file,
    refuse_extras,
    refuse_links,
)
from schemas.evidence.keys import CosignerVerifier, NoteError, Verifier, log_verifier
from schemas.evidence.merkle import TILE_WIDTH
from schemas.evidence.note import MAX_NOTE_BYTES, Cosignature, SignedNote
from schemas.evidence.tiles import HashReader, Tile

__all__ = ["AuditReport", "audit", "main"]

GOOD, BAD, NOT_ASKED = 0, 1, 2

KeyT = TypeVar("KeyT")

_RANGE = re.compile(r"([1-9][0-9]{0,18})-([1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    ``hash_only`` are the ranges whose bundles are not there: their hashes were verified, their
    entries cannot be. ``first_bad`` is the first entry that ``fault`` is about, where it is
    about one; for a file that is bad as a whole, the first entry that the file is about.
    """

    origin: str | None
    size: int
    root: bytes | None
    hash_only: tuple[Range, ...] = ()
    cosignatures: tuple[Cosignature, ...] = ()
    first_bad: int | None = None
    fault: str | None = None

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


def audit(  # noqa: PLR0913 - each is a separate thing that an auditor may bring
    folder: Path,
    verifiers: Sequence[Verifier],
    *,
    cosigners: Sequence[CosignerVerifier] = (),
    since: SignedNote | None = None,
    destroyed: Sequence[Range] | None = (),
    progress: Progress | None = None,
) -> AuditReport:
    """Verify an export, and say what was found.

    ``verifiers`` are the log's keys; one of them must have signed the checkpoint. ``cosigners``
    are second parties whose cosignatures are checked where they stand. ``since`` is an earlier
    checkpoint of the same log that this one must extend. ``destroyed`` are the ranges whose
    entries may be absent (from the certificates of destruction): a bundle that has none of them
    must be there. With ``None`` any may be absent; the report names them all the same.

    Raises:
        OSError: the folder, or a file in it, cannot be read.
    """
    report = AuditReport(None, 0, None)
    reader: TreeReader | None = None
    try:
        refuse_links(folder)
        checkpoint, cosignatures = _checkpoint(folder, verifiers, cosigners)
        report = AuditReport(
            checkpoint.origin, checkpoint.size, checkpoint.root, cosignatures=cosignatures
        )
        earlier = None if since is None else _earlier(since, verifiers, checkpoint)
        reader = TreeReader(folder, checkpoint.size, destroyed, progress)
        reader.tiles()
        _check_roots(reader, checkpoint, earlier)
        refuse_extras(folder, checkpoint.size)
    except FileFault as fault:
        report = replace(report, first_bad=entry_after(fault.path), fault=str(fault))
    except EntryFault as fault:
        report = replace(report, first_bad=fault.first_bad, fault=str(fault))
    return report if reader is None else replace(report, hash_only=tuple(reader.hash_only))


def _checkpoint(
    folder: Path, verifiers: Sequence[Verifier], cosigners: Sequence[CosignerVerifier]
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    data = read_file(folder, CHECKPOINT, MAX_NOTE_BYTES)
    if data is None:
        raise FileFault(CHECKPOINT, "missing")
    try:
        note = SignedNote.parse(data)
        return open_checkpoint(note, verifiers), tuple(note.cosigned(cosigners))
    except NoteError as error:
        raise FileFault(CHECKPOINT, str(error)) from error


def _earlier(since: SignedNote, verifiers: Sequence[Verifier], now: Checkpoint) -> Checkpoint:
    try:
        earlier = open_checkpoint(since, verifiers)
    except NoteError as error:
        raise EntryFault(None, f"the earlier checkpoint: {error}") from error
    if earlier.origin != now.origin:
        raise EntryFault(None, "the earlier checkpoint is of another log")
    if earlier.size > now.size:
        raise EntryFault(
            now.size + 1,
            f"{CHECKPOINT}: has {now.size} entries, the earlier checkpoint had {earlier.size}",
        )
    return earlier


def _check_roots(reader: TreeReader, checkpoint: Checkpoint, earlier: Checkpoint | None) -> None:
    """Hold the tiles to the signed roots: the earlier one first, since it tells more."""
    after = None
    if earlier is not None:
        tiles = HashReader(reader.size, lambda *tile: b"".join(reader.read(Tile(*tile))))
        if tiles.range_root(0, earlier.size) != earlier.root:
            raise EntryFault(
                None,
                f"{CHECKPOINT}: the first {earlier.size} entries are not those of the earlier "
                "checkpoint",
            )
        after = earlier.size + 1
    if reader.root() != checkpoint.root:
        known = "" if after is None else f"; entries before {after} are as the earlier one says"
        raise EntryFault(after, f"{CHECKPOINT}: its root is not the root of the tiles{known}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit as the command line says; give the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        since = None if asked.since is None else SignedNote.parse(asked.since.read_bytes())
        report = audit(
            asked.folder,
            asked.key,
            cosigners=asked.cosigner,
            since=since,
            destroyed=None if asked.any_absent else asked.destroyed,
            progress=_told if sys.stderr.isatty() else None,
        )
    except (OSError, NoteError) as error:
        sys.stderr.write(f"cannot audit: {error}\n")
        return NOT_ASKED
    sys.stdout.write("".join(f"{line}\n" for line in _lines(report)))
    return GOOD if report.good else BAD


def _lines(report: AuditReport) -> list[str]:
    lines = [f"log {report.origin}, {report.size} entries"] if report.origin else []
    lines += [f"root {report.root.hex()}"] if report.root else []
    lines += [f"hashes only, no entries: {first}-{last}" for first, last in report.hash_only]
    lines += [f"cosigned by {one.name} at {one.at} (Unix time)" for one in report.cosignatures]
    if report.good:
        return [*lines, "good: every entry, tile and signature fits"]
    lines += [] if report.first_bad is None else [f"first bad entry: {report.first_bad}"]
    return [*lines, f"BAD: {report.fault}"]


def _told(entries: int) -> None:
    if entries % (TILE_WIDTH * TILE_WIDTH) == 0:
        sys.stderr.write(f"\r{entries} entries")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m schemas.evidence.audit",
        description="Verify an export of the ledger from its files alone.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the export")
    add_keys(parser)
    parser.add_argument("--since", type=Path, metavar="FILE", help="an earlier checkpoint")
    parser.add_argument(
        "--destroyed",
        type=_range,
        action="append",
        default=[],
        metavar="FIRST-LAST",
        help="entries that were destroyed and may be absent",
    )
    parser.add_argument(
        "--any-absent", action="store_true", help="any entries may be absent; they are named"
    )
    return parser


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the keys of a log and of its cosigners."""
    parser.add_argument(
        "--key",
        type=_key_argument(log_verifier),
        action="append",
        required=True,
        metavar="VKEY",
        help="the log's verifier key, or a retired one; more than one may be given",
    )
    parser.add_argument(
        "--cosigner",
        type=_key_argument(CosignerVerifier.parse),
        action="append",
        default=[],
        metavar="VKEY",
        help="a second party's verifier key",
    )


def _key_argument(parse: Callable[[str], KeyT]) -> Callable[[str], KeyT]:
    """Make a way to read keys a type of ``argparse``."""

    def read(text: str) -> KeyT:
        try:
            return parse(text)
        except NoteError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _range(text: str) -> Range:
    found = _RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError("two entry numbers are needed, such as 1-2500")
    return int(found[1]), int(found[2])


if __name__ == "__main__":
    sys.exit(main())
