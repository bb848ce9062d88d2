"""Run the demo: city, simulators, broker, hub and adapters, until everything has arrived."""

import contextlib
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

import adapters
from adapters.simulation.city import City, CityDay
from adapters.simulation.expected import EXPECTED
from adapters.simulation.kit import Misdeed, WrongDelivery
from hub.broker.apply import apply
from hub.broker.link import LinkSettings
from hub.broker.provide import ProvidedBroker, provide
from hub.clock import today
from hub.compose.broker import broker_plan
from hub.compose.certified import reconciled
from hub.compose.checked import load_checked, passwords_of
from hub.compose.ledger import ledger_url, open_ledger
from hub.compose.links import link_settings
from hub.compose.reconcile import look, opened_sides, waiting_of
from hub.demo.attempts import Outcome, attempt, settled
from hub.demo.drives import Drive, set_aside
from hub.demo.report import Report
from hub.demo.state import DemoState, Parameters, opened, write_site
from hub.demo.tally import Arrived, arrived, content_faults, tally
from hub.demo.watch import Progress, Watcher
from hub.edge.files import PRIVATE_MODE, write_whole
from hub.edge.form import BadFile
from hub.edge.journal import InboundFile, InboundState, inbound_files
from hub.errors import LinkLost, RenkeiError
from hub.ledger.model import Kind
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Span
from hub.message import AccessItems
from hub.processes import Supervisor, commands_of
from hub.reconcile.model import Gap, Waiting
from hub.reconcile.report import flow_lines
from hub.site import Site
from hub.statute.catalogue import Catalogue
from hub.stop import Stop

POLL_SECONDS = 0.2
MISDEED_TRIES = 10
TELL_SECONDS = 10.0
STALL_SECONDS = 60.0
"""When nothing at all has changed for so long, the demo gives up and says what is lacking."""
GAPS_SHOWN = 50
DEMO = AccessItems(staff="renkei demo", operation="ledger reconcile")


class Interrupted(RenkeiError):
    """The demo was stopped before it was done; the same command goes on with it."""

    def __init__(self) -> None:
        super().__init__(
            "the demo was stopped before everything had arrived; "
            "the same command goes on where it was"
        )


@dataclass(slots=True)
class _Written:
    """What the simulators have written so far, and who should arrive because of it.

    ``files`` has the number of records by system and file name.
    """

    files: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    expected: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def records(self) -> int:
        return sum(sum(files.values()) for files in self.files.values())


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
            stage.live_until(max(parameters.days, state.lived))
            stage.wait_until_quiet(stop)
            report = stage.report(time.monotonic() - began)
        state.finish()
    return report, state


def serve_demo(
    root: Path, parameters: Parameters, every: float, watcher: Watcher, stop: Stop
) -> tuple[Report, DemoState]:
    """Run the demo with a new day every few seconds until ``stop``, then drain and report.

    Raises:
        Interrupted: ``stop`` was asked for before the first days were written, or again while
            it drained; the same call goes on with it.
        RenkeiError: the folder, the broker or a part of the hub cannot be used.
    """
    began = time.monotonic()
    with opened(root, parameters) as state, _stage(state, watcher, stop) as stage:
        with _breakable(stop):
            stage.live_until(max(parameters.days, state.lived))
        while not stage.idle(every, stop):
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
def _stage(state: DemoState, watcher: Watcher, stop: Stop) -> Iterator["_Stage"]:
    with contextlib.ExitStack() as running:
        with _breakable(stop):
            stage = _set_up(state, watcher, running)
        yield stage
        stage.supervisor.stop()
        stage.discard_broker()


def _set_up(state: DemoState, watcher: Watcher, running: contextlib.ExitStack) -> "_Stage":
    broker = running.enter_context(provide(state.broker, watcher.say))
    systems = adapters.systems()
    write_site(state, broker, broker.vhost or state.vhost(), systems)
    site, catalogue = load_checked(state.site_file)
    settled_at = _prepare_broker(broker, site, catalogue)
    migrate(ledger_url(site))
    ledger = open_ledger(site)
    running.callback(ledger.close)
    supervisor = Supervisor(state.logs)
    running.callback(supervisor.stop)
    watcher.say(f"starting the hub and the adapters of {', '.join(systems)} ...")
    supervisor.start(commands_of(state.site_file, systems))
    return _Stage(state, site, catalogue, broker, supervisor, ledger, watcher, settled_at)


