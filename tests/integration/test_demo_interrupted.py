"""A demo that is stopped leaves nothing running, and the same command goes on with it."""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.broker.provide import ProvidedBroker
from tests.demo_rig import Renkei, arrived, gone, named, node_processes, supervised

pytestmark = pytest.mark.integration

OPTIONS = ("--residents", "200", "--days", "1", "--seed", "4", "--json")
PROMPT = 12.0
DAYS = ("FUKUSHI_", "JUKI_", "KAIGO_", "KOIKI_", "KOKI_", "ZEI_", "ATENA_", "TOKUREI_")
"""How the names of files begin that a city's day is told in."""


@dataclass
class Ending:
    """How one run ended: its status, after how long, and whether anything still ran."""

    run: Renkei
    status: int
    seconds: float
    nothing_runs: bool


@dataclass
class Story:
    """One demo, stopped at two moments, refused to others, and then left in peace."""

    state: Path
    endings: dict[str, Ending] = field(default_factory=dict)


def demo(folder: Path, state: Path, *more: str) -> Renkei:
    return Renkei(folder, ("demo", *OPTIONS, *more, "--state", str(state)))


def stopped(run: Renkei, state: Path, number: int) -> Ending:
    pids = supervised(state / "logs") | node_processes(state / "broker")
    began = time.monotonic()
    status = run.stopped(number)
    seconds = time.monotonic() - began
    return Ending(run, status, seconds, gone(pids, 1.0) and bool(pids))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("interrupted")
    story = Story(folder / "state")
    runs: list[Renkei] = []

    def start(name: str, *more: str) -> Renkei:
        runs.append(demo(folder / name, story.state, *more))
        return runs[-1]

    try:
        run = start("starting")
        run.until(lambda: bool(node_processes(story.state / "broker")), "the broker's processes")
        story.endings["starting"] = stopped(run, story.state, signal.SIGINT)
        run = start("working")
        run.until_said("trying what no statute permits")
        story.endings["working"] = stopped(run, story.state, signal.SIGTERM)
        run = start("others", "--seed", "5")
        story.endings["others"] = Ending(run, run.ended(), 0, nothing_runs=True)
        run = start("last")
        run.until(lambda: bool(node_processes(story.state / "broker")), "the broker's processes")
        second = start("second")
        story.endings["second"] = Ending(second, second.ended(), 0, nothing_runs=True)
        story.endings["last"] = Ending(run, run.ended(), 0, nothing_runs=True)
        yield story
    finally:
        for run in runs:
            run.end()


@pytest.mark.parametrize(("name", "status"), [("starting", 130), ("working", 143)])
def test_a_signal_ends_it_promptly_with_everything_it_started(
    story: Story, name: str, status: int
) -> None:
    ending = story.endings[name]
    assert ending.status == status, ending.run.err
    assert ending.seconds < PROMPT
    assert ending.nothing_runs
    assert "the same command goes on where it was" in ending.run.err
    assert "Traceback" not in ending.run.err
    assert ending.run.out == ""


def test_others_are_told_how_to_go_on(story: Story) -> None:
    ending = story.endings["others"]
    assert ending.status == 1
    assert (
        "holds an interrupted demo (--residents 200 --days 1 --seed 4 --workers 1)"
        in ending.run.err
    )
    assert "Traceback" not in ending.run.err


def test_a_second_one_at_once_is_refused(story: Story) -> None:
    ending = story.endings["second"]
    assert ending.status == 1
    assert "another demo is running in" in ending.run.err


def test_the_same_command_goes_on_to_a_good_end(story: Story) -> None:
    ending = story.endings["last"]
    assert ending.status == 0, ending.run.err
    assert ending.run.answer()["reconciled"] is True


def test_the_same_seed_gives_the_same_files(
    story: Story, tmp_path: Path, broker: ProvidedBroker
) -> None:
    arguments = ("demo", *OPTIONS, "--state", str(tmp_path / "state"))
    run = Renkei(tmp_path, arguments, named(broker))
    try:
        assert run.ended() == 0, run.err
    finally:
        run.end()
    assert sent(story.state) == sent(tmp_path / "state")
    assert len(sent(story.state)) > 2 * 20
    assert arrived(story.state) == arrived(tmp_path / "state")
    answers = [run.answer(), story.endings["last"].run.answer()]
    assert answers[0] == answers[1]


def sent(state: Path) -> dict[str, bytes]:
    """Give the files of the days; how answers are shared among files is not determined."""
    files = state.glob("drives/*/processed/*_????_*.csv")
    return {file.name: file.read_bytes() for file in files if file.name.startswith(DAYS)}
