"""What a city installs: units, containers and sites, as far as they can be tried without one.

Neither systemd nor a container engine runs here: units are read by systemd's own tools, the compose
file by its form.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters import systems
from hub.processes import commands_of, worker_names
from hub.site import load_site
from tests.commands import understand

pytestmark = pytest.mark.operations

PROJECT = Path(__file__).parents[2]
UNITS, COMPOSE = PROJECT / "deploy/systemd", PROJECT / "deploy/compose"
SITE = Path("/etc/renkei/site.toml")
PROGRAM = "/opt/renkei/.venv/bin/renkei"
MOST_EXPOSED = 1.6
SERVICES = sorted(UNITS.glob("*.service"))
EVERY_UNIT = sorted({*SERVICES, *UNITS.glob("*.timer"), *UNITS.glob("*.target")})
DOCUMENT: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a machine's root with the units, and with empty programs in place of those they run."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "usr/lib/systemd/system").mkdir(parents=True)
    for target in Path("/usr/lib/systemd/system").glob("*.target"):
        shutil.copy(target, folder / "usr/lib/systemd/system", follow_symlinks=False)
    shutil.copytree(UNITS, folder / "etc/systemd/system")
    for name in (PROGRAM, "/bin/sh"):
        program = folder / name.lstrip("/")
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_is_hardened(root: Path, unit: Path) -> None:
    said = analyze("security", "--offline=true", f"--root={root}", started(unit))
    level = re.search(r"exposure level for .*: ([0-9.]+)", said)
    assert level is not None, said
    assert float(level[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", EVERY_UNIT, ids=lambda unit: unit.name)
def test_systemd_understands_a_unit(root: Path, unit: Path) -> None:
    assert not analyze("verify", "--man=no", f"--root={root}", started(unit))


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    words = shlex.split(line.split("exec ", 1)[1].rstrip("'") if "exec " in line else line)
    assert words[0] == PROGRAM
    assert words[words.index("--site") + 1] == str(SITE)
    understand(words[1:])


def test_there_is_a_unit_for_each_process_that_up_would_start() -> None:
    started_by_units = {command(unit) for unit in SERVICES}
    for words in commands_of(SITE, ["tax"], worker_names(2), console=True).values():
        assert tuple(words) in {
            tuple(word.replace("%i", own) for word in one)
            for one in started_by_units
            for own in ("tax", "hub", "hub-2")
        }, words


def test_each_timer_has_its_service_and_a_time() -> None:
    for timer in UNITS.glob("*.timer"):
        assert timer.with_suffix(".service").exists()
        when = re.search(r"^OnCalendar=(.*)$", timer.read_text(encoding="utf-8"), re.MULTILINE)
        assert when is not None
        analyze("calendar", when[1])


@pytest.mark.parametrize("name", ["site.city.toml", "compose/site.toml", "site.example.toml"])
def test_a_site_is_right(name: str) -> None:
    site = load_site(PROJECT / "deploy" / name)
    assert set(site.systems) <= set(systems())
    if not name.startswith("compose"):
        assert set(site.systems) == set(systems())


def test_no_two_processes_of_the_city_have_one_port() -> None:
    site = load_site(PROJECT / "deploy/site.city.toml")
    hub, console = site.hub, site.console
    assert console is not None
    ports = [hub.metrics_port, hub.watch_metrics_port, *hub.worker_metrics_ports]
    ports += [console.port, console.metrics_port, *(s.metrics_port for s in site.systems.values())]
    assert None not in ports
    assert len(ports) == len(set(ports))


@pytest.mark.parametrize("name", DOCUMENT["services"])
def test_a_container_is_closed(name: str) -> None:
    service = DOCUMENT["services"][name]
    assert re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*", service["image"]), "an image with its version"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith("0")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for key, value in service.get("environment", {}).items():
        assert not re.search("PASSWORD|SECRET|KEY|TOKEN", key) or value.startswith("/run/secrets/")


def test_what_a_container_asks_for_is_there() -> None:
    for service in DOCUMENT["services"].values():
        for mount in service.get("volumes", ()):
            source, inside, *_ = mount.split(":")
            assert inside.startswith("/")
            if source.startswith("../"):
                assert (COMPOSE / source).exists(), source
            elif not source.startswith("./"):
                assert source in DOCUMENT["volumes"], source
        assert set(service.get("secrets", ())) <= DOCUMENT["secrets"].keys()
        assert set(service.get("networks", ())) <= DOCUMENT["networks"].keys()
        if service["image"].startswith("renkei-hub:"):
            words = list(service["command"])
            understand(shlex.split(words[0])[2:] if "entrypoint" in service else words)


def test_containers_have_the_addresses_that_their_site_names() -> None:
    site = load_site(COMPOSE / "site.toml")
    given = {
        name: [one["ipv4_address"] for one in networks.values() if one]
        for name, service in DOCUMENT["services"].items()
        if isinstance(networks := service.get("networks"), dict)
    }
    assert given["hub"] == [site.hub.listen]
    assert site.console is not None
    assert given["console"] == [site.console.listen]
    for name, system in site.systems.items():
        assert given[f"adapter-{name}"] == [system.listen]
    assert {site.broker.host, "postgresql"} <= DOCUMENT["services"].keys()


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def started(unit: Path) -> str:
    return unit.name.replace("@.", "@tax.")


def command(unit: Path) -> tuple[str, ...]:
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(shlex.split(line)[1:])
