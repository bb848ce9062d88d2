"""The audit of an export: what it accepts, and where it sees the first thing that is wrong."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.evidence.audit import AuditReport, audit, main
from schemas.evidence.note import Cosignature, Signer
from schemas.evidence.tiles import MAX_TILE_BYTES, encode_bundle
from tests.evidence.exports import (
    COSIGNER,
    ORIGIN,
    SIGNER,
    WITNESS,
    MadeLog,
    sample_entries,
    witnesses,
    write,
)
from tests.evidence.tampering import KINDS, Files, Kind, changed_by, files_of, lay, tampered

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SIZE = 600
LOG = MadeLog(sample_entries(SIZE))
LARGE = MadeLog(sample_entries(66_000, length=8))
KEY = ["--key", SIGNER.verifier.text()]
TAMPERINGS = 250
"""For each kind; with twelve kinds, three thousand."""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return LOG.export(tmp_path / "export")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return LARGE.export(tmp_path_factory.mktemp("large") / "export")


def audited(folder: Path, **asked: object) -> AuditReport:
    return audit(folder, LOG.verifiers, **asked)  # type: ignore[arg-type] - a test's shorthand


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513])
def test_an_export_of_any_size_is_good(size: int, tmp_path: Path) -> None:
    log = MadeLog(sample_entries(size))
    seen: list[int] = []
    report = audited(log.export(tmp_path / "export"), progress=seen.append)
    assert report == AuditReport(ORIGIN, size, log.root(size))
    assert report.good
    assert seen[-1:] == ([size] if size else [])


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_levels_above_the_first_are_good_at_their_borders(size: int, tmp_path: Path) -> None:
    log = MadeLog(LARGE.entries[:size])
    assert audited(log.export(tmp_path / "export")).root == log.root(size)
    assert audited(tmp_path / "export").good


def test_cosignatures_are_told(tmp_path: Path) -> None:
    folder = LOG.export(tmp_path / "export", LOG.checkpoint(cosigned_at=1_800_000_000))
    report = audited(folder, cosigners=witnesses())
    assert report.cosignatures == (Cosignature(COSIGNER, 1_800_000_000),)
    assert audited(folder).cosignatures == ()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_random_change_is_found(kind: Kind, export: Path) -> None:
    assert missed(export, lambda files, chance: changed_by(kind, files, chance)) == []


def test_several_changes_at_once_are_found(export: Path) -> None:
    assert missed(export, tampered) == []


def missed(folder: Path, change: Callable[[Files, random.Random], Files]) -> list[int]:
    """Change an export again and again, each time anew; give the seeds that were not found."""
    good = files_of(folder)
    before, found = good, []
    for seed in range(TAMPERINGS):
        after = change(good, random.Random(seed))  # noqa: S311 - not for secrets
        lay(folder, before, after)
        before = after
        if audited(folder).good:
            found.append(seed)
    lay(folder, before, good)
    assert audited(folder).good
    return found


@pytest.mark.parametrize("place", [1, 2, 256, 257, 600])
def test_a_changed_entry_is_named(place: int, export: Path) -> None:
    bundle = (place - 1) // 256
    partial = ".p/88" if bundle == 2 else ""
    path = f"tile/entries/00{bundle}{partial}"
    entries = list(LOG.entries[bundle * 256 : bundle * 256 + 256])
    entries[(place - 1) % 256] = b"another"
    write(export / path, encode_bundle(entries))
    report = audited(export)
    assert report.first_bad == place
    assert report.fault == f"{path}: entry {place} does not have its hash"


def test_the_first_of_several_bad_entries_is_named(export: Path) -> None:
    for bundle in (0, 1):
        entries = [b"another"] * 256
        write(export / f"tile/entries/00{bundle}", encode_bundle(entries))
    entries = list(LOG.entries[:256])
    entries[200:210] = [b"another"] * 10
    write(export / "tile/entries/000", encode_bundle(entries))
    assert audited(export).first_bad == 201


@pytest.mark.parametrize(
    ("path", "data", "first_bad", "fault"),
    [
        ("tile/0/001", None, 257, "tile/0/001: missing"),
        ("tile/0/001", b"", 257, "tile/0/001: 0 bytes instead of 8192"),
        ("tile/0/001", bytes(MAX_TILE_BYTES + 1), 257, "tile/0/001: longer than 8192 bytes"),
        ("tile/1/000.p/2", None, 1, "tile/1/000.p/2: missing"),
        ("tile/1/000.p/2", bytes(64), 1, "tile/1/000.p/2: hash 0 is not the root of tile/0/000"),
        ("tile/entries/001", None, 257, "tile/entries/001: missing, and none of its entries"),
        ("tile/entries/001", b"", 257, "tile/entries/001: ends before or within entry 257"),
        ("tile/entries/001", b"\xff\xff", 257, "ends before or within entry 257"),
        ("tile/0/002.p/87", bytes(32), 513, "tile/0/002.p/87: does not belong"),
        ("tile/0/003", bytes(32), 769, "tile/0/003: does not belong"),
        ("checkpoint", None, None, "checkpoint: missing"),
        ("checkpoint", b"x", None, "checkpoint: not a signed note"),
        ("checkpoint", bytes(300_000), None, "checkpoint: longer than"),
        ("READ\u001bME", b"", None, r"'READ\x1bME': does not belong"),
        ("tile/entries.txt", b"", None, "tile/entries.txt: does not belong"),
    ],
)
def test_a_bad_file_is_named(
    path: str, data: bytes | None, first_bad: int | None, fault: str, export: Path
) -> None:
    if data is None:
        (export / path).unlink()
    else:
        write(export / path, data)
    report = audited(export)
    assert report.first_bad == first_bad
    assert fault in (report.fault or "")


def test_a_bundle_that_goes_on_is_named(export: Path) -> None:
    path = export / "tile/entries/002.p/88"
    path.write_bytes(path.read_bytes() + b"\0\0")
    report = audited(export)
    assert report.fault == "tile/entries/002.p/88: goes on 2 bytes after its 88 entries"
    assert report.first_bad == 513


def test_a_hash_changed_in_a_tile_without_entries_is_found(export: Path) -> None:
    (export / "tile/entries/001").unlink()
    path = export / "tile/0/001"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    report = audited(export, destroyed=[(257, 512)])
    assert report.fault == "tile/1/000.p/2: hash 1 is not the root of tile/0/001"
    assert report.first_bad == 257


def test_a_fault_high_up_is_named_where_it_begins(large: Path, tmp_path: Path) -> None:
    shutil.copytree(large, tmp_path / "export")
    path = tmp_path / "export" / "tile/2/000.p/1"
    path.write_bytes(bytes(32))
    report = audited(tmp_path / "export")
    assert report.fault == "tile/2/000.p/1: hash 0 is not the root of tile/1/000"
    path.write_bytes((large / "tile/2/000.p/1").read_bytes())
    path = tmp_path / "export" / "tile/1/000"
    data = bytearray(path.read_bytes())
    data[32 * 200] ^= 1
    path.write_bytes(data)
    assert audited(tmp_path / "export").first_bad == 200 * 256 + 1


def test_destroyed_entries_leave_their_hashes_and_are_named(export: Path) -> None:
    for name in ("000", "001"):
        (export / "tile/entries" / name).unlink()
    report = audited(export, destroyed=[(1, 300)])
    assert report.good
    assert report.hash_only == ((1, 512),)
    assert audited(export, destroyed=None).hash_only == ((1, 512),)
    refused = audited(export, destroyed=[(1, 256)])
    assert refused.first_bad == 257
    assert not audited(export).good


def test_a_rewritten_tail_is_found_with_and_without_its_checkpoint(tmp_path: Path) -> None:
    rewritten = MadeLog([*LOG.entries[:400], *sample_entries(200, length=80)])
    folder = rewritten.export(tmp_path / "export", LOG.checkpoint())
    report = audited(folder)
    assert (report.first_bad, report.fault) == (
        None,
        "checkpoint: its root is not the root of the tiles",
    )
    told = audited(folder, since=LOG.checkpoint(390))
    assert told.first_bad == 391
    assert "entries before 391 are as the earlier one says" in (told.fault or "")
    unsigned = rewritten.checkpoint().text.encode() + b"\n"
    signature = LOG.checkpoint().signatures[0].line().encode()
    write(folder / "checkpoint", unsigned + signature)
    assert audited(folder).fault == f"checkpoint: the signature of {ORIGIN} does not verify"


def test_a_log_that_its_own_operator_rewrote_is_found_by_an_earlier_checkpoint(
    tmp_path: Path,
) -> None:
    rewritten = MadeLog([*LOG.entries[:100], b"another", *LOG.entries[101:]])
    folder = rewritten.export(tmp_path / "export")
    assert audited(folder).good
    assert audited(folder, since=LOG.checkpoint(100)).good
    report = audited(folder, since=LOG.checkpoint(300))
    assert "the first 300 entries are not those of the earlier checkpoint" in (report.fault or "")


def test_a_log_that_was_rolled_back_is_found(tmp_path: Path) -> None:
    shorter = MadeLog(LOG.entries[:300])
    folder = shorter.export(tmp_path / "export")
    report = audited(folder, since=LOG.checkpoint())
    assert report.first_bad == 301
    assert report.fault == "checkpoint: has 300 entries, the earlier checkpoint had 600"


def test_every_earlier_checkpoint_of_the_same_log_is_extended(export: Path) -> None:
    for size in (0, 1, 255, 256, 257, 599, 600):
        assert audited(export, since=LOG.checkpoint(size)).good


def test_an_earlier_checkpoint_that_cannot_be_trusted_is_said(export: Path) -> None:
    other = MadeLog(LOG.entries, Signer.generate("another.example/log"))
    report = audited(export, since=other.checkpoint())
    assert "the earlier checkpoint: no key that was given" in (report.fault or "")
    report = audit(export, [*LOG.verifiers, *other.verifiers], since=other.checkpoint())
    assert report.fault == "the earlier checkpoint is of another log"


def test_links_and_special_files_are_not_opened(export: Path, tmp_path: Path) -> None:
    inside = export / "tile/0/000"
    outside = tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    assert audited(export).fault == (
        "tile/0/000: a link or a special file; an export has only files"
    )
    inside.unlink()
    os.mkfifo(inside)
    assert audited(export).first_bad == 1
    inside.unlink()
    outside.rename(inside)
    (export / "tile").rename(tmp_path / "tile")
    (export / "tile").symlink_to(tmp_path / "tile")
    assert not audited(export).good


def test_a_folder_in_the_place_of_a_file_or_too_deep_is_a_fault(export: Path) -> None:
    (export / "tile/0/000").unlink()
    (export / "tile/0/000").mkdir()
    report = audited(export)
    assert report.fault == "tile/0/000: not a regular file"
    (export / "/".join(["deep"] * 40)).mkdir(parents=True)
    assert "a link or a special file" in (audited(export).fault or "")


def test_a_folder_that_is_not_there_cannot_be_audited(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        audited(tmp_path / "none")


def test_the_command_says_what_it_found(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(export), *KEY]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"log {ORIGIN}, 600 entries",
        f"root {LOG.root(SIZE).hex()}",
        "good: every entry, tile and signature fits",
    ]
    (export / "tile/entries/001").unlink()
    assert main([str(export), *KEY]) == 1
    assert "first bad entry: 257\nBAD: tile/entries/001: missing" in capsys.readouterr().out
    assert main([str(export), *KEY, "--destroyed", "257-300"]) == 0
    assert "hashes only, no entries: 257-512" in capsys.readouterr().out
    assert main([str(export), *KEY, "--any-absent"]) == 0


def test_the_command_takes_an_earlier_checkpoint_and_a_cosigner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = LOG.export(tmp_path / "export", LOG.checkpoint(cosigned_at=5))
    earlier = tmp_path / "earlier"
    earlier.write_bytes(LOG.checkpoint(9).encode())
    arguments = [str(folder), *KEY, "--cosigner", WITNESS.verifier.text(), "--since", str(earlier)]
    assert main(arguments) == 0
    assert f"cosigned by {COSIGNER} at 5 (Unix time)" in capsys.readouterr().out
    earlier.write_bytes(MadeLog(sample_entries(9, length=80)).checkpoint().encode())
    assert main(arguments) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["{export}"],
        ["{export}", "--key", "no key"],
        ["{export}", *KEY, "--destroyed", "9-1"],
        ["{export}", *KEY, "--destroyed", "0-1"],
        ["{export}/none", *KEY],
        ["{export}", *KEY, "--since", "{export}/none"],
        ["{export}", *KEY, "--since", "{export}/tile/0/000"],
    ],
)
def test_what_cannot_be_asked_ends_with_two(
    arguments: list[str], export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [one.format(export=export) for one in arguments]
    try:
        code = main(filled)
    except SystemExit as left:  # argparse's own way
        code = int(left.code or 0)
    assert code == 2
    assert capsys.readouterr().err
