"""Everything that is wrong with routes, schemas, layouts, adapters and site, at once.

No broker and no database: it reads the files it is given. What the adapters can carry is told
by the composition root, so that the catalogue knows no adapter.
"""

import datetime as dt
import inspect
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, Self

from hub.near import near
from hub.site import CatalogueSite, Site
from hub.statute.catalogue import Reading, read_catalogue
from hub.statute.faults import validated
from hub.statute.findings import Fault, Finding, Severity
from hub.statute.lines import Lines, line_of_error
from hub.statute.lines import Path as Place
from hub.statute.model import Catalogue, Flow, Leg, Standing, State
from hub.statute.overrides import decided
from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage, my_number_fields
from schemas.layout import Layout

_NO_LINES = Lines("")


@dataclass(frozen=True, slots=True)
class Carriage:
    """What an adapter can carry: ``in`` is from its system to the hub, ``out`` back.

    ``layout`` is the id of the file's layout, or empty where the wire has none; a layout that
    is used otherwise has an empty ``message_type``.
    """

    system: str
    direction: Literal["in", "out"]
    message_type: str
    layout: str = ""


def check(
    routes: Traversable | None,
    carriages: Collection[Carriage],
    *,
    today: dt.date,
    site: Path | None = None,
    layouts: Traversable | None = None,
) -> list[Finding]:
    """Find everything that is wrong, errors and warnings, by file and line; raises nothing.

    ``routes`` and ``layouts`` are folders, by default those shipped. ``site`` is a site file;
    what it decides about flows counts. Secrets are not looked at.
    """
    seen = _SiteFile.read(site) if site is not None else _SiteFile()
    reading = read_catalogue(routes if routes is not None else seen.routes())
    catalogue, decisions = seen.decide(reading.catalogue)
    where = _Where(reading, seen)
    found = [*reading.findings, *decisions]
    found += _dated(where, catalogue, today)
    found += _carried(where, catalogue, carriages)
    found += _schemas(catalogue)
    found += _layouts(layouts, carriages)
    return sorted(found, key=lambda one: (one.file, one.line, one.text))


def shipped_layouts() -> Traversable:
    """Give the folder of the layouts that come with the hub."""
    return resources.files("schemas") / "layouts"


# -- the articles today ----------------------------------------------------------------------


def _dated(where: "_Where", catalogue: Catalogue, today: dt.date) -> Iterator[Finding]:
    """Warn of flows that nothing permits any more."""
    for flow in catalogue.flows:
        last = flow.basis[-1].valid_to if flow.basis else None
        if last is not None and last < today and flow.standing(today) is Standing.NOT_IN_FORCE:
            text = f"the basis of {flow.ref} expired on {last}"
            yield where.warning(flow, ("basis", len(flow.basis) - 1, "valid_to"), text)


# -- what adapters can carry -----------------------------------------------------------------


def _carried(
    where: "_Where", catalogue: Catalogue, carriages: Collection[Carriage]
) -> Iterator[Finding]:
    """Warn of permitted flows that no adapter can carry, and of adapters beside every flow."""
    able = {(one.system, one.direction, one.message_type) for one in carriages}
    systems = {one.system for one in carriages}
    for flow in catalogue.flows:
        if flow.state is State.PERMITTED and flow.closed is None:
            lacking = [
                (place, system, direction)
                for path, leg in _legs(flow)
                for place, system, direction in _ends(path, leg)
                if (system, direction, flow.message_type) not in able
            ]
            if lacking:
                lacks = (_lack(system, way, systems) for _, system, way in lacking)
                text = (
                    f"no adapter can carry {flow.message_type}: {'; '.join(dict.fromkeys(lacks))}"
                )
                yield where.warning(flow, lacking[0][0], text)
    used = {
        (system, direction, flow.message_type)
        for flow in catalogue.flows
        for path, leg in _legs(flow)
        for _, system, direction in _ends(path, leg)
    }
    for one in sorted(carriages, key=lambda one: (one.system, one.direction, one.message_type)):
        if one.message_type and (one.system, one.direction, one.message_type) not in used:
            word = "send" if one.direction == "in" else "receive"
            text = f"the adapter can {word} {one.message_type}, which no flow lets {one.system} do"
            yield Finding(Severity.WARNING, f"adapters/{_package(one.system)}", 1, text)


def _legs(flow: Flow) -> Iterator[tuple[Place, Leg]]:
    for index, leg in enumerate(flow.legs):
        yield (("onward", index - 1) if index else ()), leg


def _ends(path: Place, leg: Leg) -> Iterator[tuple[Place, str, Literal["in", "out"]]]:
    yield (*path, "sender"), leg.sender, "in"
    for receiver in leg.receivers:
        yield (*path, "receivers", receiver), receiver, "out"


def _lack(system: str, way: str, systems: Collection[str]) -> str:
    if system not in systems:
        return f"none is installed for {system}"
    return f"that of {system} has no mapping {'from' if way == 'in' else 'to'} its system"


def _package(system: str) -> str:
    return system.replace("-", "_")


# -- schemas ---------------------------------------------------------------------------------


