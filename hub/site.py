"""The site file: what one installation of the hub is, in TOML, checked as a whole at start.

Paths in it are relative to the file. Secrets are never in it: it names files that only the
hub's own account may read, or other places (``hub.secret``). ``docs/site-file.md``
explains every key.
"""

import datetime as dt
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from hub.addresses import (
    BrokerHost,
    InterfaceUrl,
    LedgerUrl,
    ListenAddress,
    MachineName,
    ManagementUrl,
    host_of,
    is_loopback,
    is_same,
)
from hub.errors import SiteError
from hub.limits import InputLimits
from hub.message import BUCKETS, AccessItems, Item
from hub.near import near_key
from hub.secret import SecretPlace
from hub.secret import read_secret as read_secret  # noqa: PLC0414 - told on
from hub.sections import (
    ConsoleSite,
    LogsSite,
    Port,
    SecretFile,
    Section,
    SitePath,
    TracesSite,
    WatchSite,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SystemId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
HUB_USER = "hub"
_SQLITE = "sqlite:///"


def _needed_where_plain(file: SecretPlace | None, info: ValidationInfo) -> SecretPlace | None:
    """Hold a site without certificates to its passwords; with them, they are of no use."""
    if file is None and (info.context or {}).get("plain"):
        message = "is missing: without certificates ([tls] plain_loopback) a password is needed"
        raise ValueError(message)
    return file


Password = Annotated[
    SecretFile | None, AfterValidator(_needed_where_plain), Field(validate_default=True)
]


def _cosigner_key(text: str) -> str:
    from schemas.evidence.keys import (  # noqa: PLC0415 - an adapter needs no cryptography
        CosignerVerifier,
        NoteError,
    )

    try:
        return CosignerVerifier.parse(text).text()
    except NoteError as error:
        message = f"this is no cosigner's key ({error}): copy it from renkei ledger cosign key"
        raise ValueError(message) from None


CosignerKey = Annotated[str, AfterValidator(_cosigner_key)]


def _age_recipient(text: str) -> str:
    import pyrage  # noqa: PLC0415 - most processes have nothing to encrypt

    try:
        return str(pyrage.x25519.Recipient.from_str(text))
    except pyrage.RecipientError:
        message = "this is no public key of age (age1…): copy it from renkei ledger archive-key"
        raise ValueError(message) from None


Recipient = Annotated[str, AfterValidator(_age_recipient)]


class TlsSite(Section):
    """Certificates of the site, for every connection of its processes.

    ``folder`` holds what ``renkei pki`` makes: keys, certificates, and who is revoked. No
    connection is made by less than ``min_version``; certificates that end within ``renew_days``
    are made anew by ``renkei pki renew``. ``plain_loopback`` does without, on this machine alone.
    """

    folder: SitePath | None = None
    plain_loopback: bool = False
    min_version: Literal["1.2", "1.3"] = "1.2"
    renew_days: Annotated[int, Field(ge=1, le=390)] = 30


class NumberSite(Section):
    """How My Number goes through the broker: sealed, for its reader alone.

    Through ``accept_plain_until`` the hub takes one in clear as well, from senders that were not
    brought up to date yet; without it never.
    """

    accept_plain_until: dt.date | None = None


class BrokerSite(Section):
    """Where RabbitMQ is.

    ``also`` are the other nodes of a cluster, ``host:port`` each. The management API is used by
    ``renkei broker`` and by the watch: at ``management_url``, or at the first of
    ``management_also`` that answers.
    """

    host: MachineName = "127.0.0.1"
    port: Port = 5671
    also: tuple[BrokerHost, ...] = ()
    vhost: str = "renkei"
    heartbeat: Annotated[int, Field(ge=2, le=60)] = 5
    management_url: ManagementUrl = "https://127.0.0.1:15671"
    management_also: tuple[ManagementUrl, ...] = ()
    admin_user: str = "guest"
    admin_password_file: SecretFile | None = None
    monitor_user: str = "renkei-monitor"
    monitor_password_file: SecretFile | None = None

    @property
    def nodes(self) -> int:
        """How many nodes the site names."""
        return len({(self.host, self.port), *self.also})


class HubSite(Section):
    """The hub's own settings.

    ``ledger`` is an SQLAlchemy URL: ``sqlite:///…`` (relative to the site file) or
    ``postgresql+pg8000://…``, whose password is in ``ledger_password_file``. The hub signs with
    the key in ``ledger_key_file``; ``ledger_name`` begins the name that a new key gets;
    second parties with the keys ``ledger_cosigners`` may cosign its checkpoints. The watch keeps
    the newest sealed head in ``ledger_witness_file``, best on another disk.
    ``about_to_reach_days`` is how long before the 75th birthday a person counts as about to
    reach it: the law's text has no number, so the site decides. ``waiting`` is how many messages
    a worker keeps for receivers whose queues are full before it takes no more. The hub's own
    ``partitions`` are shared by its ``workers``, of which ``renkei up`` starts so many
    (``docs/adr/0017-buckets-and-workers.md``); the second and further ones have their metrics
    on ``worker_metrics_ports``, and all of them at the address ``listen``. Archives and backups
    of the ledger are encrypted to ``archive_recipients``, and a month of it is destroyed
    ``retention_years`` after its end. On the lists in ``second_person`` whatever one person
    decides has to be approved by a second one, on the command line and in the console alike.
    """

    ledger: LedgerUrl = "sqlite:///ledger.sqlite3"
    ledger_password_file: SecretFile | None = None
    partitions: Annotated[int, Field(ge=1, le=BUCKETS)] = 4
    workers: Annotated[int, Field(ge=1, le=BUCKETS)] = 1
    password_file: Password = None
    pseudonym_key_file: SecretFile
    ledger_key_file: Annotated[SecretFile, Field(validate_default=True)] = Path(
        "secrets/ledger-key"
    )
    ledger_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9./-]{0,60}$")] = (
        "renkei-hub/ledger"
    )
    ledger_cosigners: tuple[CosignerKey, ...] = ()
    archive_recipients: tuple[Recipient, ...] = ()
    retention_years: Annotated[int, Field(ge=7, le=100)] = 7
    routes: SitePath | None = None
    about_to_reach_days: Annotated[int, Field(ge=0, le=366)] = 90
    batch: Annotated[int, Field(ge=1, le=1000)] = 500
    waiting: Annotated[int, Field(ge=1, le=50_000)] = 2000
    listen: ListenAddress = "127.0.0.1"
    metrics_port: Port | None = None
    worker_metrics_ports: tuple[Port, ...] = ()
    watch_metrics_port: Port | None = None
    ledger_witness_file: Annotated[SitePath, Field(validate_default=True)] = Path("ledger.witness")
    second_person: tuple[Literal["confirmations", "dead-letters"], ...] = ()

    @model_validator(mode="after")
    def _each_worker_has_a_partition(self) -> Self:
        if self.workers > self.partitions:
            message = (
                f"{self.workers} workers share {self.partitions} partitions: some would have none"
            )
            raise ValueError(message)
        return self


