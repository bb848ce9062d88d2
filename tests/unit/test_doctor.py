"""`renkei doctor`: each thing that is wrong is found, with what to run; nothing is changed."""

import datetime as dt
import importlib.metadata
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge
from typer.testing import CliRunner

from hub.broker.free import free_ports
from hub.cli.main import app
from hub.compose.doctor.broker import too_old
from hub.compose.doctor.console import accounts_said
from hub.compose.doctor.examine import LOOKS, examine
from hub.compose.doctor.machine import other_versions
from hub.compose.doctor.model import Finding, Mark
from hub.compose.doctor.processes import (
    detail_said,
    process_said,
    restart,
    servers_said,
)
from hub.compose.install import prepare
from hub.compose.ledger import ledger_url, open_ledger, prepare_ledger
from hub.ledger.head import set_fault
from hub.ledger.schema import open_engine
from hub.ledger.years.sealed import Identity
from hub.site import Site, load_site
from monitoring.console.accounts import Account, Damaged
from monitoring.console.rights import Role
from monitoring.endpoint import serve
from monitoring.figures.scrape import Reading, Target
from tests.plain_site import PLAIN
from tests.samples import entry

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
HUB = Target("hub", "127.0.0.1", 9464, tls=False)


@pytest.fixture(autouse=True)
def private() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A site as `renkei site init` leaves it: nothing runs, and there is no ledger."""
    broker, metrics = free_ports(2)
    text = f"""{PLAIN}
[broker]
host = "127.0.0.1"
port = {broker}
management_url = "http://127.0.0.1:{broker}"
admin_password_file = "secrets/admin"

