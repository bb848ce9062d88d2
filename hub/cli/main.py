"""``renkei``: the hub's command line.

Each command imports what it needs when it runs: a supervisor starts many such processes, and
an adapter's must not wait for the database's libraries.
"""

import importlib.metadata
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.broker import app as broker_app
from hub.cli.check import check
from hub.cli.confirmations import app as confirmations_app
from hub.cli.console import app as console_app
from hub.cli.dead_letters import app as dead_letters_app
from hub.cli.demo import demo
from hub.cli.docs import docs
from hub.cli.doctor import doctor
from hub.cli.explain import explain
from hub.cli.flows import flows
from hub.cli.keys import app as keys_app
from hub.cli.layouts import app as layouts_app
from hub.cli.ledger import app as ledger_app
from hub.cli.maintenance import app as maintenance_app
from hub.cli.options import SiteOption
from hub.cli.pki_revoke import app as pki_app
from hub.cli.replay_rules import replay_rules
from hub.cli.review import review
from hub.cli.rules import rules
from hub.cli.simulate import simulate
from hub.cli.site import app as site_app
from hub.cli.targets import targets
from hub.cli.top import top
from hub.errors import QuestionError, RenkeiError
from hub.processes import (
    WORKER,
    Supervisor,
    commands_of,
    end_with_parent,
    no_dumps,
    worker_names,
)
from hub.stop import WITHIN_SECONDS, Stop
from monitoring.logs import TEXT, log_as

if TYPE_CHECKING:
    from hub.site import Site

app = typer.Typer(
    name="renkei",
    help="Renkei Hub: moves residents' data between a city's systems, only as statutes permit.\n\n"
    "Exit status: 0 done; 1 it could not be done, and the text on stderr says why; 2 the "
    "command line is wrong.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # paragraphs are filled anew to the width of the terminal
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(broker_app, name="broker")
app.add_typer(keys_app, name="keys")
app.add_typer(layouts_app, name="layouts")
app.add_typer(ledger_app, name="ledger")
app.add_typer(confirmations_app, name="confirmations")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(console_app, name="console")
app.add_typer(maintenance_app, name="maintenance")
app.add_typer(pki_app, name="pki")
app.add_typer(site_app, name="site")
app.command("demo")(demo)
app.command("simulate")(simulate)
app.command("flows")(flows)
app.command("explain")(explain)
app.command("check")(check)
app.command("replay-rules")(replay_rules)
app.command("review")(review)
app.command("docs")(docs)
app.command("doctor")(doctor)
app.command("targets")(targets)
app.command("rules")(rules)
app.command("top")(top)

PRIVATE = 0o077
"""The umask: what is written is the hub's own, the ledger above all."""
SHARED = 0o027
"""The umask of an adapter, whose folders the connected system's group may enter."""
TEND_SECONDS = 0.2
SUPERVISOR_SECONDS = 9.7
"""A supervisor ends so long after it was asked to: its children have all ended by then."""


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it like this
    if wanted:
        typer.echo(f"renkei {_version()}")
        raise typer.Exit


def _version() -> str:
    return importlib.metadata.version("renkei-hub")


@app.callback()
def _renkei(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command("version")
def show_version(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False
) -> None:
    """Print the version."""
    typer.echo(json.dumps({"version": _version()}) if as_json else f"renkei {_version()}")


@app.command("hub")
def run_worker(
    site: SiteOption,
    name: Annotated[
        str,
        typer.Option(help="The worker's own name; no two that run at a time have the same."),
    ] = WORKER,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help="Port of its metrics and health; by default the site file's for this name, or "
            "for another name the first free one of worker_metrics_ports that no worker of "
            "renkei up has.",
        ),
    ] = None,
) -> None:
    """Run one hub worker until it is told to stop.

    Several workers, on one machine or more, share the site's partitions among themselves by
    their names; one that comes or goes needs nothing done to the others. A name that is alive
    already is refused: exit status 1.

    SIGTERM or SIGINT lets it end the batch that it is at: exit status 0. A second one ends it
    at once; what it had not acknowledged comes again.
    """
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see this module's docstring
    from hub.compose.shares import worker_of  # noqa: PLC0415
    from hub.compose.worker import run_hub  # noqa: PLC0415

    stop = begin()
    settings, catalogue = load_checked(site, {"hub"})
    log_as(settings.logs, name)
    run_hub(site, settings, catalogue, stop, worker_of(settings, name, metrics_port))


