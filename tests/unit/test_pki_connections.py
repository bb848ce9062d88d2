"""Who gets in by a certificate of the site, and who does not."""

import shutil
import ssl
from functools import partial
from pathlib import Path

import pytest

from hub.errors import SiteError
from hub.pki import authority
from hub.pki.rounds import issue_for, serials_of
from hub.pki.store import Store
from hub.site import load_site
from hub.tls import Identity, ServerContexts, client_context, identity_of, server_context
from tests.pki_rig import BROKER, SITE, Pki, now, shaken
from tests.plain_site import PLAIN

pytestmark = pytest.mark.unit


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki.copied(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Pki:
    """Give a site whose authority is another one."""
    folder = tmp_path / "other"
    folder.mkdir()
    return Pki(folder).made()


def identity(pki: Pki, process: str) -> Identity:
    found = identity_of(pki.site, process)
    assert found is not None
    return found


def test_both_ends_know_one_another(pki: Pki) -> None:
    client, server = identity(pki, "tax"), identity(pki, BROKER)
    assert shaken(client_context(client), server_context(server)) == "TLSv1.3"


def test_a_plain_site_has_no_contexts(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(PLAIN + '[hub]\npassword_file = "p"\npseudonym_key_file = "k"\n')
    assert identity_of(load_site(file), "hub") is None


def test_who_has_no_certificate_is_refused(pki: Pki) -> None:
    nobody = ssl.create_default_context(cafile=str(pki.pki / "trust/ca.pem"))
    with pytest.raises(ssl.SSLError, match="did not return a certificate"):
        shaken(nobody, server_context(identity(pki, BROKER)))


def test_a_certificate_of_another_authority_is_refused(pki: Pki, other: Pki) -> None:
    thief = client_context(identity(other, "tax"))
    thief.load_verify_locations(pki.pki / "trust/ca.pem")
    thief.verify_flags &= ~ssl.VERIFY_CRL_CHECK_LEAF
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(thief, server_context(identity(pki, BROKER)))


def test_a_false_broker_is_left_alone(pki: Pki, other: Pki) -> None:
    false = server_context(identity(other, BROKER))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"issuer|self-signed"):
        shaken(client_context(identity(pki, "tax")), false)


def test_a_server_is_asked_for_its_name(pki: Pki) -> None:
    client, server = client_context(identity(pki, "tax")), server_context(identity(pki, BROKER))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shaken(client, server, host="elsewhere.example")


def test_a_systems_certificate_is_no_brokers(pki: Pki) -> None:
    """What a system has must not let it stand in for a server, even under the right name."""
    client, server = client_context(identity(pki, "union")), server_context(identity(pki, "tax"))
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        shaken(client, server)


def test_an_encryption_key_connects_nobody(pki: Pki) -> None:
    enc = next((pki.pki / "tax" / "enc").glob("*.pem"))
    shutil.copy(enc, pki.pki / "tax" / "tls.pem")
    shutil.copy(enc.with_suffix(".key"), pki.pki / "tax" / "tls.key")
    with pytest.raises(ssl.SSLError, match="purpose"):
        shaken(client_context(identity(pki, "tax")), server_context(identity(pki, BROKER)))


def test_old_versions_are_refused(pki: Pki) -> None:
    client = client_context(identity(pki, "tax"))
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol|alert"):
        shaken(client, server_context(identity(pki, BROKER)))


def test_the_site_may_ask_for_1_3_alone(pki: Pki) -> None:
    strict = Identity(pki.pki, BROKER, "1.3")
    client = client_context(identity(pki, "tax"))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol|alert"):
        shaken(client, server_context(strict))
    assert shaken(client, server_context(identity(pki, BROKER))) == "TLSv1.2"


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_is_revoked_is_refused_at_the_next_connection(pki: Pki, newest: ssl.TLSVersion) -> None:
    served = ServerContexts(identity(pki, BROKER))
    connect = partial(client_context, identity(pki, "tax"))
    shaken(connect(), served.current())
    pki.store.revoke(serials_of(pki.store, ["tax"], now()), now())
    client = connect()
    client.maximum_version = newest
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shaken(client, served.current())
    shaken(client_context(identity(pki, "union")), served.current())


def test_one_worker_is_revoked_and_the_other_stays(pki: Pki) -> None:
    one = next(one for one in pki.store.issued() if "OU=hub-2" in one.subject.rfc4514_string())
    pki.store.revoke([one.serial_number], now())
    server = server_context(identity(pki, BROKER))
    shaken(client_context(identity(pki, "hub")), server)
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shaken(client_context(identity(pki, "hub-2")), server)


def test_a_revoked_broker_is_left_alone(pki: Pki) -> None:
    pki.store.revoke(serials_of(pki.store, [BROKER], now()), now())
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shaken(client_context(identity(pki, "tax")), server_context(identity(pki, BROKER)))


def test_renewed_certificates_count_at_once_and_the_old_ones_still_hold(pki: Pki) -> None:
    served = ServerContexts(identity(pki, BROKER))
    before, old = served.current(), client_context(identity(pki, "tax"))
    assert served.current() is before
    issue_for(pki.store, pki.site, ["tax", BROKER], now())
    assert served.current() is not before
    for client in (old, client_context(identity(pki, "tax"))):
        for server in (before, served.current()):
            shaken(client, server)


def test_without_a_revocation_list_nobody_connects(pki: Pki) -> None:
    (pki.pki / "trust/crl.pem").unlink()
    with pytest.raises(SiteError, match=r"crl\.pem is not there: run renkei pki init"):
        client_context(identity(pki, "tax"))


def test_a_revocation_list_that_is_too_old_stops_connections(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "EARLIER", authority.dt.timedelta(days=40))
    monkeypatch.setattr(authority, "LIST_DAYS", -1)
    pki.store.renew_list(now())
    with pytest.raises(ssl.SSLCertVerificationError, match="CRL has expired"):
        shaken(client_context(identity(pki, "tax")), server_context(identity(pki, BROKER)))


def test_a_key_that_others_can_read_is_none(pki: Pki) -> None:
    (pki.pki / "tax" / "tls.key").chmod(0o640)
    with pytest.raises(SiteError, match="readable by others"):
        client_context(identity(pki, "tax"))


def test_what_is_missing_or_damaged_is_named_with_what_to_do(pki: Pki) -> None:
    with pytest.raises(SiteError, match=r"tls\.key is not there: run renkei pki issue"):
        client_context(identity(pki, "hub-3"))
    (pki.pki / "tax" / "tls.pem").unlink()
    with pytest.raises(SiteError, match=r"tls\.pem is not there: run renkei pki issue tax"):
        client_context(identity(pki, "tax"))
    (pki.pki / "union" / "tls.pem").write_text("no certificate")
    with pytest.raises(SiteError, match=r"cannot be used with its key: .*run renkei pki check"):
        client_context(identity(pki, "union"))
    (pki.pki / "trust/ca.pem").write_text("no certificate")
    with pytest.raises(SiteError, match=r"ca\.pem cannot be read"):
        client_context(identity(pki, "tax"))


def test_who_meets_a_renewal_between_its_two_files_looks_again(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = pki.pki / "tax" / "tls.pem", pki.pki / "tax" / "tls.key"
    old = certificate.read_bytes()
    issue_for(pki.store, pki.site, ["tax"], now())
    new = certificate.read_bytes()
    certificate.write_bytes(old)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            certificate.write_bytes(new)

    monkeypatch.setattr("hub.tls.time.sleep", sleep)
    client_context(identity(pki, "tax"))
    assert len(pauses) == 2
    key.write_bytes((pki.pki / "union" / "tls.key").read_bytes())
    with pytest.raises(SiteError, match="cannot be used with its key"):
        client_context(identity(pki, "tax"))
    assert len(pauses) < 10


def test_two_hosts_of_a_cluster_have_a_certificate_each(tmp_path: Path) -> None:
    text = SITE.replace(
        'host = "mq.example"', 'host = "mq1.example"\nalso = ["mq2.example:5671", "10.0.0.9:5671"]'
    )
    pki = Pki(tmp_path, text).made()
    for host in ("mq1.example", "mq2.example", "10.0.0.9", "mq.example"):
        server = Identity(pki.pki, f"broker-{host if host != 'mq.example' else 'mq1.example'}")
        shaken(client_context(identity(pki, "tax")), server_context(server), host)


def test_the_store_needs_its_authority(pki: Pki, tmp_path: Path) -> None:
    elsewhere = tmp_path / "stick" / "ca.key"
    elsewhere.parent.mkdir()
    (pki.pki / "ca" / "ca.key").rename(elsewhere)
    with pytest.raises(SiteError, match="--ca-key"):
        issue_for(pki.store, pki.site, ["tax"], now())
    away = Store.of(pki.pki, "renkei", elsewhere)
    issue_for(away, pki.site, ["tax"], now())
    shaken(client_context(identity(pki, "tax")), server_context(identity(pki, BROKER)))
