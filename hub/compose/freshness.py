"""What is due, for the watch's metrics: flows, lists, reconciling, backup.

When each flow last moved is asked once, and followed from then on in the ledger's tail.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Engine

from hub.clock import JST
from hub.ledger.acts import Act
from hub.ledger.asides import oldest_undecided
from hub.ledger.model import Kind
from hub.ledger.newest import newest_act, newest_change, newest_of_flows
from hub.ledger.schema import ledger_errors
from hub.ledger.tail import Turn
from hub.statute.frequency import Frequency, Period, Rest, frequency_of
from hub.statute.model import Catalogue, Flow, Standing
from monitoring.freshness import FreshnessMetrics

_ACTS = frozenset({Act.RECONCILED, Act.GAP, Act.BACKUP})
_MISSING = re.compile(r"([0-9]+) missing", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def due_times(  # noqa: PLR0913 - what a due time hangs on
    catalogue: Catalogue,
    systems: Collection[str],
    last: Mapping[str, dt.datetime],
    since: dt.datetime,
    now: dt.datetime,
    *,
    rest: Rest = Rest(),  # noqa: B008 - immutable
    hours: Mapping[str, float] | None = None,
) -> dict[str, dt.datetime]:
    """Say when the next message of each flow is due that has a frequency. Pure.

    Only of flows that are permitted today and have a sender among ``systems``. ``since`` stands
    where nothing came yet. ``hours`` are the site's own for a flow, in place of the source's words.
    """
    found: dict[str, dt.datetime] = {}
    for flow in catalogue.flows:
        frequency = _frequency(flow, hours or {})
        is_sent = any(leg.sender in systems for leg in flow.legs)
        permitted = flow.standing(now.astimezone(JST).date()) is Standing.PERMITTED
        if frequency is not None and is_sent and permitted:
            found[flow.ref] = frequency.next(last.get(flow.ref, since), rest)
    return found


def _frequency(flow: Flow, hours: Mapping[str, float]) -> Frequency | None:
    if flow.ref in hours:
        return Period(dt.timedelta(hours=hours[flow.ref]))
    return frequency_of(flow.frequency)


class Freshness:
    """Keeps what is due up to date; ``take`` is told of each turn of the tail, before ``look``.

    Raises:
        LedgerError: from its methods, where the ledger cannot be read; the next call tries again.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        engine: Engine,
        catalogue: Callable[[], Catalogue],
        systems: Collection[str],
        metrics: FreshnessMetrics,
        *,
        clock: Callable[[], dt.datetime],
        rest: Rest = Rest(),  # noqa: B008 - immutable
        hours: Mapping[str, float] | None = None,
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._systems = frozenset(systems)
        self._metrics = metrics
        self._clock = clock
        self._rest = rest
        self._hours = dict(hours or {})
        self._since = clock()
        self._last: dict[str, dt.datetime] | None = None
        self._acts_due = True

    def take(self, turn: Turn) -> None:
        """Follow the tail."""
        if self._last is None:
            flows = [flow.ref for flow in self._catalogue().flows]
            self._last = newest_of_flows(self._engine, flows)
            self._since = newest_change(self._engine) or self._since
        for count in turn.counts:
            sort = count.sort
            if sort.kind is Kind.ACCEPTANCE:
                came = dt.datetime.fromtimestamp(count.newest, dt.UTC)
                self._last[sort.flow] = max(self._last.get(sort.flow, came), came)
            elif sort.kind is Kind.OPERATOR_ACTION and sort.code in _ACTS:
                self._acts_due = True

    def look(self) -> None:
        """Show what is due."""
        last, now = self._last or {}, self._clock()
        catalogue = self._catalogue()
        known = {flow.ref for flow in catalogue.flows}
        due = due_times(
            catalogue, self._systems, last, self._since, now, rest=self._rest, hours=self._hours
        )
        self._metrics.flows(
            {flow: at.timestamp() for flow, at in last.items() if flow in known},
            {flow: at.timestamp() for flow, at in due.items()},
        )
        with ledger_errors("be read"), self._engine.connect() as connection:
            oldest = oldest_undecided(connection)
        self._metrics.lists({shelf.value: at.timestamp() for shelf, at in oldest.items()})
        if self._acts_due:
            self._show_acts()
            self._acts_due = False

    def _show_acts(self) -> None:
        good, gap = newest_act(self._engine, Act.RECONCILED), newest_act(self._engine, Act.GAP)
        missing = 0
        if gap is not None and (good is None or gap.number > good.number):
            found = _MISSING.search(gap.detail)
            missing = int(found[1]) if found else 1
        backup = newest_act(self._engine, Act.BACKUP)
        self._metrics.reconciled((good.at if good else _EPOCH).timestamp(), missing)
        self._metrics.backed_up((backup.at if backup else _EPOCH).timestamp())
