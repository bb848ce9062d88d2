"""Backups: whole, made while the hub appends, restored and verified; from either database."""

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.ledger.years.backup import back_up, check_copy, copy_ledger, put_copy
from hub.ledger.years.records import Order
from hub.ledger.years.restore import drill, missing_since, open_backup, restored
from hub.ledger.years.sealed import Identity
from hub.message import AccessItems
from schemas.evidence.note import SignedNote, Signer
from tests.samples import NOW, SIGNER, entry
from tests.servers.ledgers import execute, opened, rows_of

pytestmark = pytest.mark.contract

IDENTITY = Identity.fresh()
PLAIN = Order(AccessItems("職員九", "医療課", "T-09", "夜間", "backup"), NOW, SIGNER)
SEALED = replace(PLAIN, recipients=(IDENTITY.recipient,))


class Killed(Exception):
    pass


def quiet(_what: str, _done: int, _whole: int) -> None:
    pass


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give an empty database of each kind to restore into."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'ledger.sqlite3'}"
        return
    with request.getfixturevalue("postgresql").database() as address:
        yield address


def fill(ledger: DatabaseLedger, count: int = 300) -> None:
    for month in (4, 5):
        at = dt.datetime(2026, month, 2, tzinfo=dt.UTC)
        ledger.append([entry(n, at=at, detail="x") for n in range(count)])
    ledger.checkpoint()


@pytest.mark.parametrize("order", [PLAIN, SEALED], ids=["plain", "encrypted"])
def test_what_is_restored_is_what_was(
    url: str, elsewhere: str, tmp_path: Path, work: Path, order: Order
) -> None:
    with opened(url) as ledger:
        fill(ledger)
        made = back_up(ledger, tmp_path / "out" / "b", work, order, quiet)
        rows = rows_of(ledger)
    assert (made.size, made.path.stat().st_mode & 0o777) == (600, 0o600)
    assert rows[-1]["detail"].startswith("b entries 600 ")
    assert (rows[-1]["code"], rows[-1]["digest"]) == ("backup", made.digest)
    assert made.path.read_bytes().startswith(b"age-" if order.recipients else b"SQLite format 3")
    assert list(work.iterdir()) == []
    found = open_backup(made.path, work, IDENTITY, SIGNER.verifier, quiet)
    put_copy(found.path, elsewhere, quiet)
    again = DatabaseLedger(elsewhere, SIGNER)
    again.append([restored(order, made.path, found, "x"), entry(7)])
    assert verify(again.engine, SIGNER.verifier).fault == ""
    kept = rows_of(again)
    again.close()
    assert kept[:600] == rows[:600]
    assert (kept[600]["code"], kept[600]["digest"]) == ("restore", made.digest)


def test_a_backup_beside_appends_is_of_one_moment(url: str, tmp_path: Path, work: Path) -> None:
    done = threading.Event()
    with opened(url) as ledger, opened(url) as hub:
        fill(ledger, 3000)

        def append() -> None:
            number = 0
            while not done.is_set():
                number += 1
                hub.append([entry(n, at=NOW, code=f"{number}") for n in range(20)])

        thread = threading.Thread(target=append)
        thread.start()
        sizes: list[int] = []
        try:
            copy_ledger(ledger.engine, tmp_path / "copy", lambda *_: sizes.append(hub.size()))
        finally:
            done.set()
            thread.join(30)
        assert sizes[-1] > sizes[0] or url.startswith("sqlite")
        size = check_copy(tmp_path / "copy", SIGNER.verifier).size
        assert 6000 <= size < ledger.size()
    found = open_backup(tmp_path / "copy", work, None, SIGNER.verifier, quiet)
    assert found.size == size


def test_appends_go_on_between_the_slices_of_a_copy(url: str, tmp_path: Path) -> None:
    """And do not make it begin anew: each slice meets one, and the copy is of before them."""
    with opened(url) as ledger, opened(url) as hub:
        fill(ledger, 3000)
        copy_ledger(ledger.engine, tmp_path / "copy", lambda *_: hub.append([entry(1)]))
        assert check_copy(tmp_path / "copy", SIGNER.verifier).size == 6000
        assert hub.size() > 6000


def test_nothing_is_overwritten_and_nothing_half_done_is_left(
    url: str, tmp_path: Path, work: Path
) -> None:
    out = tmp_path / "out"
    with opened(url) as ledger:
        fill(ledger, 3)
        back_up(ledger, out / "b", work, PLAIN, quiet)
        with pytest.raises(LedgerError, match="not overwritten"):
            back_up(ledger, out / "b", work, PLAIN, quiet)
        execute(url, "UPDATE ledger_head SET fault = 'a check failed'")
        with pytest.raises(LedgerError, match="a check failed"):
            back_up(ledger, out / "c", work, PLAIN, quiet)
        assert [path.name for path in out.iterdir()] == ["b"]


def test_there_is_no_restore_over_a_ledger(url: str, tmp_path: Path) -> None:
    with opened(url) as ledger:
        fill(ledger, 3)
        copy_ledger(ledger.engine, tmp_path / "copy", quiet)
        with pytest.raises(LedgerError, match="already"):
            put_copy(tmp_path / "copy", url, quiet)
        assert ledger.size() == 6


