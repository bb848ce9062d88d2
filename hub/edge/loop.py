"""Runs one system's adapter: files in and files out, by turns, over one link, until stopped.

What cannot be used (a folder, the disk, the journal) or is lost (the link) is told to the
observer and tried again; only a stop ends the loop.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from hub.edge.backoff import Backoff
from hub.edge.desk import JournalDesk, NoPersons, Persons
from hub.edge.folders import Folders
from hub.edge.http.couriers import carrying
from hub.edge.inbound import Sender, Steps
from hub.edge.inbox import Inbox
from hub.edge.journal import Journal
from hub.edge.kit import Adapter
from hub.edge.matching import Matching
from hub.edge.numbers import Numbers
from hub.edge.observe import EdgeObserver
from hub.edge.outbound import Outbox
from hub.edge.overdue import Deadlines
from hub.edge.sorting import Sorter
from hub.edge.survey import Survey
from hub.edge.troubles import Troubles
from hub.edge.wall import Walls
from hub.errors import EdgeError, LinkLost
from hub.ports import Link
from hub.site import SystemSite
from hub.traces import Traces

TURN_SECONDS = 0.5
"""The longest wait before the loop looks whether it is to stop."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where the time comes from: seconds that only grow, and the time of day with its zone."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], dt.datetime] = _utc_now


@dataclass(frozen=True, slots=True)
class Station:
    """One system's folders and journal in use: what goes in and what goes out."""

    sender: Sender
    outbox: Outbox
    deadlines: Deadlines
    persons: Persons


@contextmanager
def open_station(  # noqa: PLR0913, PLR0917 - what a station is made of
    adapter: Adapter,
    settings: SystemSite,
    walls: Walls,
    numbers: Numbers,
    observe: EdgeObserver,
    clocks: Clocks,
    traces: Traces | None = None,
) -> Iterator[Station]:
    """Make the folders, open the journal, and end what a crash interrupted.

    Raises:
        EdgeError: a folder or the journal cannot be used.
        SiteError: the system's settings do not fit its files.
    """
    folders = Folders(settings.folder)
    folders.make(shared=adapter.courier is None)
    with (
        closing(Journal(settings.journal)) as journal,
        _opened_persons(adapter, settings, folders, observe, clocks) as persons,
    ):
        inbox = Inbox(
            folders,
            adapter.inbound,
            journal,
            observe,
            walls=walls,
            encoding=settings.encoding,
            settle_seconds=settings.settle_seconds,
            monotonic=clocks.monotonic,
            now=clocks.now,
            begun=None if traces is None else partial(traces.begun, adapter.system),
        )
        sender = Sender(
            adapter.system,
            settings.access,
            settings.encoding,
            settings.poll_seconds,
            inbox=inbox,
            journal=journal,
            desk=JournalDesk(journal, persons),
            numbers=numbers,
            observe=observe,
            traces=traces,
        )
        outbox = Outbox(
            adapter.system,
            settings.access,
            sorter=Sorter(adapter.outbound, settings.encoding, numbers),
            walls=walls,
            folders=folders,
            journal=journal,
            observe=observe,
            file_records=settings.file_records,
            file_seconds=settings.file_seconds,
            monotonic=clocks.monotonic,
            now=clocks.now,
            traces=traces,
        )
        outbox.check_headers()
        inbox.recover()
        outbox.recover()
        yield Station(sender, outbox, Deadlines(journal, folders.to_hub, clocks.now), persons)


@contextmanager
def _opened_persons(
    adapter: Adapter,
    settings: SystemSite,
    folders: Folders,
    observe: EdgeObserver,
    clocks: Clocks,
) -> Iterator[Persons]:
    if not adapter.matching:
        yield NoPersons()
        return
    matching = Matching(
        adapter.matching,
        settings.journal.with_suffix(".matching.sqlite3"),
        folders=folders,
        encoding=settings.encoding,
        observe=observe,
        now=clocks.now,
    )
    with closing(matching):
        yield matching


