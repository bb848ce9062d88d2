"""What a site decides about flows: it may close one, complete a held one, or add its own.

It can never widen what the document says: a denied flow stays denied, a permitted one keeps
its receivers and fields, and a held one gets exactly the cells that are missing. How long copies
are tried and kept is the site's own matter. Pure.

::

    [catalogue.flows.B1]                # closed from that day on
    close = true
    reason = "…"
    decided_by = "…"
    decided_on = 2026-04-01

    [catalogue.flows.I12a]              # the missing cell, here the basis
    basis = [{ law = "…", article = "…", valid_from = 2026-04-01 }]
    decided_by = "…"
    decided_on = 2026-04-01

    [catalogue.flows.M1e]               # its copies are tried for longer
    retry_minutes = 2880
    decided_by = "…"
    decided_on = 2026-04-01

    [catalogue.own.K1]                  # a whole flow, as a file of routes/ states one
    sender = "…"
    decided_by = "…"
    decided_on = 2026-04-01
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pydantic_core

from hub.message import MessageType
from hub.near import near
from hub.site import CatalogueSite, SystemId
from hub.statute.faults import end_faults, route_faults, validated
from hub.statute.findings import Fault
from hub.statute.model import (
    Basis,
    Catalogue,
    Cell,
    Decision,
    ExpiresHours,
    Flow,
    Grant,
    Record,
    RetryMinutes,
    Route,
    State,
    Text,
    Whose,
)


class _Decided(Record):
    decided_by: Text
    decided_on: dt.date


class Closing(_Decided):
    """A flow is moved no more from ``decided_on``."""

    close: Literal[True]
    reason: Text

    def decision(self) -> Decision:
        """Give who decided it, when and why."""
        return Decision(by=self.decided_by, on=self.decided_on, reason=self.reason)


class Timing(_Decided):
    """For how long a flow's copies are tried and kept."""

    retry_minutes: RetryMinutes | None = None
    expires_hours: ExpiresHours | None = None

    def timed(self, flow: Flow) -> Flow:
        """Give a flow with what is stated here."""
        stated = {key: value for key in _TIMING if (value := getattr(self, key)) is not None}
        if not stated:
            return flow
        decision = Decision(by=self.decided_by, on=self.decided_on)
        return flow.model_copy(update={**stated, "timed": decision})


_TIMING = ("retry_minutes", "expires_hours")


class Completion(Timing):
    """The cells that a held flow lacks; each key stands for the cells that need it."""

    basis: tuple[Basis, ...] | None = None
    message_type: MessageType | None = None
    receivers: dict[SystemId, Grant] | None = None
    whose: Whose | None = None
    purpose: Text | None = None
    frequency: Text | None = None
    transport: Text | None = None

    def decision(self) -> Decision:
        """Give who decided it and when."""
        return Decision(by=self.decided_by, on=self.decided_on)

    def supplied(self) -> set[str]:
        """Give the keys that are there."""
        return {key for key in _ALL_KEYS if getattr(self, key) is not None}


_KEYS: Mapping[Cell, tuple[str, ...]] = {
    Cell.BASIS: ("basis",),
    Cell.PURPOSE: ("purpose",),
    Cell.DATA: ("message_type", "receivers"),
    Cell.DESTINATION: ("receivers",),
    Cell.PERSONS: ("whose",),
    Cell.FREQUENCY: ("frequency",),
    Cell.TRANSPORT: ("transport",),
}
"""What a site states for a missing cell."""

_ALL_KEYS = tuple(dict.fromkeys(key for keys in _KEYS.values() for key in keys))


@dataclass(frozen=True, slots=True)
class Change:
    """One flow that differs between two catalogues, with the digests of both."""

    ref: str
    what: Literal["added", "removed", "changed", "closed", "opened", "completed"]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Effective:
    """The catalogue after a site's decisions, how it differs, and the decisions that are wrong.

    A wrong decision has no effect; with any fault the catalogue is not to be used. The paths
    of the faults begin below ``catalogue`` in the site file.
    """

    catalogue: Catalogue
    changes: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()


