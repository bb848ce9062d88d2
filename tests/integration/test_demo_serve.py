"""A demo that keeps running: it survives what others drop, and ends in good order."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo_rig import (
    BAD_RECORD,
    PROCESSES,
    TRUNCATED,
    WRONG_ENCODING,
    Renkei,
    drop_bad_files,
    gone,
    node_processes,
    supervised,
)

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Served:
    """What a served demo left, and the processes that it had; ``killed`` those of a first run."""

    run: Renkei
    state: Path
    status: int
    before: dict[str, int]
    after: dict[str, int]
    node: dict[str, int]
    killed: dict[str, int]

    def drive(self, system: str) -> Path:
        return self.state / "drives" / system


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    state = folder / "state"
    options = ("--residents", "150", "--days", "1", "--every", "0.5", "--workers", "2", "--json")
    arguments = ("demo", "--serve", *options, "--state", str(state))
    run = Renkei(folder / "killed", arguments)
    try:
        run.until_said("day 3 is written")
        killed = supervised(state / "logs") | node_processes(state / "broker")
        run.end()
        run = Renkei(folder / "again", arguments)
        run.until_said("day 4 is written")
        before = supervised(state / "logs")
        processed = state / "drives" / "tax" / "processed"
        run.until(lambda: any(processed.glob("*_full.csv")), "the first file of the tax system")
        drop_bad_files(state / "drives" / "tax")
        aside = state / "drives" / "tax" / "set-aside"
        run.until(lambda: len(list(aside.glob("*.reason.json"))) == 2, "files set aside")
        run.until((processed / BAD_RECORD).exists, "the bad record")
        after = supervised(state / "logs")
        node = node_processes(state / "broker")
        status = run.stopped(signal.SIGINT)
        yield Served(run, state, status, before, after, node, killed)
    finally:
        run.end()


def test_it_drains_reports_and_ends_well(served: Served) -> None:
    assert served.status == 0, served.run.err
    answer = served.run.answer()
    assert answer["reconciled"] is True
    moving = [one for one in answer["flows"] if one["ref"] in {"I1", "I2", "M1b", "M1d"}]
    assert len(moving) == 4
    assert all(flow["accepted"] == flow["delivered"] > 0 for flow in moving)
    assert "stopping: waiting until everything written has arrived" in served.run.err
    to_hub = [file.name for file in served.state.glob("drives/*/to-hub/*")]
    assert to_hub == []


def test_days_went_by(served: Served) -> None:
    days = list(served.drive("tax").glob("processed/ZEI_2026*.csv"))
    assert len(days) >= 5


def test_one_that_was_killed_left_nothing_running_and_went_on(served: Served) -> None:
    assert gone(served.killed)
    assert set(served.killed.values()).isdisjoint(served.before.values())
    assert "day 3 is written" not in served.run.err  # it caught up without waiting


def test_no_process_ended_over_a_bad_file(served: Served) -> None:
    assert len(served.before) == PROCESSES + 1  # the second worker
    assert served.after == served.before
    assert "started again" not in served.run.err


def test_bad_files_are_set_aside_with_their_reasons(served: Served) -> None:
    aside = served.drive("tax") / "set-aside"
    reasons = {
        file.name.removesuffix(".reason.json"): json.loads(file.read_text())["code"]
        for file in aside.glob("*.reason.json")
    }
    assert reasons == {WRONG_ENCODING: "encoding", TRUNCATED: "truncated"}
    assert all((aside / name).exists() for name in reasons)


def test_the_bad_record_is_listed_and_the_good_one_went_on(served: Served) -> None:
    (listed,) = served.drive("tax").glob("rejects/*")
    assert listed.name == f"{BAD_RECORD}.rejects.csv"
    assert "total_income" in listed.read_text(encoding="utf-8")


def test_the_report_tells_of_them_and_stays_reconciled(served: Served) -> None:
    said = served.run.err
    assert "Files that are not the demo's own were found" in said
    assert f"tax: {BAD_RECORD}, 2 records, 1 of them set aside" in said
    assert f"tax: {WRONG_ENCODING}, set aside whole (encoding)" in said
    assert f"tax: {TRUNCATED}, set aside whole (truncated)" in said
    assert "\nReconciled" in said


def test_nothing_of_it_runs_any_more(served: Served) -> None:
    assert set(served.node) == {"guard", "epmd", "server"}
    assert gone(served.node)
    assert gone(served.after)
    assert not (served.state / "logs" / "processes.json").exists()
