"""Site file, secrets and catalogue are checked against each other before anything starts."""

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import pytest

from hub.compose.certificates import store_of
from hub.compose.checked import load_checked, passwords_of, system_of
from hub.compose.ledger import ledger_url, pseudonyms
from hub.compose.links import link_settings
from hub.errors import SiteError
from hub.pki.rounds import issue_missing
from hub.site import TlsSite, load_site
from tests.samples import SIGNER

pytestmark = [pytest.mark.unit, pytest.mark.slow]

KEY = "a secret of a good length, made for this test"
SITE = """
[tls]
folder = "pki"

[broker]
host = "10.1.2.3"

[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
{hub}

[systems.tax]
folder = "drives/tax"
journal = "tax.sqlite3"
password_file = "secrets/tax"

[systems.union]
folder = "drives/union"
journal = "union.sqlite3"
password_file = "secrets/union"
{more}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    for name in ("hub", "key", "tax", "union"):
        secret(tmp_path, name, f"{name} {KEY}")
    secret(tmp_path, "ledger-key", SIGNER.text())
    path = write(tmp_path)
    issued(path)
    return path


def issued(path: Path) -> None:
    """Make the certificates that a site lacks."""
    settings, now = load_site(path), dt.datetime.now(dt.UTC)
    store = store_of(settings)
    if not store.authority_key.exists():
        store.init(now)
    issue_missing(store, settings, now)


def secret(folder: Path, name: str, text: str, mode: int = 0o600) -> None:
    path = folder / "secrets" / name
    path.write_text(text + "\n")
    path.chmod(mode)


def write(folder: Path, hub: str = "", more: str = "") -> Path:
    path = folder / "site.toml"
    path.write_text(SITE.format(hub=hub, more=more))
    return path


def faults(path: Path, users: Collection[str] | None = None) -> list[str]:
    with pytest.raises(SiteError) as caught:
        load_checked(path, users)
    return str(caught.value).splitlines()


def test_a_good_site_is_loaded_with_its_catalogue(site: Path) -> None:
    settings, catalogue = load_checked(site)
    assert list(settings.systems) == ["tax", "union"]
    assert {flow.ref for flow in catalogue.flows} >= {"I1", "I2", "M1b", "M1d"}
    assert pseudonyms(settings).resident("1") != pseudonyms(settings).resident("2")
    assert ledger_url(settings) == f"sqlite:///{site.parent.resolve()}/ledger.sqlite3"
    passwords = passwords_of(settings)
    assert {user: p.get_secret_value() for user, p in passwords.items()} == {
        name: f"{name} {KEY}" for name in ("hub", "tax", "union")
    }


def test_a_link_is_made_as_the_user_that_is_asked_for(site: Path) -> None:
    settings, _ = load_checked(site)
    link = link_settings(settings, "tax", settings.systems["tax"].password_file, ("out.tax",), 7)
    assert (link.host, link.user, link.queues, link.prefetch) == (
        "10.1.2.3",
        "tax",
        ("out.tax",),
        7,
    )
    assert link.tls is not None  # its certificate says who it is, whatever password is there
    assert link.password.get_secret_value() == ""
    alone = settings.model_copy(update={"tls": TlsSite(plain_loopback=True)})
    plain = link_settings(alone, "tax", settings.systems["tax"].password_file, (), 7)
    assert plain.tls is None
    assert plain.password.get_secret_value() == f"tax {KEY}"
    assert KEY not in repr(plain)


@pytest.mark.parametrize("spoil", ["missing", "readable", "empty"])
@pytest.mark.parametrize("name", ["hub", "key", "tax"])
def test_each_secret_is_looked_at(site: Path, name: str, spoil: str) -> None:
    path = site.parent / "secrets" / name
    if spoil == "missing":
        path.unlink()
    elif spoil == "readable":
        path.chmod(0o604)
    else:
        path.write_text("\n")
    (heading, fault) = faults(site)
    assert heading == f"{site} cannot be used:"
    assert str(path) in fault
    assert KEY not in fault


def test_the_key_has_a_least_length(site: Path) -> None:
    secret(site.parent, "key", "k" * 31)
    assert "too short" in faults(site)[1]
    secret(site.parent, "key", "k" * 32)
    load_checked(site)


def test_an_adapter_needs_no_secret_but_its_own(site: Path) -> None:
    for name in ("hub", "key", "ledger-key", "union"):
        (site.parent / "secrets" / name).unlink()
    load_checked(site, {"tax"})
    assert len(faults(site, {"tax", "union"})) == 2
    assert len(faults(site)) == 5


def test_the_hub_needs_no_secret_of_the_systems(site: Path) -> None:
    (site.parent / "secrets" / "tax").unlink()
    load_checked(site, {"hub"})
    (site.parent / "secrets" / "key").unlink()
    assert "secrets/key" in faults(site, {"hub"})[1]


def test_a_worker_needs_no_secret_of_the_watch(site: Path) -> None:
    monitored = '[broker]\nmonitor_password_file = "secrets/monitor"\n'
    site.write_text(site.read_text().replace("[broker]\n", monitored))
    load_checked(site, {"hub"})
    (_, fault) = faults(site)
    assert "secrets/monitor cannot be read" in fault


def test_the_password_of_the_ledger_is_a_secret_too(site: Path) -> None:
    path = write(site.parent, hub='ledger_password_file = "secrets/ledger"')
    assert "secrets/ledger cannot be read" in faults(path)[1]


@pytest.mark.parametrize(
    ("union", "said"),
    [
        ({"folder": "drives/tax"}, "systems.tax.folder and systems.union.folder are the same"),
        ({"folder": "drives/x/../tax"}, "systems.tax.folder and systems.union.folder are the same"),
        ({"folder": "link/tax"}, "systems.tax.folder and systems.union.folder are the same"),
        ({"folder": "loop/../drives/tax/in"}, "systems.union.folder is inside systems.tax.folder"),
        ({"folder": "drives"}, "systems.tax.folder is inside systems.union.folder"),
        ({"folder": "."}, "systems.tax.folder is inside systems.union.folder"),
        ({"folder": "secrets"}, "hub.pseudonym_key_file is inside systems.union.folder"),
        ({"folder": "."}, "the site file is inside systems.union.folder"),
        ({"folder": "."}, "hub.ledger is inside systems.union.folder"),
        ({"journal": "tax.sqlite3"}, "systems.tax.journal and systems.union.journal are the same"),
        ({"journal": "./hard"}, "systems.tax.journal and systems.union.journal are the same"),
        ({"journal": "ledger.sqlite3"}, "hub.ledger and systems.union.journal are the same"),
        ({"journal": "drives/union/j"}, "systems.union.journal is inside systems.union.folder"),
        ({"journal": "drives/tax/j"}, "systems.union.journal is inside systems.tax.folder"),
        (
            {"password_file": "secrets/tax"},
            "systems.tax.password_file and systems.union.password_file are the same",
        ),
        ({"password_file": "secrets/hub"}, "hub.password_file and systems.union.password_file"),
        ({"password_file": "secrets/key"}, "hub.pseudonym_key_file and systems.union.password"),
    ],
)
def test_no_two_places_are_one_or_in_one_another(
    site: Path, union: dict[str, str], said: str
) -> None:
    (site.parent / "link").symlink_to("drives")
    (site.parent / "loop").symlink_to("loop")
    (site.parent / "tax.sqlite3").touch()
    (site.parent / "hard").hardlink_to(site.parent / "tax.sqlite3")
    text = site.read_text()
    given = {"folder": "drives/union", "journal": "union.sqlite3", "password_file": "secrets/union"}
    for key, value in union.items():
        text = text.replace(f'{key} = "{given[key]}"', f'{key} = "{value}"')
    site.write_text(text)
    found = faults(site)
    assert any(said in fault for fault in found)
    # An adapter's account may read less, and is told all the same.
    assert any(said in fault for fault in faults(site, {"tax"}))
    assert KEY not in "\n".join(found)


def test_the_catalogue_is_in_no_systems_folder(site: Path) -> None:
    path = write(site.parent, hub='routes = "drives/tax/routes"')
    assert any("hub.routes is inside systems.tax.folder" in fault for fault in faults(path))


@pytest.mark.parametrize(
    ("one", "key_of_one", "other", "key_of_other"),
    [
        ("tax", "systems.tax.password_file", "union", "systems.union.password_file"),
        ("hub", "hub.password_file", "union", "systems.union.password_file"),
        ("key", "hub.pseudonym_key_file", "tax", "systems.tax.password_file"),
        ("key", "hub.pseudonym_key_file", "hub", "hub.password_file"),
    ],
)
def test_no_two_secrets_say_the_same(
    site: Path, one: str, key_of_one: str, other: str, key_of_other: str
) -> None:
    secret(site.parent, one, KEY)
    secret(site.parent, other, f"  {KEY} ")
    (heading, fault) = faults(site)
    assert fault == f"  {key_of_one} and {key_of_other} hold the same secret: each needs its own"
    assert KEY not in heading


def test_secrets_may_stand_elsewhere(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = f'{{ command = ["/bin/cat", "{site.parent}/secrets/key"] }}'
    text = site.read_text().replace('"secrets/hub"', '{ env = "RENKEI_TEST_HUB" }')
    site.write_text(text.replace('"secrets/key"', command))
    assert "environment variable RENKEI_TEST_HUB" in faults(site)[1]
    monkeypatch.setenv("RENKEI_TEST_HUB", f"hub {KEY}")
    settings, _ = load_checked(site)
    assert passwords_of(settings)["hub"].get_secret_value() == f"hub {KEY}"
    assert pseudonyms(settings).key == f"key {KEY}".encode()
    monkeypatch.setenv("RENKEI_TEST_HUB", f"tax {KEY}")
    (_, fault) = faults(site)
    assert "hub.password_file and systems.tax.password_file hold the same secret" in fault


def test_a_secret_in_the_site_file_is_refused_and_not_shown(site: Path) -> None:
    text = site.read_text().replace('"secrets/hub"', f'{{ secret = "{KEY}" }}')
    site.write_text(text)
    found = "\n".join(faults(site))
    assert "hub.password_file: this is no place of a secret" in found
    assert KEY not in found


def test_every_pair_that_collides_is_named(site: Path) -> None:
    more = (
        '[systems.premium-collection]\nfolder = "drives/tax"\njournal = "tax.sqlite3"\n'
        'password_file = "secrets/hub"'
    )
    secret(site.parent, "union", f"tax {KEY}")
    path = write(site.parent, more=more)
    issued(path)
    said = faults(path)
    assert len(said) == 5
    assert KEY not in "\n".join(said)


def test_a_path_that_is_none_is_a_fault_and_no_crash(site: Path) -> None:
    site.write_text(site.read_text().replace("drives/union", "a\\u0000b"))
    assert any("systems.union.folder" in fault for fault in faults(site))


def test_the_administrators_password_is_looked_at_where_it_is_needed(site: Path) -> None:
    assert "broker.admin_password_file is missing" in all_faults(site)
    site.write_text(site.read_text().replace("[hub]", 'admin_password_file = "secrets/a"\n[hub]'))
    load_checked(site)
    assert "secrets/a cannot be read" in all_faults(site)
    secret(site.parent, "a", f"tax {KEY}")
    assert "broker.admin_password_file and systems.tax.password_file hold" in all_faults(site)
    secret(site.parent, "a", f"admin {KEY}")
    load_checked(site, administrator=True)


def all_faults(path: Path) -> str:
    with pytest.raises(SiteError) as caught:
        load_checked(path, administrator=True)
    return str(caught.value)


def test_faults_of_every_kind_come_together(site: Path) -> None:
    (site.parent / "secrets" / "tax").unlink()
    path = write(
        site.parent, hub='partitions = 0\nroutes = "none"', more='[systems.tx]\nfolder = "d"'
    )
    said = "\n".join(faults(path))
    for fault in ("hub.partitions", "systems.tx.journal", "secrets/tax", "routes folder"):
        assert fault in said
    assert "no adapter is installed for the system tx; did you mean tax?" in said


@pytest.mark.parametrize(
    "text",
    ["systems = 3\n", "hub = []\n[systems]\ntax = 1\n", "[systems.tax]\npassword_file = 1\n"],
)
def test_odd_shapes_are_faults_and_not_crashes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    assert "systems" in "\n".join(faults(path))


def test_a_neighbour_cannot_be_connected(site: Path) -> None:
    _, catalogue = load_checked(site)
    neighbour = next(one.id for one in catalogue.systems.values() if one.neighbour)
    more = f'[systems.{neighbour}]\nfolder = "d"\njournal = "j"\npassword_file = "secrets/tax"'
    assert any(
        "a neighbour that no flow" in fault for fault in faults(write(site.parent, more=more))
    )


def test_a_system_that_the_site_does_not_name_is_answered_with_those_near(site: Path) -> None:
    settings, _ = load_checked(site)
    assert system_of(settings, "tax") is settings.systems["tax"]
    with pytest.raises(SiteError, match="did you mean union"):
        system_of(settings, "onion")
    with pytest.raises(SiteError, match="it names tax, union"):
        system_of(settings, "juki-net")


def test_a_certificate_that_is_not_there_is_a_fault_before_anything_starts(site: Path) -> None:
    (site.parent / "pki/union/tls.pem").unlink()
    (site.parent / "pki/ledger-watch/tls.key").chmod(0o644)
    said = faults(site)
    assert len(said) == 3
    assert any("union/tls.pem is not there: run renkei pki issue union" in one for one in said)
    assert any("ledger-watch/tls.key is readable by others" in one for one in said)
    # Who needs no more than a part is not asked for the rest.
    load_checked(site, {"tax"})
    (site.parent / "pki/trust/crl.pem").unlink()
    (_, fault) = faults(site)
    assert "crl.pem is not there" in fault
