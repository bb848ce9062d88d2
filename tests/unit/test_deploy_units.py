"""What the units of ``deploy/systemd`` show a process of the others, as their files say it."""

import re
from pathlib import Path

import pytest

from hub.message import BUCKETS
from hub.pki.names import RESERVED, profiles
from hub.pki.store import AUTHORITY, ISSUED
from hub.site import Site, load_site
from hub.tls import TRUST

pytestmark = pytest.mark.unit

DEPLOY = Path(__file__).parents[2] / "deploy"
PKI = "/etc/renkei/pki"
OPERATORS = {"operator", "broker-admin", "broker-monitor"}
SEEN = {
    "renkei-adapter@tax.service": {"tax"},
    "renkei-hub@hub-2.service": {"hub", "hub-2"},
    "renkei-watch.service": {"ledger-watch", "broker-monitor"},
    "renkei-console.service": {"console", "hub", *OPERATORS},
    "renkei-reconcile.service": {"operator", "hub", "broker-admin"},
    "renkei-backup.service": {"operator"},
    "renkei-review.service": {"operator"},
}
"""Whose keys a unit is shown; the one that renews is where the authority is, and sees all."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give the site of a city with as many workers as there can be."""
    most = f"partitions = {BUCKETS}\nworkers = {BUCKETS}\n"
    text = (DEPLOY / "site.city.toml").read_text(encoding="utf-8")
    text = re.sub(
        r"^(partitions|workers|worker_metrics_ports) = .*\n", "", text, flags=re.MULTILINE
    )
    path = tmp_path_factory.mktemp("city") / "site.toml"
    path.write_text(text.replace("[hub]\n", f"[hub]\n{most}"), encoding="utf-8")
    return load_site(path)


def test_each_unit_is_judged() -> None:
    judged = {re.sub("@.*?[.]", "@.", one) for one in SEEN}
    there = {one.name for one in (DEPLOY / "systemd").glob("*.service")}
    assert there - judged == {"renkei-pki-renew.service"}


@pytest.mark.parametrize("unit", SEEN)
def test_a_unit_is_shown_no_key_of_another(site: Site, unit: str) -> None:
    names = {*profiles(site), *RESERVED, str(AUTHORITY.parent), ISSUED}
    shown = {name for name in names if is_shown(unit, f"{PKI}/{name}")}
    assert f"hub-{BUCKETS}" in names
    assert shown - {TRUST, "crls", "parties"} == SEEN[unit]
    assert TRUST in shown


@pytest.mark.parametrize("unit", SEEN)
def test_what_is_renewed_is_shown_by_folders(unit: str) -> None:
    """A file that is bound by itself stays the old one once another was renamed onto it."""
    bound = [one for one in paths(unit, "BindReadOnlyPaths") if one.startswith(PKI)]
    assert not [one for one in bound if Path(one).suffix]


def test_variables_of_a_unit_are_given_to_no_other() -> None:
    everywhere = "renkei-.service.d/hardening.conf"
    files = (DEPLOY / "systemd").rglob("*.*")
    told = {
        (str(file.relative_to(DEPLOY / "systemd")), value)
        for file in files
        if file.is_file()
        for value in re.findall(
            r"^EnvironmentFile=(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert told == {(everywhere, "-/etc/renkei/env/%N.env")}
    text = (DEPLOY / "systemd" / everywhere).read_text(encoding="utf-8")
    assert "InaccessiblePaths=-/etc/renkei/env\n" in text


def test_all_units_have_one_account_as_the_page_about_security_says() -> None:
    told = {
        (file.name, account)
        for file in (DEPLOY / "systemd").rglob("*")
        if file.is_file()
        for account in re.findall(r"^User=(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert told == {("hardening.conf", "renkei")}


def is_shown(unit: str, path: str) -> bool:
    if any(holds(one, path) for one in paths(unit, "InaccessiblePaths")):
        return False
    hidden = any(holds(one, path) for one in paths(unit, "TemporaryFileSystem"))
    back = [*paths(unit, "BindPaths"), *paths(unit, "BindReadOnlyPaths")]
    return not hidden or any(holds(one, path) for one in back)


def holds(folder: str, path: str) -> bool:
    return Path(path).is_relative_to(folder)


def paths(unit: str, key: str) -> list[str]:
    """Give the paths of a key, with what a template's ``%i`` stands for."""
    name, _, instance = unit.removesuffix(".service").partition("@")
    file = DEPLOY / "systemd" / (f"{name}@.service" if instance else unit)
    found = re.findall(rf"^{key}=(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    words = " ".join(found).replace("%i", instance).split()
    return [word.removeprefix("-").removesuffix(":ro") for word in words]
