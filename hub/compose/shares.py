"""One hub worker of several: what it is called, and which queues are its own at the moment."""

import datetime as dt
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from hub.broker.free import is_free
from hub.clock import JST
from hub.errors import LedgerError, SiteError
from hub.ledger.maintenance import Maintenance
from hub.ledger.roster import Roster
from hub.ledger.share import assigned
from hub.names import DEAD_QUEUE, partition_queue
from hub.processes import WORKER, worker_names
from hub.site import HubSite, Site

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """What a worker is called, and the port of its metrics, if it has one."""

    name: str = WORKER
    metrics_port: int | None = None


def worker_of(
    site: Site,
    name: str,
    metrics_port: int | None = None,
    free: Callable[[int], bool] = is_free,
) -> WorkerPlace:
    """Give the place of the worker of this name; a port that is given goes before the site's.

    The workers that ``renkei up`` starts have the site's ports. One with a name of its own, which
    may run beside them, takes none of these: it has the first port that is ``free`` of those that
    ``worker_metrics_ports`` names beyond them, or none.

    Raises:
        SiteError: that is no name.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name of a hub worker: a-z, 0-9 and hyphens, at most 40"
        raise SiteError(message)
    if metrics_port is not None:
        return WorkerPlace(name, metrics_port)
    return WorkerPlace(name, _port_of(site.hub, name, free))


def _port_of(hub: HubSite, name: str, free: Callable[[int], bool]) -> int | None:
    names = worker_names(hub.workers)
    if name in names:
        return dict(zip(names, (hub.metrics_port, *hub.worker_metrics_ports), strict=False)).get(
            name
        )
    spare = hub.worker_metrics_ports[len(names) - 1 :]
    port = next(filter(free, spare), None)
    if port is None:
        log.warning(
            "the worker %s has no metrics and no /health: give it a port by --metrics-port, or "
            "name more worker_metrics_ports than hub.workers needs",
            name,
        )
    return port


class Share:
    """Gives the queues that are this worker's now, none in maintenance; asked between batches."""

    def __init__(
        self,
        roster: Roster,
        partitions: int,
        told: Callable[[int, int], None] | None = None,
        rests: Callable[[Maintenance | None], None] | None = None,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(JST),
    ) -> None:
        """Share by this roster.

        ``told`` gets the number of workers and that of its queues, ``rests`` the maintenance that
        begins, or none when it ends.
        """
        self._told = told
        self._rests = rests
        self._clock = clock
        self._resting: Maintenance | None = None
        self._roster = roster
        self._partitions = partitions
        self._members: frozenset[str] = frozenset()
        self._queues: tuple[str, ...] = ()
        self._trouble = ""

    def __call__(self) -> tuple[str, ...]:
        """Give its partitions, and to exactly one of the workers the dead letters as well.

        Raises:
            SiteError: another process has this worker's name.
        """
        try:
            members = self._roster.beat()
        except LedgerError as error:
            # Everybody keeps what they have: the broker lets one consume at a time in any case.
            self._complain(str(error))
            members = self._members or self._roster.members
        else:
            self._complain("")
        if members != self._members:
            self._members = members
            self._queues = self._shared(members)
            if self._told is not None:
                self._told(len(members), len(self._queues))
            mine = ", ".join(self._queues) or "nothing"
            log.info(
                "the hub's workers are %s; this one takes %s", ", ".join(sorted(members)), mine
            )
        return () if self._rest() else self._queues

    def _rest(self) -> bool:
        """Say whether people have the hub at rest; when that ends this process's clock says."""
        said = self._roster.maintenance
        resting = said if said is not None and said.is_on(self._clock()) else None
        if resting != self._resting:
            self._resting = resting
            if self._rests is not None:
                self._rests(resting)
            if resting is None:
                log.info("maintenance is over: the hub goes on")
            else:
                until = f"{resting.until.astimezone(JST):%Y-%m-%d %H:%M}"
                log.warning("maintenance until %s: the hub takes nothing", until)
        return resting is not None

    def leave(self) -> None:
        """Let the others have its queues at once; it is about to end."""
        try:
            self._roster.leave()
        except LedgerError as error:
            log.warning("the others take over only in a while: %s", error)

    def _shared(self, members: frozenset[str]) -> tuple[str, ...]:
        me = self._roster.name
        queues = tuple(map(partition_queue, assigned(members, self._partitions, me)))
        return (*queues, DEAD_QUEUE) if me == min(members) else queues

    def _complain(self, trouble: str) -> None:
        """Log what is wrong with the roster, once."""
        if trouble and trouble != self._trouble:
            log.warning("who works on which partition stays as it is: %s", trouble)
        self._trouble = trouble
