"""The folder of certificates: what is made, renewed and revoked."""

import datetime as dt
import os
import shutil
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.errors import SiteError
from hub.pki.authority import new_key, revoked
from hub.pki.ends import ends_of
from hub.pki.files import make_folder, pem, read_certificates, read_lists
from hub.pki.hashes import list_name
from hub.pki.names import profiles, worker_process
from hub.pki.parties import load_parties, own_keys
from hub.pki.rounds import issue_for, issue_missing, profile_of, renew_due, said, serials_of
from hub.pki.store import Store
from hub.tls import Identity
from tests.pki_rig import BROKER, SITE, Pki, now

pytestmark = pytest.mark.unit


PROCESSES = {
    "hub",
    "hub-2",
    "ledger-watch",
    "operator",
    "broker-admin",
    "broker-monitor",
    "prometheus",
    BROKER,
    "tax",
    "union",
}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki.copied(tmp_path)


def serial_of(pki: Pki, process: str) -> int:
    return read_certificates(pki.pki / process / "tls.pem")[0].serial_number


def test_all_that_a_site_needs_is_made_and_nothing_is_wrong(pki: Pki) -> None:
    assert pki.findings() == []
    assert {path.parent.name for path in pki.pki.glob("*/tls.pem")} == PROCESSES
    kinds = [(row["process"], row["use"]) for row in map(said, pki.store.issued())]
    assert sorted(kinds) == sorted(
        [(name, "connections") for name in PROCESSES]
        + [(name, "encryption") for name in ("hub", "tax", "union")]
    )
    assert issue_missing(pki.store, pki.site, now()) == []


def test_keys_are_their_owners_alone_and_the_rest_is_for_everybody(pki: Pki) -> None:
    for path in pki.pki.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.suffix == ".key":
            assert mode == 0o600, path
        elif path.is_file():
            assert mode == 0o644, path
        else:
            assert mode in {0o700, 0o755}, path
    assert "PRIVATE" not in "".join(p.read_text() for p in pki.pki.rglob("*.pem"))
    assert "PRIVATE" not in repr(pki.store.authority())


def test_there_is_one_authority(pki: Pki) -> None:
    with pytest.raises(SiteError, match="this site has an authority"):
        pki.store.init(now())


def test_a_worker_that_comes_later_gets_its_own(pki: Pki, tmp_path: Path) -> None:
    pki = Pki(tmp_path, SITE.replace("workers = 2", "workers = 3"))
    assert "hub-3: there is none: run renkei pki issue hub-3" in pki.said()
    assert pki.said(here=True) == ""
    (made,) = issue_missing(pki.store, pki.site, now())
    assert said(made)["process"] == "hub-3"
    assert said(made)["account"] == "hub"


def test_a_process_that_there_is_not_is_answered_with_the_nearest(pki: Pki) -> None:
    with pytest.raises(SiteError, match="did you mean tax"):
        profile_of(pki.site, "taxx")
    with pytest.raises(SiteError, match="nothing was signed here for taxx"):
        serials_of(pki.store, ["taxx"], now())


@pytest.mark.parametrize("name", ["operator", "parties", "hub-2"])
def test_a_system_cannot_take_the_name_of_something_else(tmp_path: Path, name: str) -> None:
    pki = Pki(tmp_path, SITE.replace("[systems.tax]", f"[systems.{name}]"))
    with pytest.raises(SiteError, match="its name is taken"):
        profiles(pki.site)


def test_no_adapter_has_a_certificate_with_which_it_could_play_the_broker(pki: Pki) -> None:
    tax = pki.site.systems["tax"].model_copy(update={"listen": "10.0.0.9"})
    site = pki.site.model_copy(
        update={
            "systems": {"tax": tax},
            "broker": pki.site.broker.model_copy(update={"host": "10.0.0.9"}),
        }
    )
    with pytest.raises(SiteError, match=r"systems\.tax\.listen is the address of broker\.host"):
        profiles(site)


def test_two_commands_do_not_change_the_folder_at_once(pki: Pki) -> None:
    with pki.store.alone():
        with pytest.raises(SiteError, match="another renkei pki"), pki.store.alone():
            pass
        pki.store.renew_list(now())
    with pki.store.alone():
        pass


def test_what_ends_soon_is_made_anew_and_nothing_else(pki: Pki) -> None:
    assert renew_due(pki.store, pki.site, now()) == []
    later = 397 - pki.site.tls.renew_days + 1
    assert "tax: it ends on" in pki.said(later)
    assert "tax (encryption): it ends on" in pki.said(later)
    made = renew_due(pki.store, pki.site, now(later))
    assert len(made) == len(PROCESSES) + 3
    assert pki.findings(later) == []
    assert renew_due(pki.store, pki.site, now(later)) == []


