"""Run the demo: city, simulators, broker, hub and adapters, until everything has arrived."""

import contextlib
import datetime as dt
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import adapters
from adapters.simulation.city import City, CityDay
from adapters.simulation.expected import EXPECTED
from adapters.simulation.kit import WrongDelivery
from hub.broker.provide import ProvidedBroker, provide
from hub.broker.topology import apply, plan
from hub.compose import ledger_url, link_settings, load_checked
from hub.demo.attempts import Outcome, attempt, settled
from hub.demo.report import Report
from hub.demo.state import DemoState, Parameters, opened, write_site
from hub.demo.tally import Reading, Source, arrived, content_faults, readings, tally
from hub.edge.delimited import BadFile
from hub.edge.journal import InboundFile, InboundState, inbound_files
from hub.errors import RenkeiError
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.pipeline.judge import JST
from hub.processes import Supervisor, commands_of
from hub.site import HUB_USER, Site, read_secret
from hub.statute.catalogue import Catalogue
from hub.stop import Stop

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
STALL_SECONDS = 60.0
"""When nothing at all has changed for so long, the demo gives up and says what is lacking."""


class Interrupted(RenkeiError):
    """The demo was stopped before it was done; the same command goes on with it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the demo is: records in all files, those read, entries of the ledger."""

    records: int
    read: int
    entries: int


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told: ``say`` gets lines, ``progress`` numbers while it runs."""

    say: Callable[[str], None]
    progress: Callable[[Progress], None]


@dataclass(slots=True)
class _Written:
    """What the simulators have written so far, and who should arrive because of it."""

    files: int = 0
    records: int = 0
    expected: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def run_demo(
    root: Path, parameters: Parameters, watcher: Watcher, stop: Stop
) -> tuple[Report, DemoState]:
    """Run the whole demo once.

    Raises:
        Interrupted: ``stop`` was asked for; the same call goes on with it.
        RenkeiError: the folder, the broker or a part of the hub cannot be used.
    """
    began = time.monotonic()
    with opened(root, parameters) as state, _stage(state, watcher) as stage:
        city_days = City(parameters.residents, parameters.seed).days()
        for day in itertools.islice(city_days, parameters.days + 1):
            stage.live(day)
        stage.try_misdeeds()
        stage.wait_until_quiet(stop)
        report = stage.report(parameters.residents, time.monotonic() - began)
        state.finish(parameters)
        return report, state


def serve_demo(
    root: Path, parameters: Parameters, every: float, watcher: Watcher, stop: Stop
) -> tuple[Report, DemoState]:
    """Run the demo with a new day every few seconds until ``stop``, then drain and report."""
    began = time.monotonic()
    with opened(root, parameters) as state, _stage(state, watcher) as stage:
        for day in City(parameters.residents, parameters.seed).days():
            stage.live(day)
            if day.number == parameters.days:
                stage.try_misdeeds()
            if day.number >= parameters.days:
                watcher.say(f"day {day.number} is written; {stage.progress().entries} entries")
                if stage.idle(every, stop):
                    break
        stop.reset()
        watcher.say("stopping: waiting until everything written has arrived ...")
        stage.wait_until_quiet(stop)
        report = stage.report(parameters.residents, time.monotonic() - began)
        state.finish(parameters)
        return report, state


@contextlib.contextmanager
def _stage(state: DemoState, watcher: Watcher) -> Iterator["_Stage"]:
    with provide(state.broker, watcher.say) as broker:
        systems = adapters.systems()
        vhost = broker.vhost or state.vhost()
        write_site(state, broker, vhost, systems)
        site, catalogue = load_checked(state.site_file)
        _prepare_broker(broker, site, catalogue)
        migrate(ledger_url(site))
        supervisor = Supervisor(state.logs)
        ledger = DatabaseLedger(ledger_url(site))
        try:
            watcher.say(f"starting the hub and the adapters of {', '.join(systems)} ...")
            supervisor.start(commands_of(state.site_file, systems))
            yield _Stage(state, site, catalogue, broker, supervisor, ledger, watcher)
        finally:
            supervisor.stop()
            ledger.close()
        if broker.kind == "configured" and broker.vhost is None:
            with broker.management() as management:
                management.delete("vhosts", vhost)


def _prepare_broker(broker: ProvidedBroker, site: Site, catalogue: Catalogue) -> None:
    passwords = {HUB_USER: read_secret(site.hub.password_file)} | {
        name: read_secret(system.password_file) for name, system in site.systems.items()
    }
    with broker.management() as management:
        topology = plan(catalogue.connected(), site.hub.partitions)
        apply(management, site.broker.vhost, topology, passwords)


@dataclass(slots=True)
class _Stage:
    """Everything that runs, and the simulators' hands on it."""

    state: DemoState
    site: Site
    catalogue: Catalogue
    broker: ProvidedBroker
    supervisor: Supervisor
    ledger: DatabaseLedger
    watcher: Watcher
    written: _Written = field(default_factory=_Written)
    outcomes: list[Outcome] = field(default_factory=list)

    def live(self, day: CityDay) -> None:
        """Let every system write what it has to say about a day."""
        today = dt.datetime.now(JST).date()
        for system in self.site.systems:
            for file in adapters.simulator(system).write(day, self.state.drive(system)):
                self.written.files += 1
                self.written.records += file.records
                self.tend()
        for message_type, scope in EXPECTED.items():
            persons = scope(day, self.site.hub.about_to_reach_days, today)
            self.written.expected[message_type] |= persons
        self.watcher.progress(self.progress())

    def try_misdeeds(self) -> None:
        """Make every attempt that must be refused."""
        self.watcher.say("trying what no statute permits ...")
        for system, settings in self.site.systems.items():
            link = link_settings(self.site, system, settings.password_file, (), prefetch=1)
            for misdeed in adapters.simulator(system).misdeeds():
                self.outcomes.append(attempt(misdeed, link))

    def tend(self) -> None:
        """Start again whatever has died, the private broker included."""
        node = self.broker.node
        if node is not None and not node.alive():
            self.watcher.say("the broker had ended and is started again")
            node.start()
        for name in self.supervisor.tend():
            self.watcher.say(f"{name} had ended and was started again")

    def idle(self, seconds: float, stop: Stop) -> bool:
        """Tend for so long; say whether a stop was asked for."""
        until = time.monotonic() + seconds
        while not stop() and (left := until - time.monotonic()) > 0:
            self.tend()
            stop.wait(min(POLL_SECONDS, left))
        return stop()

    def progress(self) -> Progress:
        """Say how far it is."""
        files = [file for system in self.site.systems for file in self._inbound(system)]
        read = sum(
            file.records if file.state != InboundState.READING else file.confirmed_through
            for file in files
        )
        return Progress(self.written.records, read, self.ledger.size())

    def wait_until_quiet(self, stop: Stop) -> None:
        """Wait until all that was written is read, judged, delivered and receipted.

        Returns as well when nothing has changed for ``STALL_SECONDS``: the report says what
        is lacking.
        """
        seen, changed = None, time.monotonic()
        checked = None
        while True:
            if self.idle(POLL_SECONDS, stop):
                message = "stopped before everything had arrived; the same command goes on with it"
                raise Interrupted(message)
            now = self.progress()
            self.watcher.progress(now)
            if now != seen:
                seen, changed = now, time.monotonic()
                continue
            if now != checked:
                checked = now
                if self._is_done():
                    return
            if time.monotonic() - changed > STALL_SECONDS:
                return

    def _inbound(self, system: str) -> list[InboundFile]:
        journal = self.site.systems[system].journal
        return inbound_files(journal) if journal.exists() else []

    def _is_done(self) -> bool:
        files = [file for system in self.site.systems for file in self._inbound(system)]
        done = sum(file.state == InboundState.DONE for file in files)
        self.outcomes = [settled(outcome, self.ledger) for outcome in self.outcomes]
        if done < self.written.files or not all(outcome.code for outcome in self.outcomes):
            return False
        rows = tally(self.catalogue, self._readings(), self.ledger.counts(), {}, self._attempts())
        return all(row.published + row.attempts == row.judged for row in rows) and all(
            row.accepted == row.delivered == row.receipted for row in rows
        )

    def _readings(self) -> dict[Source, Reading]:
        journals = {system: self._inbound(system) for system in self.site.systems}
        return readings(journals, [adapters.find(system) for system in self.site.systems])

    def _attempts(self) -> list[Source]:
        return [
            Source(outcome.misdeed.as_system, outcome.misdeed.event["type"])
            for outcome in self.outcomes
            if outcome.misdeed.expected_code != "broker"
        ]

    def report(self, residents: int, seconds: float) -> Report:
        """Count everything and say whether it agrees."""
        faults = []
        received = {}
        for system in self.site.systems:
            if adapters.find(system).outbound:
                try:
                    simulator = adapters.simulator(system)
                    received[system] = arrived(simulator.receive(self.state.drive(system)))
                except (WrongDelivery, BadFile) as error:
                    faults.append(f"{system}: {error}")
        rows = tally(
            self.catalogue, self._readings(), self.ledger.counts(), received, self._attempts()
        )
        faults += [fault for row in rows for fault in row.faults()]
        faults += content_faults(self.catalogue, received, self.written.expected)
        read = sum(row.read for row in {row.message_type: row for row in rows}.values())
        if read != self.written.records:
            faults.append(f"the files hold {self.written.records} records, {read} were read")
        persons: set[str] = set().union(*self.written.expected.values())
        return Report(
            flows=rows,
            attempts=self.outcomes,
            entries=self.ledger.size(),
            faults=faults,
            seconds=seconds,
            residents=residents,
            persons_in_scope=len(persons),
        )
