"""What check finds wrong in a folder of certificates."""

import shutil
from pathlib import Path

import pytest

from hub.pki.files import read_certificates
from tests.pki_rig import BROKER, SITE, Pki

pytestmark = pytest.mark.unit


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki.copied(tmp_path)


def serial_of(pki: Pki, process: str) -> int:
    return read_certificates(pki.pki / process / "tls.pem")[0].serial_number


def test_check_names_every_kind_of_fault(pki: Pki) -> None:
    (pki.pki / "tax" / "tls.key").chmod(0o644)
    shutil.copy(pki.pki / "hub" / "tls.pem", pki.pki / "hub-2" / "tls.pem")
    shutil.copy(pki.pki / "union" / "tls.pem", pki.pki / "operator" / "tls.pem")
    shutil.copy(pki.pki / "tax" / "tls.pem", pki.pki / BROKER / "tls.pem")
    next((pki.pki / "union" / "enc").glob("*.key")).unlink()
    shutil.rmtree(pki.pki / "crls")
    text = pki.said()
    for part in (
        "tax: the secret",
        "hub-2: the key",
        "operator: its common name is 'union', and has to be 'hub'",
        f"{BROKER}: its common name is 'tax'",
        "union (encryption): the secret",
        "it is not there: RabbitMQ reads it",
    ):
        assert part in text


def test_check_compares_what_a_server_is_for(pki: Pki, tmp_path: Path) -> None:
    """The host was renamed, and the hub's metrics got an address off loopback."""
    text = SITE.replace("mq.example", "mq2.example").replace(
        "[systems.tax]", '[systems.tax]\nlisten = "10.0.0.6"'
    )
    renamed = Pki(tmp_path, text)
    (pki.pki / BROKER).rename(pki.pki / "broker-mq2.example")
    said_of = dict(renamed.findings())
    assert said_of["tax"].startswith("it is not for a server")
    shutil.copy(pki.pki / "broker-mq2.example" / "tls.pem", tmp_path / "tls.pem")
    assert "its common name" in said_of["broker-mq2.example"]


def test_check_names_an_address_that_a_certificate_lacks(pki: Pki) -> None:
    moved = Pki(pki.folder, SITE.replace("10.0.0.5", "10.0.0.7"))
    assert "hub: it does not name the host 10.0.0.7: run renkei pki issue hub" in moved.said()


@pytest.mark.parametrize("file", ["ca.pem", "crl.pem"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_check_of_a_folder_without_its_authority(pki: Pki, file: str, how: str) -> None:
    if how == "missing":
        (pki.pki / "trust" / file).unlink()
    else:
        (pki.pki / "trust" / file).write_text("nothing")
    (found,) = pki.findings()
    assert file in found.text