[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"
metrics_port = {metrics}

[systems.tax]
folder = "drives/tax"
journal = "journals/tax.sqlite3"
password_file = "secrets/tax"
"""
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    prepare(file)
    return file


@pytest.fixture
def site(path: Path) -> Site:
    found = load_site(path)
    prepare_ledger(found)
    return found


def of(path: Path, check: str) -> list[Finding]:
    return [one for one in examine(path, {check: LOOKS[check]}) if one.check == check]


def marks(found: list[Finding]) -> list[Mark]:
    return [one.mark for one in found]


def everything(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_new_site_at_rest_lacks_broker_ledger_and_processes(path: Path) -> None:
    before = everything(path.parent)
    answer = CliRunner().invoke(app, ["doctor", "--site", str(path), "--json"])
    assert answer.exit_code == 1
    document = json.loads(answer.stdout)
    assert document["ok"] is False
    failed = {one["check"]: one for one in document["findings"] if one["state"] == "fail"}
    assert failed.keys() == {"broker", "ledger", "people", "processes"}
    assert "does not answer" in failed["broker"]["text"]
    assert "there is no ledger" in failed["ledger"]["text"]
    assert failed["processes"]["do"].startswith("renkei up --site ")
    assert "systemctl start renkei.target" in failed["processes"]["do"]
    assert everything(path.parent) == before


def test_a_faulty_site_file_is_named_and_the_machine_still_looked_at(path: Path) -> None:
    path.write_text(path.read_text().replace("[hub]", "[hub]\nbatchh = 5"), encoding="utf-8")
    found = list(examine(path))
    assert {one.check for one in found} == {"machine", "site"}
    assert any("batchh" in one.text and one.mark is Mark.FAIL for one in found)


def test_a_missing_secret_is_a_fault_and_the_rest_is_looked_at(path: Path) -> None:
    (path.parent / "secrets" / "tax").unlink()
    found = list(examine(path))
    assert any(one.check == "site" and one.mark is Mark.FAIL for one in found)
    assert {"files", "disks", "processes"} <= {one.check for one in found}


def test_what_others_may_read_is_found(path: Path, site: Site) -> None:
    assert marks(of(path, "files")) == [Mark.OK]
    ledger = Path(site.hub.ledger.removeprefix("sqlite:///"))
    ledger.chmod(0o604)
    (found,) = of(path, "files")
    assert (found.mark, found.todo) == (Mark.FAIL, f"chmod o= {ledger}")


def test_a_plain_site_is_told_which_line_is_in_the_way(path: Path) -> None:
    (plain, _) = of(path, "certificates")
    assert (plain.mark, "take the line plain_loopback out" in plain.todo) == (Mark.WARN, True)


def test_a_missing_folder_of_a_system_is_found(path: Path) -> None:
    (path.parent / "drives" / "tax" / "to-hub").rmdir()
    (found,) = of(path, "files")
    assert found.mark is Mark.FAIL
    assert "to-hub" in found.text
    assert found.todo == f"renkei site init --site {path}"


def test_a_good_ledger_is_well_and_a_halted_one_is_not(path: Path, site: Site) -> None:
    assert marks(of(path, "ledger")) == [Mark.OK]
    engine = open_engine(ledger_url(site))
    with engine.begin() as connection:
        set_fault(connection, "entry 1 was changed")
    engine.dispose()
    (found,) = of(path, "ledger")
    assert found.mark is Mark.FAIL
    assert "entry 1 was changed" in found.text


def test_reconciling_and_backups_are_missed_once_there_are_entries(path: Path, site: Site) -> None:
    (to_nobody,) = of(path, "people")
    assert (to_nobody.mark, "renkei ledger archive-key" in to_nobody.todo) == (Mark.WARN, True)
    recipient = Identity.fresh().recipient
    text = path.read_text(encoding="utf-8").replace(
        "[hub]\n", f'[hub]\narchive_recipients = ["{recipient}"]\n'
    )
    path.write_text(text, encoding="utf-8")
    assert of(path, "people") == []
    ledger = open_ledger(site)
    ledger.append([entry(1)])
    ledger.close()
    assert [(one.mark, one.text.endswith("never")) for one in of(path, "people")] == [
        (Mark.WARN, True),
        (Mark.WARN, True),
    ]


@pytest.fixture
def linked(path: Path) -> Gauge:
    """A hub's endpoint, with whether it has a link."""
    registry = CollectorRegistry()
    gauge = Gauge("renkei_hub_connected", "-", registry=registry)
    serve(registry, load_site(path).hub.metrics_port or 0)
    return gauge


def test_a_process_that_answers_is_asked_for_its_link(path: Path, linked: Gauge) -> None:
    linked.set(1)
    assert marks(of(path, "processes")) == [Mark.UNKNOWN, Mark.OK]
    linked.set(0)
    assert marks(of(path, "processes")) == [Mark.UNKNOWN, Mark.FAIL]


def test_one_dead_process_among_others_is_started_alone(path: Path, linked: Gauge) -> None:
    linked.set(1)
    (port,) = free_ports(1)
    text = path.read_text(encoding="utf-8").replace(
        "[systems.tax]\n", f"[systems.tax]\nmetrics_port = {port}\n"
    )
    path.write_text(text, encoding="utf-8")
    (dead,) = (one for one in of(path, "processes") if one.mark is Mark.FAIL)
    unit = "renkei-adapter@tax"
    assert dead.todo == f"systemctl restart {unit}; why it ended: journalctl -u {unit}"
    (path.parent / "logs").mkdir()
    (path.parent / "logs" / "processes.json").touch()
    (dead,) = (one for one in of(path, "processes") if one.mark is Mark.FAIL)
    assert f"{path.parent}/logs/adapter-tax.log" in dead.todo
    assert "systemctl" not in dead.todo


@pytest.mark.parametrize(
    ("process", "unit"),
    [
        ("hub", "renkei-hub@hub"),
        ("hub-2", "renkei-hub@hub-2"),
        ("watch", "renkei-watch"),
        ("console", "renkei-console"),
        ("resident-registry", "renkei-adapter@resident-registry"),
    ],
)
def test_each_process_has_its_unit(process: str, unit: str, tmp_path: Path) -> None:
    assert f"restart {unit};" in restart(process, tmp_path / "site.toml")


def test_a_ledger_whose_head_nobody_keeps_needs_its_folder_or_its_watch(
    path: Path, site: Site
) -> None:
    ledger = open_ledger(site)
    ledger.append([entry(1)])
    ledger.checkpoint()
    ledger.close()
    (found,) = of(path, "ledger")
    assert "no head is kept" in found.text
    assert "start the watch" in found.todo
    text = path.read_text(encoding="utf-8").replace(
        "[hub]\n", '[hub]\nledger_witness_file = "away/witness"\n'
    )
    path.write_text(text, encoding="utf-8")
    (found,) = of(path, "ledger")
    assert (found.mark, "renkei site init" in found.todo) == (Mark.FAIL, True)
    assert "ledger verify" not in found.todo


def test_a_broker_whose_name_nobody_knows_is_told_apart_from_a_dead_one(
    path: Path,
) -> None:
    text = path.read_text(encoding="utf-8")
    text = text.replace("[tls]\nplain_loopback = true", '[tls]\nfolder = "pki"')
    text = re.sub(r"management_url = .*", 'management_url = "https://mq.invalid:15671"', text)
    text = text.replace('host = "127.0.0.1"', 'host = "mq.invalid"')
    path.write_text(text, encoding="utf-8")
    for words in (["pki", "init"], ["pki", "issue", "--all"]):
        assert CliRunner().invoke(app, [*words, "--site", str(path)]).exit_code == 0
    (found,) = of(path, "broker")
    assert "nobody knows such a machine" in found.text
    assert found.todo == "getent hosts mq.invalid"


def test_another_version_that_runs_is_named() -> None:
    build = 'renkei_build_info{version="0.0.1",python="3.11"} 1\nrenkei_hub_connected 1\n'
    said = list(process_said(HUB, Reading(build)))
    assert [one.mark for one in said] == [Mark.WARN, Mark.OK]
    assert "0.0.1" in said[0].text


def test_a_server_that_shows_an_old_certificate_is_named() -> None:
    now = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)

    def ends(certificate: str, days: float) -> str:
        at = (now + dt.timedelta(days=days)).timestamp() if days else 0
        name = "renkei_certificate_expiry_timestamp_seconds"
        return f'{name}{{certificate="{certificate}"}} {at}\n'

    shown = ends("broker-a", 20) + ends("broker-b", 22) + ends("postgresql", 0) + ends("own", 3)
    said = list(servers_said(HUB, Reading(shown), now))
    assert [(one.mark, one.text) for one in said] == [
        (Mark.WARN, "broker-a, as hub sees it: the certificate ends on 2026-12-18"),
        (Mark.FAIL, "postgresql, as hub sees it: the certificate has ended, or cannot be read"),
    ]