def run_adapter(  # noqa: PLR0913 - what a loop is given
    adapter: Adapter,
    settings: SystemSite,
    *,
    connect: Callable[[], Link | None],
    stopping: Callable[[], bool],
    walls: Walls,
    numbers: Numbers,
    observe: EdgeObserver,
    clocks: Clocks | None = None,
    traces: Traces | None = None,
) -> None:
    """Carry one system's files until ``stopping`` says so.

    ``connect`` gives a link that consumes the system's queue, with its own waits between
    attempts, or ``None`` when the loop is to stop. ``walls`` gives the catalogue's word on what
    may come and go, and ``numbers`` encrypts and decrypts the 個人番号 in it. ``traces`` follows
    files and messages, where the site has them followed.

    Raises:
        SiteError: the system's settings do not fit its files.
    """
    run = _Run(
        adapter,
        settings,
        stopping=stopping,
        walls=walls,
        numbers=numbers,
        observe=observe,
        clocks=clocks or Clocks(),
        traces=traces,
    )
    with carrying(adapter, settings, observe):
        while not stopping():
            link = connect()
            if link is None:
                return
            with link:
                observe.connected()
                run.troubles.over("link")
                try:
                    run.over(link)
                except LinkLost as lost:
                    run.troubles.tell("link", lost)
                finally:
                    observe.disconnected()


class _Lane:
    """One of the two directions: when its next turn is, and how it waits after trouble."""

    def __init__(self) -> None:
        self.due = 0.0
        self._backoff = Backoff()

    def worked(self, due: float) -> None:
        self.due = due
        self._backoff.reset()

    def failed(self, now: float) -> None:
        self.due = now + self._backoff.next()


class _Run:
    """The turns of one adapter."""

    def __init__(  # noqa: PLR0913 - what a loop is given
        self,
        adapter: Adapter,
        settings: SystemSite,
        *,
        stopping: Callable[[], bool],
        walls: Walls,
        numbers: Numbers,
        observe: EdgeObserver,
        clocks: Clocks,
        traces: Traces | None,
    ) -> None:
        self._traces = traces
        self._numbers = numbers
        self._adapter = adapter
        self._settings = settings
        self._stopping = stopping
        self._walls = walls
        self._observe = observe
        self._clocks = clocks
        self.troubles = Troubles(observe, clocks.monotonic)
        self._survey = Survey(
            Folders(settings.folder).to_hub,
            [wire.pattern for wire in adapter.inbound],
            settle_seconds=settings.settle_seconds,
            monotonic=clocks.monotonic,
            observe=observe,
        )
        self._survey_due = 0.0

    def over(self, link: Link) -> None:
        """Open the station, as often as it takes, and work over this link."""
        opening = _Lane()
        while not self._stopping():
            try:
                with open_station(
                    self._adapter,
                    self._settings,
                    self._walls,
                    self._numbers,
                    self._observe,
                    self._clocks,
                    self._traces,
                ) as station:
                    self.troubles.over("station")
                    self._alternate(link, station)
            except EdgeError as error:
                self.troubles.tell("station", error)
                opening.failed(self._clocks.monotonic())
                self._wait_until(opening.due, link)

    def _wait_until(self, due: float, link: Link) -> None:
        while not self._stopping() and (left := due - self._clocks.monotonic()) > 0:
            link.idle(min(left, TURN_SECONDS))

    def _alternate(self, link: Link, station: Station) -> None:
        inbound, outbound = _Lane(), _Lane()
        steps = station.sender.steps(link)
        try:
            while not self._stopping():
                self._walls.current()  # a changed catalogue is taken over also while all rests
                if inbound.due <= self._clocks.monotonic():
                    steps = self._inbound_turn(link, station, inbound, steps)
                self._outbound_turn(link, station, inbound, outbound)
        finally:
            steps.close()

    def _inbound_turn(self, link: Link, station: Station, lane: _Lane, steps: Steps) -> Steps:
        try:
            self._look(station)
            pause = next(steps)
        except EdgeError as error:
            self.troubles.tell("inbound", error)
            lane.failed(self._clocks.monotonic())
            return station.sender.steps(link)
        self.troubles.over("inbound")
        lane.worked(self._clocks.monotonic() + pause)
        return steps

    def _look(self, station: Station) -> None:
        if self._survey_due <= self._clocks.monotonic():
            station.deadlines.look()
            station.persons.look()
            self._survey.look()
            self._survey_due = self._clocks.monotonic() + self._settings.poll_seconds

    def _outbound_turn(self, link: Link, station: Station, inbound: _Lane, outbound: _Lane) -> None:
        now = self._clocks.monotonic()
        wait = max(0.0, min(inbound.due - now, TURN_SECONDS))
        if outbound.due > now:
            link.idle(min(wait, outbound.due - now))
            return
        delivered = station.outbox.delivered
        try:
            if station.outbox.step(link, wait):
                outbound.worked(now)
            else:
                outbound.failed(self._clocks.monotonic())
        except EdgeError as error:
            self.troubles.tell("outbound", error)
            outbound.failed(self._clocks.monotonic())
        if station.outbox.delivered > delivered:
            self.troubles.over("outbound")
