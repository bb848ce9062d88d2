"""What the hub stands on, as the processes say it: certificates, disks, checks, links. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from monitoring.figures.scrape import WATCH, Reading


class EndNow(NamedTuple):
    """A certificate by its name in a process; ``at`` in seconds since 1970, 0 if unreadable."""

    process: str
    certificate: str
    at: float


class DiskNow(NamedTuple):
    """A disk by its place in a process, and the share of it that is free."""

    process: str
    place: str
    free: float


class AgainNow(NamedTuple):
    """What came to be done again since the processes were started."""

    retries: int
    redeliveries: int
    links_lost: int


class Standing(NamedTuple):
    """All of that; ``None`` is what no process tells.

    ``end`` is the nearest of all certificates, ``disk`` the one with the least room, ``failed`` are
    the checks of the watch that did not end well.
    """

    end: EndNow | None = None
    disk: DiskNow | None = None
    failed: tuple[str, ...] | None = None
    again: AgainNow | None = None


def standing_of(readings: Mapping[str, Reading | None]) -> Standing:
    """Put together what the processes answered."""
    answered = {name: one for name, one in readings.items() if one is not None}
    ends = [
        EndNow(process, name, at)
        for process, one in answered.items()
        for name, at in one.by("renkei_certificate_expiry_timestamp_seconds", "certificate").items()
    ]
    return Standing(
        end=min(ends, key=lambda one: one.at, default=None),
        disk=min(_disks(answered), key=lambda one: one.free, default=None),
        failed=_failed(answered.get(WATCH)),
        again=_again(list(answered.values())),
    )


def _disks(answered: Mapping[str, Reading]) -> list[DiskNow]:
    found: list[DiskNow] = []
    for process, one in answered.items():
        sizes = one.by("renkei_disk_size_bytes", "place")
        for place, free in one.by("renkei_disk_free_bytes", "place").items():
            if sizes.get(place):
                found.append(DiskNow(process, place, free / sizes[place]))
    return found


def _failed(watch: Reading | None) -> tuple[str, ...] | None:
    ran = {} if watch is None else watch.by("renkei_health_check_success", "check")
    return tuple(name for name, well in ran.items() if not well) if ran else None


def _again(answered: list[Reading]) -> AgainNow | None:
    if not answered:
        return None

    def in_all(name: str, **labels: str) -> int:
        return int(sum(one.value(name, **labels) or 0 for one in answered))

    lost = in_all("renkei_link_losses_total")
    return AgainNow(
        in_all("renkei_retries_total"),
        in_all("renkei_redeliveries_total"),
        lost + in_all("renkei_adapter_troubles_total", where="link"),
    )
