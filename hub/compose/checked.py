"""The site file and what it points to, checked as a whole before anything starts."""

import difflib
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

import adapters
from hub.compose.places import (
    ADMINISTRATOR_KEY,
    LEDGER_KEY,
    Place,
    content_faults,
    place_faults,
    places_of,
    table,
)
from hub.compose.traces import trace_faults
from hub.edge.http.couriers import lacking
from hub.errors import CatalogueError, SiteError
from hub.ledger.keyfile import pseudonym_keys
from hub.limits import take_over
from hub.pki.check import unusable
from hub.pki.names import CONSOLE, WATCH
from hub.processes import worker_names
from hub.site import HUB_USER, Site, SystemSite, load_site, read_secret
from hub.statute.catalogue import Catalogue, load_catalogue
from hub.statute.lines import Lines
from hub.statute.overrides import Effective, decided
from schemas.evidence.note import NoteError, Signer

KEY = "hub.pseudonym_key_file"
ADMINISTRATOR = "the administrator"
"""Whose secret the administrator's is; no system can have this name."""


def load_checked(
    path: Path, users: Collection[str] | None = None, *, administrator: bool = False
) -> tuple[Site, Catalogue]:
    """Read a site file and its catalogue, and check one against the other.

    The catalogue is the effective one: with what the site decides about its flows.

    ``users`` says whose secrets are needed (``hub``, or systems); without it, everybody's. An
    adapter's account need not be able to read the secrets of the others. The password of the
    broker's administrator is looked at only where ``administrator`` says so; otherwise, for
    everybody, also the certificates of all processes that ``renkei up`` starts. From then on
    this process holds to the site's limits.

    Raises:
        SiteError: something is wrong; every fault of site, secrets and catalogue is named.
    """
    try:
        site, heading = load_site(path), f"{path} cannot be used:"
    except SiteError as error:
        site, heading = None, str(error)
    catalogue, faults = _examined(_pointed_to(path), users, administrator=administrator)
    if site is not None:
        faults += [*_interface_faults(site), *trace_faults(site.traces)]
        faults += unusable(site, _started(site)) if users is None and not administrator else ()
    if site is not None and catalogue is not None:
        effective = decided(catalogue, site.catalogue)
        catalogue = effective.catalogue
        faults += _decision_faults(path, effective)
    if site is None or catalogue is None or faults:
        lines = "\n".join(faults).splitlines()
        raise SiteError("\n".join([heading, *(f"  {line}" for line in lines)]))
    take_over(site.limits)
    return site, catalogue


def load_named(path: Path) -> Site:
    """Read a site file whose secrets need not be there yet, and check what it names.

    Raises:
        SiteError: the file has faults, or names one place for two; all of them are named.
    """
    try:
        site, heading = load_site(path), f"{path} cannot be used:"
    except SiteError as error:
        site, heading = None, str(error)
    pointed = _pointed_to(path)
    faults = [f"  {fault}" for fault in place_faults(pointed.places)] if pointed else []
    if site is None or faults:
        raise SiteError("\n".join([heading, *faults]))
    return site


def _started(site: Site) -> tuple[str, ...]:
    console = (CONSOLE,) if site.console is not None else ()
    return (*worker_names(site.hub.workers), WATCH, *console, *site.systems)


def _interface_faults(site: Site) -> Iterator[str]:
    for system, settings in site.systems.items():
        if system in adapters.systems() and adapters.find(system).courier is not None:
            yield from (f"systems.{system}: {fault}" for fault in lacking(settings))
            if settings.ca_file is not None and not settings.ca_file.is_file():
                yield f"systems.{system}: ca_file {settings.ca_file} is not there"


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
    """Read the password of every broker user of the site that has one.

    Raises:
        SiteError: one is missing or readable by others.
    """
    files = {
        HUB_USER: site.hub.password_file,
        site.broker.monitor_user: site.broker.monitor_password_file,
        **{name: system.password_file for name, system in site.systems.items()},
    }
    return {user: read_secret(file) for user, file in files.items() if file is not None}


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"


@dataclass(frozen=True, slots=True)
class _Pointed:
    """What a site file points to, as far as it can be read at all.

    A faulty one is looked at too, so that nobody has to mend one fault to hear of the next.
    """

    places: list[Place]
    systems: list[str]

    @property
    def routes(self) -> Path | None:
        """Give the site's own catalogue."""
        paths = (place.path for place in self.places if place.key == "hub.routes")
        return next((path for path in paths if isinstance(path, Path)), None)


def _pointed_to(path: Path) -> _Pointed | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # load_site has said so
    places = places_of(document, path, HUB_USER, ADMINISTRATOR)
    return _Pointed(places, list(table(document, "systems")))


def _examined(
    pointed: _Pointed | None, users: Collection[str] | None, *, administrator: bool
) -> tuple[Catalogue | None, list[str]]:
    if pointed is None:
        return None, []
    faults = list(place_faults(pointed.places))
    catalogue: Catalogue | None = None
    try:
        catalogue = load_catalogue(pointed.routes)
    except CatalogueError as error:
        faults.append(str(error))

    def is_needed(user: str) -> bool:
        return administrator if user == ADMINISTRATOR else users is None or user in users

    if administrator and all(place.user != ADMINISTRATOR for place in pointed.places):
        faults.append(f"{ADMINISTRATOR_KEY} is missing: renkei broker apply needs it")
    faults += _secret_faults([place for place in pointed.places if is_needed(place.user)])
    for system in pointed.systems:
        faults += (f"systems.{system}: {fault}" for fault in _system_faults(system, catalogue))
    return catalogue, faults


def _secret_faults(places: list[Place]) -> Iterator[str]:
    read: dict[Path | str, tuple[str, SecretStr]] = {}
    for place in places:
        if not place.user:
            continue
        try:
            secret = read_secret(place.path, given=place.is_given)
        except SiteError as error:
            yield str(error)
            continue
        if place.key == KEY:
            try:
                pseudonym_keys(place.path, secret)
            except SiteError as error:
                yield str(error)
        if place.key == f"hub.{LEDGER_KEY}":
            try:
                Signer(secret.get_secret_value())
            except NoteError as error:
                yield f"the secret {place.path} is no signing key: {error}"
        # One file under two keys is named as such already.
        where = place.path if isinstance(place.path, Path) else place.key
        read.setdefault(where, (place.key, secret))
    yield from content_faults(dict(read.values()))


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
