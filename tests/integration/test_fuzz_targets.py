"""A short run of what ``make fuzz`` does at length, and that a finding is one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz.__main__ import Job, Result
from tests.fuzz.engines import by_hypothesis, mutate
from tests.fuzz.targets import Finding, Target, targets

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TARGETS = targets()


@pytest.mark.parametrize("name", TARGETS)
def test_changed_bytes_end_in_an_answer_or_a_clear_error(name: str) -> None:
    assert mutate(TARGETS[name], 1500) == 1500


@pytest.mark.parametrize("name", TARGETS)
def test_what_hypothesis_makes_ends_in_an_answer_or_a_clear_error(name: str) -> None:
    assert by_hypothesis(TARGETS[name], 60) >= 60


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_begins_with_inputs_that_are_read(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    assert seeds
    for seed in seeds:
        target.feed(seed)


def _harmed(data: bytes) -> None:
    if data != b"sound":
        raise Finding("it was changed")


HARMED = Target("harmed", 1, _harmed, lambda: [b"sound"])


@pytest.mark.parametrize("engine", [mutate, by_hypothesis])
def test_a_finding_is_raised(engine: object) -> None:
    with pytest.raises(Finding):
        engine(HARMED, 200)  # type: ignore[operator] # one of two functions


def test_a_job_of_the_long_run_says_how_many_inputs_it_gave() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--one", "dates", "mutate", "300"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"inputs": 300}


def test_a_finding_ends_the_long_run_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job("harmed", "mutate", 200)
    results = iter([Result(job, 150, 1.0, ""), Result(job, 50, 1.0, "it was changed")])
    monkeypatch.setattr(fuzz, "_run", lambda _: next(results))
    monkeypatch.setattr(fuzz, "_jobs", lambda *_: [job, job])
    monkeypatch.setattr(sys, "argv", ["fuzz", "--jobs", "1"])
    assert fuzz.main() == 1
    said = capsys.readouterr().out
    assert "200 inputs" in said
    assert "1 findings" in said
    assert "it was changed" in said
