"""What became of every flow of the catalogue in a demo: moved, held or denied, and why."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.demo.tally import FlowTally
from hub.statute.explain import explain
from hub.statute.model import Catalogue, Flow, Standing
from hub.statute.reasons import cells


@dataclass(frozen=True, slots=True)
class FlowStory:
    """A flow, what holds for it today, and how many copies of it arrived.

    ``why`` says why it does not move, or by whom and on which basis it was completed.
    """

    flow: Flow
    standing: Standing
    delivered: int
    why: str = ""
    faults: tuple[str, ...] = ()

    @property
    def is_completed(self) -> bool:
        """Say whether the site completed it."""
        return self.flow.completed is not None


def told_of_flows(catalogue: Catalogue, day: dt.date, rows: Sequence[FlowTally]) -> list[FlowStory]:
    """Say of every flow what became of it; a permitted one that moved nothing is a fault."""
    standings = {one.flow.ref: one.state for one in explain(catalogue, day) if one.flow}
    return [_story(flow, standings[flow.ref], day, rows) for flow in catalogue.flows]


def _story(flow: Flow, standing: Standing, day: dt.date, rows: Sequence[FlowTally]) -> FlowStory:
    delivered = {row.line.receiver: row.line.delivered for row in rows if row.line.flow == flow.ref}
    permitted = standing is Standing.PERMITTED
    idle = _idle(flow, delivered) if permitted else ()
    why = _basis(flow, day) if permitted else _obstacle(flow, standing)
    return FlowStory(flow, standing, sum(delivered.values()), why, tuple(idle))


def _idle(flow: Flow, delivered: dict[str, int]) -> Iterator[str]:
    for leg in flow.legs:
        for receiver in leg.receivers:
            if not delivered.get(receiver):
                yield f"{flow.ref} to {receiver}: it is permitted, and nothing moved"


def _basis(flow: Flow, day: dt.date) -> str:
    basis = flow.basis_on(day)
    if flow.completed is None or basis is None:
        return ""
    return f"completed by {flow.completed.by} on {flow.completed.on}: {basis}"


def _obstacle(flow: Flow, standing: Standing) -> str:
    if standing is Standing.HELD:
        return f"held: missing {cells(flow.missing).en}"
    if standing is Standing.NOT_IN_FORCE:
        return "no basis is in force"
    closed = flow.closed.reason if flow.closed else flow.note
    return f"denied: {closed}"