def _schemas(catalogue: Catalogue) -> Iterator[Finding]:
    """Judge the message classes: each is used, and each My Number is marked as one."""
    for name, cls in MESSAGE_TYPES.items():
        if not catalogue.carrying(name):
            text = f"no flow carries the message type {name}"
            yield _of_class(cls, Severity.WARNING, text)
        marked = my_number_fields(cls)
        for part in cls.model_fields:
            if "my_number" in part and part not in marked:
                text = f"{name}: the field {part} is not of the type MyNumber"
                yield _of_class(cls, Severity.ERROR, text, part)


def _of_class(
    cls: type[CanonicalMessage], severity: Severity, text: str, part: str = ""
) -> Finding:
    file = f"{cls.__module__.replace('.', '/')}.py"
    rows, first = inspect.getsourcelines(cls)
    at = next((n for n, row in enumerate(rows) if row.lstrip().startswith(f"{part}:")), 0)
    return Finding(severity, file, first + (at if part else 0), text)


# -- layouts ---------------------------------------------------------------------------------


def _layouts(folder: Traversable | None, carriages: Iterable[Carriage]) -> Iterator[Finding]:
    """Judge every layout, and say which of those that adapters name is missing."""
    where = folder if folder is not None else shipped_layouts()
    try:
        files = sorted((f for f in where.iterdir() if f.name.endswith(".toml")), key=str)
    except OSError as error:
        yield Finding(Severity.ERROR, str(where), 1, f"cannot be read: {error.strerror or error}")
        files = []
    there = {file.name.removesuffix(".toml") for file in files}
    named: set[str] = set()
    for one in carriages:
        if one.layout and one.layout not in there | named:
            text = f"the adapter names the layout {one.layout}, which is not in schemas/layouts"
            hint = near(one.layout, there)
            yield Finding(Severity.ERROR, f"adapters/{_package(one.system)}", 1, text, hint)
        named.add(one.layout)
    for file in files:
        yield from _layout(file)
        if file.name.removesuffix(".toml") not in named:
            yield Finding(Severity.WARNING, file.name, 1, "no adapter uses this layout")


def _layout(file: Traversable) -> Iterator[Finding]:
    read = _toml(file)
    if isinstance(read, Finding):
        yield read
        return
    document, lines = read
    layout = validated(Layout, document)
    if isinstance(layout, list):
        yield from (fault.found(file.name, lines) for fault in layout)
    elif f"{layout.id}.toml" != file.name:
        fault = Fault(("id",), f"the file of layout {layout.id} is named {layout.id}.toml")
        yield fault.found(file.name, lines)


def _toml(file: Traversable) -> tuple[dict[str, Any], Lines] | Finding:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Finding(Severity.ERROR, file.name, 1, f"cannot be read: {error}")
    try:
        return tomllib.loads(text), Lines(text)
    except tomllib.TOMLDecodeError as error:
        return Finding(Severity.ERROR, file.name, line_of_error(error, text), str(error))


# -- the site --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _SiteFile:
    """A site file, as far as it can be read; without a path there is none."""

    path: Path | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    lines: Lines = _NO_LINES
    unreadable: tuple[Finding, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        read = _toml(path)
        if isinstance(read, Finding):
            return cls(path, unreadable=(read,))
        document, lines = read
        return cls(path, document, lines)

    @property
    def name(self) -> str:
        return self.path.name if self.path is not None else ""

    def routes(self) -> Traversable | None:
        """Give the routes folder that it names, if it names one."""
        hub = self.document.get("hub")
        named = hub.get("routes") if isinstance(hub, dict) else None
        return self.path.parent / named if self.path and isinstance(named, str) else None

    def decide(self, catalogue: Catalogue) -> tuple[Catalogue, list[Finding]]:
        """Give the catalogue with what it decides, and all that is wrong with it."""
        if self.path is None or self.unreadable:
            return catalogue, list(self.unreadable)
        site = validated(Site, self.document)
        faults = site if isinstance(site, list) else []
        systems = self.document.get("systems")
        faults += _system_faults(systems if isinstance(systems, dict) else {}, catalogue)
        decisions = validated(CatalogueSite, self.document.get("catalogue", {}))
        if isinstance(decisions, CatalogueSite):
            effective = decided(catalogue, decisions)
            catalogue = effective.catalogue
            faults += [replace(f, path=("catalogue", *f.path)) for f in effective.faults]
        return catalogue, [fault.found(self.name, self.lines) for fault in faults]


def _system_faults(systems: Iterable[str], catalogue: Catalogue) -> Iterator[Fault]:
    for system in systems:
        if system not in catalogue.systems:
            text = f"the catalogue does not know the system {system}"
            yield Fault(("systems", system), text, near(system, catalogue.systems))
        elif catalogue.is_neighbour(system):
            text = f"{system} is a neighbour that no flow of this office reaches"
            yield Fault(("systems", system), text)


@dataclass(frozen=True, slots=True)
class _Where:
    """Tells in which file, and on which line, a part of a flow stands."""

    reading: Reading
    site: _SiteFile

    def warning(self, flow: Flow, place: Place, text: str) -> Finding:
        below: Place = ("catalogue", "own" if flow.own else "flows", flow.ref)
        fault = Fault(place, text, severity=Severity.WARNING)
        if flow.own or self.site.lines.has((*below, *place[:1])):
            return fault.found(self.site.name, self.site.lines, below)
        name = f"{flow.ref}.toml"
        return fault.found(name, self.reading.texts.get(name, _NO_LINES))
