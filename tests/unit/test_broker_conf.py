"""What a broker is told by its files: TLS alone, certificates alone, nobody who is revoked."""

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.broker.conf import Secure, ServerFiles, advanced, listen_address, plugins
from hub.cli.main import app
from hub.compose.broker_files import broker_files
from hub.errors import SiteError
from hub.hosts import Host
from hub.site import Site, load_site

pytestmark = pytest.mark.unit

SITE = """
[tls]
folder = "pki"
[broker]
host = "10.1.2.3"
port = 5671
also = ["mq2.example:5671"]
management_url = "https://10.1.2.3:15671"
management_also = ["https://mq2.example:15672"]
[hub]
pseudonym_key_file = "key"
"""
OF_IPV6 = """export ERL_EPMD_ADDRESS=fd00::5
SERVER_ADDITIONAL_ERL_ARGS="-proto_dist inet6_tcp"
CTL_ERL_ARGS="-proto_dist inet6_tcp"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(SITE, encoding="utf-8")
    return file


@pytest.fixture
def site(path: Path) -> Site:
    return load_site(path)


def secure(folder: str = "/pki", *, version: str = "1.2", passwords: bool = False) -> Secure:
    files = ServerFiles.below(Path(folder), "broker-a")
    amqp, web = Host("10.0.0.5", 5671), Host("10.0.0.5", 15671)
    return Secure(files, amqp, web, version, passwords)


def test_a_sites_node_takes_nothing_in_plain_and_no_password(site: Site) -> None:
    files = broker_files(site)
    told_to = {"rabbitmq.conf", "advanced.config", "enabled_plugins", "rabbitmq-env.conf"}
    assert files.keys() == told_to | {"epmd.socket.conf"}
    assert "listeners.tcp = none\n" in files["rabbitmq.conf"]
    assert "rabbitmq_auth_mechanism_ssl" in files["enabled_plugins"]
    told = files["advanced.config"]
    assert '{ssl_listeners, [{"10.1.2.3", 5671}]}' in told
    assert '{ip, "10.1.2.3"}, {port, 15671}' in told
    assert "{auth_mechanisms, ['EXTERNAL']}" in told
    for held in (
        "{verify, verify_peer}",
        "{fail_if_no_peer_cert, true}",
        "{crl_check, peer}",
        "{reuse_sessions, false}",
        "{versions, ['tlsv1.3','tlsv1.2']}",
    ):
        assert told.count(held) == 2  # for AMQP and for the management API
    assert f"{site.tls.folder}/broker-10.1.2.3/tls.key" in told


def test_another_node_has_its_own_port_certificate_and_address(site: Site) -> None:
    told = broker_files(site, "mq2.example", "10.1.2.4", Path("/etc/pki"))["advanced.config"]
    assert '[{"10.1.2.4", 5671}]' in told
    assert '{ip, "10.1.2.4"}, {port, 15672}' in told
    assert '"/etc/pki/broker-mq2.example/tls.pem"' in told
    assert '{dir, "/etc/pki/crls"}' in told


@pytest.mark.parametrize(
    ("nodes", "erlang", "variables", "sockets"),
    [
        (None, "{10,1,2,3}", "export ERL_EPMD_ADDRESS=10.1.2.3\n", ["127.0.0.1", "10.1.2.3"]),
        ("10.7.0.1", "{10,7,0,1}", "export ERL_EPMD_ADDRESS=10.7.0.1\n", ["127.0.0.1", "10.7.0.1"]),
        (
            "fd00::5",
            "{16#fd00,16#0000,16#0000,16#0000,16#0000,16#0000,16#0000,16#0005}",
            OF_IPV6,
            ["127.0.0.1", "[fd00::5]"],
        ),
    ],
)
def test_other_nodes_reach_it_at_one_address_and_nobody_at_another(
    site: Site, nodes: str | None, erlang: str, variables: str, sockets: list[str]
) -> None:
    """Erlang's port mapper and distribution listen on all addresses unless they are told."""
    files = broker_files(site, between=nodes)
    assert f"{{inet_dist_use_interface, {erlang}}}" in files["advanced.config"]
    assert files["rabbitmq-env.conf"] == variables
    listens = [
        line.removeprefix("ListenStream=")
        for line in files["epmd.socket.conf"].splitlines()
        if line.startswith("ListenStream=")
    ]
    assert listens == ["", *(f"{one}:4369" for one in sockets)]
    assert '{ssl_listeners, [{"10.1.2.3", 5671}]}' in files["advanced.config"]
    with pytest.raises(SiteError, match="no address that a broker can listen on"):
        broker_files(site, between="0.0.0.0")  # noqa: S104 - refused


