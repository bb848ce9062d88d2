"""The site file and what it points to, checked as a whole before anything starts."""

import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import adapters
from hub.errors import CatalogueError, SiteError
from hub.site import HUB_USER, Site, SystemSite, load_site, read_secret
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.lines import Lines
from hub.statute.overrides import Effective, decided

MIN_KEY_CHARACTERS = 32
_HUB_SECRETS = ("password_file", "ledger_password_file")


def load_checked(path: Path, users: Collection[str] | None = None) -> tuple[Site, Catalogue]:
    """Read a site file and its catalogue, and check one against the other.

    The catalogue is the effective one: with what the site decides about its flows.

    ``users`` says whose secrets are needed (``hub``, or systems); without it, everybody's. An
    adapter's account need not be able to read the secrets of the others.

    Raises:
        SiteError: something is wrong; every fault of site, secrets and catalogue is named.
    """
    try:
        site, heading = load_site(path), f"{path} cannot be used:"
    except SiteError as error:
        site, heading = None, str(error)
    catalogue, faults = _examined(_pointed_to(path), users)
    if site is not None and catalogue is not None:
        effective = decided(catalogue, site.catalogue)
        catalogue = effective.catalogue
        faults += _decision_faults(path, effective)
    if site is None or catalogue is None or faults:
        lines = "\n".join(faults).splitlines()
        raise SiteError("\n".join([heading, *(f"  {line}" for line in lines)]))
    return site, catalogue


def _decision_faults(path: Path, effective: Effective) -> list[str]:
    if not effective.faults:
        return []
    lines = Lines(path.read_text(encoding="utf-8"))
    return [str(fault.found(path.name, lines, ("catalogue",))) for fault in effective.faults]


def system_of(site: Site, system: str) -> SystemSite:
    """Give the part of the site file about one system.

    Raises:
        SiteError: it names no such system; the text names those whose names are near.
    """
    found = site.systems.get(system)
    if found is None:
        near = difflib.get_close_matches(system, site.systems, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it names {_listed(site.systems)}"
        message = f"the site file names no system {system}; {hint}"
        raise SiteError(message)
    return found


def passwords_of(site: Site) -> dict[str, SecretStr]:
    """Read the password of every broker user of the site.

    Raises:
        SiteError: one is missing or readable by others.
    """
    return {HUB_USER: read_secret(site.hub.password_file)} | {
        name: read_secret(system.password_file) for name, system in site.systems.items()
    }


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"


@dataclass(slots=True)
class _Pointed:
    """What a site file points to, as far as it can be read at all.

    A faulty one is looked at too, so that nobody has to mend one fault to hear of the next.
    """

    routes: Path | None = None
    key: Path | None = None
    secrets: list[tuple[str, Path]] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)


def _pointed_to(path: Path) -> _Pointed | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # load_site has said so
    folder = path.resolve().parent

    def place(table: Mapping[str, Any], key: str) -> Path | None:
        value = table.get(key)
        return (folder / value).resolve() if isinstance(value, str) and value else None

    hub = _table(document, "hub")
    found = _Pointed(place(hub, "routes"), place(hub, "pseudonym_key_file"))
    owners = [(HUB_USER, hub, key) for key in _HUB_SECRETS]
    for system in (systems := _table(document, "systems")):
        found.systems.append(system)
        owners.append((system, _table(systems, system), "password_file"))
    for user, table, key in owners:
        secret = place(table, key)
        if secret is not None:
            found.secrets.append((user, secret))
    return found


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _examined(
    pointed: _Pointed | None, users: Collection[str] | None
) -> tuple[Catalogue | None, list[str]]:
    if pointed is None:
        return None, []
    faults: list[str] = []
    catalogue: Catalogue | None = None
    try:
        catalogue = load_catalogue(pointed.routes)
    except CatalogueError as error:
        faults.append(str(error))
    if pointed.key is not None and (users is None or HUB_USER in users):
        faults += _secret_faults(pointed.key, MIN_KEY_CHARACTERS)
    for user, secret in pointed.secrets:
        if users is None or user in users:
            faults += _secret_faults(secret)
    for system in pointed.systems:
        faults += (f"systems.{system}: {fault}" for fault in _system_faults(system, catalogue))
    return catalogue, faults


def _secret_faults(path: Path, least: int = 1) -> list[str]:
    try:
        secret = read_secret(path)
    except SiteError as error:
        return [str(error)]
    if len(secret) < least:
        return [f"the secret {path} is too short: it needs {least} characters"]
    return []


def _system_faults(system: str, catalogue: Catalogue | None) -> Iterator[str]:
    if catalogue is not None:
        if system not in catalogue.systems:
            yield "the catalogue does not know this system"
        elif catalogue.systems[system].neighbour:
            yield "a neighbour that no flow of this office reaches"
    try:
        adapters.find(system)
    except SiteError as error:
        yield str(error)
