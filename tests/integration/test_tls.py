"""Certificates against a real broker and a real database: who gets in by one, and who does not."""

import datetime as dt
import secrets
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from hub.broker.apply import apply
from hub.broker.link import LinkSettings, PikaLink
from hub.broker.management import Management
from hub.broker.node import PrivateNode
from hub.broker.plan import SYSTEM_CONNECTIONS
from hub.client import HubClient, Timing
from hub.compose.broker import (
    administrator,
    broker_plan,
    depth_of,
    passwords_to_set,
    too_generous_nodes,
)
from hub.compose.certificates import cut_off
from hub.compose.ledger import ledger_url
from hub.compose.links import link_settings
from hub.compose.peers import servers_of
from hub.errors import BrokerError, BrokerUnavailable, LedgerError, LinkLost
from hub.ledger.identity import with_identity
from hub.ledger.schema import ledger_errors, open_engine
from hub.pki.names import ADMINISTRATOR, WATCH, Profile, profiles
from hub.pki.shown import shown_end
from hub.pki.store import Store
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER, Site, load_site
from hub.tls import Identity, client_context
from tests.client_rig import change
from tests.proxy import Proxy
from tests.samples import shipped
from tests.servers.postgresql import ADMIN, PostgresqlServer

pytestmark = pytest.mark.integration

NOW = dt.datetime.now(dt.UTC)
HOST = "127.0.0.1"
SENDER, READER = "resident-registry", "tax"
REFUSED = "TLS failed|reset|Broken pipe"
"""What is heard of a server that refuses: its alert, or the end that overtook it."""
QUICK = Timing(connect=2.0, confirm=5.0, give_up=5.0)


@dataclass
class Place:
    """A site whose connections are all by certificate, on a broker that has its vhost."""

    site: Site
    store: Store
    management: Management

    def link(self, process: str, *queues: str, user: str = "") -> PikaLink:
        return PikaLink(self.settings(process, *queues, user=user))

    def settings(self, process: str, *queues: str, user: str = "") -> LinkSettings:
        return link_settings(self.site, user or process, None, queues, 1000, process=process)

    def identity(self, process: str) -> Identity:
        return Identity(self.store.folder, process)

    def serial(self, process: str) -> int:
        """Give the serial number of the newest certificate of a process."""
        unit = f"OU={process}"
        found = [one for one in self.store.issued() if unit in one.subject.rfc4514_string()]
        return max(found, key=lambda one: one.not_valid_before_utc).serial_number


