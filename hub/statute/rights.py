"""What a system may say and hear by the catalogue, on a day or later. Pure.

The broker's rules are brought about once and stand for a while, so they look ahead: a type
whose article is in force from next month is among those that may be sent.
"""

import datetime as dt
from collections.abc import Iterator

from hub.statute.model import Catalogue, Flow, Standing, State

_A_DAY = dt.timedelta(days=1)


def sendable(catalogue: Catalogue, system: str, day: dt.date) -> frozenset[str]:
    """Give the message types that a system may send on this day, or on a later one."""
    return frozenset(
        flow.message_type
        for flow, leg in catalogue.legs()
        if leg.sender == system
        and flow.message_type is not None
        and leg.receivers
        and moves_from(flow, day)
    )


def receives(catalogue: Catalogue, system: str) -> bool:
    """Say whether a flow, in force or not, leads to a system: it then says what it has got."""
    return any(
        system in leg.receivers for flow, leg in catalogue.legs() if flow.state is not State.DENIED
    )


def moves_from(flow: Flow, day: dt.date) -> bool:
    """Say whether a flow is permitted on this day, or on a later one."""
    return any(flow.standing(one) is Standing.PERMITTED for one in _turns(flow, day))


def _turns(flow: Flow, day: dt.date) -> Iterator[dt.date]:
    """Give this day, and each later one on which something about the flow changes."""
    yield day
    changes = [basis.valid_from for basis in flow.basis]
    changes += [one.on for one in (flow.closed, flow.completed, flow.own) if one is not None]
    yield from (change for change in changes if change > day)
