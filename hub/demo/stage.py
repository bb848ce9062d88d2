"""What runs in a demo, and how it is lived through, tended, waited for and summed up."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

import adapters
from adapters.simulation.city import City, CityDay
from adapters.simulation.kit import Misdeed
from hub.broker.link import LinkSettings
from hub.broker.provide import ProvidedBroker
from hub.clock import today
from hub.compose.certified import reconciled
from hub.compose.links import link_settings
from hub.compose.reconcile import waiting_of
from hub.demo.attempts import Outcome, attempt, settled
from hub.demo.content import Contents
from hub.demo.drives import Drive, set_aside
from hub.demo.flows import told_of_flows
from hub.demo.players import Players
from hub.demo.report import Report
from hub.demo.signs import Sign, Signs
from hub.demo.state import DemoState
from hub.demo.tally import content_faults, tally
from hub.demo.watch import Progress, Watcher, held_said
from hub.desks.confirmations import listed
from hub.desks.shelf import undecided
from hub.edge.files import PRIVATE_MODE, write_whole
from hub.errors import LinkLost, RenkeiError
from hub.ledger.beside import Shelf, State
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from hub.processes import Supervisor
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
DAY_STALL_SECONDS = 20.0
"""The same between two days: then the next one begins."""
ANSWER_SECONDS = 2.0
"""How long nothing must have changed while there is something that may still be answered."""
GAPS_SHOWN = 50
CONFIRMATIONS_SHOWN = 10_000
DEMO = AccessItems(staff="renkei demo", operation="ledger reconcile")


class Interrupted(RenkeiError):
    """The demo was stopped before it was done; the same command goes on with it."""

    def __init__(self) -> None:
        super().__init__(
            "the demo was stopped before everything had arrived; "
            "the same command goes on where it was"
        )


@dataclass(slots=True)
class Stage:
    """Everything that runs, and the simulators' hands on it."""

    state: DemoState
    site: Site
    catalogue: Catalogue
    broker: ProvidedBroker
    supervisor: Supervisor
    ledger: DatabaseLedger
    watcher: Watcher
    settled_at: float
    outcomes: list[Outcome] = field(default_factory=list)
    players: Players = field(init=False)
    signs: Signs = field(init=False)
    days: Iterator[CityDay] = field(init=False)

    def __post_init__(self) -> None:
        """Bring in the simulators and their city."""
        parameters = self.state.parameters
        self.days = City(parameters.residents, parameters.seed).days()
        horizon = self.site.hub.about_to_reach_days
        self.players = Players(self.state, tuple(self.site.systems), horizon)
        self.signs = Signs(self.site, self.catalogue, self.ledger, self.players)

    # -- living ------------------------------------------------------------------------

    def live_until(self, last: int, stop: Stop) -> None:
        """Live from day 0 to this one, and make the forbidden attempts then."""
        time.sleep(max(0.0, self.settled_at - time.monotonic()))
        while self.live() < last:
            self.end_of_day(stop)
        self.try_misdeeds()

    def live(self) -> int:
        """Let every system write what it has to say about the next day; give its number."""
        day = next(self.days)
        self.state.begin_day(day.number)
        for system in self.site.systems:
            self.players.write(system, day)
            self.tend()
        self.players.expect(day)
        self.watcher.progress(self.progress())
        return day.number

    def end_of_day(self, stop: Stop) -> None:
        """Wait until a day is taken in and answered: what the next one says is newer.

        It waits no longer than something moves.
        """
        self._wait(stop, self.signs.has_settled, DAY_STALL_SECONDS, 0.0)

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

    def tend(self) -> bool:
        """Start again whatever has died but is not held, and let the systems answer.

        Returns:
            Whether one did.
        """
        node = self.broker.node
        if node is not None and not node.alive():
            self.watcher.say("the broker had ended and is started again")
            node.start()
        self._hold(self.state.held())
        for name in self.supervisor.tend():
            ended = self.supervisor.children[name].ended
            self.watcher.say(f"{name} {ended} and was started again")
        return self.players.react()

    def _hold(self, held: frozenset[str]) -> None:
        """Have these stand still; say once that it was read, and when it is over."""
        if held != self.supervisor.held:
            self.watcher.say(
                self._held_said(held) or f"nothing is held any more: {self.state.hold}"
            )
        self.supervisor.held = held

    def _held_said(self, held: frozenset[str]) -> str:
        return held_said(held, self.supervisor.children, self.state.hold)

    def idle(self, seconds: float, stop: Stop) -> bool:
        """Tend for so long; say whether a stop was asked for."""
        until = time.monotonic() + seconds
        while not stop() and (left := until - time.monotonic()) > 0:
            self.tend()
            stop.wait(min(POLL_SECONDS, left))
        return stop()

    # -- waiting -----------------------------------------------------------------------

    def progress(self) -> Progress:
        """Say how far it is."""
        return self.signs.now().progress

    def wait_until_quiet(self, stop: Stop) -> None:
        """Wait until all that was written is read, judged, delivered, receipted and answered.

        Returns as well when nothing has changed for ``STALL_SECONDS``: the report says what
        is lacking.

        Raises:
            Interrupted: ``stop`` was asked for.
        """
        if self._wait(stop, self._is_done, STALL_SECONDS, ANSWER_SECONDS):
            raise Interrupted

    def _wait(self, stop: Stop, is_over: Callable[[], bool], stall: float, answers: float) -> bool:
        """Wait until it is over, and as long as something moves; say whether a stop was asked.

        While something may still be answered it is over only when nothing changes for
        ``answers``.
        """
        seen: Sign | None = None
        changed, tell_at, checked = time.monotonic(), TELL_SECONDS, False
        while True:
            if self.idle(POLL_SECONDS, stop):
                return True
            now = self.signs.now()
            self.watcher.progress(now.progress)
            if now != seen:
                seen, changed, tell_at, checked = now, time.monotonic(), TELL_SECONDS, False
                continue
            still = time.monotonic() - changed
            if not checked and (still > answers or not self.signs.may_be_answered()):
                if now.all_read and is_over():
                    return False
                checked = True
            if still > stall:
                return False
            if still > tell_at:
                tell_at += TELL_SECONDS
                self._tell_waiting(still, stall, now.progress)

    def _tell_waiting(self, still: float, stall: float, progress: Progress) -> None:
        held = self._held_said(self.supervisor.held)
        self.watcher.say(
            f"nothing has changed for {still:.0f} s: {progress.read} of "
            f"{progress.records} records are read, {progress.entries} entries recorded; "
            f"giving up after {stall:.0f} s{f'; {held}' if held else ''}"
        )

    def _is_done(self) -> bool:
        self.outcomes = [settled(outcome, self.ledger) for outcome in self.outcomes]
        refused = all(outcome.code for outcome in self.outcomes)
        return refused and not self.signs.has_to_be_answered() and self.signs.has_settled()

    # -- the report --------------------------------------------------------------------

    def report(self, seconds: float) -> Report:
        """Reconcile everything, look into the receivers' files, and say whether it agrees."""
        drives = {system: self.state.drive(system) for system in self.site.systems}
        contents = Contents(self.catalogue, drives)
        received, faults = self.players.received(contents)
        checked = contents.checked()
        with reconciled(
            self.site,
            self.catalogue,
            self.ledger,
            None,
            ask=self._ask_broker,
            access=DEMO,
        ) as result:
            write_whole(self.state.certificate, result.document, PRIVATE_MODE)
            rows = tally(flow_lines(result.sheet), received, checked)
            if result.head.no_broker:
                faults.append(result.head.no_broker)
            faults += map(_said, itertools.islice(result.sheet.gaps, GAPS_SHOWN))
        looked = self._drives()
        faults += [fault for drive in looked for fault in drive.faults()]
        faults += [fault for row in rows for fault in row.faults()]
        faults += content_faults(self.catalogue, received, self.players.expected)
        flows = told_of_flows(self.catalogue, today(), rows)
        faults += [fault for flow in flows for fault in flow.faults]
        persons: set[str] = set().union(*self.players.expected.values())
        return Report(
            flows=rows,
            catalogue=flows,
            attempts=self.outcomes,
            entries=self.ledger.size(),
            faults=faults,
            seconds=seconds,
            residents=self.state.parameters.residents,
            persons_in_scope=len(persons),
            strangers=[line for drive in looked for line in drive.strangers()],
            waiting=self._waiting(),
            dead=undecided(self.ledger, Shelf.DEAD_LETTER),
        )

    def _drives(self) -> list[Drive]:
        return [
            Drive(
                system,
                self.players.files[system],
                files,
                set_aside(self.state.drive(system)),
                adapters.simulator(system).served,
            )
            for system, files in self.signs.journals().items()
        ]

    def _waiting(self) -> Counter[str]:
        """Count by code what waits on the confirmation list."""
        waiting = listed(self.ledger, State.OPEN, most=CONFIRMATIONS_SHOWN)
        return Counter(row.code for row in waiting)

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