def test_a_timer_gives_nobody_a_certificate_who_was_revoked(pki: Pki) -> None:
    pki.store.revoke(serials_of(pki.store, ["tax"], now()), now())
    made = renew_due(pki.store, pki.site, now(390))
    assert {said(one)["account"] for one in made}.isdisjoint({"tax"})
    assert "tax: it is revoked: run renkei pki issue tax" in pki.said(390)


def test_the_list_is_signed_anew_and_forgets_nobody(pki: Pki) -> None:
    assert "the revocation list ends at" in pki.said(24)
    pki.store.revoke([serial_of(pki, "tax")], now())
    pki.store.revoke([serial_of(pki, "union")], now())
    pki.store.renew_list(now(24))
    (found,) = read_lists(pki.pki / "trust/crl.pem")
    assert {one.serial_number for one in found} == {
        serial_of(pki, "tax"),
        serial_of(pki, "union"),
    }
    assert "the revocation list ends" not in pki.said(24)
    assert (pki.pki / "crls" / list_name(found.issuer)).read_bytes() == pem(found)


def test_private_keys_are_kept_while_something_may_wait_that_they_open(pki: Pki) -> None:
    old = set(own_keys(pki.pki, "tax"))
    renew_due(pki.store, pki.site, now(380))
    assert old < set(own_keys(pki.pki, "tax"))
    assert pki.store.forget_old_keys(now(397 + 399)) == []
    assert len(pki.store.forget_old_keys(now(397 + 401))) == 3
    assert old.isdisjoint(own_keys(pki.pki, "tax"))
    assert len(own_keys(pki.pki, "tax")) == 1


def test_no_list_is_signed_that_would_let_in_who_is_revoked(pki: Pki) -> None:
    gone = serial_of(pki, "tax")
    pki.store.revoke([gone], now())
    path = pki.pki / "trust/crl.pem"
    path.unlink()
    for sign in (
        lambda: pki.store.renew_list(now(1)),
        lambda: pki.store.revoke([serial_of(pki, "union")], now(1)),
        lambda: issue_missing(pki.store, pki.site, now(1)),
    ):
        with pytest.raises(
            SiteError, match=r"trust/crl\.pem is not there.*/crls has the same list"
        ):
            sign()
    (copy,) = (pki.pki / "crls").iterdir()
    shutil.copy(copy, path)
    pki.store.renew_list(now(1))
    assert [one.serial_number for one in read_lists(path)[0]] == [gone]


def test_what_lay_beside_the_processes_is_found_and_moved(pki: Pki) -> None:
    """As folders were before there was one for what everybody trusts."""
    for name in ("ca.pem", "crl.pem"):
        (pki.pki / "trust" / name).rename(pki.pki / name)
    (pki.pki / "trust").rmdir()
    assert pki.findings() == []
    with pki.store.alone(), pytest.raises(SiteError, match="this site has an authority"):
        Store.of(pki.pki, "renkei", pki.folder / "elsewhere.key").init(now())
    assert not [*pki.pki.glob("c*.pem")]
    pki.store.renew_list(now(1))
    assert pki.findings() == []
    assert not [*pki.pki.glob("c*.pem")]


def test_what_lies_in_an_accounts_own_folder_decides_about_no_other(pki: Pki) -> None:
    first = own_keys(pki.pki, "union")
    issue_for(pki.store, pki.site, ["union"], now(380))
    (kid,) = set(own_keys(pki.pki, "union")) - set(first)
    theirs = pki.pki / "tax" / "enc"
    shutil.copy(next(theirs.glob("*.pem")), theirs / f"{kid}.pem")
    (theirs / "junk.pem").write_text("nothing")
    gone = pki.store.forget_old_keys(now(397 + 401))
    assert {path.parent.parent.name for path in gone} == {"hub", "tax", "union"}
    assert (pki.pki / "parties" / f"{kid}.pem").exists()


@pytest.mark.parametrize("junk", ["text", "pipe", "endless", "large"])
def test_junk_in_one_accounts_folder_keeps_nobody_else_from_being_renewed(
    pki: Pki, junk: str
) -> None:
    own = pki.pki / "hub" / "tls.pem"
    own.unlink()
    if junk == "pipe":
        os.mkfifo(own)
    elif junk == "endless":
        own.symlink_to("/dev/zero")
    else:
        own.write_text("nothing")
        os.truncate(own, 1 << 30 if junk == "large" else 7)
    with pytest.raises(SiteError, match=r"all else was renewed, but:\n.*hub/tls\.pem"):
        renew_due(pki.store, pki.site, now(380))
    assert {one.name for one in pki.findings(380)} == {"hub"}