@pytest.fixture(scope="module")
def place(
    tls_node: PrivateNode, certificates: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("site")
    secure, vhost = tls_node.secure, f"tls-{secrets.token_hex(4)}"
    assert secure is not None
    for name, content in {"admin": tls_node.admin_password.get_secret_value()}.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(content)
    systems = "".join(
        f'[systems.{name}]\nfolder = "{name}"\njournal = "{name}.sqlite3"\n'
        for name in (SENDER, READER)
    )
    (folder / "site.toml").write_text(
        f"""
[tls]
folder = "{certificates.folder}"
[broker]
host = "{HOST}"
port = {secure.amqp.port}
vhost = "{vhost}"
management_url = "https://{HOST}:{secure.management.port}"
admin_user = "{tls_node.admin_user}"
admin_password_file = "admin"
[hub]
partitions = 1
workers = 1
pseudonym_key_file = "key"
{systems}""",
        encoding="utf-8",
    )
    site = load_site(folder / "site.toml")
    for profile in profiles(site).values():
        if profile.client:
            certificates.issue(profile, NOW)
    with administrator(site) as management:
        management.put("vhosts", vhost)
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        management.put("permissions", vhost, tls_node.admin_user, body=rights)
        topology = broker_plan(site, shipped(), NOW.date())
        apply(
            management,
            vhost,
            topology,
            passwords_to_set(site),
            depth=depth_of(site),
            settle=lambda _: None,
        )
        body = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
        management.put("queues", vhost, "spare", body=body)
        try:
            yield Place(site, certificates, management)
        finally:
            management.delete("vhosts", vhost)


def copies(count: int, size: int) -> list[Outgoing]:
    body = b"x" * size
    return [Outgoing("hub.out", READER, b"%08d" % n + body, f"m{n}", "t") for n in range(count)]


def taken(link: PikaLink, count: int) -> list[int]:
    """Take so many, and give their numbers."""
    found: list[int] = []
    while len(found) < count:
        batch = link.take(200, 5.0)
        assert batch
        found += [int(one.body[:8]) for one in batch]
        link.ack(batch)
    return found


def test_the_certificates_of_a_site_are_enough_for_all_that_its_processes_do(place: Place) -> None:
    with place.link(HUB_USER) as hub, place.link(READER, f"out.{READER}") as reader:
        for count, size in ((2000, 500), (40, 250_000)):  # many in a piece; one in many pieces
            assert hub.publish(copies(count, size)) == [Sent.CONFIRMED] * count
            assert taken(reader, count) == list(range(count))
    assert too_generous_nodes(place.site) == ()
    secure = f"amqps://{HOST}:{place.site.broker.port}/{place.site.broker.vhost}"
    client = HubClient(secure, SENDER, timing=QUICK, certificates=place.store.folder)
    client.publish("resident.changed", change(), message_id="tls-1")
    client.close()
    with place.link(HUB_USER, "hub.in.0") as hub:
        (one,) = hub.take(1, 5.0)
        assert one.user_id == SENDER  # proven by the certificate's common name
        hub.ack([one])


def test_a_renewed_certificate_counts_without_a_lost_link(place: Place) -> None:
    profile = profiles(place.site)[HUB_USER]
    with place.link(HUB_USER) as link:
        for _ in range(3):
            sending = link.start(copies(300, 200))
            place.store.issue(profile, NOW)
            assert set(link.finish(sending)) == {Sent.CONFIRMED}
            with place.link(HUB_USER) as other:
                assert other.publish(copies(1, 1)) == [Sent.CONFIRMED]
        assert link.publish(copies(1, 1)) == [Sent.CONFIRMED]
    place.management.delete("queues", place.site.broker.vhost, f"out.{READER}", "contents")


def test_a_stolen_certificate_is_cut_off_and_opens_nothing_any_more(place: Place) -> None:
    profile = profiles(place.site)[SENDER]
    thief = place.link(SENDER)
    with place.link(READER) as bystander:
        began = time.monotonic()
        place.store.revoke([place.serial(SENDER)], NOW)
        assert cut_off(place.site, [SENDER]) == {SENDER: 1}
        with pytest.raises(LinkLost, match="CONNECTION_FORCED"):
            thief.idle(5.0)
        thief.close()
        with pytest.raises(BrokerUnavailable, match=REFUSED):
            place.link(SENDER)
        assert time.monotonic() - began < 5.0
        place.store.issue(profile, NOW)
        with place.link(SENDER):
            bystander.turn()


def test_a_message_that_is_altered_on_its_way_is_never_taken(place: Place) -> None:
    to_spare = [replace(one, exchange="", routing_key="spare") for one in copies(50, 100)]
    with Proxy(HOST, place.site.broker.port) as proxy:
        settings = replace(place.settings(ADMINISTRATOR), port=proxy.port)
        settings = replace(settings, user=place.site.broker.admin_user)
        link = PikaLink(settings)
        assert link.publish(to_spare[:10]) == [Sent.CONFIRMED] * 10
        proxy.alter()
        with pytest.raises(LinkLost):
            link.publish(to_spare[10:])
        link.close()
        with PikaLink(settings) as again:
            assert again.publish(to_spare[10:]) == [Sent.CONFIRMED] * 40
    reading = replace(place.settings(ADMINISTRATOR, "spare"), user=place.site.broker.admin_user)
    with PikaLink(reading) as link:
        assert taken(link, 50) == list(range(50))


def _by_another_authority(place: Place, folder: Path) -> LinkSettings:
    other = Store.of(folder, "tests")
    other.init(NOW)
    other.issue(profiles(place.site)[SENDER], NOW)
    for name in ("trust/ca.pem", "trust/crl.pem"):
        (folder / name).write_bytes((place.store.folder / name).read_bytes())
    return replace(place.settings(SENDER), tls=partial(client_context, Identity(folder, SENDER)))


def _without_one(place: Place, _folder: Path) -> LinkSettings:
    ca = place.store.folder / "trust/ca.pem"
    return replace(place.settings(SENDER), tls=lambda: ssl.create_default_context(cafile=ca))


def _expired(place: Place, _folder: Path) -> LinkSettings:
    place.store.issue(Profile("old", SENDER), NOW - dt.timedelta(days=800))
    return place.settings("old", user=SENDER)


def _of_nobody(place: Place, _folder: Path) -> LinkSettings:
    place.store.issue(Profile("nobody", "nobody"), NOW)
    return place.settings("nobody")


def _of_a_server(place: Place, _folder: Path) -> LinkSettings:
    place.store.issue(Profile("server", SENDER, client=False, hosts=(HOST,)), NOW)
    return place.settings("server", user=SENDER)


def _older_than_permitted(place: Place, _folder: Path) -> LinkSettings:
    def context() -> ssl.SSLContext:
        made = client_context(place.identity(SENDER))
        made.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):
            made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
        return made

    return replace(place.settings(SENDER), tls=context)


