"""The encryption keys of accounts: who finds whose, and which are good."""

import logging
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.pki.authority import new_authority, new_key
from hub.pki.files import read_certificates, write_certificates
from hub.pki.parties import load_parties, own_keys, stamp_of
from hub.pki.rounds import issue_for
from hub.pki.trust import kid_of
from tests.pki_rig import Pki, now

pytestmark = pytest.mark.unit


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki.copied(tmp_path)


def test_everybody_finds_everybodys_public_keys(pki: Pki) -> None:
    found = load_parties(pki.pki, now())
    assert {one.account for one in found} == {"hub", "tax", "union"}
    for one in found:
        assert one.since < now() < one.until
        assert own_keys(pki.pki, one.account)[one.kid].public_key() == one.key
    assert own_keys(pki.pki, "nobody") == {}


def test_a_new_key_stands_beside_the_old_one(pki: Pki) -> None:
    before = stamp_of(pki.pki, "tax")
    assert stamp_of(pki.pki, "tax") == before
    issue_for(pki.store, pki.site, ["tax"], now())
    assert stamp_of(pki.pki, "tax") != before
    first, second = (one for one in load_parties(pki.pki, now()) if one.account == "tax")
    assert first.since <= second.since
    assert set(own_keys(pki.pki, "tax")) == {first.kid, second.kid}


@pytest.mark.parametrize("what", ["revoked", "foreign", "ended", "connections", "damaged", "early"])
def test_nothing_is_encrypted_for_a_key_that_is_not_good(
    pki: Pki, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    (good,) = (pki.pki / "parties").glob("tax.*")
    days = 0.0
    if what == "revoked":
        pki.store.revoke([read_certificates(good)[0].serial_number], now())
    elif what == "foreign":
        made = new_authority("another", now()).for_encryption(
            "tax", new_key().public_key(), "renkei", now()
        )
        write_certificates(good, [made])
    elif what == "connections":
        shutil.copy(pki.pki / "tax" / "tls.pem", good)
    elif what == "damaged":
        good.write_text("nothing")
    else:
        days = 398 if what == "ended" else -1
    with caplog.at_level(logging.DEBUG):
        accounts = {one.account for one in load_parties(pki.pki, now(days))}
    assert "tax" not in accounts
    (told,) = [one for one in caplog.records if good.name in one.getMessage()]
    assert (told.levelno == logging.DEBUG) == (what in {"revoked", "ended"})
    assert "tax (encryption)" in "".join(pki.said(days))


def test_no_account_can_be_added_without_the_authority(pki: Pki) -> None:
    """A certificate of one's own account leads to no other, as a system's is no authority."""
    key = new_key()
    mine = read_certificates(pki.pki / "tax" / "tls.pem")[0]
    thief = type(pki.store.authority())(mine, own_tls_key(pki))
    made = thief.for_encryption("hub", key.public_key(), "renkei", now())
    write_certificates(pki.pki / "parties" / "hub.0.pem", [made, mine])
    assert kid_of(made) not in {one.kid for one in load_parties(pki.pki, now())}
    assert "parties/hub.0.pem: no authority of the site has signed it" in pki.said()


def own_tls_key(pki: Pki) -> ec.EllipticCurvePrivateKey:
    from hub.pki.files import read_key  # noqa: PLC0415

    return read_key(pki.pki / "tax" / "tls.key")