def _systems() -> list[str]:
    import adapters  # noqa: PLC0415 - only for completion

    return list(adapters.systems())


@app.command("adapter")
def run_one_adapter(
    system: Annotated[
        str,
        typer.Argument(
            help="The system's id, such as resident-registry.",
            autocompletion=_systems,
            show_default=False,
        ),
    ],
    site: SiteOption,
) -> None:
    """Run the channel adapter of one system until it is told to stop.

    SIGTERM or SIGINT lets it end what it is at: exit status 0. A second one ends it at once;
    nothing is lost or sent twice by that.
    """
    from hub.compose.checked import load_checked, system_of  # noqa: PLC0415
    from hub.compose.system import run_system  # noqa: PLC0415

    stop = begin()
    os.umask(SHARED)
    settings, catalogue = load_checked(site, {system})
    system_of(settings, system)
    log_as(settings.logs, system)
    run_system(site, settings, catalogue, system, stop)


@app.command("up")
def run_all(
    site: SiteOption,
    logs: Annotated[
        Path | None,
        typer.Option(help="Folder of the processes' logs; default: logs beside the site file."),
    ] = None,
) -> None:
    """Run the hub, the watch, every adapter and the console of the site, supervised.

    Each is a process of its own; the hub has as many as hub.workers says, and there is a console
    where the site file has one. One that ends is started again. SIGTERM or SIGINT
    lets all of them drain and end: exit status 0. It makes the ledger of a new site; one with an
    older schema it leaves alone: exit status 1. So it does where the site runs already.
    """
    from hub.compose.checked import load_checked  # noqa: PLC0415
    from hub.compose.ledger import begin_ledger  # noqa: PLC0415
    from hub.compose.running import the_only_one, wait_for_none  # noqa: PLC0415

    stop = begin(SUPERVISOR_SECONDS)
    _say("checking the site ...")
    settings, _ = load_checked(site)
    log_as(settings.logs, "up")
    folder = logs or site.resolve().parent / "logs"
    with the_only_one(folder):
        wait_for_none(settings, stop, _say)
        if begin_ledger(settings):
            _say("made the empty ledger of a new site")
        _supervise(site, settings, Supervisor(folder), stop)


def _supervise(site: Path, settings: "Site", supervisor: Supervisor, stop: Stop) -> None:
    """Run a site's processes until it is time to stop."""
    try:
        if not stop():
            workers = worker_names(settings.hub.workers)
            has_console = settings.console is not None
            commands = commands_of(site, settings.systems, workers, console=has_console)
            supervisor.start(commands)
            _say(f"running: {', '.join(supervisor.children)}; logs in {supervisor.folder}")
        while not stop.wait(TEND_SECONDS):
            for name in supervisor.tend():
                ended = supervisor.children[name].ended
                _say(f"{name} {ended} and was started again; see its log")
        _say("stopping: each process ends what it is at ...")
    finally:
        supervisor.stop()


def _say(line: str, colour: str | None = None) -> None:
    typer.secho(line, err=True, fg=None if os.environ.get("NO_COLOR") else colour)


def begin(within: float = WITHIN_SECONDS) -> Stop:
    """Log to stderr, listen to signals, and end with the supervisor if there is one.

    Asked to stop, the process ends ``within`` so many seconds, whatever it hangs in.
    """
    logging.basicConfig(level=logging.INFO, format=TEXT)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # the link says what matters
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = Stop().on_signals().end_within(within)
    end_with_parent()
    return stop


def guarded(command: Callable[[], object]) -> int:
    """Run a command; an error of ours is one clear text and exit status 1, or 2 if asked wrong."""
    try:
        command()
    except RenkeiError as error:
        _say(f"renkei: {error}", "red")
        return 2 if isinstance(error, QuestionError) else 1
    return 0


def main() -> None:
    """Run ``renkei``."""
    os.umask(PRIVATE)
    no_dumps()
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
