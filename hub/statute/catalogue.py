"""The catalogue of flows, read from ``routes/*.toml`` and checked as a whole.

A flow is one file; ``systems.toml`` beside them lists the systems. Nothing moves that no flow
permits, and the receivers of a message are those that its flows name.
"""

import datetime as dt
import hashlib
import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.errors import CatalogueError
from hub.message import MessageType
from hub.site import HUB_USER, SystemId
from hub.statute.scope import SCOPE_RULES
from schemas import MESSAGE_TYPES
from schemas.canonical import field_names, my_number_fields

SYSTEMS_FILE = "systems.toml"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class State(StrEnum):
    """What the catalogue says of a flow, before any date is looked at."""

    PERMITTED = "permitted"
    HELD = "held"
    DENIED = "denied"


class Basis(_Record):
    """An article that permits a flow from ``valid_from`` through ``valid_to``, both included.

    ``valid_to`` is absent while the article is in force.
    """

    law: str
    article: str
    valid_from: dt.date
    valid_to: dt.date | None = None

    def in_force(self, day: dt.date) -> bool:
        """Say whether it covers this day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def __str__(self) -> str:
        return f"{self.law} {self.article}"


class Grant(_Record):
    """What one receiver may get: field names, and whether a 個人番号 may be among them."""

    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    my_number: bool = False


class Whose(_Record):
    """The persons that a flow may carry: a rule of ``hub.statute.scope`` and its words."""

    rule: str
    text: str


class Flow(_Record):
    """One statutory flow, as its file states it.

    ``missing`` names the lost cells of a held flow. ``section`` is where the source (the
    city's assessment no. 17) states it. ``fields_assumed`` marks an allow-list that the
    source names only by its subject, so that the city confirms the single fields.
    """

    ref: Annotated[str, Field(pattern=r"^[A-Z]+[0-9]+[a-z]?$")]
    title: str
    title_ja: str
    state: State = State.PERMITTED
    missing: tuple[str, ...] = ()
    sender: SystemId
    message_type: MessageType
    receivers: dict[SystemId, Grant]
    purpose: str
    whose: Whose
    basis: tuple[Basis, ...] = ()
    frequency: str
    transport: str
    retention_years: Annotated[int, Field(ge=1, le=100)] = 7
    section: str
    fields_assumed: bool = False

    def basis_on(self, day: dt.date) -> Basis | None:
        """Give the article in force on a day."""
        return next((basis for basis in self.basis if basis.in_force(day)), None)

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        faults = list(_flow_faults(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _flow_faults(flow: Flow) -> Iterator[str]:
    if flow.sender in flow.receivers:
        yield f"{flow.sender} would send to itself"
    if not flow.receivers:
        yield "no receiver is named"
    if flow.state is State.PERMITTED and not flow.basis:
        yield "a permitted flow needs a basis"
    if flow.state is State.HELD and not flow.missing:
        yield "a held flow names the cells that are missing"
    if flow.whose.rule not in SCOPE_RULES:
        yield f"whose.rule {flow.whose.rule} is none of {', '.join(sorted(SCOPE_RULES))}"
    yield from _basis_faults(flow.basis)
    yield from _field_faults(flow)


def _basis_faults(basis: Sequence[Basis]) -> Iterator[str]:
    for earlier, later in itertools.pairwise(basis):
        if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
            yield f"the basis {later} begins before {earlier} ends"
    for item in basis:
        if item.valid_to is not None and item.valid_to < item.valid_from:
            yield f"the basis {item} ends before it begins"


def _field_faults(flow: Flow) -> Iterator[str]:
    message = MESSAGE_TYPES.get(flow.message_type)
    if message is None:
        yield f"message_type {flow.message_type} has no schema"
        return
    for receiver, grant in flow.receivers.items():
        twice = sorted({name for name in grant.fields if grant.fields.count(name) > 1})
        if twice:
            yield f"{receiver}: {', '.join(twice)} is listed twice"
        unknown = sorted(set(grant.fields) - field_names(message))
        if unknown:
            yield f"{receiver}: {flow.message_type} has no field {', '.join(unknown)}"
        numbers = sorted(set(grant.fields) & my_number_fields(message))
        if numbers and not grant.my_number:
            yield f"{receiver}: {', '.join(numbers)} is a 個人番号; my_number = true is not said"


class System(_Record):
    """A system that the hub knows by name; a neighbour is known only to be refused."""

    id: SystemId
    name: str
    name_ja: str
    section: str
    neighbour: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All systems and flows. ``digest`` is the SHA-256 of the files it was read from."""

    systems: Mapping[str, System]
    flows: tuple[Flow, ...]
    digest: str

    def connected(self) -> tuple[str, ...]:
        """Give the ids of the systems that send or receive in some flow, sorted."""
        ends = {flow.sender for flow in self.flows}
        for flow in self.flows:
            ends |= flow.receivers.keys()
        return tuple(sorted(ends))

    def carrying(self, message_type: str) -> tuple[Flow, ...]:
        """Give the flows of a message type, whoever sends it."""
        return tuple(flow for flow in self.flows if flow.message_type == message_type)


def shipped_routes() -> Traversable:
    """Give the folder of the routes that come with the hub."""
    return resources.files("routes")


def load_catalogue(folder: Traversable | None = None) -> Catalogue:
    """Read every flow and system.

    Raises:
        CatalogueError: something is wrong; each fault is named with its file.
    """
    where = folder if folder is not None else shipped_routes()
    faults: list[str] = []
    digest = hashlib.sha256()
    systems: dict[str, System] = {}
    flows: list[Flow] = []
    for file in sorted(_toml_files(where), key=lambda file: file.name):
        try:
            content = file.read_bytes()
            digest.update(file.name.encode() + b"\x00" + content + b"\x00")
            document = tomllib.loads(content.decode("utf-8"))
            if file.name == SYSTEMS_FILE:
                systems = _systems(document)
            else:
                flows.append(_flow(file.name, document))
        except OSError as error:
            faults.append(f"{file.name}: cannot be read: {error.strerror or type(error).__name__}")
        except (ValueError, ValidationError) as error:
            faults.extend(f"{file.name}: {text}" for text in _texts(error))
    faults.extend(_catalogue_faults(systems, flows))
    if faults:
        message = "the catalogue has faults:\n" + "\n".join(f"  {fault}" for fault in faults)
        raise CatalogueError(message)
    return Catalogue(systems, tuple(flows), digest.hexdigest())


def _toml_files(folder: Traversable) -> Iterator[Traversable]:
    try:
        yield from (file for file in folder.iterdir() if file.name.endswith(".toml"))
    except OSError as error:
        message = f"the routes folder cannot be read: {error}"
        raise CatalogueError(message) from error


def _systems(document: dict[str, Any]) -> dict[str, System]:
    class File(_Record):
        system: tuple[System, ...]

    systems = File.model_validate(document).system
    ids = [system.id for system in systems]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        message = f"the system {', '.join(twice)} is listed twice"
        raise ValueError(message)
    return {system.id: system for system in systems}


def _flow(name: str, document: dict[str, Any]) -> Flow:
    flow = Flow.model_validate(document)
    if name != f"{flow.ref}.toml":
        message = f"the file of flow {flow.ref} is named {flow.ref}.toml"
        raise ValueError(message)
    return flow


def _texts(error: ValueError) -> Iterator[str]:
    if isinstance(error, ValidationError):
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            yield f"{place}: {fault['msg']}" if place else fault["msg"]
    else:
        yield str(error)


def _catalogue_faults(systems: Mapping[str, System], flows: Sequence[Flow]) -> Iterator[str]:
    if not systems:
        yield f"{SYSTEMS_FILE}: no system is listed"
    if HUB_USER in systems:
        yield f"{SYSTEMS_FILE}: the id {HUB_USER} is the hub's own"
    for flow in flows:
        for system in (flow.sender, *flow.receivers):
            if system not in systems:
                yield f"{flow.ref}.toml: the system {system} is not in {SYSTEMS_FILE}"
            elif systems[system].neighbour:
                yield f"{flow.ref}.toml: {system} is a neighbour, which no flow may name"
