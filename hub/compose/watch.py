"""Builds the process that watches the ledger and, where the site names an account, the broker."""

import datetime as dt
import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY
from sqlalchemy import Engine

from hub.broker.management import Management
from hub.broker.parameters import LinkSettings
from hub.broker.survey import BrokerWatch, Observer, View, ask
from hub.compose.checks import checks_of
from hub.compose.expiry import LOOK_SECONDS, PeerLook, certificate_ends
from hub.compose.ledger import known_cosigners, ledger_signer, ledger_url, read_witness
from hub.compose.links import Stopping, context_maker, link_settings, served_with
from hub.compose.lookouts import Lookouts
from hub.compose.peers import servers_of
from hub.compose.watched import Both, looked_at, watch_disks
from hub.errors import LedgerError, SiteError, placed
from hub.ledger.schema import PROMPT_SECONDS, check_schema, open_engine
from hub.ledger.verify.ledger import verify
from hub.ledger.watch import Check, Finding, Watch
from hub.pki.names import MONITOR, WATCH
from hub.site import HUB_USER, Site, read_secret
from hub.stop import Stop
from monitoring.broker import BrokerMetrics
from monitoring.build import begin
from monitoring.certificates import CertificateMetrics
from monitoring.checks import CheckMetrics
from monitoring.endpoint import serve
from monitoring.health import Checks, Health
from monitoring.ledger import EVIDENCE, LEDGER, LedgerMetrics
from monitoring.upkeep import tell_planned

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
CHECKS_SECONDS = 60.0
"""How long after the checks ran by themselves they run again, whoever asks for them or not."""
FAILED_SECONDS = 10.0
"""The same after a run in which one failed: what was soon mended is soon told."""
SURVEY_SECONDS = 2.0
"""How long after a look at the broker's nodes the next one begins."""
ANSWER_SECONDS, QUEUES_SECONDS = 2.0, 6.0
"""How long a node may take to answer, and to tell of its queues."""
NICENESS = 10
"""What moves goes first."""


def run_watch(path: Path, site: Site, stop: Stop) -> None:
    """Watch the ledger of a site, its broker, and what is due, until ``stop``.

    ``path`` is the site file, whose catalogue says what is due.

    Raises:
        RenkeiError: the ledger cannot be opened, a secret is wrong, or the port is taken.
    """
    begin(REGISTRY)
    health = Health(LEDGER, EVIDENCE)
    metrics = LedgerMetrics(REGISTRY, health)
    ends = certificate_ends(site, WATCH)
    certificates = CertificateMetrics(REGISTRY, ends)
    tell_planned(REGISTRY, site.hub.workers)
    url = ledger_url(site, WATCH)
    engine = open_engine(url, PROMPT_SECONDS)
    patient = open_engine(url, answer_seconds=None)  # a whole ledger takes its time
    try:
        with ThreadPoolExecutor(1, "sweep") as sweeper:
            watch = Watch(
                engine,
                checker(site, patient, stop),
                site.hub.ledger_witness_file,
                metrics,
                sweeper,
                clock=lambda: dt.datetime.now(dt.UTC),
                monotonic=time.monotonic,
            )
            disks, broker = watch_disks(site, engine, REGISTRY), _broker(site)
            signed_by = ledger_signer(site).verifier
            tried = checks_of(site, engine, signed_by, broker, watch.probe, disks=disks, ends=ends)
            checks = Checks(tried, CheckMetrics(REGISTRY))
            _serve(site, health, checks)
            os.nice(NICENESS)
            check_schema(engine)
            around = Lookouts()
            with (
                looked_at(
                    path, site, engine, broker=broker, disks=disks, lookouts=around
                ) as queues,
                broker_watched(site, around, queues),
                checked(checks, around),
                around.each(
                    LOOK_SECONDS,
                    PeerLook(servers_of(site, WATCH), certificates.shown).look,
                    "servers",
                    patience=ANSWER_SECONDS,
                    at_once=True,
                ),
            ):
                log.info("the watch is working")
                watch.tick()
                while not stop.wait(TICK_SECONDS):
                    watch.tick()
                    around.check()
                watch.last()
    finally:
        engine.dispose()
        patient.dispose()
    log.info("the watch has stopped")