def _prepare_broker(broker: ProvidedBroker, site: Site, catalogue: Catalogue) -> float:
    """Bring about the topology; say from when on (monotonic) it may be relied upon.

    The time that new queues need is used to start the processes: nothing is sent before.
    """
    waits: list[float] = []
    with broker.management() as management:
        topology = broker_plan(site, catalogue, today())
        apply(management, site.broker.vhost, topology, passwords_of(site), settle=waits.append)
    return time.monotonic() + sum(waits)


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
    settled_at: float
    written: _Written = field(default_factory=_Written)
    outcomes: list[Outcome] = field(default_factory=list)
    days: Iterator[CityDay] = field(init=False)

    def __post_init__(self) -> None:
        parameters = self.state.parameters
        self.days = City(parameters.residents, parameters.seed).days()

    def live_until(self, last: int) -> None:
        """Live from day 0 to this one, and make the forbidden attempts then."""
        time.sleep(max(0.0, self.settled_at - time.monotonic()))
        while self.live() < last:
            pass
        self.try_misdeeds()

    def live(self) -> int:
        """Let every system write what it has to say about the next day; give its number."""
        day = next(self.days)
        self.state.begin_day(day.number)
        for system in self.site.systems:
            for file in adapters.simulator(system).write(day, self.state.drive(system)):
                self.written.files[system][file.path.name] = file.records
                self.tend()
        now = today()
        for message_type, scope in EXPECTED.items():
            persons = scope(day, self.site.hub.about_to_reach_days, now)
            self.written.expected[message_type] |= persons
        self.watcher.progress(self.progress())
        return day.number

    def try_misdeeds(self) -> None:
        """Make every attempt that must be refused; again, where the broker ends meanwhile."""
        self.watcher.say("trying what no statute permits ...")
        again = Retrying(
            retry=retry_if_exception_type(LinkLost),
            wait=wait_fixed(POLL_SECONDS),
            stop=stop_after_attempt(MISDEED_TRIES),
            reraise=True,
        )
        for system, settings in self.site.systems.items():
            link = link_settings(self.site, system, settings.password_file, (), prefetch=1)
            for misdeed in adapters.simulator(system).misdeeds():
                self.outcomes.append(again(self._try, misdeed, link))

    def _try(self, misdeed: Misdeed, link: LinkSettings) -> Outcome:
        self.tend()
        return attempt(misdeed, link)

    def tend(self) -> None:
        """Start again whatever has died, the private broker included."""
        node = self.broker.node
        if node is not None and not node.alive():
            self.watcher.say("the broker had ended and is started again")
            node.start()
        for name in self.supervisor.tend():
            ended = self.supervisor.children[name].ended
            self.watcher.say(f"{name} {ended} and was started again")

    def idle(self, seconds: float, stop: Stop) -> bool:
        """Tend for so long; say whether a stop was asked for."""
        until = time.monotonic() + seconds
        while not stop() and (left := until - time.monotonic()) > 0:
            self.tend()
            stop.wait(min(POLL_SECONDS, left))
        return stop()

    def progress(self) -> Progress:
        """Say how far it is."""
        read = sum(
            file.records if file.state != InboundState.READING else file.confirmed_through
            for files in self._journals().values()
            for file in files
        )
        return Progress(self.written.records, read, self.ledger.size())

    def wait_until_quiet(self, stop: Stop) -> None:
        """Wait until all that was written is read, judged, delivered and receipted.

        Returns as well when nothing has changed for ``STALL_SECONDS``: the report says what
        is lacking.

        Raises:
            Interrupted: ``stop`` was asked for.
        """
        seen, changed = None, time.monotonic()
        checked = None
        tell_at = TELL_SECONDS
        while True:
            if self.idle(POLL_SECONDS, stop):
                raise Interrupted
            progress = self.progress()
            self.watcher.progress(progress)
            now = (progress, self._all_read())
            if now != seen:
                seen, changed, tell_at = now, time.monotonic(), TELL_SECONDS
                continue
            if now != checked:
                checked = now
                if self._is_done():
                    return
            still = time.monotonic() - changed
            if still > STALL_SECONDS:
                return
            if still > tell_at:
                tell_at += TELL_SECONDS
                self.watcher.say(
                    f"nothing has changed for {still:.0f} s: {progress.read} of "
                    f"{progress.records} records are read, {progress.entries} entries recorded; "
                    f"giving up after {STALL_SECONDS:.0f} s"
                )

    def _journals(self) -> dict[str, list[InboundFile]]:
        journals = {name: system.journal for name, system in self.site.systems.items()}
        return {
            name: inbound_files(journal) if journal.exists() else []
            for name, journal in journals.items()
        }

    def _drives(self) -> Iterator[Drive]:
        for system, files in self._journals().items():
            aside = set_aside(self.state.drive(system))
            yield Drive(system, self.written.files[system], files, aside)

    def _all_read(self) -> bool:
        """Say whether every file of the demo, and every other one begun, is read and put away."""
        journals = self._journals()
        if any(file.state != InboundState.DONE for files in journals.values() for file in files):
            return False
        read = {(system, file.name) for system, files in journals.items() for file in files}
        own = {(system, name) for system, files in self.written.files.items() for name in files}
        return own <= read

    def _is_done(self) -> bool:
        self.outcomes = [settled(outcome, self.ledger) for outcome in self.outcomes]
        if not self._all_read() or not all(outcome.code for outcome in self.outcomes):
            return False
        moved = Counter[Kind]()
        for count in self.ledger.counts():
            moved[count.kind] += count.count
        return moved[Kind.DELIVERY] == moved[Kind.RECEIPT] and self._is_settled()

    def _is_settled(self) -> bool:
        with (
            opened_sides(self.site, self.catalogue, self.ledger) as sides,
            look(sides, Span(), lambda: None) as sheet,  # nothing under way: no queue to ask
        ):
            return sheet.is_settled

    def report(self, seconds: float) -> Report:
        """Reconcile everything, look into the receivers' files, and say whether it agrees."""
        received, faults = self._received()
        with reconciled(
            self.site,
            self.catalogue,
            self.ledger,
            None,
            ask=self._ask_broker,
            access=DEMO,
        ) as result:
            write_whole(self.state.certificate, result.document, PRIVATE_MODE)
            rows = tally(flow_lines(result.sheet), received)
            if result.head.no_broker:
                faults.append(result.head.no_broker)
            faults += map(_said, itertools.islice(result.sheet.gaps, GAPS_SHOWN))
        drives = list(self._drives())
        faults += [fault for drive in drives for fault in drive.faults()]
        faults += [fault for row in rows for fault in row.faults()]
        faults += content_faults(self.catalogue, received, self.written.expected)
        persons: set[str] = set().union(*self.written.expected.values())
        return Report(
            flows=rows,
            attempts=self.outcomes,
            entries=self.ledger.size(),
            faults=faults,
            seconds=seconds,
            residents=self.state.parameters.residents,
            persons_in_scope=len(persons),
            strangers=[line for drive in drives for line in drive.strangers()],
        )

    def _received(self) -> tuple[dict[str, Arrived], list[str]]:
        """Read every receiver's files; a system that got what it must not have is a fault."""
        faults: list[str] = []
        received = {}
        for system in self.site.systems:
            if adapters.find(system).outbound:
                try:
                    simulator = adapters.simulator(system)
                    received[system] = arrived(simulator.receive(self.state.drive(system)))
                except (WrongDelivery, BadFile) as error:
                    faults.append(f"{system}: {error}")
        return received, faults

    def _ask_broker(self) -> Waiting:
        with self.broker.management() as management:
            return waiting_of(management, self.site, self.catalogue)

    def discard_broker(self) -> None:
        """End what the broker keeps for a demo that is over: nobody reads it again."""
        if self.broker.node is not None:
            self.broker.node.kill()  # in good order it takes seconds, to save what is not needed
        elif self.broker.kind == "configured" and self.broker.vhost is None:
            with self.broker.management() as management:
                management.delete("vhosts", self.site.broker.vhost)


def _said(gap: Gap) -> str:
    where = f" ({gap.flow} to {gap.receiver})" if gap.receiver else ""
    return f"{gap.sender}/{gap.id}{where}: {gap.lack.value}"
