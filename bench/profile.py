"""``make profile``: where the microseconds of one message go.

First a table by stage, taken with counters around the stages in a run at nearly full speed; then
the functions that take most, by cProfile, whose own cost distorts: trust their order more than
their figures. The same move as in ``hub_vs_pika``: one worker, messages of 1 KB, one receiver.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.children import clean_up_when_ended, running
from bench.meter import Meter, Rate
from bench.moves import HUB, Moving, Way
from bench.stand import Stand, stand
from hub.broker.provide import provide
from hub.processes import WORKER, commands_of
from tests.servers.postgresql import DURABLE, PostgresqlServer

MICRO = 1e6
TOP = 25
WIDTH = 110


def main() -> int:
    """Take both profiles and print them."""
    asked = argparse.ArgumentParser(prog="make profile", description=__doc__)
    asked.add_argument("--messages", type=int, default=40_000)
    asked.add_argument("--postgresql", action="store_true", help="the ledger on PostgreSQL")
    asked.add_argument("--folder", type=Path, help="where everything is made, on a real disk")
    options = asked.parse_args()
    clean_up_when_ended()
    console = Console(width=WIDTH)
    with (
        tempfile.TemporaryDirectory(dir=options.folder or "/var/tmp") as name,  # noqa: S108 - /tmp may be memory
        provide(Path(name) / "broker") as broker,
        _ledger(options.postgresql) as ledger,
        stand(Path(name) / "site", broker, ledger=ledger) as place,
        Meter(place.place()) as meter,
    ):
        plain = HUB.move(place, meter, options.messages)
        stages, counted = _profiled(place, meter, options.messages, "stages")
        functions, _ = _profiled(place, meter, options.messages // 2, "functions")
    console.print(_by_stage(stages))
    for line in _notes(stages, plain, counted):
        console.print(line, highlight=False)
    console.print(_by_function(functions, options.messages // 2))
    return 0


@contextmanager
def _ledger(is_postgresql: bool) -> Iterator[str]:  # noqa: FBT001 - private
    if not is_postgresql:
        yield ""
        return
    with PostgresqlServer(DURABLE) as server, server.database() as url:
        yield url


def _profiled(place: Stand, meter: Meter, count: int, how: str) -> tuple[Mapping[str, Any], Rate]:
    out = place.folder / f"{how}.json"
    order = {"arguments": list(commands_of(place.site, ())[WORKER]), "how": how, "out": str(out)}

    @contextmanager
    def watched(at: Stand) -> Iterator[Moving]:
        asked = json.dumps(order).encode()
        with running(["bench.parts.profiled"], at.folder / "profiled.log", asked) as child:
            yield Moving({"hub": child.pid}, child.check)

    rate = Way("the profiled hub", watched, between_hubs_queues=True).move(place, meter, count)
    return json.loads(out.read_text(encoding="utf-8")), rate


def _by_stage(found: Mapping[str, Any]) -> Table:
    messages = found["messages"]
    table = Table(title=f"one message in, one copy out: {messages:,} messages, by stage")
    for name in ("stage", "CPU µs", "wait µs", "calls a message", "share of the time"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    whole = sum(wall for wall, _, _ in found["stages"].values())
    for stage, (wall, cpu, calls) in found["stages"].items():
        waited = max(wall - cpu, 0.0)
        table.add_row(
            stage,
            f"{cpu / messages * MICRO:.1f}",
            f"{waited / messages * MICRO:.1f}",
            f"{calls / messages:.2f}" if calls else "",
            f"{wall / whole:.0%}",
        )
    cpu = sum(cpu for _, cpu, _ in found["stages"].values())
    table.add_section()
    table.add_row(
        "together", f"{cpu / messages * MICRO:.1f}", f"{(whole - cpu) / messages * MICRO:.1f}"
    )
    return table


def _notes(found: Mapping[str, Any], plain: Rate, counted: Rate) -> Iterator[str]:
    calls = sum(calls for _, _, calls in found["stages"].values()) / found["messages"]
    yield (
        f"{plain.a_second:,.0f} messages/s without counters, {counted.a_second:,.0f} with them:"
        f" a counter costs {found['counter_us']:.2f} µs, {calls * found['counter_us']:.1f} µs a"
        f" message, which stand in the table"
    )
    yield f"without counters: {plain.usage.said()} ({plain.usage.full()})"
    if found["missing"]:
        yield f"not counted, for they are not there: {', '.join(found['missing'])}"


def _by_function(found: Mapping[str, Any], messages: int) -> Table:
    table = Table(title="the functions that take most of their own time, by cProfile")
    for name in ("function", "own µs a message", "with what it calls", "calls a message"):
        table.add_column(name, justify="left" if name == "function" else "right")
    for name, calls, own, whole in found["functions"][:TOP]:
        table.add_row(
            name,
            f"{own / messages * MICRO:.1f}",
            f"{whole / messages * MICRO:.1f}",
            f"{calls / messages:.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
