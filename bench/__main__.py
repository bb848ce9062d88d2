"""``make bench``: take the measures in one run, print a table, write bench/results/latest.json.

docs/benchmarks.md says what each of them is. They are written one by one, as they are taken.
"""

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from bench import backlog, events, files, latency, ledger, moves, numbered, sealed, workers
from bench.children import clean_up_when_ended
from bench.measure import RESULTS, Machine, Measure, show, write
from bench.stand import Stand, stand
from hub.broker.provide import ProvidedBroker, provide
from hub.errors import RenkeiError
from tests.servers.postgresql import DURABLE, PostgresqlServer

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What every part of a run needs; ``wanted`` are the names of measures that are asked for."""

    options: argparse.Namespace
    folder: Path
    broker: ProvidedBroker
    wanted: Collection[str]
    say: Say

    @contextmanager
    def stand(
        self,
        name: str,
        *,
        ledger: str = "",
        hub: Mapping[str, int] | None = None,
        systems: Sequence[str] = (events.SENDER, events.RECEIVER),
    ) -> Iterator[Stand]:
        """Make a site of its own on the run's broker."""
        folder = self.folder / name
        with stand(folder, self.broker, ledger=ledger, hub=hub, systems=systems) as made:
            yield made


def _moves(run: Run) -> Iterator[Measure]:
    options, wanted = run.options, set(run.wanted)
    lacking = "hub_vs_faststream" in wanted and find_spec("faststream") is None
    with run.stand("moves") as place:
        wanted -= {"hub_vs_faststream"} if lacking else set()
        yield from moves.measures(place, wanted, options.messages, options.rounds, run.say)
    if lacking:
        raise RuntimeError("FastStream is not installed: hub_vs_faststream is left out")


def _sealed(run: Run) -> Iterator[Measure]:
    options = run.options
    with run.stand("sealed", systems=(numbered.SENDER, events.RECEIVER)) as place:
        yield from sealed.measures(place, options.messages, options.rounds, run.say)


def _latency(run: Run) -> Iterator[Measure]:
    with run.stand("latency") as place:
        yield from latency.measures(place, run.options.seconds, run.say)


def _workers(run: Run) -> Iterator[Measure]:
    options, turns = run.options, itertools.count()
    with PostgresqlServer(DURABLE) as server:

        @contextmanager
        def made(count: int) -> Iterator[Stand]:
            settings = {"workers": count, "partitions": workers.PARTITIONS}
            with (
                server.database() as url,
                run.stand(f"workers-{count}-{next(turns)}", ledger=url, hub=settings) as place,
            ):
                yield place

        yield from workers.measures(made, server.pid, options.messages, options.rounds, run.say)


def _files(run: Run) -> Iterator[Measure]:
    yield from files.measures(run.folder / "files", run.broker, run.options.records, run.say)


def _backlog(run: Run) -> Iterator[Measure]:
    with run.stand("backlog") as place:
        options = run.options
        yield from backlog.measures(place, options.backlog, options.messages, run.say)


def _ledger_sqlite(run: Run) -> Iterator[Measure]:
    url = f"sqlite:///{run.folder}/ledger.sqlite3"
    yield from ledger.measures("sqlite", url, run.options.entries, 20_000, run.say)


def _ledger_postgresql(run: Run) -> Iterator[Measure]:
    with PostgresqlServer(DURABLE) as server, server.database() as url:
        entries = run.options.entries_postgresql
        yield from ledger.measures("postgresql", url, entries, 10_000, run.say)


@dataclass(frozen=True, slots=True)
class Part:
    """Measures that are taken together."""

    title: str
    names: Collection[str]
    take: Callable[[Run], Iterator[Measure]]


PARTS = (
    Part("moving messages", tuple(moves.REFERENCES), _moves),
    Part("numbers under seal", (sealed.NAME,), _sealed),
    Part("latency", ("latency_p50_ms", "latency_p99_ms"), _latency),
    Part("several workers", ("workers_2_vs_1",), _workers),
    Part("file to file", ("file_to_file_records_per_s", "process_memory_mb"), _files),
    Part("above a backlog", ("backlog_1m_vs_empty",), _backlog),
    Part(
        "the ledger on SQLite",
        (
            "ledger_append_sqlite",
            "ledger_append_10m_vs_10k",
            "ledger_verify_per_s",
            "ledger_bytes_per_entry",
            "ledger_search_slowest_sqlite",
        ),
        _ledger_sqlite,
    ),
    Part(
        "the ledger on PostgreSQL",
        (
            "ledger_append_postgresql",
            "ledger_append_postgresql_large",
            "ledger_verify_per_s_postgresql",
            "ledger_bytes_per_entry_postgresql",
            "ledger_search_slowest_postgresql",
        ),
        _ledger_postgresql,
    ),
)


def main() -> int:
    """Run the benchmarks.

    Exit status 0 also where a target is missed, since it is told; 1 where a measure could not be
    taken.
    """
    options = _options().parse_args()
    clean_up_when_ended()
    console = Console(stderr=True)
    machine = Machine.look()
    taken: list[Measure] = []
    failed: list[str] = []
    begun = time.monotonic()

    def say(line: str) -> None:
        console.print(f"{time.monotonic() - begun:5.0f} s  {line}", style="dim", highlight=False)

    with (
        tempfile.TemporaryDirectory(dir=options.folder or "/var/tmp") as name,  # noqa: S108 - /tmp may be memory
        provide(Path(name) / "broker", say) as broker,
    ):
        for part in PARTS:
            wanted = {one for one in part.names if not options.only or one in options.only}
            if not wanted:
                continue
            say(f"{part.title} ...")
            run = Run(options, Path(name), broker, wanted, say)
            try:
                for one in part.take(run):
                    taken.append(one)
                    console.print(f"{one.name}: {one.value:,.4g} {one.unit}", highlight=False)
                    write(taken, machine)
            except (RuntimeError, RenkeiError, OSError) as error:
                failed.append(part.title)
                console.print(f"{part.title}: {error}", style="red", highlight=False, markup=False)
    show(taken, Console())
    console.print(f"written: {RESULTS}", highlight=False)
    for title in failed:
        console.print(f"could not be taken: {title}", style="red")
    return 1 if failed else 0


def _options() -> argparse.ArgumentParser:
    names = [name for part in PARTS for name in part.names]
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="NAME",
        help=f"take this measure and those taken with it: {', '.join(names)}",
    )
    asked.add_argument("--messages", type=int, default=50_000, help="moved in each round")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--seconds", type=int, default=20, help="how long latency is measured")
    asked.add_argument("--records", type=int, default=300_000, help="from file to file")
    asked.add_argument("--backlog", type=int, default=1_000_000)
    asked.add_argument("--entries", type=int, default=10_000_000, help="ledger on SQLite")
    asked.add_argument("--entries-postgresql", type=int, default=1_000_000)
    asked.add_argument("--folder", type=Path, help="where everything is made, on a real disk")
    return asked


if __name__ == "__main__":
    sys.exit(main())