def _serve(site: Site, health: Health, checks: Checks) -> None:
    if site.hub.watch_metrics_port is not None:
        listen = site.hub.listen
        serve(
            REGISTRY,
            site.hub.watch_metrics_port,
            listen,
            health=health,
            checks=checks,
            context=served_with(site, WATCH, listen),
        )


def _broker(site: Site) -> LinkSettings | None:
    """Say how to ask the broker's queues; the ledger is watched also where nobody can."""
    try:
        return link_settings(site, HUB_USER, site.hub.password_file, (), prefetch=1, process=WATCH)
    except SiteError as error:
        log.warning("the broker's queues are not watched: %s", error)
        return None


@contextmanager
def checked(checks: Checks, lookouts: Lookouts, seconds: float = CHECKS_SECONDS) -> Iterator[None]:
    """Have the checks run now and again for the time of the context: their metrics tell of it.

    Nobody has to ask ``/health/detail`` for that.
    """
    due = time.monotonic()

    def look() -> None:
        nonlocal due
        if time.monotonic() >= due:
            well, _ = checks.detail()
            due = time.monotonic() + (seconds if well else min(seconds, FAILED_SECONDS))

    often = min(seconds, FAILED_SECONDS)
    with lookouts.each(often, look, "checks", patience=ANSWER_SECONDS, at_once=True):
        yield


@contextmanager
def broker_watched(
    site: Site, lookouts: Lookouts, queues: Observer | None = None
) -> Iterator[None]:
    """Ask the broker's nodes every few seconds, in a thread, for the time of the context.

    ``queues`` is told of what is found as well.

    Raises:
        SiteError: the password of the account that may look cannot be read.
    """
    metrics = BrokerMetrics(REGISTRY)
    watch = broker_watch(site, metrics if queues is None else Both(metrics, queues))
    if watch is None:
        log.info("the broker is not watched: the site names no broker.monitor_password_file")
        yield
        return
    with lookouts.each(SURVEY_SECONDS, watch.look, "survey", patience=ANSWER_SECONDS):
        yield


def broker_watch(site: Site, observe: Observer) -> BrokerWatch | None:
    """Give what asks the nodes of the site's broker, where it names an account for that.

    Raises:
        SiteError: its password cannot be read.
    """
    broker = site.broker
    if broker.monitor_password_file is None:
        return None
    password = read_secret(broker.monitor_password_file)
    tls = context_maker(site, MONITOR)

    def asker(url: str, seconds: float) -> Management:
        return Management(
            url, broker.monitor_user, password, answer_seconds=seconds, attempts=1, tls=tls
        )

    def ask_one(url: str) -> View:
        with asker(url, ANSWER_SECONDS) as quick, asker(url, QUEUES_SECONDS) as patient:
            return ask(quick, patient, broker.vhost)

    return BrokerWatch((broker.management_url, *broker.management_also), ask_one, observe)


def checker(site: Site, engine: Engine, stopping: Stopping) -> Check:
    """Give what recomputes the ledger of a site; a whole look breaks off when it is time to stop.

    Raises:
        SiteError: a secret cannot be read.
    """
    verifier = ledger_signer(site).verifier

    def go_on(_: int) -> None:
        if stopping():
            raise LedgerError("the watch is stopping")

    def check(begin: int | None) -> Finding:
        try:
            witness = read_witness(site)
        except LedgerError as error:
            return Finding(0, None, str(error))
        try:
            found = verify(
                engine,
                verifier,
                cosigners=known_cosigners(site),
                witness=witness,
                begin=begin or 1,
                quick=begin is not None,
                progress=go_on if begin is None else None,
            )
        except LedgerError:
            raise
        except Exception as error:  # noqa: BLE001 - a check that failed halts the ledger
            log.error("the check of the ledger failed: %s", placed(error))  # noqa: TRY400 - its text
            return Finding(0, None, f"the check of the ledger failed: {type(error).__name__}")
        return Finding(found.through, found.first_bad, found.fault, found.seal)

    return check
