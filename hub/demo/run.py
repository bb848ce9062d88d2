"""Run the demo: city, simulators, broker, hub and adapters, until everything has arrived."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import adapters
from hub.broker.apply import apply
from hub.broker.provide import ProvidedBroker, provide
from hub.clock import today
from hub.compose.broker import broker_plan
from hub.compose.checked import load_checked, passwords_of
from hub.compose.ledger import ledger_url, open_ledger
from hub.demo.report import Report
from hub.demo.site_file import CONSOLE, served_commands, write_site
from hub.demo.stage import Interrupted, Stage
from hub.demo.state import DemoState, Parameters, opened
from hub.demo.watch import Watcher
from hub.ledger.schema import migrate
from hub.processes import Supervisor, commands_of, worker_names
from hub.site import Site
from hub.statute.catalogue import Catalogue
from hub.stop import Stop


def run_demo(
    root: Path, parameters: Parameters, watcher: Watcher, stop: Stop
) -> tuple[Report, DemoState]:
    """Run the whole demo once.

    Raises:
        Interrupted: ``stop`` was asked for; the same call goes on with it.
        RenkeiError: the folder, the broker or a part of the hub cannot be used.
    """
    began = time.monotonic()
    with opened(root, parameters) as state, _stage(state, watcher, stop) as stage:
        with _breakable(stop):
            stage.live_until(max(parameters.days, state.lived), stop)
            stage.wait_until_quiet(stop)
            report = stage.report(time.monotonic() - began)
        state.finish()
    return report, state


def serve_demo(  # noqa: PLR0913 - one command's options
    root: Path,
    parameters: Parameters,
    every: float,
    watcher: Watcher,
    stop: Stop,
    *,
    console: bool = False,
) -> tuple[Report, DemoState]:
    """Run the demo with a new day every few seconds until ``stop``, then drain and report.

    With ``console`` the web console runs beside it, with an account for each role.

    Raises:
        Interrupted: ``stop`` was asked for before the first days were written, or again while
            it drained; the same call goes on with it.
        RenkeiError: the folder, the broker or a part of the hub cannot be used.
    """
    began = time.monotonic()
    with (
        opened(root, parameters) as state,
        _stage(state, watcher, stop, console=console) as stage,
    ):
        with _breakable(stop):
            stage.live_until(max(parameters.days, state.lived), stop)
        while not stage.idle(every, stop):
            stage.end_of_day(stop)
            if stop():
                break
            day = stage.live()
            watcher.say(f"day {day} is written; {stage.progress().entries} entries")
        stop.reset()
        watcher.say("stopping: waiting until everything written has arrived ...")
        with _breakable(stop):
            stage.wait_until_quiet(stop)
            report = stage.report(time.monotonic() - began)
        state.finish()
    return report, state


@contextlib.contextmanager
def _breakable(stop: Stop) -> Iterator[None]:
    """Let a signal break off the block.

    Raises:
        Interrupted: it did.
    """
    try:
        with stop.interrupting():
            yield
    except KeyboardInterrupt:
        raise Interrupted from None


@contextlib.contextmanager
def _stage(
    state: DemoState, watcher: Watcher, stop: Stop, *, console: bool = False
) -> Iterator[Stage]:
    with contextlib.ExitStack() as running:
        with _breakable(stop):
            stage = _set_up(state, watcher, running, console=console)
        yield stage
        stage.supervisor.stop()
        stage.discard_broker()


def _set_up(
    state: DemoState, watcher: Watcher, running: contextlib.ExitStack, *, console: bool
) -> Stage:
    broker = running.enter_context(provide(state.broker, watcher.say))
    systems = adapters.systems()
    served = [system for system in systems if adapters.simulator(system).served]
    vhost = broker.vhost or state.vhost()
    ports = write_site(state, broker, vhost, systems, served, console=console)
    site, catalogue = load_checked(state.site_file)
    settled_at = _prepare_broker(broker, site, catalogue)
    migrate(ledger_url(site))
    ledger = open_ledger(site)
    running.callback(ledger.close)
    supervisor = Supervisor(state.logs)
    running.callback(supervisor.stop)
    watcher.say(f"starting the hub and the adapters of {', '.join(systems)} ...")
    workers = worker_names(site.hub.workers)
    supervisor.start(served_commands(state, ports) | commands_of(state.site_file, systems, workers))
    if site.console is not None:
        _start_console(state, site, supervisor, watcher)
    return Stage(state, site, catalogue, broker, supervisor, ledger, watcher, settled_at)


def _start_console(state: DemoState, site: Site, supervisor: Supervisor, watcher: Watcher) -> None:
    from hub.demo.console import make_accounts  # noqa: PLC0415 - most demos have no console

    make_accounts(site, state.accounts)
    if CONSOLE not in supervisor.children:
        supervisor.start_one(CONSOLE, (CONSOLE, "--site", str(state.site_file)))
    port = site.console.port if site.console else 0
    watcher.say(f"the console: http://127.0.0.1:{port}; accounts: {state.accounts}")


def _prepare_broker(broker: ProvidedBroker, site: Site, catalogue: Catalogue) -> float:
    """Bring about the topology; say from when on (monotonic) it may be relied upon.

    The time that new queues need is used to start the processes: nothing is sent before.
    """
    waits: list[float] = []
    with broker.management() as management:
        topology = broker_plan(site, catalogue, today())
        apply(management, site.broker.vhost, topology, passwords_of(site), settle=waits.append)
    return time.monotonic() + sum(waits)
