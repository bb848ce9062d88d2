"""Default deny: which legs of flows may carry a message type from a proven sender on a day."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from hub.statute.model import Basis, Catalogue, Flow, Leg, Standing
from hub.statute.reasons import Code, cells_named


@dataclass(frozen=True, slots=True)
class InForce:
    """A leg that may move on the day, with its flow and the article that permits it."""

    flow: Flow
    leg: Leg
    basis: Basis


@dataclass(frozen=True, slots=True)
class Ruling:
    """The legs in force, or, when there is none, why; ``detail`` names cells or periods."""

    flows: tuple[InForce, ...] = ()
    code: Code | None = None
    detail: str = ""


def rule(catalogue: Catalogue, sender: str, message_type: str, day: dt.date) -> Ruling:
    """Judge a message type from a proven sender on the day of acceptance."""
    if catalogue.is_neighbour(sender):
        return Ruling(code=Code.NEIGHBOUR)
    carrying = catalogue.carrying(message_type)
    if not carrying:
        return Ruling(code=Code.NO_FLOW)
    own = [(flow, leg) for flow in carrying for leg in flow.legs if leg.sender == sender]
    if not own:
        return Ruling(code=Code.TYPE_NOT_PERMITTED)
    in_force = tuple(
        InForce(flow, leg, basis)
        for flow, leg in own
        if flow.standing(day) is Standing.PERMITTED and (basis := flow.basis_on(day)) is not None
    )
    return Ruling(in_force) if in_force else _refused([flow for flow, _ in own], day)


def _refused(flows: Iterable[Flow], day: dt.date) -> Ruling:
    """Say why no flow moves, by the one that comes nearest to moving."""
    by_standing = {flow.standing(day): flow for flow in flows}
    if flow := by_standing.get(Standing.NOT_IN_FORCE):
        return Ruling(code=Code.NOT_IN_FORCE, detail=periods(flow))
    if flow := by_standing.get(Standing.HELD):
        return Ruling(code=Code.HELD, detail=cells_named(flow.missing))
    flow = by_standing[Standing.DENIED]
    return Ruling(code=Code.CLOSED if flow.closed else Code.DENIED, detail=f"({flow.ref})")


def periods(flow: Flow) -> str:
    """Name a flow and the days of its basis, for a sentence in any language."""
    return f"({flow.ref}: {', '.join(basis.period() for basis in flow.basis)})"