def test_what_the_watch_tried_and_could_not_do_is_said() -> None:
    good = {"round-trip": {"ok": True, "ms": 3, "why": ""}}
    assert [one.mark for one in detail_said(good)] == [Mark.OK]
    bad = {**good, "disk": {"ok": False, "ms": 1, "why": "nearly full"}}
    (said,) = detail_said(bad)
    assert (said.mark, said.text) == (Mark.FAIL, "the watch tried disk: nearly full")


def test_accounts_that_nobody_can_use_and_a_single_administrator_are_named() -> None:
    now = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)

    def account(name: str, role: Role, **more: Any) -> Account:  # noqa: ANN401 - as they are
        given = {"password": "x", "secret": "y", "added": now, **more}
        return Account(id=name, name=name, department="d", roles=(role,), **given)

    first, second = account("aoki", Role.ADMINISTRATOR), account("baba", Role.ADMINISTRATOR)
    assert [one.mark for one in accounts_said([first, second], now)] == [Mark.OK]
    (one, _) = accounts_said([first], now)
    assert (one.mark, one.text) == (Mark.WARN, "administrators who can log in: 1")
    found = [
        first,
        second,
        account("chiba", Role.VIEWER, password=""),
        account("doi", Role.VIEWER, added=now - dt.timedelta(days=91)),
        Damaged("endo"),
    ]
    said = list(accounts_said(found, now))
    assert [one.mark for one in said] == [Mark.FAIL, Mark.WARN, Mark.WARN, Mark.OK]
    named = zip(("endo", "chiba", "doi", "2 of 5"), said, strict=True)
    assert all(name in one.text for name, one in named)


def test_packages_of_other_versions_than_the_lock_are_named() -> None:
    pika = importlib.metadata.version("pika")
    lock = f"pika=={pika} \\\n    --hash=sha256:00\nalembic==0.0.1 ; x\nno-such-package==1\n"
    (found,) = other_versions(lock)
    assert found.startswith("alembic ")
    assert found.endswith("(locked: 0.0.1)")


@pytest.mark.parametrize(
    ("version", "old"), [("3.10.8", False), ("4.2.0", False), ("3.9.29", True), ("?", True)]
)
def test_an_old_broker_is_known_by_its_version(version: str, old: bool) -> None:  # noqa: FBT001
    assert too_old(version) is old


def test_every_command_that_it_names_exists() -> None:
    sources = [
        one.read_text(encoding="utf-8") for one in (ROOT / "hub/compose/doctor").glob("*.py")
    ]
    sources += [(ROOT / "docs/operations/doctor.md").read_text(encoding="utf-8")]
    text = "\n".join(sources)
    named = set(re.findall(r'command\("([a-z -]+)', text))
    named |= set(re.findall(r"\brenkei ([a-z]+(?:-[a-z]+)*(?: [a-z-]+)?)", text))
    assert "broker apply" in named
    for words in named:
        parts = [one for one in words.split() if not one.startswith("-")]
        answers = [
            CliRunner().invoke(app, [*parts[:count], "--help"]).exit_code
            for count in range(len(parts), 0, -1)
        ]
        assert 0 in answers, words
