"""An export is what the audit accepts, whatever there was before; else there is none."""

import datetime as dt
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import LedgerError
from hub.ledger.evidence import folder as export_folder
from hub.ledger.evidence.export import Exported, export
from hub.ledger.evidence.folder import ExportFolder
from hub.ledger.evidence.treeread import leaf_hashes_of
from hub.ledger.model import Kind
from hub.ledger.reading import leaves
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from schemas.evidence.audit import AuditReport, audit
from schemas.evidence.merkle import leaf_hash
from schemas.evidence.note import SignedNote, Signer
from schemas.evidence.tiles import Tile
from tests.evidence.exports import MadeLog, sample_entries
from tests.samples import NOW, SIGNER, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

WHO = AccessItems("職員二", "監査", "T-09", "監査", "export")
MAY = NOW + dt.timedelta(days=31)
_KILLED = """
import os, sys
from pathlib import Path
from hub.ledger.evidence import folder as export_folder
from hub.ledger.evidence.export import export
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from tests.samples import NOW, SIGNER

left = int(sys.argv[3])

def dying(before):
    def step(*given):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        before(*given)
    return step

export_folder._sync = dying(export_folder._sync)
export_folder._write = dying(export_folder._write)
ledger = DatabaseLedger(sys.argv[1], SIGNER)
export(ledger, SIGNER.verifier, Path(sys.argv[2]), AccessItems("", "", "", "", ""), NOW)
"""


def made(ledger: DatabaseLedger, folder: Path, at: dt.datetime = NOW) -> Exported:
    return export(ledger, SIGNER.verifier, folder, WHO, at)


def audited(folder: Path, **asked: object) -> AuditReport:
    return audit(folder, [SIGNER.verifier], **asked)  # type: ignore[arg-type]  # passed on


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_new_export_and_one_brought_up_to_date_are_the_same(url: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with opened(url) as ledger:
        for size in (1, 2, 255, 256, 257, 511, 512, 513, 800):
            ledger.append([entry(ledger.size() + n) for n in range(size - 1 - ledger.size())])
            before = ledger.size()
            known = len(files(kept)) and audited(kept).size
            told = made(ledger, kept)
            assert told.before == known
            assert told.checkpoint.size == before + 1
            report = audited(kept)
            assert (report.fault, report.size, report.hash_only) == (None, before + 1, ())
        updated = files(kept)
        note = ledger.checkpoint()
        made(ledger, tmp_path / "new")
        assert audited(tmp_path / "new", since=SignedNote.parse(note)).good
    new = files(tmp_path / "new")
    full = {name for name in updated if ".p/" not in name and name != "checkpoint"}
    assert len(full) == 6
    assert all(new[name] == updated[name] for name in full)


def test_a_tree_of_three_levels_is_exported_and_brought_up_to_date(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/ledger.sqlite3") as ledger:
        for _ in range(13):
            ledger.append([entry()] * 5041)
        ledger.append([entry()] * (65_535 - ledger.size()))
        for size in (65_536, 65_537, 65_538):
            assert made(ledger, tmp_path / "out").checkpoint.size == size
            assert audited(tmp_path / "out").good
    assert (tmp_path / "out" / "tile" / "2" / "000.p" / "1").is_file()


@settings(max_examples=12)
@given(steps=st.lists(st.integers(0, 300), min_size=1, max_size=4))
def test_any_history_of_exports_is_good(
    steps: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with opened(f"sqlite:///{folder}/ledger.sqlite3") as ledger:
        for count in steps:
            ledger.append([entry(n) for n in range(count)])
            made(ledger, folder / "out")
            report = audited(folder / "out")
            assert (report.fault, report.size) == (None, ledger.size())


def test_the_export_itself_is_recorded_and_in_it(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(4)])
        told = made(ledger, tmp_path / "below" / "for-the-auditor")
        last = list(ledger.entries())[-1]
    assert told.checkpoint.size == last.number == 5
    assert (last.kind, last.code, last.access) == (Kind.EXPORT, "tiles", WHO)
    assert last.detail == "5 entries or more, to for-the-auditor"


def test_only_the_owner_can_read_it(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        made(ledger, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    found = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert [path.name for path in tmp_path.glob(".*")] == []


def _fill(folder: Path, what: str) -> None:
    folder.mkdir()
    if what == "a stranger":
        (folder / "letter.txt").write_text("")
    elif what == "no checkpoint":
        (folder / "tile").mkdir()
    elif what == "a broken checkpoint":
        (folder / "checkpoint").write_text("")
    elif what == "a link":
        (folder / "tile").symlink_to(folder.parent)
    elif what == "another log":
        folder.rmdir()
        MadeLog(sample_entries(3)).export(folder)
    elif what == "another ledger of the same name":
        folder.rmdir()
        MadeLog(sample_entries(3), SIGNER).export(folder)
    elif what == "a longer ledger of the same name":
        folder.rmdir()
        MadeLog(sample_entries(30), SIGNER).export(folder)
    elif what == "a key of the same name":
        folder.rmdir()
        MadeLog(sample_entries(3), Signer.generate(SIGNER.name)).export(folder)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a stranger", "letter.txt"),
        ("no checkpoint", "checkpoint is missing"),
        ("a broken checkpoint", "cannot be read"),
        ("a link", "tile"),
        ("another log", "no export of this ledger"),
        ("a key of the same name", "no export of this ledger"),
        ("another ledger of the same name", "does not begin with the 3 entries"),
        ("a longer ledger of the same name", "does not begin with the 30 entries"),
    ],
)
def test_what_is_no_earlier_export_is_left_alone(what: str, why: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    _fill(folder, what)
    before = files(folder)
    with opened(f"sqlite:///{tmp_path}/ledger.sqlite3") as ledger:
        ledger.append([entry(n) for n in range(5)])
        with pytest.raises(LedgerError, match=why):
            made(ledger, folder)
        assert ledger.size() == 5
    assert files(folder) == before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE ledger_entries_202604 SET detail = '\"x\"' WHERE seq = 290", "entry 290 "),
        ("UPDATE ledger_terms SET said = said || ' ' WHERE id = 1", "entry 1 "),
        ("DELETE FROM ledger_entries_202604 WHERE seq = 300", "entry 300 "),
        ("UPDATE ledger_tiles SET hashes = substr(hashes, 33) WHERE n = 0", "gone|entry"),
        ("DELETE FROM ledger_tiles WHERE level = 0 AND n = 0", "gone|whole"),
    ],
)
def test_a_changed_ledger_is_not_exported(change: str, why: str, url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(400)])
        execute(url, change)
        with pytest.raises(LedgerError, match=why):
            made(ledger, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_rewritten_entry_with_a_fresh_hash_is_not_exported(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(300)])
        with ledger.engine.connect() as connection:
            hashes = leaf_hashes_of(connection, 0, 256)
            execute(url, "UPDATE ledger_entries_202604 SET detail = '\"x\"' WHERE seq = 1")
            rewritten = [leaf.encode() for _, leaf in leaves(connection, 1, 2)]
        fresh = leaf_hash(rewritten[0]) + hashes[32:]
        execute(url, "UPDATE ledger_tiles SET hashes = :h WHERE level = 0 AND n = 0", h=fresh)
        with pytest.raises(LedgerError, match="root that was signed"):
            made(ledger, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _destroy_april(url: str, by: int) -> None:
    execute(url, "UPDATE ledger_months SET destroyed = :by WHERE month = 202604", by=by)
    execute(url, "DROP TABLE ledger_entries_202604")


def test_bundles_with_a_destroyed_entry_are_left_out_whole(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(300)])
        ledger.append([entry(n, at=MAY) for n in range(600)])
        made(ledger, tmp_path / "kept", MAY)
        assert (tmp_path / "kept" / "tile" / "entries" / "001").exists()
        _destroy_april(url, 901)
        for name in ("kept", "new"):
            told = made(ledger, tmp_path / name, MAY)
            assert told.destroyed == ((1, 300),)
            assert not (tmp_path / name / "tile" / "entries" / "001").exists()
            report = audited(tmp_path / name, destroyed=told.destroyed)
            assert (report.fault, report.hash_only) == (None, ((1, 512),))
            assert not audited(tmp_path / name).good


