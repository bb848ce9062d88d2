"""An answer to a question about the catalogue, told to a person in plain lines."""

import datetime as dt
from collections.abc import Iterator

from hub.catalogue.advice import advice
from hub.catalogue.view import STATES, lasting, way
from hub.statute.explain import Explanation
from hub.statute.model import Catalogue, Flow, Leg

_INDENT = "  "


def story(catalogue: Catalogue, answer: Explanation, day: dt.date) -> list[str]:
    """Tell one answer: state and reason, then basis, fields, whose data and what to do next."""
    return [*_head(answer, day), *_body(catalogue, answer, day), *_next(answer)]


def _head(answer: Explanation, day: dt.date) -> Iterator[str]:
    state = STATES[answer.state]
    what = f"{answer.ref}: " if answer.ref else ""
    yield f"{what}{state.en} on {day} ({state.ja})"
    yield f"{_INDENT}{answer.reason.en}"
    yield f"{_INDENT}{answer.reason.ja}"


def _body(catalogue: Catalogue, answer: Explanation, day: dt.date) -> Iterator[str]:
    flow = answer.flow
    if flow is None:
        if answer.source:
            yield f"section: {answer.source}"
        return
    yield f"flow: {flow.title} ({flow.title_ja})"
    yield f"way: {way(catalogue, flow)}"
    yield f"message type: {flow.message_type or '—'}"
    yield from _basis(flow, day)
    for leg in answer.legs:
        yield from _fields(leg, day)
    yield f"whose data: {flow.whose.text} (rule {flow.whose.rule})"
    yield f"purpose: {flow.purpose}"
    yield f"frequency: {flow.frequency}; transport: {flow.transport}; persons: {flow.volume}"
    yield f"copies not taken: {lasting(flow).en}"
    yield f"section: {flow.section}"
    if flow.note:
        yield f"note: {flow.note}"


def _basis(flow: Flow, day: dt.date) -> Iterator[str]:
    if not flow.basis:
        yield "basis: none is stated"
        return
    level = ", that of the whole file" if flow.basis_level == "file" else ""
    yield f"basis over time (> in force on {day}){level}:"
    for basis in flow.basis:
        mark = ">" if basis.in_force(day) else " "
        yield f"{mark} {basis.period()}  {basis}"


def _fields(leg: Leg, day: dt.date) -> Iterator[str]:
    for receiver, grant in leg.receivers.items():
        named = grant.fields_on(day)
        number = ", 個人番号 included" if grant.my_number else ""
        listed = ", ".join(named) or "none"
        yield f"fields from {leg.sender} for {receiver} ({len(named)}{number}): {listed}"
        later = [f"{name} from {since}" for name, since in grant.since.items() if since > day]
        if later:
            yield f"{_INDENT}not yet on that day: {', '.join(later)}"


def _next(answer: Explanation) -> Iterator[str]:
    lines = advice(answer)
    if lines:
        yield "next:"
        yield from (f"{_INDENT}{line}" for line in lines)
