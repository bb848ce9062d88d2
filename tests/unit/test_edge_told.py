"""What an adapter's log says of its work: names, codes and counts, never a value."""

import datetime as dt
import logging
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.edge import files
from hub.edge.ignored import Ignored
from hub.edge.loop import run_adapter
from hub.errors import EdgeError
from hub.ports import Link, Outgoing, Sent
from monitoring.edge import EdgeMetrics
from monitoring.logs import FIELDS
from tests.edge_rig import ALPHA, BETA, IN_CLEAR, Rig, Standing, copy_of, use_test_layouts
from tests.fakes import FakeLink

pytestmark = pytest.mark.unit

VALUE = "内緒"
PATTERN = "its name is none of this system's patterns"
HEAD = "H,alpha.notes,2026-04-01T09:00:00+09:00,D,T,S\r\n"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_test_layouts(monkeypatch)
    return Rig(tmp_path)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def log(
    rig: Rig, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> pytest.LogCaptureFixture:
    """Let the adapter tell the real metrics, and give what they log."""
    rig.recorder = EdgeMetrics(registry, "alpha")  # type: ignore[assignment]
    caplog.set_level(logging.INFO)
    return caplog


def lines(log: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno == level]


def test_what_comes_in_is_logged_by_file(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    rig.give("notes_1.csv", [("1", "11", VALUE), ("1", "12", "REFUSE"), ("2", "21", "FAIL")])
    rig.give_bytes("notes_2.csv", (HEAD + f"D,1,11,{VALUE}\r\nT,2\r\n").encode())
    rig.give_bytes("notes_3.csv", b"")
    rig.give("wrong.csv", [("1", "11", VALUE)])
    rig.give("wrong\nERROR.csv", [("1", "11", VALUE)])
    rig.run(ALPHA, seconds=20)
    assert lines(log, logging.INFO) == [
        "the adapter of alpha is working",
        "'notes_1.csv' was read: 3 records of test.noted",
    ]
    assert sorted(lines(log, logging.WARNING)) == [
        "'notes_1.csv': 2 of 3 records were rejected",
        "'notes_2.csv' was set aside: trailer, line 3",
        "'notes_3.csv' was set aside: empty",
        f"'wrong.csv' in to-hub is ignored: {PATTERN}",
        "'wrong\\nERROR.csv' in to-hub is ignored: its name has a control character",
    ]
    assert VALUE not in log.text


def test_what_goes_out_is_logged_by_file(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    rig.broker.put("out.beta", copy_of(1, VALUE))
    rig.broker.put("out.beta", copy_of(2, "UNWRITABLE"))
    rig.run(BETA)
    (aside,) = rig.names("beta", "set-aside")
    assert lines(log, logging.INFO)[1:] == [
        "'notes_00000001.csv' was written: 1 records of test.noted"
    ]
    assert lines(log, logging.WARNING) == [f"'{aside}': a message was set aside: unwritable"]
    assert VALUE not in log.text
    (told,) = fields(log)
    assert told == {
        "outcome": "set-aside: unwritable",
        "message_id": "m-2",
        "sender": "alpha",
        "flow": "F1",
        "receiver": "alpha",  # as whose the metrics of this rig are
    }


def test_a_failure_says_its_outcome_in_fields_and_no_value(
    rig: Rig, log: pytest.LogCaptureFixture
) -> None:
    rig.give("notes_1.csv", [("1", "11", VALUE), ("1", "12", "REFUSE")])
    rig.give_bytes("notes_2.csv", b"")
    rig.run(ALPHA, seconds=20)
    assert fields(log) == [
        {"message_type": "test.noted", "outcome": "rejected"},
        {"outcome": "set-aside: empty"},
    ]


def fields(log: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    """Give what lines of JSON would have beside their text."""
    return [getattr(record, FIELDS) for record in log.records if hasattr(record, FIELDS)]


def test_a_file_whose_folder_fails_after_it_was_read_is_told_once(
    rig: Rig, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = files.rename, 2

    def rename(source: Path, target: Path) -> None:
        nonlocal left
        if target.parent.name == "processed" and left:
            left -= 1
            raise EdgeError("cannot rename: no")
        real(source, target)

    monkeypatch.setattr(files, "rename", rename)
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.run(ALPHA)
    assert rig.names("alpha", "processed") == ["notes_1.csv"]
    assert lines(log, logging.WARNING) == ["inbound: cannot rename: no"] * 2
    assert lines(log, logging.INFO)[1:] == [
        "'notes_1.csv' was read: 1 records of test.noted",
        "inbound: works again after 0 s",
    ]


def test_a_link_that_is_back_is_told_once_with_how_long_it_was_gone(
    rig: Rig, log: pytest.LogCaptureFixture
) -> None:
    def judge(message: Outgoing) -> Sent:
        rig.broker.lost = message.order_key == "11" and not log.records[1:]
        return Sent.CONFIRMED

    rig.broker.judge = judge
    end = rig.broker.clock.now() + 60
    attempts = 0

    def connect() -> Link | None:
        nonlocal attempts
        attempts += 1
        assert not log.records or attempts > 1  # it does not call itself working before
        rig.broker.clock.seconds += 12.0
        rig.broker.lost = False
        return FakeLink(rig.broker, "alpha", "out.alpha")

    rig.give("notes_1.csv", [("1", "11", "a")])
    run_adapter(
        ALPHA,
        rig.site("alpha"),
        connect=connect,
        stopping=lambda: rig.broker.clock.now() >= end,
        walls=Standing("alpha"),
        numbers=IN_CLEAR,
        observe=rig.recorder,
        clocks=rig.clocks(),
    )
    assert attempts == 2
    assert lines(log, logging.INFO) == [
        "the adapter of alpha is working",
        "link: works again after 12 s",
        "'notes_1.csv' was read: 1 records of test.noted",
    ]


def test_a_disk_that_has_room_again_is_told_once_something_was_written(
    rig: Rig, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.write_synced
    full = True

    def write_synced(path: Path, *rest: object) -> None:
        if full:
            raise EdgeError("cannot write: no space")
        real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "write_synced", write_synced)
    rig.broker.put("out.beta", copy_of(1, "n"))
    rig.run(BETA)
    assert lines(log, logging.INFO) == ["the adapter of alpha is working"]
    assert lines(log, logging.WARNING)
    log.clear()
    looks, clock = 0, rig.broker.clock.now

    def now() -> float:
        nonlocal looks, full
        looks += 1
        full = looks < 60
        return clock()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(BETA, seconds=60)
    written, again = lines(log, logging.INFO)
    assert written.startswith("'notes_00000001.csv' was written")
    assert again.startswith("outbound: works again after ")


def test_a_journal_that_is_free_again_is_told(rig: Rig, log: pytest.LogCaptureFixture) -> None:
    path = rig.site("alpha").journal
    path.parent.mkdir(parents=True)
    path.mkdir()
    real = rig.broker.clock.now
    begun = real()

    def now() -> float:
        if real() - begun > 5 and path.is_dir():
            path.rmdir()
        return real()

    rig.broker.clock.now = now  # type: ignore[method-assign]
    rig.run(ALPHA, seconds=60)
    assert len(lines(log, logging.WARNING)) > 2
    (again,) = lines(log, logging.INFO)[1:]
    assert again.startswith("station: works again after ")


def test_the_gauges_show_what_waits_and_what_is_ignored(
    rig: Rig, log: pytest.LogCaptureFixture, registry: CollectorRegistry
) -> None:
    def shown(name: str, **labels: str) -> float | None:
        labels |= {"system": "alpha"}
        return registry.get_sample_value(f"renkei_adapter_{name}", labels)

    def ignored() -> dict[str, float | None]:
        return {str(reason): shown("files_ignored", reason=reason) for reason in Ignored}

    assert shown("files_waiting") == 0
    assert set(ignored().values()) == {0}
    assert shown("oldest_file_age_seconds") == 0
    rig.broker.judge = lambda _message: Sent.REFUSED
    rig.give("notes_1.csv", [("1", "11", "a")])
    rig.give("wrong.csv", [("1", "11", "a")])
    (rig.at("alpha", "to-hub") / "notes_2.csv").symlink_to("/etc/passwd")
    rig.run(ALPHA, seconds=60)
    assert shown("files_waiting") == 1
    assert {reason: number for reason, number in ignored().items() if number} == {
        "pattern": 1,
        "link": 1,
    }
    first = shown("oldest_file_age_seconds")
    assert first is not None
    assert first < 60
    later = shown("oldest_file_age_seconds")
    assert later is not None
    assert later > first  # it grows between two surveys
    hour = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    rig.recorder.surveyed(1, hour, {})
    age = shown("oldest_file_age_seconds")
    assert age is not None
    assert 3600 <= age < 3660
    assert log.records