def decided(catalogue: Catalogue, site: CatalogueSite) -> Effective:
    """Apply a site's decisions to the catalogue of the document."""
    if not site.flows and not site.own:
        return Effective(catalogue)
    flows = {flow.ref: flow for flow in catalogue.flows}
    faults: list[Fault] = []
    for ref, table in site.flows.items():
        flow = flows.get(ref)
        if flow is None:
            text = f"the catalogue has no flow {ref}"
            faults.append(Fault(("flows", ref), text, near(ref, flows)))
            continue
        changed = _changed(flow, table, catalogue)
        if isinstance(changed, Flow):
            flows[ref] = changed
        else:
            faults += (_below(fault, "flows", ref) for fault in changed)
    for ref, table in site.own.items():
        added = _own(ref, table, catalogue)
        if isinstance(added, Flow):
            flows[ref] = added
        else:
            faults += (_below(fault, "own", ref) for fault in added)
    digest = _digest(catalogue, site)
    effective = replace(catalogue, flows=tuple(flows.values()), digest=digest)
    return Effective(effective, differences(catalogue, effective), tuple(faults))


def differences(before: Catalogue, after: Catalogue) -> tuple[Change, ...]:
    """Say which flows differ between two catalogues, by reference."""
    old = {flow.ref: flow for flow in before.flows}
    new = {flow.ref: flow for flow in after.flows}
    return tuple(
        Change(ref, _what(old.get(ref), new.get(ref)), before.digest, after.digest)
        for ref in dict.fromkeys((*old, *new))
        if old.get(ref) != new.get(ref)
    )


def _what(
    old: Flow | None, new: Flow | None
) -> Literal["added", "removed", "changed", "closed", "opened", "completed"]:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    if bool(old.closed) != bool(new.closed):
        return "closed" if new.closed else "opened"
    return "completed" if new.completed and not old.completed else "changed"


def _digest(catalogue: Catalogue, site: CatalogueSite) -> str:
    decisions = pydantic_core.to_json(site.model_dump(mode="json"), indent=None)
    return hashlib.sha256(f"{catalogue.digest}\n".encode() + decisions).hexdigest()


def _below(fault: Fault, *path: str) -> Fault:
    return replace(fault, path=(*path, *fault.path))


def _changed(flow: Flow, table: Mapping[str, Any], catalogue: Catalogue) -> Flow | list[Fault]:
    if "close" in table:
        return _closed(flow, table)
    if flow.state is State.HELD:
        return _completed(flow, table, catalogue)
    return _timed(flow, table)


# -- close -----------------------------------------------------------------------------------


def _closed(flow: Flow, table: Mapping[str, Any]) -> Flow | list[Fault]:
    closing = validated(Closing, table)
    if isinstance(closing, list):
        return closing
    return flow.model_copy(update={"closed": closing.decision()})


# -- time ------------------------------------------------------------------------------------


def _timed(flow: Flow, table: Mapping[str, Any]) -> Flow | list[Fault]:
    asked = [key for key in table if key not in _Decided.model_fields]
    refused = asked if flow.state is State.DENIED else [key for key in asked if key not in _TIMING]
    if refused or not asked:
        text = f"{flow.ref} is {flow.state}: a site may close it, and change nothing else" + (
            "" if flow.state is State.DENIED else f" but {' and '.join(_TIMING)}"
        )
        return [Fault(tuple(refused[:1]), text)]
    timing = validated(Timing, table)
    return timing if isinstance(timing, list) else timing.timed(flow)


# -- complete --------------------------------------------------------------------------------


def _completed(flow: Flow, table: Mapping[str, Any], catalogue: Catalogue) -> Flow | list[Fault]:
    completion = validated(Completion, table)
    if isinstance(completion, list):
        return completion
    faults = list(_cell_faults(flow, completion))
    if faults:
        return faults
    supplied = {key: getattr(completion, key) for key in completion.supplied()}
    whole = completion.timed(flow).model_copy(
        update={**supplied, "state": State.PERMITTED, "completed": completion.decision()}
    )
    judged = whole.model_copy(update={"missing": ()})
    faults = [
        *route_faults(judged),
        *end_faults(judged, catalogue.systems, "the catalogue"),
        *_doubling(judged, catalogue),
    ]
    return faults or whole


