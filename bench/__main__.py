"""``make bench``: take all measures in one run, print a table, write bench/results/latest.json."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bench import ledger, moves
from bench.measure import RESULTS, Measure, show, write
from tests.servers.postgresql import DURABLE, PostgresqlServer


def main() -> int:
    """Run the benchmarks; exit status 0 also where a target is missed, since it is told."""
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument("--entries", type=int, default=10_000_000, help="ledger on SQLite")
    asked.add_argument("--entries-postgresql", type=int, default=1_000_000)
    asked.add_argument("--messages", type=int, default=30_000, help="moved by hub and references")
    asked.add_argument("--folder", type=Path, help="where the ledgers are made, on a real disk")
    options = asked.parse_args()
    console = Console(stderr=True)
    taken: list[Measure] = []

    def take(measures: Iterator[Measure]) -> None:
        # Told and written one by one: a later one may take long, or fail.
        for one in measures:
            taken.append(one)
            console.print(f"{one.name}: {one.value:,.4g} {one.unit}", highlight=False)
            write(taken)

    def say(line: str) -> None:
        console.print(line, style="dim", highlight=False)

    with tempfile.TemporaryDirectory(dir=options.folder or "/var/tmp") as folder:  # noqa: S108 - /tmp may be memory
        console.print("moving messages ...")
        take(moves.measures(Path(folder), options.messages))
        console.print("the ledger on SQLite ...")
        url = f"sqlite:///{folder}/ledger.sqlite3"
        take(ledger.measures("sqlite", url, options.entries, 20_000, say))
    console.print("the ledger on PostgreSQL ...")
    with PostgresqlServer(DURABLE) as server, server.database() as url:
        take(ledger.measures("postgresql", url, options.entries_postgresql, 10_000, say))
    show(taken, Console())
    console.print(f"written: {RESULTS}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
