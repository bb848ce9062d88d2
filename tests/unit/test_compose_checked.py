"""Site file, secrets and catalogue are checked against each other before anything starts."""

from collections.abc import Collection
from pathlib import Path

import pytest

from hub.compose.checked import load_checked, passwords_of, system_of
from hub.compose.links import link_settings
from hub.compose.worker import ledger_url, pseudonyms
from hub.errors import SiteError

pytestmark = pytest.mark.unit

KEY = "a secret of a good length, made for this test"
SITE = """
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
    return write(tmp_path)


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
    assert link.password.get_secret_value() == f"tax {KEY}"
    assert KEY not in repr(link)


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
    for name in ("hub", "key", "union"):
        (site.parent / "secrets" / name).unlink()
    load_checked(site, {"tax"})
    assert len(faults(site, {"tax", "union"})) == 2
    assert len(faults(site)) == 4


def test_the_hub_needs_no_secret_of_the_systems(site: Path) -> None:
    (site.parent / "secrets" / "tax").unlink()
    load_checked(site, {"hub"})
    (site.parent / "secrets" / "key").unlink()
    assert "secrets/key" in faults(site, {"hub"})[1]


def test_the_password_of_the_ledger_is_a_secret_too(site: Path) -> None:
    path = write(site.parent, hub='ledger_password_file = "secrets/ledger"')
    assert "secrets/ledger cannot be read" in faults(path)[1]


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
