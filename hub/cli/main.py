"""``renkei``: the hub's command line."""

import importlib.metadata
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hub.cli.broker import app as broker_app
from hub.cli.demo import demo
from hub.cli.ledger import app as ledger_app
from hub.compose import ledger_url, load_checked, run_hub, run_system
from hub.errors import RenkeiError
from hub.ledger.schema import migrate
from hub.processes import Supervisor, commands_of, end_with_parent
from hub.stop import Stop

app = typer.Typer(
    name="renkei",
    help="Renkei Hub: moves residents' data between a city's systems, only as statutes permit.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(broker_app, name="broker")
app.add_typer(ledger_app, name="ledger")
app.command("demo")(demo)

errors = Console(stderr=True)

SiteOption = Annotated[
    Path,
    typer.Option(
        "--site",
        help="The site file (TOML); docs/site-file.md explains it.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]


@app.command()
def version(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False
) -> None:
    """Print the version."""
    number = importlib.metadata.version("renkei-hub")
    typer.echo(json.dumps({"version": number}) if as_json else f"renkei {number}")


@app.command("hub")
def run_worker(site: SiteOption) -> None:
    """Run one hub worker until it is told to stop (SIGTERM drains)."""
    _begin()
    settings, catalogue = load_checked(site)
    run_hub(settings, catalogue, Stop().on_signals())


@app.command("adapter")
def run_one_adapter(
    system: Annotated[str, typer.Argument(help="The system's id, such as resident-registry.")],
    site: SiteOption,
) -> None:
    """Run the channel adapter of one system until it is told to stop."""
    _begin()
    settings, _ = load_checked(site)
    run_system(settings, system, Stop().on_signals())


@app.command("up")
def run_all(
    site: SiteOption,
    logs: Annotated[
        Path | None, typer.Option(help="Folder of the processes' logs; default: beside the site.")
    ] = None,
) -> None:
    """Run the hub and every adapter of the site, each in a process of its own, supervised."""
    _begin()
    settings, _ = load_checked(site)
    migrate(ledger_url(settings))
    stop = Stop().on_signals()
    supervisor = Supervisor(logs or site.resolve().parent / "logs")
    try:
        supervisor.start(commands_of(site, settings.systems))
        errors.print(f"running: {', '.join(supervisor.children)}; logs in {supervisor.folder}")
        while not stop.wait(0.2):
            for name in supervisor.tend():
                errors.print(f"{name} had ended and was started again")
    finally:
        supervisor.stop()


def _begin() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # the link says what matters
    end_with_parent()


def guarded(command: Callable[[], object]) -> int:
    """Run a command; an error of ours is one clear text and exit status 1."""
    try:
        command()
    except RenkeiError as error:
        errors.print(f"renkei: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0


def main() -> None:
    """Run ``renkei``."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
