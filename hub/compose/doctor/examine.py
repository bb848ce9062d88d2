"""All looks, one after another; what one of them cannot see keeps no other from looking."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hub.compose.checked import load_checked
from hub.compose.doctor.broker import look_at_broker
from hub.compose.doctor.certificates import look_at_certificates
from hub.compose.doctor.console import look_at_console
from hub.compose.doctor.files import look_at_disks, look_at_files
from hub.compose.doctor.ledger import look_at_ledger, look_at_people
from hub.compose.doctor.machine import look_at_machine
from hub.compose.doctor.model import Finding, Look, Mark, Patient, Said, fail, ok
from hub.compose.doctor.processes import look_at_processes
from hub.errors import RenkeiError, SiteError

LOOKS: Mapping[str, Look] = {
    "files": look_at_files,
    "disks": look_at_disks,
    "certificates": look_at_certificates,
    "broker": look_at_broker,
    "ledger": look_at_ledger,
    "people": look_at_people,
    "console": look_at_console,
    "processes": look_at_processes,
}
SITE, MACHINE = "site", "machine"


def examine(path: Path, looks: Mapping[str, Look] = LOOKS) -> Iterator[Finding]:
    """Look at the installation of a site file, and give what is found as it is found.

    Where the site file cannot be used, there is nothing more to look at than the machine.
    """
    yield from _named(MACHINE, look_at_machine())
    yield from _named(SITE, _site_faults(path))
    try:
        site, catalogue = load_checked(path, ())
    except SiteError:
        return  # which was said
    patient = Patient(path, site, catalogue)
    for name, look in looks.items():
        yield from _named(name, _tried(look, patient))


def _named(check: str, said: Iterator[Said]) -> Iterator[Finding]:
    yield from (Finding(check, *one) for one in said)


def _tried(look: Look, patient: Patient) -> Iterator[Said]:
    try:
        yield from look(patient)
    except RenkeiError as error:
        yield Said(Mark.FAIL, str(error), "mend what it says, and look again")
    except OSError as error:
        yield Said(
            Mark.UNKNOWN, f"it cannot be looked at: {error}", "run this as the hub's account"
        )


def _site_faults(path: Path) -> Iterator[Said]:
    try:
        site, _ = load_checked(path, ())
        load_checked(path, administrator=site.broker.admin_password_file is not None)
    except SiteError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        for line in lines[1:] or lines:
            yield fail(line, f"mend {path} or what it names; renkei site check --site {path}")
    else:
        yield ok(f"{path}, its secrets and its decisions have no fault")
