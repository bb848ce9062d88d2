"""What the compose file shows a container of the others, and who may speak to whom, by its form."""

import re
import subprocess
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from hub.pki.names import RESERVED, profiles
from hub.secret import SecretPlace
from hub.site import Site, load_site

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).parents[2]
COMPOSE = PROJECT / "deploy/compose"
DOCUMENT: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
SYSTEMS = ("resident-registry", "tax", "union")
ADAPTERS = [f"adapter-{name}" for name in SYSTEMS]
EVERYBODYS = {"trust", "parties"}
OPERATORS = {"operator", "broker-admin"}
KEYS = {
    "hub": {"hub"},
    "hub-2": {"hub", "hub-2"},
    "watch": {"ledger-watch", "broker-monitor"},
    "console": {"console", "hub", "broker-monitor", *OPERATORS},
    "reconcile": {"hub", *OPERATORS},
    "backup": {"operator"},
    "review": {"operator"},
    **{f"adapter-{name}": {name} for name in SYSTEMS},
}
"""Whose keys a container is shown; those of others (RabbitMQ) have copies of their own."""
SEES_ALL = {"pki-renew", "tools"}
ON_THE_FIGURES = {"prometheus": 9090, "alertmanager": 9093}


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(COMPOSE / "site.toml")


def test_each_container_of_ours_is_judged() -> None:
    ours = {name for name, one in SERVICES.items() if one["image"].startswith("renkei-hub:")}
    assert ours == KEYS.keys() | SEES_ALL


@pytest.mark.parametrize("name", KEYS)
def test_a_container_is_shown_no_key_of_another(site: Site, name: str) -> None:
    folder = site.tls.folder
    assert folder is not None
    names = {*profiles(site), *RESERVED}
    assert {one for one in names if shown(name, folder / one)} == KEYS[name] | EVERYBODYS
    assert not shown(name, folder)


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_shown_its_own_alone(site: Site, name: str) -> None:
    """Neither a secret of the hub, nor what another system or its adapter writes."""
    for system, settings in site.systems.items():
        own = name == f"adapter-{system}"
        assert bool(shown(name, settings.folder)) == own
        assert bool(shown(name, settings.journal)) == own
    hub, broker = site.hub, site.broker
    assert site.console is not None
    secrets: list[SecretPlace | None] = [hub.pseudonym_key_file, hub.ledger_key_file]
    secrets += [broker.admin_password_file, broker.monitor_password_file, site.console.key_file]
    for secret in secrets:
        assert isinstance(secret, Path)
        assert not shown(name, secret)
        assert shown("tools", secret)


def test_only_what_a_process_writes_can_be_written() -> None:
    for name in KEYS.keys() - {"backup"}:
        for mount in SERVICES[name]["volumes"]:
            _, inside, *how = mount.split(":")
            assert how == ["ro"] or not inside.startswith("/etc/"), (name, mount)


def test_nothing_is_shown_as_a_single_file_which_would_stay_the_old_one() -> None:
    for name in KEYS.keys() | SEES_ALL:
        assert not [one for one in SERVICES[name]["volumes"] if Path(one.split(":")[1]).suffix]


def test_plain_http_stays_in_networks_of_its_own() -> None:
    """Between Prometheus, Alertmanager and Grafana; each listens in that network alone."""
    figures = {*ON_THE_FIGURES, "grafana"}
    for one, other in combinations(sorted(figures), 2):
        assert networks(one) & networks(other) == {"figures"}
    assert DOCUMENT["networks"]["figures"]["internal"] is True
    assert {name for name in SERVICES if "figures" in networks(name)} == figures
    for name, port in ON_THE_FIGURES.items():
        address = SERVICES[name]["networks"]["figures"]["ipv4_address"]
        assert f"--web.listen-address={address}:{port}" in SERVICES[name]["command"]
        assert "ports" not in SERVICES[name]
    grafana = SERVICES["grafana"]
    address = grafana["networks"]["grafana"]["ipv4_address"]
    assert grafana["environment"]["GF_SERVER_HTTP_ADDR"] == address
    assert {name for name in SERVICES if "grafana" in networks(name)} == {"grafana"}


def test_the_configuration_of_prometheus_is_the_example_with_other_places() -> None:
    example = (PROJECT / "monitoring/prometheus/prometheus.example.yml").read_text(encoding="utf-8")
    mine = (COMPOSE / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    for name, port in ON_THE_FIGURES.items():
        example = example.replace(f"127.0.0.1:{port}", f"{name}:{port}")
    example = example.replace("pki/tls", "pki/prometheus/tls").replace("pki/ca", "pki/trust/ca")
    example = example.replace("- alerts.yml", "- rules/alerts.yml")
    assert yaml.safe_load(mine) == yaml.safe_load(example)


def test_what_has_to_be_done_every_day_is_done() -> None:
    script = COMPOSE / "daily.sh"
    subprocess.run(["/bin/sh", "-n", str(script)], check=True, timeout=10)
    text = script.read_text(encoding="utf-8")
    jobs = {name for name, one in SERVICES.items() if one.get("profiles") == ["jobs"]}
    assert set(re.findall(r"\$job ([a-z-]+)", text)) == jobs
    assert jobs == {"pki-renew", "reconcile", "backup", "review"}
    assert all(SERVICES[name]["restart"] == "no" for name in jobs)


def networks(name: str) -> set[str]:
    return set(SERVICES[name].get("networks", ()))


def shown(name: str, path: Path) -> list[str]:
    """Give the mounts that show a path, or something below it."""
    wanted = PurePosixPath(path)
    found = []
    for mount in SERVICES[name].get("volumes", ()):
        inside = PurePosixPath(mount.split(":")[1])
        if wanted.is_relative_to(inside):
            found.append(mount)
    return found