class AccessSite(Section):
    """Access-log items that stand for a system whose files do not name them."""

    staff: Item = ""
    department: Item = ""
    terminal: Item = ""

    def items(self) -> AccessItems:
        """Give them as the items of an event."""
        return AccessItems(self.staff, self.department, self.terminal)


class SystemSite(Section):
    """One connected system: its shared drive, its secret, and how its files are read.

    ``folder`` holds ``to-hub`` (the system writes, the adapter reads) and ``from-hub`` (the
    adapter writes, the system reads). ``journal`` belongs to the adapter alone.
    ``settle_seconds`` is how long an unfinished file may stay unchanged before it counts as
    truncated. A system that is reached by HTTP has the base address ``url`` of its interface,
    ``secret_file`` to log in with, and ``ca_file`` where its certificate is none of those that
    the machine trusts, and the client certificate ``cert_file`` with its ``key_file`` where
    the other side gave one; ``http_timeout_seconds`` is how long one try of a call may take.
    """

    folder: SitePath
    journal: SitePath
    password_file: Password = None
    encoding: Literal["utf-8", "cp932"] | None = None
    poll_seconds: Annotated[float, Field(ge=0.05, le=600)] = 1.0
    settle_seconds: Annotated[float, Field(ge=0.1, le=86_400)] = 60.0
    file_records: Annotated[int, Field(ge=1, le=5000)] = 2000
    file_seconds: Annotated[float, Field(ge=0.0, le=3600)] = 1.0
    listen: ListenAddress = "127.0.0.1"
    metrics_port: Port | None = None
    url: InterfaceUrl | None = None
    secret_file: SecretFile | None = None
    ca_file: SitePath | None = None
    cert_file: SitePath | None = None
    key_file: SitePath | None = None
    http_timeout_seconds: Annotated[float, Field(ge=0.1, le=600)] = 30.0
    access: AccessSite = AccessSite()

    @model_validator(mode="after")
    def _a_certificate_has_its_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            message = "cert_file and key_file belong together: one of them is missing"
            raise ValueError(message)
        return self