def test_a_name_stands_for_all_of_it_and_a_serial_for_one(pki: Pki) -> None:
    issue_for(pki.store, pki.site, ["tax"], now())
    assert len(serials_of(pki.store, ["tax"], now())) == 4
    assert len(serials_of(pki.store, ["hub-2"], now())) == 1
    one = f"{serial_of(pki, 'tax'):x}"
    gone = pki.store.revoke(serials_of(pki.store, [one], now()), now())
    assert [said(cert)["serial"] for cert in gone] == [one]
    assert pki.store.revoke(serials_of(pki.store, [one], now()), now()) == []
    with pytest.raises(SiteError, match="has signed no certificate"):
        pki.store.revoke([1], now())


def test_a_list_that_another_signed_revokes_nobody(pki: Pki) -> None:
    """Who can write crl.pem but has no key of an authority cannot lock anybody out."""
    mine = pki.store.authority()
    false = type(mine)(mine.certificate, new_key())
    found = false.revocation_list([revoked(serial_of(pki, "tax"), now())], 10**10, now())
    with (pki.pki / "trust/crl.pem").open("ab") as file:
        file.write(pem(found))
    assert "tax" not in pki.named()
    assert {one.account for one in load_parties(pki.pki, now())} == {"hub", "tax", "union"}


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ([(NameOID.COMMON_NAME, "Renkei Hub renkei 1a2b3c4d")], "86b08565.r0"),
        (
            [
                (NameOID.COUNTRY_NAME, "JP"),
                (NameOID.ORGANIZATION_NAME, " 金沢市  KANAZAWA Ａ "),
                (NameOID.COMMON_NAME, "x" * 64),
                (NameOID.DOMAIN_COMPONENT, "Ab"),
            ],
            "ca72fa0a.r0",
        ),
    ],
)
def test_a_list_is_called_as_openssl_calls_it(
    attributes: list[tuple[x509.ObjectIdentifier, str]], name: str
) -> None:
    """The names are those that ``openssl crl -hash -noout`` of OpenSSL 3.0 gave."""
    assert list_name(x509.Name([x509.NameAttribute(*one) for one in attributes])) == name


def test_times_are_those_that_were_promised(pki: Pki) -> None:
    authority = pki.store.authority().certificate
    certificate = pki.store.issued()[0]
    (found,) = read_lists(pki.pki / "trust/crl.pem")
    assert found.next_update_utc is not None
    for until, days in (
        (authority.not_valid_after_utc, 3650),
        (certificate.not_valid_after_utc, 397),
        (found.next_update_utc, 30),
    ):
        assert abs(until - now(days)) < dt.timedelta(minutes=5)


def test_a_process_can_tell_until_when_all_that_it_needs_holds(pki: Pki) -> None:
    ends = ends_of(Identity(pki.pki, "tax"), ("hub", "tax"))
    for name, days in {
        "own": 397,
        "authority": 3650,
        "revocation-list": 30,
        "encryption": 397,
    }.items():
        assert abs(ends[name]() - now(days)) < dt.timedelta(minutes=5)
    pki.store.revoke(serials_of(pki.store, ["hub"], now()), now())
    with pytest.raises(SiteError, match=r"nobody can encrypt for hub: renkei pki issue hub$"):
        ends["encryption"]()
    (pki.pki / "tax" / "tls.pem").unlink()
    with pytest.raises(SiteError, match="is not there"):
        ends["own"]()
    assert "encryption" not in ends_of(Identity(pki.pki, "tax"), ())


def test_a_worker_shows_its_own_certificate_or_the_first_ones(pki: Pki) -> None:
    assert worker_process(pki.site, "hub-2") == "hub-2"
    assert worker_process(pki.site, "hub") == "hub"
    assert worker_process(pki.site, "by-hand") == "hub"


def test_two_lists_that_differ_are_no_list(pki: Pki) -> None:
    """Somebody still writes the old place: which of them is newer nobody can tell."""
    new, old = pki.pki / "trust/crl.pem", pki.pki / "crl.pem"
    shutil.copy(new, old)
    assert pki.findings() == []
    with pki.store.alone():
        assert not old.exists()
    shutil.copy(new, old)
    issue_for(pki.store, pki.site, ["tax"], now())
    pki.store.revoke([serial_of(pki, "tax")], now())
    assert "only the second is read" in dict(pki.findings())["crl.pem"]
    with pytest.raises(SiteError, match="move the newer one there"), pki.store.alone():
        pass
    old.unlink()
    with pki.store.alone():
        assert new.exists()


def test_what_root_makes_in_a_folder_belongs_to_its_owner(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, *owner: given.append((path, *owner)))
    make_folder(pki.pki / "new" / "inner")
    owner = pki.pki.stat()
    assert given == [
        (pki.pki / "new", owner.st_uid, owner.st_gid),
        (pki.pki / "new" / "inner", owner.st_uid, owner.st_gid),
    ]
