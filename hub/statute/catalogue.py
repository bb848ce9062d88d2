"""The catalogue of flows, read from ``routes/*.toml`` and checked as a whole.

A flow is one file; ``systems.toml`` beside them lists the systems. Nothing moves that no flow
permits, and the receivers of a message are those that its flows name.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from hub.errors import CatalogueError
from hub.statute.faults import end_faults, route_faults, system_faults, validated
from hub.statute.findings import Fault, Finding, Severity
from hub.statute.lines import Lines, line_of_error
from hub.statute.model import (
    Basis,
    Catalogue,
    Flow,
    Grant,
    Leg,
    Record,
    Route,
    Standing,
    State,
    System,
    Whose,
)

__all__ = [
    "SYSTEMS_FILE",
    "Basis",
    "Catalogue",
    "Flow",
    "Grant",
    "Leg",
    "Standing",
    "State",
    "System",
    "Whose",
    "load_catalogue",
    "read_catalogue",
    "shipped_routes",
]

SYSTEMS_FILE = "systems.toml"
_REF = re.compile(r"([A-Z]+)([0-9]+)([a-z]?)")


def shipped_routes() -> Traversable:
    """Give the folder of the routes that come with the hub."""
    return resources.files("routes")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a routes folder says, as far as it can be read, and all that is wrong with it.

    ``texts`` holds the text of each file that is TOML, by name. ``catalogue`` lacks the flows
    that could not be read; it may be used only when there are no findings.
    """

    catalogue: Catalogue
    findings: tuple[Finding, ...]
    texts: Mapping[str, Lines]


def load_catalogue(folder: Traversable | None = None) -> Catalogue:
    """Read every flow and system.

    Raises:
        CatalogueError: something is wrong; each fault is named with its file and line.
    """
    reading = read_catalogue(folder)
    if reading.findings:
        message = "the catalogue has faults:\n" + "\n".join(f"  {one}" for one in reading.findings)
        raise CatalogueError(message)
    return reading.catalogue


def read_catalogue(folder: Traversable | None = None) -> Reading:
    """Read a routes folder, the shipped one by default, and judge it; raises nothing."""
    reader = _Reader()
    where = folder if folder is not None else shipped_routes()
    try:
        files = [file for file in where.iterdir() if file.name.endswith(".toml")]
    except OSError as error:
        reader.say(str(where), f"the routes folder cannot be read: {error.strerror or error}")
        files = []
    for file in sorted(files, key=lambda file: file.name):
        reader.read(file)
    return reader.reading()


def in_order(ref: str) -> tuple[str, int, str]:
    """Give what a reference sorts by: I2 comes before I10."""
    found = _REF.fullmatch(ref)
    return (found[1], int(found[2]), found[3]) if found else (ref, 0, "")


class _SystemsFile(Record):
    system: tuple[System, ...]


@dataclass(slots=True)
class _Reader:
    systems: dict[str, System] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    texts: dict[str, Lines] = field(default_factory=dict)
    digest: Any = field(default_factory=hashlib.sha256)

    def say(self, name: str, text: str, line: int = 1) -> None:
        self.findings.append(Finding(Severity.ERROR, name, line, text))

    def read(self, file: Traversable) -> None:
        """Read one file; whatever is wrong with it becomes a finding."""
        try:
            content = file.read_bytes()
        except OSError as error:
            self.say(file.name, f"cannot be read: {error.strerror or type(error).__name__}")
            return
        self.digest.update(file.name.encode() + b"\x00" + content + b"\x00")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self.say(file.name, f"is not utf-8: {error.reason}", line)
            return
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.say(file.name, str(error), line_of_error(error, text))
            return
        lines = self.texts[file.name] = Lines(text)
        read = self._systems if file.name == SYSTEMS_FILE else self._flow
        faults = read(file.name, document)
        self.findings.extend(fault.found(file.name, lines) for fault in faults)

    def _systems(self, _name: str, document: dict[str, Any]) -> Iterator[Fault]:
        listed = validated(_SystemsFile, document)
        if isinstance(listed, list):
            yield from listed
            return
        for index, system in enumerate(listed.system):
            if system.id in self.systems:
                text = f"the system {system.id} is listed twice"
                yield Fault(("system", index, "id"), text)
            self.systems[system.id] = system

    def _flow(self, name: str, document: dict[str, Any]) -> Iterator[Fault]:
        route = validated(Route, document)
        if isinstance(route, list):
            yield from route
            return
        if name != f"{route.ref}.toml":
            yield Fault(("ref",), f"the file of flow {route.ref} is named {route.ref}.toml")
        yield from route_faults(route)
        self.flows.append(Flow.model_construct(**dict(route)))

    def reading(self) -> Reading:
        """Judge the files against one another, and give everything."""
        lines = self.texts.get(SYSTEMS_FILE, Lines(""))
        self.findings.extend(
            fault.found(SYSTEMS_FILE, lines) for fault in system_faults(self.systems)
        )
        for flow in self.flows:
            name = f"{flow.ref}.toml"
            lines = self.texts.get(name, Lines(""))
            faults = end_faults(flow, self.systems, SYSTEMS_FILE)
            self.findings.extend(fault.found(name, lines) for fault in faults)
        flows = tuple(sorted(self.flows, key=lambda flow: in_order(flow.ref)))
        catalogue = Catalogue(self.systems, flows, self.digest.hexdigest())
        findings = sorted(self.findings, key=lambda one: (one.file, one.line))
        return Reading(catalogue, tuple(findings), self.texts)
