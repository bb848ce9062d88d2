"""Each process shows until when what it needs of the certificates holds."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.compose.expiry import certificate_ends, hub_readers
from hub.pki.rounds import issue_for, issue_missing
from hub.site import load_site
from monitoring.certificates import CertificateMetrics
from tests.pki_rig import SITE, Pki, now
from tests.plain_site import PLAIN

pytestmark = pytest.mark.unit


def shown(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(
        "renkei_certificate_expiry_timestamp_seconds", {"certificate": name}
    )


def test_a_renewed_certificate_is_seen_at_the_next_look(tmp_path: Path) -> None:
    pki = Pki(tmp_path).made()
    registry = CollectorRegistry()
    ends = certificate_ends(pki.site, "hub-2", hub_readers(pki.site))
    CertificateMetrics(registry, ends)
    assert set(ends) == {"own", "authority", "revocation-list", "encryption"}
    before = shown(registry, "own")
    assert before == pytest.approx(now(397).timestamp(), abs=600)
    issue_for(pki.store, pki.site, ["hub-2"], now(5))
    after = shown(registry, "own")
    assert before is not None
    assert after == pytest.approx(before + 5 * 86_400, abs=600)
    (pki.pki / "hub-2" / "tls.pem").unlink()
    assert shown(registry, "own") == 0.0


def test_without_certificates_there_is_nothing_to_show(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(PLAIN + '[hub]\npassword_file = "p"\npseudonym_key_file = "k"\n')
    assert certificate_ends(load_site(file), "hub") == {}


def test_a_plain_site_may_still_encrypt_numbers(tmp_path: Path) -> None:
    text = SITE.split("[systems.tax]")[0].replace("[tls]", "[tls]\nplain_loopback = true")
    text = text.replace("mq.example", "127.0.0.1").replace('listen = "10.0.0.5"', "")
    text = text.replace("[hub]", '[hub]\npassword_file = "p"')
    pki = Pki(tmp_path, text)
    pki.store.init(now())
    issue_missing(pki.store, pki.site, now())
    ends = certificate_ends(pki.site, "hub", hub_readers(pki.site))
    assert set(ends) == {"authority", "revocation-list", "encryption"}
    assert ends["encryption"]() > now(390)
