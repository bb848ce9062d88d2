"""The broker's URL is read once, and its secrets are never shown."""

import ssl
from pathlib import Path

import pytest

from hub.client import HubClient
from hub.client.address import read_address
from hub.client.session import Timing, _client
from hub.errors import BrokerUnavailable, SiteError
from hub.hosts import Host

pytestmark = pytest.mark.unit

SECRET = "s3cret/@word"  # noqa: S105 - opens nothing
URL = "amqps://union:s3cret%2F%40word@broker.example:5673/renkei"


def test_a_url_is_taken_apart() -> None:
    address = read_address(URL, "union")
    assert (address.hosts, address.vhost) == ((Host("broker.example", 5673),), "renkei")
    assert address.password is not None
    assert address.password.get_secret_value() == SECRET
    assert address.tls is not None


def test_plain_connections_stay_on_this_machine() -> None:
    assert read_address("amqp://union:x@127.0.0.1,[::1],localhost/v", "union").tls is None
    with pytest.raises(SiteError, match="use amqps"):
        read_address("amqp://union:x@127.0.0.1,broker.example/v", "union")


def test_ports_and_vhost_have_defaults() -> None:
    assert str(read_address("amqp://union:x@localhost", "union")) == "localhost:5672//"
    assert read_address("amqps://union:x@host/a%2Fb", "union").vhost == "a/b"
    assert read_address("amqps://union:x@host/", "union").hosts == (Host("host", 5671),)


def test_a_cluster_has_several_hosts_and_one_account() -> None:
    address = read_address("amqps://union:x@a,b:5673,[::1]:5,a:5671/renkei", "union")
    assert address.hosts == (Host("a", 5671), Host("b", 5673), Host("::1", 5))
    assert address.password is not None
    assert str(address) == "a:5671,b:5673,[::1]:5/renkei"


def test_tls_always_checks_the_certificate_and_the_name_of_the_broker() -> None:
    address = read_address("amqps://union:x@one,two/v", "union")
    contexts = set()
    for host in address.hosts:
        tls = _client(address, host, Timing(), "test").ssl
        assert tls["server_hostname"] == host.name
        context = tls["made"]
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        contexts.add(id(context))
    assert len(contexts) == len(address.hosts)  # a renewed certificate counts at the next one


@pytest.mark.parametrize("folder", [True, False])
def test_files_that_are_missing_are_named(tmp_path: Path, folder: bool) -> None:  # noqa: FBT001
    missing = {"ca_certs": str(tmp_path / "no.pem")}
    address = read_address(URL, "union", missing, tmp_path if folder else None)
    with pytest.raises(BrokerUnavailable, match="is not there" if folder else "ca_certs"):
        _client(address, address.hosts[0], Timing(), "test")


def test_without_a_password_the_certificate_logs_in() -> None:
    for url, method in (("amqps://host/v", "EXTERNAL"), (URL, "PLAIN")):
        address = read_address(url, "union")
        assert _client(address, address.hosts[0], Timing(), "test").login_method == method


@pytest.mark.parametrize(
    "url",
    [
        "http://union:s3cret@host/v",
        "amqp:///v",
        "amqp://union:s3cret@host:5x/v",
        "amqp://union:s3/cret@host/v",
        "amqp://tax:s3cret@host/v",
        "amqp://union:s3cret@[host/v",
        "amqp://union:s3cret@host,/v",
        "amqp://union:s3cret@host,:5672/v",
        "amqp://union:s3cret@host/v",
        "amqp://union:s3cret@host,union:s3cret@host/v",
    ],
)
def test_a_wrong_url_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(SiteError) as error:
        HubClient(url, "union")
    assert "cret" not in f"{error.value!r} {error.value.__cause__!r}"


def test_a_client_shows_where_but_not_how() -> None:
    shown = repr(HubClient(URL, "union"))
    assert shown == "HubClient(system='union', broker='broker.example:5673/renkei')"
