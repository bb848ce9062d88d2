"""Files and folders: who may read them, and how much room there is."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hub.compose.doctor.model import Patient, Said, fail, ok, warn
from hub.edge.folders import Folders
from hub.site import Site

LOW, NEARLY_FULL = 0.1, 0.03
_SQLITE = "sqlite:///"


def look_at_files(patient: Patient) -> Iterator[Said]:
    """Look at what is the hub's own, and at the folders of the systems."""
    site = patient.site
    wrong = False
    for name, path in own_files(site).items():
        for said in _privacy(name, path):
            wrong = True
            yield said
    for name, system in site.systems.items():
        drive = Folders(system.folder)
        missing = [
            one.name
            for one in (drive.to_hub, drive.from_hub, drive.processed, drive.set_aside)
            if not one.is_dir()
        ]
        if missing:
            wrong = True
            yield fail(
                f"{name}: {system.folder} lacks {', '.join(missing)}",
                patient.command("site init"),
            )
        elif not os.access(drive.to_hub, os.W_OK):
            wrong = True
            yield fail(
                f"{name}: this account may not take files out of {drive.to_hub}",
                "give the hub's account the group of the system, and the group the right to write",
            )
    if not wrong:
        yield ok("files are the hub's own, and every system has its folders")


def own_files(site: Site) -> dict[str, Path]:
    """Name what nobody but the hub's account may read, as far as it stands in files."""
    found = {"the witness": site.hub.ledger_witness_file}
    if site.hub.ledger.startswith(_SQLITE):
        found["the ledger"] = Path(site.hub.ledger.removeprefix(_SQLITE))
    found |= {f"the journal of {name}": one.journal for name, one in site.systems.items()}
    if site.console is not None:
        found["the console's folder"] = site.console.folder
    return found


def _privacy(name: str, path: Path) -> Iterator[Said]:
    try:
        state = path.stat()
    except FileNotFoundError:
        return  # made when it is needed; a ledger that is gone is said by its own look
    if state.st_mode & stat.S_IRWXO:
        yield fail(f"{name} ({path}) is open to every account of this machine", f"chmod o= {path}")
    if os.geteuid() not in {0, state.st_uid}:
        yield warn(
            f"{name} ({path}) belongs to another account",
            "run this as the hub's account; else chown",
        )


def look_at_disks(patient: Patient) -> Iterator[Said]:
    """Look at the room on each disk that something is kept on: in bytes, and in files."""
    site = patient.site
    kept = [*own_files(site).values(), *(one.folder for one in site.systems.values()), patient.path]
    seen: set[int] = set()
    for path in kept:
        place = next(one for one in (path, *path.resolve().parents) if one.exists())
        disk = place.stat().st_dev
        if disk not in seen:
            seen.add(disk)
            yield _room(place)


def _room(place: Path) -> Said:
    room = os.statvfs(place)
    shares = {
        "room": _share(room.f_bavail, room.f_blocks),
        "files": _share(room.f_favail, room.f_files),
    }
    kind, least = min(shares.items(), key=lambda one: one[1])
    text = f"the disk of {place} has {least:.0%} of its {kind} left"
    if least < NEARLY_FULL:
        return fail(text, "make room: docs/operations/troubles.md#a-full-disk")
    if least < LOW:
        return warn(text, "make room: docs/operations/troubles.md#a-full-disk")
    return ok(text)


def _share(free: int, whole: int) -> float:
    return free / whole if whole else 1.0  # some file systems count no files
