"""The watch over a ledger: a fault halts it, a mended ledger goes on, a set-back one is found."""

import datetime as dt
import logging
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.errors import LedgerError
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.ledger.watch import CHECK_SECONDS, MENDED_SECONDS, SWEEP_SECONDS, Finding, Watch
from monitoring.health import Health
from monitoring.ledger import EVIDENCE, LEDGER, LedgerMetrics
from schemas.evidence.note import SignedNote
from tests.samples import NOW, SIGNER, entry
from tests.servers.ledgers import execute, opened

pytestmark = pytest.mark.contract

TABLE = "ledger_entries_202604"


@dataclass
class Watched:
    """A watch, its clock, and what it shows."""

    ledger: DatabaseLedger
    witness: Path
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    health: Health = field(default_factory=lambda: Health(LEDGER, EVIDENCE))
    now: float = 0.0

    def __post_init__(self) -> None:
        self._sweeper = ThreadPoolExecutor(1)
        self._watch = Watch(
            self.ledger.engine,
            self._check,
            self.witness,
            LedgerMetrics(self.registry, self.health),
            self._sweeper,
            clock=lambda: NOW + dt.timedelta(seconds=self.now),
            monotonic=lambda: self.now,
        )

    def _check(self, begin: int | None) -> Finding:
        note = SignedNote.parse(self.witness.read_bytes()) if self.witness.exists() else None
        found = verify(
            self.ledger.engine, SIGNER.verifier, witness=note, begin=begin or 1, quick=True
        )
        return Finding(found.through, found.first_bad, found.fault, found.seal)

    def tick(self, seconds: float = 1.0) -> None:
        """Look; what runs beside is waited for, and taken with a second look."""
        self.now += seconds
        self._watch.tick()
        self._sweeper.submit(lambda: None).result()
        self._watch.tick()

    def shown(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"renkei_ledger_{name}")

    def close(self) -> None:
        self._sweeper.shutdown()


@pytest.fixture
def watched(url: str, tmp_path: Path) -> Iterator[Watched]:
    with opened(url) as ledger:
        ledger.append([entry(n) for n in range(1, 41)])
        one = Watched(ledger, tmp_path / "witness")
        yield one
        one.close()


def test_what_is_right_is_shown_as_verified(watched: Watched) -> None:
    assert not watched.health.is_ready
    watched.tick()
    assert watched.health.is_ready
    assert watched.shown("size_entries") == watched.shown("verified_through_entry") == 40
    assert watched.shown("first_bad_entry") == watched.shown("halted") == 0
    assert watched.shown("last_sweep_timestamp_seconds") == (NOW.timestamp() + watched.now)
    watched.ledger.append([entry(n) for n in range(41, 51)])
    watched.tick(CHECK_SECONDS)
    assert watched.shown("verified_through_entry") == 50


def test_the_age_is_that_of_the_first_entry_without_a_checkpoint(watched: Watched) -> None:
    watched.tick(20)
    assert watched.shown("checkpoint_age_seconds") == 20
    watched.ledger.checkpoint()
    watched.tick(20)
    assert watched.shown("checkpoint_age_seconds") == 0


def test_a_fault_halts_the_ledger_until_it_is_mended(watched: Watched, url: str) -> None:
    watched.tick()
    digest = f"SELECT digest FROM {TABLE} WHERE seq = 7"  # noqa: S608 - a fixed name
    put = f"UPDATE {TABLE} SET digest = :digest WHERE seq = 7"  # noqa: S608
    (good,) = execute(url, digest)
    execute(url, put, digest="0" * 64)
    watched.tick(SWEEP_SECONDS)
    assert watched.shown("first_bad_entry") == 7
    assert watched.shown("verified_through_entry") == 6
    assert watched.shown("halted") == 1
    assert not watched.health.is_ready
    with pytest.raises(LedgerError, match="a check of it failed"):
        watched.ledger.append([entry(60)])
    with pytest.raises(LedgerError, match="a check of it failed"):
        watched.ledger.tend()
    execute(url, put, **good)
    watched.tick(MENDED_SECONDS)
    assert watched.health.is_ready
    assert watched.shown("first_bad_entry") == watched.shown("halted") == 0
    watched.ledger.append([entry(60)])
    assert watched.ledger.size() == 41