def _cell_faults(flow: Flow, completion: Completion) -> Iterator[Fault]:
    """Demand exactly what is missing: less completes nothing, more would change the document."""
    needed = {key for cell in flow.missing for key in _KEYS[cell]}
    supplied = completion.supplied()
    for key in sorted(needed - supplied):
        cells = ", ".join(cell for cell in flow.missing if key in _KEYS[cell])
        yield Fault((), f"{flow.ref} lacks its {cells}: {key} is not given")
    for key in sorted(supplied - needed):
        yield Fault((key,), f"{key} of {flow.ref} is stated by the document and cannot be changed")
    if Cell.DESTINATION not in flow.missing and completion.receivers is not None:
        stated = set(flow.receivers)
        for receiver in completion.receivers.keys() - stated:
            text = f"the document names {', '.join(sorted(stated))} as the receiver of {flow.ref}"
            yield Fault(("receivers", receiver), text)


# -- add -------------------------------------------------------------------------------------


def _own(ref: str, table: Mapping[str, Any], catalogue: Catalogue) -> Flow | list[Fault]:
    if catalogue.flow(ref) is not None:
        return [Fault((), f"{ref} is a flow of the document; a flow of your own needs another")]
    keys = {key: value for key, value in table.items() if key not in _Decided.model_fields}
    made = {key: value for key, value in table.items() if key in _Decided.model_fields}
    decision = validated(_Decided, made)
    route = validated(Route, {"ref": ref, **keys})
    if isinstance(decision, list) or isinstance(route, list):
        return [
            *(decision if isinstance(decision, list) else ()),
            *(route if isinstance(route, list) else ()),
        ]
    faults = [
        *_own_faults(ref, route, catalogue),
        *route_faults(route),
        *end_faults(route, catalogue.systems, "the catalogue"),
    ]
    decided_so = Decision(by=decision.decided_by, on=decision.decided_on)
    return faults or Flow.model_construct(**dict(route), own=decided_so)


def _own_faults(ref: str, route: Route, catalogue: Catalogue) -> Iterator[Fault]:
    """Refuse what would replace or widen a flow of the document under another name."""
    if route.ref != ref:
        yield Fault(("ref",), f"the reference of this flow is {ref}")
    if route.state is not State.PERMITTED:
        yield Fault(("state",), "a flow of the city's own is permitted, or is not there")
    yield from _doubling(route, catalogue)
    denied = {
        (leg.sender, receiver): flow
        for flow, leg in catalogue.legs()
        for receiver in leg.receivers
        if flow.state is State.DENIED
    }
    for leg in route.legs:
        for receiver in leg.receivers:
            flow = denied.get((leg.sender, receiver))
            if flow is not None:
                text = (
                    f"{flow.ref} from {leg.sender} to {receiver} is denied: a flow of your own "
                    "cannot go the same way"
                )
                yield Fault(("receivers", receiver), text)


def _doubling(route: Route, catalogue: Catalogue) -> Iterator[Fault]:
    """Refuse a way and message that another flow of the document has: it would widen that one."""
    stated: dict[tuple[str | None, str, str], Flow] = {
        (flow.message_type, leg.sender, receiver): flow
        for flow, leg in catalogue.legs()
        for receiver in leg.receivers
        if flow.ref != route.ref and flow.message_type is not None
    }
    for leg in route.legs:
        for receiver in leg.receivers:
            flow = stated.get((route.message_type, leg.sender, receiver))
            if flow is not None:
                text = (
                    f"{leg.sender} to {receiver} with {route.message_type} is {flow.ref} "
                    f"({flow.state}): {route.ref} cannot stand in for it"
                )
                yield Fault(("receivers", receiver), text)
