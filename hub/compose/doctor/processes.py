"""The processes that run: do they answer, are they linked, and of which version are they."""

import datetime as dt
import http.client
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from hub.clock import JST
from hub.compose.doctor.model import Patient, Said, fail, ok, unknown, warn
from hub.compose.links import context_maker
from hub.compose.running import takes_connections
from hub.errors import SiteError
from hub.pki.names import OPERATOR
from hub.processes import WORKER, worker_names
from hub.site import Site
from monitoring.build import DISTRIBUTION
from monitoring.endpoint import DETAIL
from monitoring.figures.scrape import CONSOLE, WATCH, Asker, Reading, Target, targets_of

DETAIL_SECONDS = 9.0
"""The watch takes 8 s at most for what it tries."""
SOON = dt.timedelta(days=21)
"""So long before its end a certificate is told of: as the rule RenkeiCertificateEndsSoon has it."""
OF_FILES = frozenset({"own", "authority", "revocation-list", "encryption"})
"""These lie in the folder of certificates, where another look finds them."""
_AWAY = (OSError, ValueError, http.client.HTTPException, SiteError)


def look_at_processes(patient: Patient) -> Iterator[Said]:
    """Ask every process that has a port for its metrics, and the watch for what it tries out."""
    site = patient.site
    targets = targets_of(site)
    yield from _without_port(site, targets, patient)
    ask = Asker(context_maker(site, OPERATOR))
    workers: list[float] = []
    if targets and not any(map(takes_connections, targets)):
        named = ", ".join(one.process for one in targets)
        yield fail(
            f"none of the site's processes answers: {named}",
            f"{patient.command('up')}, or where units run the site: systemctl start renkei.target",
        )
        return
    for target in targets:
        try:
            reading = ask(target)
        except _AWAY as error:
            yield _silent(target, error, patient)
            continue
        yield from process_said(target, reading)
        yield from servers_said(target, reading, dt.datetime.now(JST))
        workers += filter(None, [reading.value("renkei_hub_workers")])
        if target.process == WATCH:
            yield from _detail(site, target)
    if workers and max(workers) < site.hub.workers:
        yield warn(
            f"{max(workers):.0f} of {site.hub.workers} workers are at work",
            "look into their logs: journalctl -u 'renkei-hub@*', or logs/hub*.log of renkei up",
        )


def process_said(target: Target, reading: Reading) -> Iterator[Said]:
    """Say what a process's own metrics say of it."""
    version = importlib.metadata.version(DISTRIBUTION)
    builds = reading.by("renkei_build_info", "version")
    if builds and version not in builds:
        yield warn(
            f"{target.process} runs version {', '.join(builds)}, and {version} is installed",
            "start it again: docs/operations/install.md#9-an-update",
        )
    for name in ("renkei_hub_connected", "renkei_adapter_connected"):
        if reading.value(name) == 0:
            yield fail(
                f"{target.process} has no link to the broker",
                "docs/operations/troubles.md#the-link-to-the-broker",
            )
            return
    yield ok(f"{target.process} answers at {target.address}")


def servers_said(target: Target, reading: Reading, now: dt.datetime) -> Iterator[Said]:
    """Say whose certificate ends soon of the servers that a process shook hands with.

    That is what a server shows, which may be older than the file that it should have read.
    """
    for name, at in reading.by(
        "renkei_certificate_expiry_timestamp_seconds", "certificate"
    ).items():
        if name in OF_FILES or at - now.timestamp() > SOON.total_seconds():
            continue
        ends = dt.datetime.fromtimestamp(at, JST)
        until = f"ends on {ends:%Y-%m-%d}" if at else "has ended, or cannot be read"
        yield (warn if ends > now else fail)(
            f"{name}, as {target.process} sees it: the certificate {until}",
            "docs/operations/alerts/RenkeiCertificateEndsSoon.md",
        )


def _without_port(site: Site, targets: tuple[Target, ...], patient: Patient) -> Iterator[Said]:
    wanted = (*worker_names(site.hub.workers), WATCH, *site.systems)
    dumb = [name for name in wanted if name not in {one.process for one in targets}]
    if dumb:
        yield unknown(
            f"these have no port for their metrics: {', '.join(dumb)}",
            f"give each a metrics_port in {patient.path} (docs/site-file.md)",
        )


def _silent(target: Target, error: Exception, patient: Patient) -> Said:
    if not takes_connections(target):
        return fail(
            f"{target.process} does not answer at {target.address}",
            restart(target.process, patient.path),
        )
    return fail(
        f"something answers at {target.address}, and not as {target.process}: "
        f"{type(error).__name__}",
        f"ss -ltnp 'sport = :{target.port}' says who; renkei pki check",
    )


def restart(process: str, site: Path) -> str:
    """Say how one process is started where others run, and where it says why it ended."""
    log = {WATCH: "ledger-watch", CONSOLE: CONSOLE}.get(process, "")
    unit = f"renkei-{process}"
    if not log:
        is_worker = process == WORKER or process.startswith(f"{WORKER}-")
        log = process if is_worker else f"adapter-{process}"
        unit = f"renkei-hub@{process}" if is_worker else f"renkei-{log.replace('-', '@', 1)}"
    logs = site.resolve().parent / "logs"
    if (logs / "processes.json").exists():
        return f"renkei up starts it again by itself; {logs / log}.log says why it ends"
    return f"systemctl restart {unit}; why it ended: journalctl -u {unit}"


def _detail(site: Site, target: Target) -> Iterator[Said]:
    asker = Asker(context_maker(site, OPERATOR), DETAIL_SECONDS)
    try:
        document = json.loads(asker.read(target, DETAIL)[1])
    except _AWAY as error:
        yield unknown(f"the watch does not say what it tries: {type(error).__name__}", "its log")
        return
    yield from detail_said(document)


def detail_said(document: Mapping[str, Mapping[str, object]]) -> Iterator[Said]:
    """Say what the watch tried out, by doing, and with what success."""
    wrong = {name: str(one.get("why")) for name, one in document.items() if not one.get("ok")}
    for name, why in wrong.items():
        yield fail(f"the watch tried {name}: {why}", "docs/operations/troubles.md")
    if not wrong:
        yield ok(f"the watch tried, and it went well: {', '.join(document)}")
