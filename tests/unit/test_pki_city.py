"""A city's own authority signs what is requested."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import SiteError
from hub.pki.authority import new_authority
from hub.pki.files import read_certificates, read_lists, write_certificates, write_key
from hub.pki.names import Profile, profiles
from hub.pki.requests import make_request, take
from hub.pki.rounds import issue_for, profile_of, said
from tests.pki_rig import Pki, now

pytestmark = pytest.mark.unit


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki.copied(tmp_path)


def serial_of(pki: Pki, process: str) -> int:
    return read_certificates(pki.pki / process / "tls.pem")[0].serial_number


@pytest.fixture
def city(tmp_path: Path) -> Pki:
    """Give a site that trusts an authority whose key it does not have."""
    made = Pki(tmp_path)
    made.store.init(now())
    stick = tmp_path / "city.key"
    made.store.authority_key.rename(stick)
    object.__setattr__(made.store, "authority_key", stick)
    return made


def signed(city: Pki, request: Path, profile: Profile, *, encryption: bool = False) -> Path:
    asked = x509.load_pem_x509_csr(request.read_bytes())
    assert asked.is_signature_valid
    key = asked.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    authority = city.store.authority()
    make = (
        authority.for_encryption(profile.account, key, "renkei", now())
        if encryption
        else authority.for_connections(profile, key, "renkei", now())
    )
    out = city.folder / "signed.pem"
    write_certificates(out, [make])
    return out


def test_a_citys_authority_signs_what_is_requested(city: Pki) -> None:
    for profile in profiles(city.site).values():
        for encryption in (False, True) if profile.process in {"hub", "tax", "union"} else (False,):
            request = make_request(city.pki, "renkei", profile, encryption=encryption)
            file = signed(city, request, profile, encryption=encryption)
            take(city.pki, profile, file, now())
            assert not request.exists()
    assert city.findings() == []


def test_a_request_disturbs_nothing_until_it_is_answered(pki: Pki) -> None:
    profile = profile_of(pki.site, "tax")
    make_request(pki.pki, "renkei", profile)
    make_request(pki.pki, "renkei", profile, encryption=True)
    assert pki.findings() == []


@pytest.mark.parametrize("what", ["another key", "another account", "another authority"])
def test_an_answer_that_is_not_to_the_request_changes_nothing(
    city: Pki, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tax, union = profile_of(city.site, "tax"), profile_of(city.site, "union")
    request = make_request(city.pki, "renkei", tax)
    file = signed(city, request, union if what == "another account" else tax)
    if what == "another key":
        make_request(city.pki, "renkei", tax)
    elif what == "another authority":
        authority = new_authority("another", now())
        monkeypatch.setattr(type(city.store), "authority", lambda _self: authority)
        file = signed(city, request, tax)
    with pytest.raises(SiteError, match="cannot be used for tax"):
        take(city.pki, tax, file, now())
    assert not (city.pki / "tax" / "tls.pem").exists()
    assert (city.pki / "tax" / "request.key").exists()


def test_two_authorities_are_trusted_while_one_takes_the_others_place(
    pki: Pki, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    other = Pki(tmp_path / "new")
    other.store.init(now())
    both = [
        *read_certificates(pki.pki / "trust/ca.pem"),
        *read_certificates(other.pki / "trust/ca.pem"),
    ]
    write_certificates(pki.pki / "trust/ca.pem", both)
    write_key(pki.pki / "ca" / "ca.key", other.store.authority().key)
    issue_for(pki.store, pki.site, ["tax"], now())
    assert len(read_lists(pki.pki / "trust/crl.pem")) == 2
    assert pki.findings() == []
    old = next(one for one in pki.store.issued() if said(one)["process"] == "union")
    with pytest.raises(SiteError, match="another authority"):
        pki.store.revoke([old.serial_number], now())
