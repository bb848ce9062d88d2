"""Verification finds a good ledger good: whole, after retention, and while it is written to."""

import datetime as dt
import os
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.verify import spans as verify_spans
from schemas.evidence.note import SignedNote
from tests.servers.ledger_to_verify import (
    DECEMBER,
    HELD,
    change,
    destroy_november,
    erase_salts,
    some_entries,
    verified,
)
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract


class Killed(Exception):
    pass


def test_a_ledger_that_nobody_touched_is_good(ledger: str) -> None:
    told: list[int] = []
    found = verified(ledger, progress=told.append)
    assert (found.fault, found.first_bad, found.halted) == ("", None, "")
    assert (found.size, found.through, found.checkpoints) == (600, 600, 6)
    assert told == [600]
    assert bool(found.unchecked) == ledger.startswith("postgresql")


def test_an_empty_ledger_is_good(url: str) -> None:
    with opened(url):
        pass
    assert verified(url).good


def test_the_root_is_that_of_the_checkpoint(ledger: str) -> None:
    with opened(ledger) as one:
        note = SignedNote.parse(one.checkpoint())
    root = verified(ledger).root
    assert verified(ledger, witness=note).good
    assert note.text.splitlines()[1] == "600"
    assert len(root) == 32


def test_erased_salts_are_counted(ledger: str) -> None:
    salts = erase_salts(ledger, HELD)
    found = verified(ledger)
    assert (found.fault, found.erased_salts) == ("", salts)
    assert salts > 0


def test_a_destroyed_month_is_named(ledger: str, tmp_path: Path) -> None:
    erase_salts(ledger, HELD)
    destroy_november(ledger, tmp_path)
    found = verified(ledger)
    assert (found.fault, found.destroyed, found.unfinished) == ("", ((1, 300),), ())


@pytest.mark.parametrize("stop_at", ["marked", "entries", "messages", "access items"])
def test_a_destruction_that_was_cut_off_is_no_fault(
    ledger: str, tmp_path: Path, stop_at: str
) -> None:
    def kill(what: str, _done: int, _whole: int) -> None:
        if what == stop_at:
            raise Killed

    if stop_at == "entries" and ledger.startswith("postgresql"):
        stop_at = "messages"  # PostgreSQL drops the rows with their table
    with pytest.raises(Killed):
        destroy_november(ledger, tmp_path, kill)
    found = verified(ledger)
    assert (found.fault, found.unfinished) == ("", (202611,))
    destroy_november(ledger, tmp_path)
    assert verified(ledger).unfinished == ()


def test_what_is_left_of_a_destroyed_month_is_held_to_its_hashes(
    ledger: str, tmp_path: Path
) -> None:
    def kill(what: str, _done: int, _whole: int) -> None:
        if what == "marked":
            raise Killed

    with pytest.raises(Killed):
        destroy_november(ledger, tmp_path, kill)
    change(ledger, "UPDATE november SET at = at + 1 WHERE seq = 77")
    assert verified(ledger).first_bad == 77


def test_it_can_go_on_while_entries_are_added(ledger: str) -> None:
    with opened(ledger) as one:

        def add(_: int) -> None:
            one.append(list(some_entries(DECEMBER, 700, 3)))

        assert verified(ledger, progress=add).good
    assert verified(ledger).size == 603


def test_several_processes_find_the_same(ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_spans, "ALONE", 0)
    monkeypatch.setattr(verify_spans, "TILES_A_SPAN", 1)
    assert verified(ledger).good
    change(ledger, "UPDATE december SET at = at + 1 WHERE seq = 550")
    assert verified(ledger).first_bad == 550


def die(*_: object) -> None:
    os._exit(9)


def test_a_process_that_dies_is_an_error_and_never_a_good_ledger(
    ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_spans, "ALONE", 0)
    monkeypatch.setattr(verify_spans, "_open", die)
    with pytest.raises(LedgerError, match="ended before its time"):
        verified(ledger)


def test_months_at_the_border_are_those_of_japan(url: str) -> None:
    begin = dt.datetime(2026, 11, 30, 14, 59, 58, tzinfo=dt.UTC)  # 23:59:58 in Japan
    with opened(url) as ledger:
        for number in range(4):
            ledger.append(list(some_entries(begin, number, 1)))
        ledger.append(list(some_entries(begin, 1, 1)))  # the clock was set back
    assert verified(url).good
