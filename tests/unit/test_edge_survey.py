"""What waits in ``to-hub``, and what nobody will read: told once, counted, and left alone."""

import datetime as dt
import os
from pathlib import Path

import pytest

from hub.edge import survey
from hub.ports import Sent
from tests.edge_rig import ALPHA, BETA, Rig, use_test_layouts

pytestmark = pytest.mark.unit

ROWS = [("1", "11", "a")]
PATTERN = "pattern"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


def test_names_that_nobody_reads_are_told_once_and_left_alone(rig: Rig) -> None:
    whole = rig.give("elsewhere.csv", ROWS).read_bytes()
    names = ["notes_1.CSV", "Notes_1.csv", "ZEI_1.csv", "a\nb\x1b.csv", ".hidden", "x.tmp"]
    for name in names:
        rig.give_bytes(name, whole)
    folder = rig.at("alpha", "to-hub")
    (folder / "notes_link.csv").symlink_to(folder / "elsewhere.csv")
    (folder / "notes_folder.csv").mkdir()
    os.mkfifo(folder / "notes_pipe.csv")
    undecodable = os.fsdecode(b"notes_\xff.csv")
    rig.give_bytes(undecodable, whole)
    before = rig.names("alpha", "to-hub")
    rig.run(ALPHA, seconds=20)
    assert sorted(rig.recorder.all("file_ignored")) == sorted(
        [
            ("elsewhere.csv", PATTERN),
            ("notes_1.CSV", PATTERN),
            ("Notes_1.csv", PATTERN),
            ("ZEI_1.csv", PATTERN),
            ("a\nb\x1b.csv", "control"),
            ("notes_link.csv", "link"),
            ("notes_folder.csv", "folder"),
            ("notes_pipe.csv", "no-file"),
            (undecodable, "encoding"),
        ]
    )
    assert rig.recorder.surveys[-1] == (0, None, 9)
    assert rig.names("alpha", "to-hub") == before
    assert rig.sent() == []
    assert rig.recorder.all("trouble") == []


def test_a_name_is_told_when_it_stayed_as_it_is_for_long_enough(rig: Rig) -> None:
    path = rig.give("wrong.csv", ROWS)
    begun, told = rig.broker.clock.now(), 0.0
    real = rig.broker.clock.now

    def now() -> float:
        nonlocal told
        if not told and rig.recorder.all("file_ignored"):
            told = real() - begun
        if real() - begun < 4.0:
            path.write_bytes(path.read_bytes() + b"x")
        return real()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(ALPHA, seconds=7)
    assert rig.recorder.all("file_ignored") == []
    assert rig.recorder.surveys[-1] == (0, None, 0)
    rig.run(ALPHA, seconds=20)
    assert rig.recorder.all("file_ignored") == [("wrong.csv", PATTERN)]
    assert told > 9.0


def test_a_name_that_is_gone_is_not_counted_and_is_told_again_when_it_is_back(rig: Rig) -> None:
    path = rig.give("wrong.csv", ROWS)
    real = rig.broker.clock.now
    begun = real()

    def now() -> float:
        if 10 < real() - begun <= 13:
            path.unlink(missing_ok=True)
        elif real() - begun > 13 and not path.exists():
            assert rig.recorder.surveys[-1] == (0, None, 0)
            path.write_bytes(b"x")
        return real()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(ALPHA, seconds=30)
    assert len(rig.recorder.all("file_ignored")) == 2
    assert rig.recorder.surveys[-1] == (0, None, 1)


def test_a_lost_link_makes_nothing_be_told_again(rig: Rig) -> None:
    rig.give("wrong.csv", ROWS)
    real = rig.broker.clock.now
    begun, losses = real(), 0

    def now() -> float:
        nonlocal losses
        if real() - begun > 8 * (losses + 1):
            losses += 1
            rig.broker.lost = True
        return real()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(ALPHA, seconds=40)
    assert losses > 2
    assert len(rig.recorder.all("trouble")) > 2
    assert len(rig.recorder.all("file_ignored")) == 1


def test_no_more_names_are_watched_than_memory_is_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "WATCHED", 3)
    paths = [rig.give_bytes(f"wrong_{number}", b"x") for number in range(7)]
    rig.run(ALPHA, seconds=20)
    assert len(rig.recorder.all("file_ignored")) == 3
    assert rig.recorder.surveys[-1] == (0, None, 3)
    for path in paths[:3]:
        path.unlink()
    rig.run(ALPHA, seconds=20)
    assert len(rig.recorder.all("file_ignored")) == 6


def test_a_system_that_sends_nothing_is_told_of_what_it_writes(rig: Rig) -> None:
    rig.run(BETA, seconds=1)
    (rig.at("beta", "to-hub") / "notes_1.csv").write_bytes(b"x")
    rig.run(BETA, seconds=20)
    assert rig.recorder.all("file_ignored") == [("notes_1.csv", PATTERN)]


def test_a_backlog_shows_while_the_hub_takes_nothing(rig: Rig) -> None:
    rig.broker.judge = lambda _message: Sent.REFUSED
    paths = [rig.give(f"notes_{number}.csv", [("1", str(number), "a")]) for number in range(1, 4)]
    oldest = min(path.stat().st_ctime for path in paths)
    rig.run(ALPHA)
    assert rig.recorder.surveys[0] == (3, dt.datetime.fromtimestamp(oldest, dt.UTC), 0)
    assert rig.recorder.surveys[-1] == rig.recorder.surveys[0]
    rig.broker.judge = lambda _message: Sent.CONFIRMED
    rig.run(ALPHA)
    assert rig.recorder.surveys[-1] == (0, None, 0)


def test_an_unfinished_file_waits_too(rig: Rig) -> None:
    rig.give_bytes("notes_1.csv", b"H,")
    rig.run(ALPHA, seconds=2)
    waiting, oldest, ignored = rig.recorder.surveys[-1]
    assert (waiting, ignored) == (1, 0)
    assert oldest is not None
