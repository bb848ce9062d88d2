"""Default deny: which flows may carry a message type from a proven sender on a day."""

import datetime as dt
from dataclasses import dataclass

from hub.statute.catalogue import Basis, Catalogue, Flow, State
from hub.statute.reasons import Code


@dataclass(frozen=True, slots=True)
class InForce:
    """A flow that may move on the day, with the article that permits it."""

    flow: Flow
    basis: Basis


@dataclass(frozen=True, slots=True)
class Ruling:
    """The flows in force, or, when there is none, why; ``detail`` names missing cells."""

    flows: tuple[InForce, ...] = ()
    code: Code | None = None
    detail: str = ""


def rule(catalogue: Catalogue, sender: str, message_type: str, day: dt.date) -> Ruling:
    """Judge a message type from a proven sender on the day of acceptance."""
    carrying = catalogue.carrying(message_type)
    if not carrying:
        return Ruling(code=Code.NO_FLOW)
    own = [flow for flow in carrying if flow.sender == sender]
    if not own:
        return Ruling(code=Code.TYPE_NOT_PERMITTED)
    permitted = [flow for flow in own if flow.state is State.PERMITTED]
    in_force = tuple(
        InForce(flow, basis) for flow in permitted if (basis := flow.basis_on(day)) is not None
    )
    if in_force:
        return Ruling(in_force)
    if permitted:
        return Ruling(code=Code.NOT_IN_FORCE)
    held = [flow for flow in own if flow.state is State.HELD]
    if held:
        return Ruling(code=Code.HELD, detail=", ".join(held[0].missing))
    return Ruling(code=Code.DENIED)
