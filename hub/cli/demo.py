"""``renkei demo``."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.demo.watch import Progress, Watcher
from hub.stop import Stop

if TYPE_CHECKING:
    from rich.console import Console

BY_SIGNAL = 128
"""What shells add to the number of the signal that ended a command."""
DEFAULT_STATE = Path("var/demo")


def demo(  # noqa: PLR0913 - the options of a command
    *,
    residents: Annotated[int, typer.Option(min=50, help="How many residents the city has.")] = 2000,
    days: Annotated[
        int, typer.Option(min=0, help="Days of changes after the initial load; 3 hold every kind.")
    ] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, max=4, help="How many hub workers share the work.")
    ] = 1,
    state: Annotated[
        Path,
        typer.Option(
            help="Folder for everything the demo writes. An interrupted demo goes on in it; "
            "a finished one is replaced."
        ),
    ] = DEFAULT_STATE,
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep running, with new changes, until stopped.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0.5, help="With --serve: seconds between two days.")
    ] = 5.0,
    console: Annotated[
        bool,
        typer.Option("--console", help="With --serve: the web console beside it, with accounts."),
    ] = False,
    as_object: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object on the last line; the rest to stderr."),
    ] = False,
) -> None:
    """Live days of the office in a synthetic city, with a real broker; say whether all agrees.

    Every permitted flow carries data, the systems answer one another, and what arrives is
    compared with what was sent, field by field. The table at the end tells of every flow.

    Exit status: 0 only if everything reconciles and every forbidden attempt was refused, and
    otherwise 1. With --serve, SIGINT or SIGTERM ends it in good order: what was written
    arrives, then comes the report. Meanwhile a file named hold in its folder has processes end
    and stay away, one name a line (`adapter-union`), to see what alerts say. Without it, a
    signal breaks the demo off, with 130 after SIGINT and 143 after SIGTERM, and the same
    command goes on where it was.

    RabbitMQ is taken from RENKEI_BROKER_URL, from this machine, from Docker or from Debian's
    packages, in this order; a private node is stopped at the end. Free ports are taken from 20000
    to 31999, or from RENKEI_PORTS (24000-24999).
    """
    from rich.console import Console  # noqa: PLC0415 - see hub.cli.main

    from hub.demo.report import as_json, print_report  # noqa: PLC0415
    from hub.demo.run import run_demo, serve_demo  # noqa: PLC0415
    from hub.demo.stage import Interrupted  # noqa: PLC0415
    from hub.demo.state import Parameters  # noqa: PLC0415

    if console and not serve:
        raise typer.BadParameter("--console goes with --serve")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    out = Console(stderr=as_object)
    parameters = Parameters(residents, days, seed, workers)
    stop = Stop().on_signals()
    try:
        with _watched(Console(stderr=True)) as watcher:
            if serve:
                report, where = serve_demo(state, parameters, every, watcher, stop, console=console)
            else:
                report, where = run_demo(state, parameters, watcher, stop)
    except Interrupted as interrupted:
        typer.echo(f"renkei: {interrupted}", err=True)
        raise typer.Exit(BY_SIGNAL + (stop.signal or 0)) from None
    print_report(report, where, out)
    if as_object:
        typer.echo(json.dumps(as_json(report), ensure_ascii=False))
    raise typer.Exit(0 if report.reconciled else 1)


@contextmanager
def _watched(console: "Console") -> Iterator[Watcher]:
    """Show lines, and a bar where a person watches."""
    if not console.is_terminal:
        yield Watcher(
            say=lambda line: console.print(line, markup=False, soft_wrap=True),
            progress=lambda _: None,
        )
        return
    from rich.progress import (  # noqa: PLC0415 - see hub.cli.main
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[entries]:,} ledger entries"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("records read", total=None, entries=0)

        def progress(now: Progress) -> None:
            bars.update(task, total=now.records or None, completed=now.read, entries=now.entries)

        yield Watcher(
            say=lambda line: bars.console.print(line, markup=False, soft_wrap=True),
            progress=progress,
        )