class CatalogueSite(Section):
    """What the city decides about flows; ``hub.statute.overrides`` reads and judges it.

    ``flows`` closes or completes flows of the document, by reference; ``own`` holds flows of
    the city's own.
    """

    flows: dict[str, dict[str, Any]] = Field(default_factory=dict)
    own: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Site(Section):
    """The whole site file."""

    broker: BrokerSite = BrokerSite()
    hub: HubSite
    systems: dict[SystemId, SystemSite] = Field(default_factory=dict)
    catalogue: CatalogueSite = CatalogueSite()
    tls: TlsSite = TlsSite()
    my_number: NumberSite = NumberSite()
    limits: InputLimits = InputLimits()
    console: ConsoleSite | None = None
    watch: WatchSite = WatchSite()
    logs: LogsSite = LogsSite()
    traces: TracesSite | None = None

    @model_validator(mode="after")
    def _ports_are_distinct(self) -> Self:
        ports = [
            self.hub.metrics_port,
            *self.hub.worker_metrics_ports,
            self.hub.watch_metrics_port,
            *(s.metrics_port for s in self.systems.values()),
            *((self.console.port, self.console.metrics_port) if self.console else ()),
        ]
        taken = [port for port in ports if port is not None]
        twice = sorted({port for port in taken if taken.count(port) > 1})
        if twice:
            message = f"metrics_port is used twice: {', '.join(map(str, twice))}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _the_monitor_is_nobody_else(self) -> Self:
        if self.broker.monitor_user in {HUB_USER, self.broker.admin_user, *self.systems}:
            message = "broker.monitor_user is a user of its own, not that of another"
            raise ValueError(message)
        return self


