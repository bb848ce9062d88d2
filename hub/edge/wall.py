"""The adapter's own look at the law: what may reach its system, and what it may send.

The broker and the hub have judged before. The adapter trusts neither: it has its own copy of
the catalogue, and what no flow of that copy carries is set aside.
"""

import datetime as dt
from enum import StrEnum
from typing import NamedTuple, Protocol

from hub.clock import JST
from hub.message import Copy, source_of
from hub.statute.model import Catalogue, Lacking, Standing
from hub.statute.rights import receives, sendable


class WallCode(StrEnum):
    """Why the catalogue of the receiver lets a message not pass."""

    FLOW_UNKNOWN = "flow-unknown"
    FLOW_OF_ANOTHER = "flow-of-another"
    TYPE_OF_ANOTHER = "type-of-another"
    FLOW_NOT_IN_FORCE = "flow-not-in-force"
    FIELD_OUTSIDE = "field-outside"


class WallFault(NamedTuple):
    """A code, and a reason that names flows, fields and days; never a value."""

    code: WallCode
    reason: str


class Wall:
    """What one catalogue lets pass to and from one system. Pure.

    ``receives`` says whether any flow leads to the system: only then does it give receipts.
    """

    def __init__(self, system: str, catalogue: Catalogue) -> None:
        self.receives = receives(catalogue, system)
        self._system = system
        self._catalogue = catalogue
        self._flows = {flow.ref: flow for flow in catalogue.flows}
        self._grants = {
            (flow.ref, source_of(leg.sender)): leg.receivers[system]
            for flow, leg in catalogue.legs()
            if system in leg.receivers
        }

    def fault(self, copy: Copy) -> WallFault | None:
        """Say why a copy must not reach the system, or nothing when it may.

        A flow has to be in force on the day on which the hub accepted the message, however
        long the copy has waited since.
        """
        flow = self._flows.get(copy.flow)
        if flow is None:
            return WallFault(WallCode.FLOW_UNKNOWN, "the catalogue has no such flow")
        grant = self._grants.get((copy.flow, copy.source))
        if grant is None:
            reason = f"{flow.ref} does not lead from the sender to {self._system}"
            return WallFault(WallCode.FLOW_OF_ANOTHER, reason)
        if copy.type != flow.message_type:
            return WallFault(WallCode.TYPE_OF_ANOTHER, f"{flow.ref} carries {flow.message_type}")
        day = _day_of(copy.acceptedtime)
        if day is None or flow.standing(day) is not Standing.PERMITTED:
            state = "accepted at no time" if day is None else f"{flow.standing(day)} on {day}"
            return WallFault(WallCode.FLOW_NOT_IN_FORCE, f"{flow.ref} is {state}")
        outside = sorted(copy.data.keys() - set(grant.fields_on(day)))
        if outside:
            # Fields that the grant lacks may have any name, so only their number is told.
            reason = f"{len(outside)} of the fields are not listed by {flow.ref} for {self._system}"
            return WallFault(WallCode.FIELD_OUTSIDE, reason)
        return None

    def marks(self, copy: Copy) -> bool:
        """Say whether characters that the system's encoding lacks are replaced by a mark."""
        grant = self._grants.get((copy.flow, copy.source))
        return grant is not None and grant.unencodable is Lacking.MARK

    def may_send(self, message_type: str, at: dt.datetime) -> bool:
        """Say whether the system may send a type then or later; an aware time."""
        return message_type in sendable(self._catalogue, self._system, at.astimezone(JST).date())


class Walls(Protocol):
    """Gives the wall of the catalogue in force."""

    def current(self) -> Wall:
        """Give the wall to judge by now."""
        ...

    def changing(self) -> bool:
        """Say whether a changed catalogue has not been judged yet: what is refused may wait."""
        ...


def _day_of(at: dt.datetime) -> dt.date | None:
    try:
        return at.astimezone(JST).date()
    except OverflowError:
        return None
