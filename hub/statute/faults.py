"""Whether the parts of a catalogue make sense together; every fault with its place."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hub.near import near, near_key
from hub.site import HUB_USER
from hub.statute.findings import Fault
from hub.statute.lines import Path
from hub.statute.model import Basis, Cell, Leg, Route, State, System
from hub.statute.scope import SCOPE_RULES
from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage, field_names, my_number_fields

ModelT = TypeVar("ModelT", bound=BaseModel)


def validated(model: type[ModelT], document: Mapping[str, Any]) -> ModelT | list[Fault]:
    """Read a document as a record, or say what is wrong with its shape."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        return list(_shape_faults(error, model))


def _shape_faults(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    """Give what pydantic says about a document, each with its path."""
    for fault in error.errors(include_url=False):
        path = tuple(part for part in fault["loc"] if part != "[key]")
        place = ".".join(map(str, path))
        text = f"{place}: {fault['msg']}" if place else fault["msg"]
        hint = ""
        if fault["type"] == "extra_forbidden":
            hint = near_key(path, model)
        yield Fault(path, text, hint)


# -- one flow --------------------------------------------------------------------------------


def route_faults(route: Route) -> Iterator[Fault]:
    """Judge one flow by itself."""
    yield from _cell_faults(route)
    yield from _leg_faults(route)
    yield from basis_faults(route.basis)
    yield from _field_faults(route)
    if route.whose.rule not in SCOPE_RULES:
        text = f"whose.rule {route.whose.rule} is none of {', '.join(sorted(SCOPE_RULES))}"
        yield Fault(("whose", "rule"), text, near(route.whose.rule, SCOPE_RULES))


def _grants(route: Route) -> Iterator[bool]:
    return (bool(grant.fields) for leg in route.legs for grant in leg.receivers.values())


_STATED: Mapping[Cell, tuple[str, Callable[[Route], bool]]] = {
    Cell.BASIS: ("basis", lambda route: bool(route.basis)),
    Cell.DESTINATION: ("receivers", lambda route: all(leg.receivers for leg in route.legs)),
    Cell.DATA: ("message_type", lambda route: route.message_type is not None),
}
"""The cells without which nothing can move: the key, and whether a route states it."""


def _cell_faults(route: Route) -> Iterator[Fault]:
    if route.state is not State.HELD:
        if route.missing:
            yield Fault(("missing",), "only a held flow has missing cells")
    elif not route.missing:
        yield Fault(("state",), "a held flow names the cells that are missing")
    for cell, (key, is_stated) in _STATED.items():
        if cell in route.missing and is_stated(route):
            yield Fault((key,), f"{key} is given, and {cell} is among the missing cells")
        elif cell not in route.missing and not is_stated(route):
            yield from _lacks(route, key)
    if Cell.DATA not in route.missing and route.state is not State.DENIED:
        yield from _without_fields(route)
    elif any(_grants(route)):
        yield Fault(("receivers",), "fields are listed for a flow that has no data to release")


def _lacks(route: Route, key: str) -> Iterator[Fault]:
    if key == "receivers":
        for path, leg in _places(route):
            if not leg.receivers:
                yield Fault((*path, "receivers"), "no receiver is named")
    elif key == "basis" and route.state is not State.DENIED:
        yield Fault((key,), f"a {route.state} flow needs a basis")
    elif key == "message_type":
        yield Fault((key,), "message_type: Field required")


def _without_fields(route: Route) -> Iterator[Fault]:
    for path, leg in _places(route):
        for receiver, grant in leg.receivers.items():
            if not grant.fields:
                yield Fault((*path, "receivers", receiver), f"{receiver}: no field is listed")


def _places(route: Route) -> Iterator[tuple[Path, Leg]]:
    """Give each leg with where its file states it."""
    first, *onward = route.legs
    yield (), first
    for index, leg in enumerate(onward):
        yield ("onward", index), leg


def _leg_faults(route: Route) -> Iterator[Fault]:
    reached: set[str] = set()
    for path, leg in _places(route):
        if leg.sender in leg.receivers:
            place = (*path, "receivers", leg.sender)
            yield Fault(place, f"{leg.sender} would send to itself")
        if path and leg.sender not in reached:
            text = f"{leg.sender} sends onward, and no leg before it reaches {leg.sender}"
            yield Fault((*path, "sender"), text, near(leg.sender, reached))
        reached |= leg.receivers.keys()
    senders = [leg.sender for leg in route.legs]
    for path, leg in _places(route):
        if path and senders.index(leg.sender) != int(path[-1]) + 1:
            yield Fault((*path, "sender"), f"{leg.sender} sends in two legs")


def basis_faults(basis: Sequence[Basis]) -> Iterator[Fault]:
    """Judge articles one after the other: in order, without overlap and without a gap."""
    for index, (earlier, later) in enumerate(itertools.pairwise(basis), 1):
        place = ("basis", index, "valid_from")
        if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
            yield Fault(place, f"the basis {later} begins before {earlier} ends")
        elif later.valid_from - earlier.valid_to > dt.timedelta(days=1):
            first = earlier.valid_to + dt.timedelta(days=1)
            last = later.valid_from - dt.timedelta(days=1)
            text = f"no basis from {first} through {last}: a gap before {later}"
            yield Fault(place, text)
    for index, item in enumerate(basis):
        if item.valid_to is not None and item.valid_to < item.valid_from:
            yield Fault(("basis", index, "valid_to"), f"the basis {item} ends before it begins")


def _field_faults(route: Route) -> Iterator[Fault]:
    if route.message_type is None or route.state is State.DENIED:
        return
    message = MESSAGE_TYPES.get(route.message_type)
    if message is None:
        text = f"message_type {route.message_type} has no schema"
        yield Fault(("message_type",), text, near(route.message_type, MESSAGE_TYPES))
        return
    for path, leg in _places(route):
        for receiver, grant in leg.receivers.items():
            place = (*path, "receivers", receiver)
            yield from _grant_faults(receiver, grant.fields, message, place)
            for name in sorted(grant.since.keys() - set(grant.fields)):
                text = f"{receiver}: since names {name}, which is not among the fields"
                yield Fault((*place, "since", name), text, near(name, grant.fields))
            numbers = sorted(set(grant.fields) & my_number_fields(message))
            if numbers and not grant.my_number:
                text = (
                    f"{receiver}: {', '.join(numbers)} is a 個人番号; my_number = true is not said"
                )
                yield Fault((*place, "fields"), text, value=numbers[0])
            if grant.my_number and not numbers:
                text = f"{receiver}: my_number = true, and no field that is listed is a 個人番号"
                yield Fault((*place, "my_number"), text)


def _grant_faults(
    receiver: str, fields: Sequence[str], message: type[CanonicalMessage], place: Path
) -> Iterator[Fault]:
    known = field_names(message)
    for name in sorted(set(fields)):
        if fields.count(name) > 1:
            yield Fault((*place, "fields"), f"{receiver}: {name} is listed twice", value=name)
        if name not in known:
            text = f"{receiver}: {message.MESSAGE_TYPE} has no field {name}"
            yield Fault((*place, "fields"), text, near(name, known), value=name)


# -- the flow among the systems --------------------------------------------------------------


def system_faults(systems: Mapping[str, System]) -> Iterator[Fault]:
    """Judge the list of systems."""
    if not systems:
        yield Fault((), "no system is listed")
    if HUB_USER in systems:
        index = list(systems).index(HUB_USER)
        yield Fault(("system", index, "id"), f"the id {HUB_USER} is the hub's own")


def end_faults(route: Route, systems: Mapping[str, System], listed_in: str) -> Iterator[Fault]:
    """Say which ends of a flow are no connected systems; ``listed_in`` names their file."""
    for path, leg in _places(route):
        ends = [((*path, "sender"), leg.sender)]
        ends += [((*path, "receivers", receiver), receiver) for receiver in leg.receivers]
        for place, system in ends:
            if system not in systems:
                text = f"the system {system} is not in {listed_in}"
                yield Fault(place, text, near(system, systems))
            elif systems[system].neighbour:
                yield Fault(place, f"{system} is a neighbour, which no flow may name")
