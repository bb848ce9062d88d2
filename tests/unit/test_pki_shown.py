"""Until when a server's certificate holds is seen at the server, whatever lies in its folder."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.compose.expiry import PeerLook, interface_ends, interface_server
from hub.compose.peers import servers_of
from hub.errors import EdgeError
from hub.hosts import Host
from hub.pki.rounds import issue_for
from hub.pki.shown import ENDED, Server, Silent, asking_postgresql, shown_end
from hub.site import SystemSite, load_site
from hub.tls import Identity, client_context, server_context
from monitoring.certificates import CertificateMetrics
from tests.pki_rig import SITE, Pki, now

pytestmark = pytest.mark.unit

HERE = "127.0.0.1"
BROKER = f"broker-{HERE}"
DAY = 86_400
LEDGER = 'ledger = "postgresql+pg8000://hub@127.0.0.1:5433/renkei"\n'


@dataclass
class Shaking:
    """A server on this machine that only shakes hands, with the context it has at the moment."""

    context: ssl.SSLContext
    begin: Callable[[socket.socket], None] = lambda _: None
    port: int = 0
    asked: list[bytes] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Shaking"]:
        with socket.create_server((HERE, 0)) as listening:
            self.port = listening.getsockname()[1]
            threading.Thread(target=self._serve, args=(listening,), daemon=True).start()
            yield self
            listening.shutdown(socket.SHUT_RDWR)  # closing alone does not end an accept

    def _serve(self, listening: socket.socket) -> None:
        with suppress(OSError):  # it is closed when the test is over
            while True:
                plain, _ = listening.accept()
                with plain, suppress(OSError):
                    self.begin(plain)
                    self.context.wrap_socket(plain, server_side=True).close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    text = SITE.replace("mq.example", HERE).replace("[hub]\n", f"[hub]\n{LEDGER}")
    return Pki(tmp_path_factory.mktemp("shown"), text).made()


def identity(pki: Pki, process: str) -> Identity:
    return Identity(pki.pki, process)


def server_at(pki: Pki, shaking: Shaking) -> Server:
    client = identity(pki, "ledger-watch")
    return Server(BROKER, Host(HERE, shaking.port), lambda: client_context(client))


def renewed(pki: Pki, days: float) -> ssl.SSLContext:
    issue_for(pki.store, pki.site, [BROKER], now(days))
    pki.store.renew_list(now())
    return server_context(identity(pki, BROKER))


def test_a_server_that_never_read_its_new_certificate_is_seen(pki: Pki) -> None:
    with Shaking(renewed(pki, -380)).running() as shaking:
        registry = CollectorRegistry()
        look = PeerLook([server_at(pki, shaking)], CertificateMetrics(registry, {}).shown).look

        def days_left() -> float:
            look()
            name = "renkei_certificate_expiry_timestamp_seconds"
            ends = registry.get_sample_value(name, {"certificate": BROKER})
            assert ends is not None
            return round((ends - now().timestamp()) / DAY)

        assert days_left() == 17
        new = renewed(pki, 0)
        assert days_left() == 17
        shaking.context = new
        assert days_left() == 397


def test_one_that_has_ended_is_told_as_ended(pki: Pki) -> None:
    with Shaking(renewed(pki, -400)).running() as shaking:
        assert shown_end(server_at(pki, shaking)) == ENDED


def test_one_that_is_away_or_a_stranger_tells_nothing_and_is_said_once(
    pki: Pki, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Shaking(renewed(pki, 0)).running() as shaking:
        away = server_at(pki, shaking)
    told: list[tuple[str, dt.datetime]] = []
    look = PeerLook([away], lambda *one: told.append(one)).look
    look()
    look()
    assert told == []
    assert caplog.text.count("shows no certificate") == 1
    stranger = Pki(tmp_path, pki.text).made()
    context = server_context(identity(stranger, BROKER))
    with (
        Shaking(context).running() as shaking,
        pytest.raises(Silent, match="is not trusted"),
    ):
        shown_end(server_at(pki, shaking))


def test_what_cannot_be_used_of_ours_tells_nothing_either(pki: Pki) -> None:
    def broken() -> ssl.SSLContext:
        message = "the file of authorities cannot be read"
        raise EdgeError(message)

    with Shaking(renewed(pki, 0)).running() as shaking:
        server = server_at(pki, shaking)
        with pytest.raises(Silent, match="cannot be read"):
            shown_end(Server(server.name, server.host, broken))
        with pytest.raises(Silent):
            shown_end(Server(server.name, Host("a..b", shaking.port), server.tls))


def test_postgresql_is_asked_for_tls_first(pki: Pki) -> None:
    def answer(plain: socket.socket) -> None:
        shaking.asked.append(plain.recv(8))
        plain.sendall(says)

    says = b"S"
    with Shaking(renewed(pki, 0), answer).running() as shaking:
        server = server_at(pki, shaking)
        server = Server("postgresql", server.host, server.tls, asking_postgresql)
        assert shown_end(server) > now(396)
        assert shaking.asked == [(8).to_bytes(4) + (1234).to_bytes(2) + (5679).to_bytes(2)]
        says = b"N"
        with pytest.raises(Silent, match="takes no TLS"):
            shown_end(server)


def test_the_servers_of_a_site_are_its_nodes_their_management_and_the_database(pki: Pki) -> None:
    found = {one.name: one.host for one in servers_of(pki.site, "ledger-watch")}
    assert found == {
        BROKER: Host(HERE, pki.site.broker.port),
        f"management-{HERE}": Host(HERE, 15671),
        "postgresql": Host(HERE, 5433),
    }


def test_a_plain_site_has_no_server_to_look_at(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    text = SITE.replace("[tls]", "[tls]\nplain_loopback = true").split("[systems.tax]")[0]
    text = text.replace("mq.example", HERE).replace('listen = "10.0.0.5"', "")
    file.write_text(text.replace("[hub]", '[hub]\npassword_file = "p"'), encoding="utf-8")
    assert servers_of(load_site(file), "ledger-watch") == ()


def tax_at(pki: Pki, folder: Path, url: str) -> SystemSite:
    file = folder / "site.toml"
    own, authority = pki.pki / "tax" / "tls", identity(pki, "tax").ca
    more = f'url = "{url}"\nca_file = "{authority}"\n'
    more += f'cert_file = "{own}.pem"\nkey_file = "{own}.key"\n'
    text = pki.text.replace('folder = "drives/tax"\n', f'folder = "drives/tax"\n{more}')
    file.write_text(text, encoding="utf-8")
    return load_site(file).systems["tax"]


def test_a_systems_interface_and_the_files_it_is_called_with_are_looked_at(
    pki: Pki, tmp_path: Path
) -> None:
    tax = tax_at(pki, tmp_path, "https://127.0.0.1:8443/api")
    ends = {name: read() for name, read in interface_ends(tax).items()}
    assert set(ends) == {"interface-client", "interface-authority"}
    assert now(396) < ends["interface-client"] < now(398) < ends["interface-authority"]
    with Shaking(renewed(pki, 0)).running() as shaking:
        tax = tax_at(pki, tmp_path, f"https://{HERE}:{shaking.port}")
        (server,) = interface_server(tax)
        assert server.name == "interface"
        assert now(396) < shown_end(server) < now(398)
    plain = tax.model_copy(update={"url": f"http://{HERE}:8080"})
    assert interface_server(plain) == ()
    assert interface_ends(plain) == {}