def load_site(path: Path) -> Site:
    """Read and check a site file.

    Raises:
        SiteError: it cannot be read, is not TOML, or has faults; all of them are named.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: {error}"
        raise SiteError(message) from error
    context = {"folder": path.resolve().parent, "plain": _is_plain(document)}
    try:
        site = Site.model_validate(document, context=context)
    except ValidationError as error:
        faults = "\n".join(f"  {_place(fault['loc'])}: {_said(fault)}" for fault in error.errors())
        message = f"{path} has faults:\n{faults}"
        raise SiteError(message) from error
    if wrong := [*plain_faults(site), *posing_faults(site)]:
        message = "\n".join([f"{path} has faults:", *(f"  {fault}" for fault in wrong)])
        raise SiteError(message)
    return _with_ledger_path(site, path.resolve().parent)


def plain_faults(site: Site) -> Iterator[str]:
    """Name each address of a site to which a connection would be plain, and may not be."""
    if not site.tls.plain_loopback:
        if site.tls.folder is None:
            yield (
                'tls.folder is missing: every connection needs certificates. Write folder = "pki" '
                "under [tls], then run renkei pki init and renkei pki issue --all. To try things "
                "on this machine alone, plain_loopback = true under [tls] does without"
            )
        for key, url in _urls(site):
            if urlsplit(url).scheme != "https":
                yield f"{key} is plain http: use https"
        return
    hosts = [("broker.host", site.broker.host)]
    hosts += [(f"broker.also.{n}", one.name) for n, one in enumerate(site.broker.also)]
    hosts += [(key, host_of(url)) for key, url in _urls(site)]
    hosts += [("hub.listen", site.hub.listen)]
    hosts += [("console.listen", site.console.listen)] if site.console else []
    if site.traces is not None and site.traces.endpoint is not None:
        hosts += [("traces.endpoint", host_of(site.traces.endpoint))]
    hosts += [(f"systems.{name}.listen", one.listen) for name, one in site.systems.items()]
    if not site.hub.ledger.startswith(_SQLITE) and host_of(site.hub.ledger):
        hosts += [("hub.ledger", host_of(site.hub.ledger))]
    if site.console is not None and site.console.browsers:
        yield "console.browsers have certificates, and with tls.plain_loopback there are none"
    for key, host in hosts:
        if not is_loopback(host):
            yield f"{key} is another machine, and tls.plain_loopback is for this one alone"


def posing_faults(site: Site) -> Iterator[str]:
    """Name each system whose certificate would be for an address that others trust.

    It would be a server's, so that with it the system's account could play the broker, the
    database or the console.
    """
    urls = [(key, url) for key, url in _urls(site) if not key.startswith("systems.")]
    trusted = [("broker.host", site.broker.host)]
    trusted += [(f"broker.also.{n}", one.name) for n, one in enumerate(site.broker.also)]
    trusted += [(key, host_of(url)) for key, url in urls]
    trusted += [("console.listen", site.console.listen)] if site.console else []
    if not site.hub.ledger.startswith(_SQLITE):
        trusted += [("hub.ledger", host_of(site.hub.ledger))]
    for name, system in site.systems.items():
        if is_loopback(system.listen):
            continue  # it has no server's certificate
        same = [key for key, host in trusted if is_same(host, system.listen)]
        if same:
            yield (
                f"systems.{name}.listen is the address of {', '.join(same)}: with its certificate "
                "this adapter could play that. Name another inner address of its machine, or "
                "leave listen out: then its metrics are for this machine alone"
            )


def _urls(site: Site) -> Iterator[tuple[str, str]]:
    yield "broker.management_url", site.broker.management_url
    for n, url in enumerate(site.broker.management_also):
        yield f"broker.management_also.{n}", url
    for name, system in site.systems.items():
        if system.url is not None:
            yield f"systems.{name}.url", system.url
    if site.console is not None and site.console.origin is not None:
        yield "console.origin", site.console.origin


def _is_plain(document: dict[str, Any]) -> bool:
    tls = document.get("tls")
    return isinstance(tls, dict) and tls.get("plain_loopback") is True


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location) or "(whole file)"


_WORDS = {
    "missing": "is missing",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a text in quotes",
    "list_type": "must be a list in square brackets",
}
"""What people are told in place of pydantic's words, by the type of its error."""


def _said(fault: "ErrorDetails") -> str:
    if fault["type"] != "extra_forbidden":
        text = fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        return _WORDS.get(fault["type"], text)
    meant = near_key(fault["loc"], Site)
    return f"is no key here; did you mean {meant}?" if meant else "is no key here"


def _with_ledger_path(site: Site, folder: Path) -> Site:
    if not site.hub.ledger.startswith(_SQLITE):
        return site
    where = (folder / site.hub.ledger.removeprefix(_SQLITE)).resolve()
    hub = site.hub.model_copy(update={"ledger": f"{_SQLITE}{where}"})
    return site.model_copy(update={"hub": hub})
