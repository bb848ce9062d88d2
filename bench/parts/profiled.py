"""Runs a command of ``renkei`` with counters around its stages, or under cProfile."""

import cProfile
import json
import pstats
import sys
from pathlib import Path
from typing import Any

from bench.stages import FIRST, Stages, when_first_called


def by_stages(arguments: list[str]) -> dict[str, Any]:
    """Run it with the counters; give what each stage took."""
    stages = Stages()
    stages.install()
    _run(arguments)
    return {
        "stages": stages.settled,
        "messages": stages.settled.get(FIRST, (0, 0, 0))[2],
        "counter_us": stages.cost * 1e6,
        "missing": stages.missing,
    }


def by_functions(arguments: list[str]) -> dict[str, Any]:
    """Run it under cProfile from its first message on; give what took most of its own time."""
    profile = cProfile.Profile()
    when_first_called(profile.enable)
    _run(arguments)
    profile.disable()
    stats = pstats.Stats(profile)
    rows = [
        (_named(file, line, name), calls, own, whole)
        for (file, line, name), (_, calls, own, whole, _) in stats.stats.items()  # type: ignore[attr-defined]
    ]
    return {"functions": sorted(rows, key=lambda row: -row[2])[:60]}


def _named(file: str, line: int, name: str) -> str:
    if file == "~":
        return name  # built in
    return f"{Path(file).parent.name}/{Path(file).name}:{line} {name}"


def _run(arguments: list[str]) -> None:
    from hub.cli.main import main  # noqa: PLC0415 - after the counters are in place

    sys.argv = ["renkei", *arguments]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise


def main() -> int:
    """Run as ordered, and write down what it took."""
    asked = json.load(sys.stdin)
    how = by_stages if asked["how"] == "stages" else by_functions
    found = how(asked["arguments"])
    Path(asked["out"]).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
