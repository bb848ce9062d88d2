"""``make fuzz``: every parser of outside data under many inputs, at low priority, on all cores.

Prints for each target and engine how many inputs there were, how fast, and what was found.
Exit status: 0 nothing was found; 1 something was, and the inputs are in ``var/fuzz``.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import engines

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "fuzz"
INPUTS = 10_000_000
ATHERIS, MUTATE, HYPOTHESIS = "atheris", "mutate", "hypothesis"
# What hypothesis makes is slow and varied; what atheris makes is led by what it reaches.
SHARES = {ATHERIS: 0.30, HYPOTHESIS: 0.01, MUTATE: 0.69}
FEWEST = 200
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*([0-9]+)", re.MULTILINE)
_LINES_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Job:
    """So many inputs for a target by one engine."""

    target: str
    engine: str
    inputs: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job; ``finding`` is empty where nothing was found."""

    job: Job
    given: int
    seconds: float
    finding: str


def main() -> int:
    """Run the whole, or one job of it."""
    asked = _asked()
    if asked.one:
        _one(Job(*asked.one[:2], int(asked.one[2])))
        return 0
    jobs = list(_jobs(asked.target, asked.inputs))
    _say(f"{len(jobs)} jobs on {asked.jobs} cores; findings go to {FOLDER}")
    began = time.monotonic()
    with ThreadPoolExecutor(asked.jobs) as pool:
        running = [pool.submit(_run, job) for job in jobs]
        results = [_told(done.result()) for done in as_completed(running)]
    seconds, given = time.monotonic() - began, sum(result.given for result in results)
    found = [result for result in results if result.finding]
    rate = given / seconds
    _say(f"{given:,} inputs in {seconds:,.0f} s ({rate:,.0f}/s), {len(found)} findings")
    for result in found:
        _say(f"\n{result.job.target} by {result.job.engine}:\n{result.finding}")
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=INPUTS, help="of all targets together")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    parser.add_argument("--target", action="append", help="only this one; may be given again")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _jobs(chosen: Sequence[str] | None, inputs: int) -> Iterator[Job]:
    """Share the inputs out; the slowest engine first, so that no core is idle at the end."""
    from tests.fuzz.targets import targets  # noqa: PLC0415 - see tests.fuzz.engines

    known = targets()
    wanted = {name: one for name, one in known.items() if not chosen or name in chosen}
    if not wanted:
        sys.exit(f"there is no such target; there are {', '.join(known)}")
    shares = dict(SHARES)
    if find_spec(ATHERIS) is None:
        _say("atheris is not installed: its inputs are made without it")
        shares[MUTATE] += shares.pop(ATHERIS)
    whole = sum(one.weight for one in wanted.values())
    for engine, share in shares.items():
        for name, one in wanted.items():
            yield Job(name, engine, max(FEWEST, math.ceil(inputs * share * one.weight / whole)))


def _run(job: Job) -> Result:
    command = [sys.executable, "-m", "tests.fuzz", "--one", job.target, job.engine, str(job.inputs)]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
    )
    seconds = time.monotonic() - began
    said = done.stdout + done.stderr
    executed = _EXECUTED.search(said)
    given = int(executed[1]) if executed else _counted(done.stdout)
    finding = "" if done.returncode == 0 else "\n".join(said.splitlines()[-_LINES_SHOWN:])
    return Result(job, given, seconds, finding)


def _counted(said: str) -> int:
    try:
        return int(json.loads(said.splitlines()[-1])["inputs"])
    except (IndexError, KeyError, ValueError):
        return 0


def _told(result: Result) -> Result:
    job, rate = result.job, result.given / max(result.seconds, 0.001)
    word = "FOUND" if result.finding else "ok"
    line = f"{job.target:14} {job.engine:10} {result.given:>10,} {rate:>8,.0f}/s  {word}"
    _say(line)
    return result


def _one(job: Job) -> None:
    def target() -> "engines.Target":
        from tests.fuzz.targets import targets  # noqa: PLC0415 - see tests.fuzz.engines

        return targets()[job.target]

    match job.engine:
        case "atheris":
            engines.by_atheris(target, job.inputs, FOLDER / "corpus" / job.target)
        case "hypothesis":
            _say(json.dumps({"inputs": engines.by_hypothesis(target(), job.inputs)}))
        case _:
            _say(json.dumps({"inputs": engines.mutate(target(), job.inputs)}))


if __name__ == "__main__":
    sys.exit(main())
