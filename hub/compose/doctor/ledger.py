"""The ledger and its database, and what people do with it again and again."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from hub.clock import JST
from hub.compose.checks import NONE_KEPT, checkpoint_fault, witness_fault
from hub.compose.doctor.model import Patient, Said, fail, ok, warn
from hub.compose.install import MAKE_RECIPIENT
from hub.compose.ledger import ledger_signer, ledger_url, witness_place_fault
from hub.ledger import head as heads
from hub.ledger.acts import Act
from hub.ledger.maintenance import read_maintenance
from hub.ledger.newest import newest_act
from hub.ledger.schema import PROMPT_SECONDS, check_schema, ledger_errors, open_engine
from hub.site import Site

CLOCK_SECONDS = 2.0
DUE: dict[Act, tuple[dt.timedelta, str, str]] = {
    Act.RECONCILED: (dt.timedelta(hours=36), "the last reconciling of a day", "ledger reconcile"),
    Act.BACKUP: (dt.timedelta(hours=50), "the last backup of the ledger", "ledger backup FILE"),
}
"""How long ago an act may be, and the command that does it again."""
REVIEW = (dt.timedelta(days=40), "the last look at the report of a month", "review")


def look_at_ledger(patient: Patient) -> Iterator[Said]:
    """Look at schema, head, checkpoint and witness; of PostgreSQL also at how safe it is."""
    with _opened(patient.site) as engine:
        check_schema(engine)
        if engine.dialect.name == "postgresql":
            yield from _postgresql(engine)
        with ledger_errors("be read"), engine.connect() as connection:
            head, fault = heads.read(connection)
        if fault:
            yield fail(heads.halted(fault), patient.command("ledger verify"))
        verifier = ledger_signer(patient.site).verifier
        faults = (checkpoint_fault(engine, verifier), witness_fault(patient.site, engine, verifier))
        for one in filter(None, faults):
            yield fail(one, _todo(one, patient))
        if not fault and not any(faults):
            yield ok(f"the ledger has {head.size} entries, and its seals are this site's")
        resting = read_maintenance(engine, dt.datetime.now(dt.UTC))
        if resting is not None:
            yield warn(
                f"the hub is at rest until {resting.until:%Y-%m-%d %H:%M %Z}: {resting.reason}",
                patient.command("maintenance off"),
            )


def _todo(fault: str, patient: Patient) -> str:
    """Say what to do about a fault of checkpoint or witness."""
    folder = patient.site.hub.ledger_witness_file.parent
    if fault == witness_place_fault(patient.site):
        return (
            f"make {folder} the hub's own, mode 700: {patient.command('site init')} as its account"
        )
    if fault == NONE_KEPT:
        return (
            "start the watch: systemctl start renkei-watch (renkei up has one); its log says what "
            f"keeps it from writing into {folder}"
        )
    return patient.command("ledger verify")


def look_at_people(patient: Patient) -> Iterator[Said]:
    """Look at who can read backups, when they were made and days reconciled.

    When, only of a ledger with entries.
    """
    now = dt.datetime.now(dt.UTC)
    if to_nobody := not patient.site.hub.archive_recipients:
        yield warn(
            "backups and archives can be encrypted to nobody: hub.archive_recipients is missing",
            f"{MAKE_RECIPIENT} of {patient.path}",
        )
    with _opened(patient.site) as engine:
        check_schema(engine)
        with ledger_errors("be read"), engine.connect() as connection:
            if heads.read(connection)[0].size == 0:
                return
        due = DUE if patient.site.console is None else {**DUE, Act.REVIEWED: REVIEW}
        for act, (most, what, command) in due.items():
            newest = newest_act(engine, act)
            when = "never" if newest is None else f"{newest.at.astimezone(JST):%Y-%m-%d %H:%M}"
            if newest is None or now - newest.at > most:
                first = "name archive_recipients first: " if act is Act.BACKUP and to_nobody else ""
                yield warn(f"{what}: {when}", first + patient.command(command))
            else:
                yield ok(f"{what}: {when}")


def _postgresql(engine: Engine) -> Iterator[Said]:
    with ledger_errors("be read"), engine.connect() as connection:
        shown = {
            name: str(connection.execute(statement).scalar_one())
            for name, statement in (
                ("fsync", text("SHOW fsync")),
                ("full_page_writes", text("SHOW full_page_writes")),
                ("server_version", text("SHOW server_version")),
            )
        }
        now: dt.datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        away = abs((dt.datetime.now(dt.UTC) - now).total_seconds())
    off = [name for name in ("fsync", "full_page_writes") if shown[name] != "on"]
    if off:
        yield fail(
            f"PostgreSQL may lose what it has said was written: {', '.join(off)} is off",
            "set it to on in postgresql.conf, and start it again",
        )
    if away > CLOCK_SECONDS:
        yield warn(
            f"the clocks of PostgreSQL and of this machine are {away:.0f} s apart",
            "run chrony or systemd-timesyncd on both",
        )
    yield ok(f"PostgreSQL {shown['server_version']} answers")


@contextmanager
def _opened(site: Site) -> Iterator[Engine]:
    engine = open_engine(ledger_url(site), PROMPT_SECONDS)
    try:
        yield engine
    finally:
        engine.dispose()