def test_what_another_ledger_left_is_not_read_into_the_restored_one(
    tmp_path: Path, work: Path
) -> None:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        fill(ledger, 3)
        copy_ledger(ledger.engine, work / "copy", quiet)
    (tmp_path / "new.sqlite3-wal").write_bytes(b"x")
    with pytest.raises(LedgerError, match="left from another"):
        put_copy(work / "copy", f"sqlite:///{tmp_path / 'new.sqlite3'}", quiet)
    assert not (tmp_path / "new.sqlite3").exists()


def test_a_restore_that_was_cut_off_is_done_again(
    postgresql: object, tmp_path: Path, work: Path
) -> None:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        fill(ledger, 3)
        copy_ledger(ledger.engine, work / "copy", quiet)

    def kill(_what: str, done: int, _whole: int) -> None:
        if done == 3:
            raise Killed

    with postgresql.database() as url:  # type: ignore[attr-defined]
        with pytest.raises(Killed):
            put_copy(work / "copy", url, kill)
        begun = DatabaseLedger(url, SIGNER)
        with pytest.raises(LedgerError, match="restore was begun"):
            begun.append([entry(1)])
        begun.close()
        put_copy(work / "copy", url, quiet)
        with opened(url) as again:
            again.append([entry(1)])
            assert again.size() == 7


def test_what_a_restore_has_forgotten_is_told_by_a_later_checkpoint(url: str, work: Path) -> None:
    with opened(url) as ledger:
        fill(ledger, 3)
        earlier = SignedNote.parse(ledger.checkpoint())
        copy_ledger(ledger.engine, work / "copy", quiet)
        ledger.append([entry(8), entry(9)])
        later = SignedNote.parse(ledger.checkpoint())
        assert missing_since(ledger.engine, earlier, SIGNER.verifier) == 0
    with opened(f"sqlite:///{work / 'copy'}") as copy:
        assert missing_since(copy.engine, earlier, SIGNER.verifier) == 0
        assert missing_since(copy.engine, later, SIGNER.verifier) == 2
        copy.append([entry(1), entry(2)])
        with pytest.raises(LedgerError, match="forked"):
            missing_since(copy.engine, later, SIGNER.verifier)


def test_a_backup_that_is_not_good_is_refused(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "copy"
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        fill(ledger, 3)
        copy_ledger(ledger.engine, path, quiet)
        back_up(ledger, tmp_path / "sealed", work, SEALED, quiet)
    with pytest.raises(LedgerError, match="--identity"):
        open_backup(tmp_path / "sealed", work, None, SIGNER.verifier, quiet)
    with pytest.raises(LedgerError, match="No matching keys"):
        open_fresh(tmp_path / "sealed", tmp_path, Identity.fresh())
    other = Signer.generate(SIGNER.name)
    with pytest.raises(LedgerError, match="does not verify"):
        open_fresh(path, tmp_path, None, other)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE ledger_entries_202604 SET detail = '\"y\"' WHERE seq = 2")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="from entry 2"):
        open_fresh(path, tmp_path, None)
    path.write_bytes(b"something else")
    with pytest.raises(LedgerError, match="no backup"):
        open_fresh(path, tmp_path, None)


def open_fresh(
    path: Path, folder: Path, identity: Identity | None, signer: Signer = SIGNER
) -> None:
    work = folder / f"work{len(list(folder.iterdir()))}"
    work.mkdir()
    open_backup(path, work, identity, signer.verifier, quiet)


def test_a_drill_restores_and_compares_and_is_recorded(
    url: str, tmp_path: Path, work: Path
) -> None:
    with opened(url) as ledger:
        fill(ledger)
        made = back_up(ledger, tmp_path / "b", work, SEALED, quiet)
        (work / "fresh").mkdir()
        done = drill(ledger, work / "fresh", PLAIN, quiet)
        assert (done.size, done.behind) == (601, 0)
        (work / "given").mkdir()
        done = drill(ledger, work / "given", PLAIN, quiet, (made.path, IDENTITY))
        assert (done.size, done.behind) == (600, 2)
        *_, last = ledger.entries()
    assert (last.kind, last.code) == (Kind.OPERATOR_ACTION, "restore-drill")
    assert (last.detail, last.digest) == ("b entries 600 behind 2", made.digest)
    assert all(part >= 0 for part in done.seconds.values())


def test_a_drill_finds_a_ledger_that_was_set_back(tmp_path: Path, work: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'a'}") as ledger:
        fill(ledger, 3)
        copy_ledger(ledger.engine, tmp_path / "b", quiet)
        ledger.append([entry(5)])
        copy_ledger(ledger.engine, tmp_path / "copy", quiet)
    with opened(f"sqlite:///{tmp_path / 'b'}") as ledger:
        ledger.append([entry(6)])
        with pytest.raises(LedgerError, match="set back"):
            drill(ledger, work, PLAIN, quiet, (tmp_path / "copy", None))
