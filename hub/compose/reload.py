"""The catalogue in force, taken over anew when its files change: whole, or not at all.

Routes folder and site file are looked at every few seconds. Once they have stood still from
one look to the next they are read and checked as a whole. What has no fault is offered to take
over; what has one is refused, and the catalogue in force stays.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.errors import SiteError
from hub.site import Site, load_site
from hub.statute.catalogue import read_catalogue, shipped_routes
from hub.statute.lines import Lines
from hub.statute.model import Catalogue, System
from hub.statute.overrides import decided

POLL_SECONDS = 2.0

Stamp = tuple[str, int, int, int]
"""A file's name, inode, size and time of change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the files say now; ``catalogue`` is absent where they have faults.

    ``digest`` is that of the catalogue, or of what could be read of it.
    """

    digest: str
    catalogue: Catalogue | None
    faults: tuple[str, ...] = ()


class CatalogueWatch:
    """Looks after the files of one site's catalogue.

    ``offer`` gives something only when it would change what is in force, or is a fault that
    was not told before; ``settle`` says that it is dealt with. Until then it is offered again.
    """

    def __init__(
        self,
        path: Path,
        site: Site,
        catalogue: Catalogue,
        *,
        seconds: float = POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over the site file ``path`` and its routes, of which ``catalogue`` was read."""
        self.catalogue = catalogue
        self._path = path
        self._routes = _folder(site)
        self._systems = catalogue.systems
        self._seconds = seconds
        self._monotonic = monotonic
        self._due = 0.0
        # What was read a moment ago may have changed since: the first look reads it again.
        self._judged: tuple[Stamp, ...] | None = None
        self._pending: tuple[Stamp, ...] | None = None
        self._refused = ""

    def offer(self) -> Offer | None:
        """Look, when it is time; give what is new."""
        now = self._monotonic()
        if now < self._due:
            return None
        self._due = now + self._seconds
        seen = self._look()
        if seen == self._judged:
            self._pending = None
            return None
        if seen != self._pending:
            self._pending = seen
            return None
        offer = offered(self._path, self._systems)
        if self._look() != seen:
            return None
        if offer.digest == (self._refused if offer.faults else self.catalogue.digest):
            self.settle(offer)
            return None
        return offer

    def settle(self, offer: Offer) -> None:
        """Note that an offer is dealt with; one without faults is in force from now on."""
        self._judged, self._pending = self._pending, None
        self._refused = offer.digest if offer.faults else ""
        if offer.catalogue is not None:
            self.catalogue = offer.catalogue

    def changing(self) -> bool:
        """Say whether the files differ from those that were judged last."""
        return self._look() != self._judged

    def _look(self) -> tuple[Stamp, ...]:
        files = [self._path]
        if self._routes is not None:
            try:
                files += sorted(self._routes.glob("*.toml"))
            except OSError:
                files.append(self._routes)
        return tuple(map(_stamp, files))


def offered(path: Path, known: Mapping[str, System]) -> Offer:
    """Read and check what a site file and its routes say now; raises nothing.

    ``known`` are the systems that had a queue when the process started: another one needs the
    broker's topology and a new start first.
    """
    try:
        site = load_site(path)
    except SiteError as error:
        return Offer(_digest(path), None, tuple(str(error).splitlines()))
    reading = read_catalogue(site.hub.routes)
    if reading.findings:
        return Offer(reading.catalogue.digest, None, tuple(map(str, reading.findings)))
    effective = decided(reading.catalogue, site.catalogue)
    faults = [*_system_faults(site.systems, effective.catalogue, known)]
    if effective.faults:
        lines = Lines(path.read_text(encoding="utf-8"))
        faults += [str(one.found(path.name, lines, ("catalogue",))) for one in effective.faults]
    catalogue = None if faults else effective.catalogue
    return Offer(effective.catalogue.digest, catalogue, tuple(faults))


def _system_faults(
    connected: Collection[str], catalogue: Catalogue, known: Mapping[str, System]
) -> Iterator[str]:
    for system in connected:
        if system not in catalogue.systems or catalogue.is_neighbour(system):
            yield f"the site connects {system}, which is no system of this catalogue"
    for system in sorted(catalogue.connected()):
        if system not in known or known[system].neighbour:
            yield f"{system} is new: run renkei broker apply, then start the processes again"


def _folder(site: Site) -> Path | None:
    """Give the folder of the routes, where it is one on a disk."""
    if site.hub.routes is not None:
        return site.hub.routes
    shipped = shipped_routes()
    return shipped if isinstance(shipped, Path) else None


def _stamp(path: Path) -> Stamp:
    try:
        seen = path.stat()
    except OSError as error:
        return (path.name, 0, 0, error.errno or 0)
    return (path.name, seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _digest(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        content = str(error.errno).encode()
    return hashlib.sha256(content).hexdigest()