def _guessed(place: Place, _folder: Path) -> LinkSettings:
    return replace(place.settings(SENDER), password=SecretStr("guest"))


def _of_another_name(place: Place, _folder: Path) -> LinkSettings:
    return replace(place.settings(SENDER), host="127.1")  # the same address by another name


def _of_a_false_broker(place: Place, folder: Path) -> LinkSettings:
    other = Store.of(folder, "tests")
    other.init(NOW)
    own = folder / SENDER
    own.mkdir()
    for name in ("tls.pem", "tls.key"):
        (own / name).touch(mode=0o600)
        (own / name).write_bytes((place.store.folder / SENDER / name).read_bytes())
    return replace(place.settings(SENDER), tls=partial(client_context, Identity(folder, SENDER)))


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (_by_another_authority, REFUSED),
        (_without_one, REFUSED),
        (_expired, REFUSED),
        (_of_a_server, REFUSED),
        (_older_than_permitted, REFUSED),
        (_of_nobody, "ACCESS_REFUSED"),
        (_guessed, "ACCESS_REFUSED"),
        (_of_another_name, "TLS failed.*127.1"),
        (_of_a_false_broker, "TLS failed.*verify failed"),
    ],
)
def test_nobody_else_gets_in(
    place: Place, tmp_path: Path, attempt: Callable[[Place, Path], LinkSettings], said: str
) -> None:
    with pytest.raises(BrokerUnavailable, match=f"(?s){said}"):
        PikaLink(attempt(place, tmp_path))


def test_the_management_api_wants_a_certificate_and_a_password(place: Place) -> None:
    url, broker = place.site.broker.management_url, place.site.broker
    right = SecretStr((place.site.broker.admin_password_file or Path()).read_text())
    tls = partial(client_context, place.identity("broker-admin"))
    with (
        Management(url, broker.admin_user, SecretStr("wrong"), tls=tls, attempts=1) as one,
        pytest.raises(BrokerError, match="does not accept user"),
    ):
        one.get("whoami")
    nobody = partial(ssl.create_default_context, cafile=place.store.folder / "trust/ca.pem")
    with (
        Management(url, broker.admin_user, right, tls=nobody, attempts=1) as one,
        pytest.raises(BrokerUnavailable, match=r"(?i)certificate.required"),
    ):
        one.get("whoami")


def test_a_user_has_so_many_connections_and_no_more(place: Place) -> None:
    with ExitStack() as links:
        for _ in range(SYSTEM_CONNECTIONS):
            links.enter_context(place.link(READER))
        with pytest.raises(BrokerUnavailable, match="NOT_ALLOWED"):
            place.link(READER)
        with place.link(HUB_USER) as hub:
            hub.turn()


def test_the_database_takes_certificates_for_users_and_shows_its_own_as_the_broker_does(
    place: Place,
) -> None:
    with PostgresqlServer(certificates=place.store.folder) as server:
        plain = f"postgresql+pg8000://{ADMIN}@{HOST}:{server.port}/postgres"
        hub = place.site.hub.model_copy(update={"ledger": plain})
        site = place.site.model_copy(update={"hub": hub})
        shown = {one.name: shown_end(one) for one in servers_of(site, WATCH)}
        assert set(shown) == {f"broker-{HOST}", f"management-{HOST}", "postgresql"}
        assert NOW < min(shown.values()) <= max(shown.values()) < NOW + dt.timedelta(days=400)
        url = ledger_url(site)
        assert _asked(url, "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == (
            "TLSv1.3"
        )
        for process in (READER, "nobody-here"):  # another account; no certificate at all
            with pytest.raises(LedgerError):
                _asked(with_identity(plain, place.identity(process)), "SELECT 1")
        by_name = plain.replace(HOST, "127.1")
        with pytest.raises(LedgerError, match=r"127\.1"):
            _asked(with_identity(by_name, place.identity(HUB_USER)), "SELECT 1")
        with pytest.raises(LedgerError, match="on another machine"):
            _asked(plain.replace(HOST, "192.0.2.1"), "SELECT 1")
        stolen = profiles(place.site)["operator"]
        place.store.revoke([place.serial("operator")], NOW)
        server.take_certificates()
        assert "TLS with the ledger failed" in _refusal(url)
        place.store.issue(stolen, NOW)
        assert _asked(url, "SELECT 1") == 1


def _asked(url: str, statement: str) -> object:
    engine = open_engine(url)
    try:
        with ledger_errors("be asked"), engine.connect() as connection:
            return connection.execute(sa.text(statement)).scalar()
    finally:
        engine.dispose()


def _refusal(url: str) -> str:
    """Give why the database lets nobody in, as soon as it does not."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        try:
            _asked(url, "SELECT 1")
        except LedgerError as error:
            return str(error)
    return ""