def test_a_fault_in_what_is_new_is_found_at_the_next_look(watched: Watched, url: str) -> None:
    watched.tick()
    watched.ledger.append([entry(n) for n in range(41, 51)])
    execute(url, f"UPDATE {TABLE} SET at = at + 1 WHERE seq = 45")  # noqa: S608 - a fixed name
    watched.tick(CHECK_SECONDS)
    assert watched.shown("first_bad_entry") == 45
    with pytest.raises(LedgerError, match="a check of it failed"):
        watched.ledger.append([entry(60)])


def test_a_halt_stays_when_the_watch_begins_anew(watched: Watched, url: str) -> None:
    watched.tick()
    execute(url, f"DELETE FROM {TABLE} WHERE seq = 3")  # noqa: S608 - a fixed name
    watched.tick(SWEEP_SECONDS)
    again = Watched(watched.ledger, watched.witness)
    again._watch.tick()
    with pytest.raises(LedgerError, match="a check of it failed"):
        watched.ledger.append([entry(60)])
    again.close()


def test_a_ledger_that_was_set_back_is_found_by_the_witness(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    with opened(f"sqlite:///{file}") as ledger:
        ledger.append([entry(1)])
        execute(f"sqlite:///{file}", "PRAGMA wal_checkpoint(TRUNCATE)")
        older = file.read_bytes()
        ledger.append([entry(2)])
        watched = Watched(ledger, tmp_path / "witness")
        watched.tick()
        assert watched.health.is_ready
        watched.close()
    file.write_bytes(older)
    with opened(f"sqlite:///{file}") as ledger:
        watched = Watched(ledger, tmp_path / "witness")
        watched.tick()
        assert not watched.health.is_ready
        assert watched.shown("halted") == 1
        with pytest.raises(LedgerError, match="a check of it failed"):
            ledger.append([entry(3)])
        watched.close()


def test_a_ledger_that_is_set_back_right_after_a_look_is_found(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    url = f"sqlite:///{file}"
    with opened(url) as ledger:
        ledger.append([entry(1)])
        execute(url, "PRAGMA wal_checkpoint(TRUNCATE)")
        older = file.read_bytes()
        ledger.append([entry(2)])
        watched = Watched(ledger, tmp_path / "witness")
        watched.tick()
        kept = watched.witness.read_bytes()
        execute(url, "PRAGMA wal_checkpoint(TRUNCATE)")
        with file.open("r+b") as database:
            database.write(older)
            database.truncate()
        ledger.engine.dispose()
        watched.tick(0.1)
        assert watched.shown("halted") == 1
        assert watched.witness.read_bytes() == kept
        watched.close()


def test_a_full_disk_shows_before_a_message_comes_and_passes(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        ledger.append([entry(1)])
        watched = Watched(ledger, tmp_path / "witness")
        watched.tick()
        assert watched.shown("writable") == 1
        with full_disk():
            watched.tick()
            assert watched.shown("writable") == 0
            assert not watched.health.is_ready
            with pytest.raises(LedgerError):
                ledger.append([entry(2)])
        watched.tick()
        assert watched.health.is_ready
        ledger.append([entry(2)])
        assert ledger.size() == 2
        watched.close()


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond some bytes: what is written fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_ledger_that_is_gone_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    with opened(f"sqlite:///{file}") as ledger:
        ledger.append([entry(1)])
        watched = Watched(ledger, tmp_path / "witness")
        file.unlink()
        watched.tick()
        assert b"is gone or was replaced" in watched.health.document()
        watched.close()


def test_a_head_that_cannot_be_kept_is_logged_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hub.ledger.watch")
    with opened(f"sqlite:///{tmp_path / 'ledger.sqlite3'}") as ledger:
        ledger.append([entry(1)])
        watched = Watched(ledger, tmp_path / "away" / "witness")
        for number in range(2, 5):
            watched.tick(10.0)
            ledger.append([entry(number)])
        (said,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
        assert "no head is kept outside the database" in said
        assert watched.health.is_ready  # the ledger itself is right
        (tmp_path / "away").mkdir()
        watched.tick(10.0)
        assert watched.witness.exists()
        assert caplog.records[-1].getMessage().endswith("again")
        watched.close()