def test_a_changed_file_of_an_export_is_found_by_the_audit(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/ledger.sqlite3") as ledger:
        ledger.append([entry(n) for n in range(300)])
        made(ledger, tmp_path / "out")
    for path in [path for path in (tmp_path / "out").rglob("*") if path.is_file()]:
        data = path.read_bytes()
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        assert not audited(tmp_path / "out").good
        path.write_bytes(data)
    assert audited(tmp_path / "out").good


@pytest.mark.parametrize("step", ["_write", "_sync"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_failing_disk_leaves_what_was_there(
    step: str, *, earlier: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    with opened(f"sqlite:///{tmp_path}/ledger.sqlite3") as ledger:
        if earlier:
            made(ledger, folder)
        ledger.append([entry(n) for n in range(300)])
        before = files(folder)

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(export_folder, step, fail)
        with pytest.raises(LedgerError, match="cannot be written: No space left"):
            made(ledger, folder)
        assert files(folder) == before
        monkeypatch.undo()
        made(ledger, folder)
    assert audited(folder).good
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("earlier", [False, True])
def test_a_killed_export_leaves_nothing_that_looks_whole_and_the_next_one_mends_it(
    *, earlier: bool, tmp_path: Path
) -> None:
    url, folder = f"sqlite:///{tmp_path}/ledger.sqlite3", tmp_path / "out"
    whole = killed = 0
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(300)])
        if earlier:
            whole = made(ledger, folder).checkpoint.size
            ledger.append([entry(n) for n in range(300)])
        for step in (2, 9, 13, 14, 15, 16):
            command = [sys.executable, "-c", _KILLED, url, str(folder), str(step)]
            ended = subprocess.run(command, check=False).returncode
            assert ended in {0, 9}
            killed += ended == 9
            assert folder.exists() or not whole
            report = audited(folder) if folder.exists() else None
            if report is not None and report.good:
                assert report.size in {whole, ledger.size()}
                whole = report.size
            if report is not None and not report.good:
                assert report.size in {whole, ledger.size()}
                assert "does not belong" in str(report.fault)
        assert killed >= 4
        made(ledger, folder)
    assert audited(folder).good
    assert list(tmp_path.glob(".*")) == []


def test_one_export_at_a_time_works_on_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with opened(f"sqlite:///{tmp_path}/ledger.sqlite3") as ledger:
        for _ in range(2):
            with ExportFolder(folder) as other:
                other.write(Tile(0, 9, 1), b"x")
                with pytest.raises(LedgerError, match="is at work"):
                    made(ledger, folder)
            made(ledger, folder)
            assert audited(folder).good
