"""The loop: trouble is told and tried again, both directions get their turns, a stop stops."""

import sqlite3
from pathlib import Path

import pytest

from hub.edge import files, inbound
from hub.edge.backoff import MOST_SECONDS, Backoff
from hub.edge.journal import InboundFile, InboundState, Journal, TakenKey, inbound_files
from hub.edge.kit import Adapter
from hub.errors import EdgeError
from hub.ports import Outgoing, Sent
from tests.edge_rig import ALPHA, BETA, Rig, copy_of, use_test_layouts

pytestmark = pytest.mark.unit


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


def test_deliveries_go_on_while_the_hub_takes_nothing(rig: Rig) -> None:
    both = Adapter("alpha", ALPHA.inbound, BETA.outbound)
    rig.broker.judge = lambda message: Sent.REFUSED if message.order_key else Sent.CONFIRMED
    rig.give("notes_1.csv", [("1", "11", "a")])
    for number in range(3):
        rig.broker.put("out.alpha", copy_of(number, "n"))
    rig.run(both)
    assert rig.names("alpha", "from-hub") == ["notes_00000001.csv"]
    assert len(rig.recorder.all("held_back")) > 2


def test_deliveries_are_not_starved_by_a_long_file(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "BATCH", 2)
    both = Adapter("alpha", ALPHA.inbound, BETA.outbound)
    kinds: list[str] = []

    def judge(message: Outgoing) -> Sent:
        kinds.append(message.message_type)
        return Sent.CONFIRMED

    rig.broker.judge = judge
    rig.give("notes_1.csv", [(str(number), str(number), "a") for number in range(1, 41)])
    for number in range(8):
        rig.broker.put("out.alpha", copy_of(number, "n"))
    rig.run(both)
    assert kinds.count("test.noted") == 40
    assert kinds.index("hub.receipt") < 20


def test_a_disk_that_is_full_for_a_while_ends_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.write_synced
    left = 3

    def full(path: Path, *rest: object) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise EdgeError(f"cannot write {path}: no space")
        real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "write_synced", full)
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.run(BETA)
    assert rig.written() == [("1", "n")]
    assert [where for where, _ in rig.recorder.all("trouble")] == ["outbound"] * 3
    assert rig.receipts() == [("m-1", "delivered")]


def test_a_folder_that_is_gone_for_a_while_ends_nothing(rig: Rig) -> None:
    folder = rig.at("alpha", "to-hub")
    real_now = rig.broker.clock.now
    looks = 0

    def now() -> float:
        nonlocal looks
        looks += 1
        if looks == 20:
            folder.rmdir()
        elif looks == 60:
            rig.give("notes_1.csv", [("1", "11", "a")])
        return real_now()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(ALPHA, seconds=60)
    assert {where for where, _ in rig.recorder.all("trouble")} == {"inbound"}
    assert rig.sent() == [("11", "a")]


def test_a_journal_that_another_process_has_is_waited_for(rig: Rig) -> None:
    rig.give("notes_1.csv", [("1", "11", "a")])
    with Journal(rig.site("alpha").journal):
        rig.run(ALPHA, seconds=3)
    assert rig.sent() == []
    assert {where for where, _ in rig.recorder.all("trouble")} == {"station"}
    rig.run(ALPHA)
    assert rig.sent() == [("11", "a")]


def test_a_broken_journal_is_told_and_ends_nothing(rig: Rig) -> None:
    path = rig.site("alpha").journal
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database" * 100)
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.run(ALPHA, seconds=3)
    assert rig.recorder.all("trouble")
    assert rig.names("alpha", "to-hub") == ["notes_1.csv"]


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    Journal(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(EdgeError, match="newer"):
        Journal(path)


def test_a_journal_writes_all_or_nothing(tmp_path: Path) -> None:
    entry = InboundFile("d", "n", "n", InboundState.READING, 3)
    with Journal(tmp_path / "j.sqlite3") as journal:
        journal.begin(entry)
        with pytest.raises(EdgeError):
            journal.begin(entry)
        journal.confirm("d", [1, 2])
        assert journal.unplaced() == [InboundFile("d", "n", "n", "reading", 3, 2, 2)]
        assert inbound_files(tmp_path / "j.sqlite3") == journal.unplaced()
        assert journal.taken([TakenKey("a", "b", "c")]) == {}


def test_no_journal_is_an_error_to_a_reader(tmp_path: Path) -> None:
    with pytest.raises(EdgeError):
        inbound_files(tmp_path / "none.sqlite3")


def test_a_stop_is_seen_between_two_batches(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "BATCH", 2)
    end = rig.broker.clock.now() + 8.0

    def judge(message: Outgoing) -> Sent:
        if message.order_key == "5":
            rig.broker.clock.seconds = end
        return Sent.CONFIRMED

    rig.broker.judge = judge
    rig.give("notes_1.csv", [(str(number), str(number), "a") for number in range(1, 41)])
    rig.run(ALPHA)
    assert len(rig.sent()) == 6
    assert rig.names("alpha", "rejects") == []


def test_waits_grow_to_a_limit_and_begin_again() -> None:
    backoff = Backoff()
    waits = [backoff.next() for _ in range(20)]
    assert waits[0] < 0.2
    assert 0.5 * MOST_SECONDS < waits[-1] <= MOST_SECONDS
    backoff.reset()
    assert backoff.next() < 0.2