@pytest.mark.parametrize(
    ("host", "listen", "said"),
    [
        ("mq2.example", None, "mq2.example is no address .* with --listen"),
        ("10.9.9.9", None, "names no node 10.9.9.9"),
        (None, "0.0.0.0", "no address that a broker can listen on"),  # noqa: S104 - refused
        (None, "::", "no address that a broker can listen on"),
    ],
)
def test_a_node_listens_on_an_inner_address_or_not_at_all(
    site: Site, host: str | None, listen: str | None, said: str
) -> None:
    with pytest.raises(SiteError, match=said):
        broker_files(site, host, listen)


def test_a_site_without_certificates_is_told_so(path: Path) -> None:
    path.write_text(
        "[tls]\nplain_loopback = true\n[hub]\npassword_file = 'p'\npseudonym_key_file = 'key'\n",
        encoding="utf-8",
    )
    with pytest.raises(SiteError, match=r"no certificates \(tls.folder\)"):
        broker_files(load_site(path))


def test_options_that_erlang_refuses_with_1_3_alone_are_left_out() -> None:
    told = advanced(secure(version="1.3"))
    assert "{versions, ['tlsv1.3']}" in told
    assert not any(one in told for one in ("renegotiation", "reuse_sessions", "honor_cipher"))


def test_a_path_is_written_as_erlang_reads_it() -> None:
    told = advanced(secure('/市/a"b\\c'))
    assert r'"/\x{5e02}/a\x{22}b\x{5c}c/trust/ca.pem"' in told
    assert told.isascii()


def test_a_private_node_without_certificates_knows_nothing_of_tls() -> None:
    assert advanced(None) == "[{kernel, [{net_ticktime, 12}]}].\n"
    assert "auth_mechanism_ssl" not in plugins(None)


def test_an_address_is_taken_as_it_is() -> None:
    assert listen_address("10.0.0.5") == "10.0.0.5"
    assert listen_address("::1") == "::1"


def test_the_command_writes_the_files_or_shows_them(path: Path, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["broker", "config", "--site", str(path)])
    assert shown.exit_code == 0
    assert "# advanced.config\n[{kernel" in shown.stdout
    into = tmp_path / "etc" / "mq1"  # nobody has made it
    told = ["broker", "config", "--site", str(path), "--into", str(into)]
    before = os.umask(0o077)  # that of renkei
    try:
        assert CliRunner().invoke(app, told).exit_code == 0
    finally:
        os.umask(before)
    assert {one.name: one.read_text() for one in into.iterdir()} == broker_files(load_site(path))
    assert {stat.S_IMODE(one.stat().st_mode) for one in into.iterdir()} == {0o644}
    assert stat.S_IMODE(into.stat().st_mode) == 0o755


def test_what_somebody_else_wrote_is_kept(path: Path, tmp_path: Path) -> None:
    told = ["broker", "config", "--site", str(path), "--into", str(tmp_path)]
    conf = tmp_path / "rabbitmq.conf"
    conf.write_text("cluster_name = city\n", encoding="utf-8")
    said = CliRunner().invoke(app, told).stdout
    (kept,) = tmp_path.glob("*.before-*")
    assert kept.read_text(encoding="utf-8") == "cluster_name = city\n"
    assert kept.name in said
    assert CliRunner().invoke(app, told).exit_code == 0
    assert list(tmp_path.glob("*.before-*")) == [kept]  # the second run changed nothing
