"""The demo's folder: who may have it, and whether an earlier run goes on or is over."""

import json
import os
import socket
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.broker.provide import ProvidedBroker
from hub.clock import today
from hub.compose.checked import load_checked
from hub.compose.shares import worker_of
from hub.demo.site_file import served_commands, write_site
from hub.demo.state import (
    MARKER,
    DemoState,
    Parameters,
    opened,
)
from hub.demo.watch import held_said
from hub.errors import SiteError
from hub.statute.model import Standing

pytestmark = pytest.mark.unit

ONE = Parameters(residents=300, days=3, seed=1)
OTHER = Parameters(residents=300, days=3, seed=2)
BROKER = ProvidedBroker(
    host="127.0.0.1",
    port=5673,
    management_url="http://127.0.0.1:15673",
    admin_user="admin",
    admin_password=SecretStr("der-admin-geheim"),
    kind="configured",
)
SYSTEMS = ("tax", "union")


def leave_something(state: DemoState) -> Path:
    left = state.drive("tax") / "to-hub" / "file.csv"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text("x")
    return left


def test_a_folder_that_is_missing_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    with opened(root, ONE) as state:
        assert state.root == root
        assert state.lived == -1
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_an_empty_folder_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with opened(tmp_path, ONE):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_an_interrupted_run_goes_on_with_what_is_there(tmp_path: Path) -> None:
    with opened(tmp_path, ONE) as state:
        left = leave_something(state)
        vhost = state.vhost()
        for day in range(6):
            state.begin_day(day)
    with opened(tmp_path, ONE) as again:
        assert left.exists()
        assert again.vhost() == vhost
        assert again.lived == 5
        again.begin_day(0)  # it lives through the same days once more, and is killed again
    with opened(tmp_path, ONE) as again:
        assert again.lived == 5


def test_an_interrupted_run_is_not_given_to_others(tmp_path: Path) -> None:
    with opened(tmp_path, ONE) as state:
        left = leave_something(state)
    asked = "--residents 300 --days 3 --seed 1"
    with pytest.raises(SiteError, match=asked), opened(tmp_path, OTHER):
        pytest.fail("it was opened")
    assert left.exists()
    with opened(tmp_path, ONE):
        pass


def test_a_finished_run_is_replaced_also_by_another(tmp_path: Path) -> None:
    with opened(tmp_path, ONE) as state:
        left = leave_something(state)
        vhost = state.vhost()
        state.begin_day(7)
        state.finish()
    with opened(tmp_path, OTHER) as state:
        assert not left.exists()
        assert state.vhost() != vhost
        assert state.lived == -1


def test_what_somebody_put_beside_a_demo_stays(tmp_path: Path) -> None:
    with opened(tmp_path, ONE) as state:
        state.finish()
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    with opened(tmp_path, ONE):
        assert notes.read_text() == "mine"


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with (
        opened(tmp_path, ONE),
        pytest.raises(SiteError, match="another demo is running"),
        opened(tmp_path, ONE),
    ):
        pytest.fail("it was opened")
    with opened(tmp_path, ONE):
        pass


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    tmp_path.chmod(0o755)
    with pytest.raises(SiteError, match="not a demo's folder"), opened(tmp_path, ONE):
        pytest.fail("it was opened")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert not (tmp_path / MARKER).exists()


def test_a_run_that_was_killed_at_its_very_start_leaves_no_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / f".{MARKER}.tmp").write_text("{")
    with opened(tmp_path, ONE):
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"parameters": {"size": 1}}', "\x00"])
def test_a_damaged_mark_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_text(text)
    with pytest.raises(SiteError, match="is damaged"), opened(tmp_path, ONE):
        pytest.fail("it was opened")
    assert (tmp_path / MARKER).read_text() == text


def test_a_folder_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for root in (file, file / "below"):
        with pytest.raises(SiteError, match=r"file.* cannot be used"), opened(root, ONE):
            pytest.fail("it was opened")


def test_a_failure_inside_leaves_the_run_interrupted_and_the_folder_free(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), opened(tmp_path, ONE):
        raise ZeroDivisionError
    with pytest.raises(SiteError, match="interrupted"), opened(tmp_path, OTHER):
        pytest.fail("it was opened")


@pytest.fixture
def state(tmp_path: Path) -> DemoState:
    with opened(tmp_path, ONE) as state:
        return state


def test_the_site_file_is_a_good_one_without_a_secret(state: DemoState) -> None:
    write_site(state, BROKER, "v", SYSTEMS)
    site, _ = load_checked(state.site_file)
    assert tuple(site.systems) == SYSTEMS
    assert site.hub.ledger == f"sqlite:///{state.ledger}"
    text = state.site_file.read_text()
    secrets = [file.read_text().strip() for file in (state.root / "secrets").iterdir()]
    assert len(secrets) == 5
    assert len(set(secrets)) == 5
    assert not any(secret in text for secret in [*secrets, "der-admin-geheim"])


def test_the_site_completes_two_held_flows_with_a_comment_that_shows_how(
    state: DemoState,
) -> None:
    write_site(state, BROKER, "v", SYSTEMS)
    _, catalogue = load_checked(state.site_file)
    standing = {flow.ref: flow.standing(today()) for flow in catalogue.flows}
    assert standing["I12a"] is standing["I12b"] is Standing.PERMITTED
    assert standing["M3"] is Standing.HELD
    assert "This is how a person completes them" in state.site_file.read_text(encoding="utf-8")


def test_a_served_system_has_an_interface_with_a_secret_and_a_process(state: DemoState) -> None:
    ports = write_site(state, BROKER, "v", ("e-application", *SYSTEMS), ["e-application"])
    site, _ = load_checked(state.site_file)
    settings = site.systems["e-application"]
    assert settings.url == f"http://127.0.0.1:{ports['e-application']}"
    assert settings.secret_file == state.secret("e-application-interface")
    (name, command), *others = served_commands(state, ports).items()
    assert others == []
    assert name == "simulator-e-application"
    assert command[:3] == ("simulate", "e-application", "--idle")
    assert str(settings.secret_file) in command


def test_nobody_else_may_read_the_secrets(state: DemoState) -> None:
    before = os.umask(0)
    try:
        write_site(state, BROKER, "v", SYSTEMS)
    finally:
        os.umask(before)
    folder = state.root / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def ports(state: DemoState) -> list[int]:
    groups = json.loads(state.metrics_targets.read_text())
    return [int(group["targets"][0].partition(":")[2]) for group in groups]


def test_going_on_keeps_secrets_and_ports(state: DemoState) -> None:
    write_site(state, BROKER, "v", SYSTEMS)
    before = {file: file.read_text() for file in (state.root / "secrets").iterdir()}
    site, targets = state.site_file.read_text(), state.metrics_targets.read_text()
    write_site(state, BROKER, "v", SYSTEMS)
    assert {file: file.read_text() for file in before} == before
    assert (state.site_file.read_text(), state.metrics_targets.read_text()) == (site, targets)


def test_a_port_that_somebody_took_meanwhile_is_not_used_again(state: DemoState) -> None:
    write_site(state, BROKER, "v", SYSTEMS)
    before = ports(state)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", before[1]))
        taken.listen()
        write_site(state, BROKER, "v", SYSTEMS)
        assert before[1] not in ports(state)
    document = tomllib.loads(state.site_file.read_text())
    hub = document["hub"]
    used = [part["metrics_port"] for part in document["systems"].values()]
    assert [hub["metrics_port"], hub["watch_metrics_port"], *used] == ports(state)


def test_the_targets_name_each_process(state: DemoState) -> None:
    write_site(state, BROKER, "v", SYSTEMS)
    groups = json.loads(state.metrics_targets.read_text())
    assert [group["labels"]["process"] for group in groups] == [
        "hub",
        "ledger-watch",
        *SYSTEMS,
    ]
    assert len(set(ports(state))) == 4


def test_several_workers_have_a_port_and_a_target_each(tmp_path: Path) -> None:
    with opened(tmp_path, replace(ONE, workers=3)) as state:
        write_site(state, BROKER, "v", SYSTEMS)
    groups = json.loads(state.metrics_targets.read_text())
    names = [group["labels"]["process"] for group in groups]
    assert names == ["hub", "hub-2", "hub-3", "ledger-watch", *SYSTEMS]
    site, _ = load_checked(state.site_file)
    assert site.hub.workers == 3
    found = [worker_of(site, name).metrics_port for name in names[:3]]
    assert [*found, site.hub.watch_metrics_port] == ports(state)[:4]


def test_what_is_held_is_said_and_a_name_that_no_process_has() -> None:
    running, file = ("hub", "adapter-tax", "adapter-union"), Path("demo/hold")
    assert held_said((), running, file) == ""
    assert held_said(running[1:], running, file) == (
        "adapter-tax, adapter-union are held by demo/hold"
    )
    assert held_said(("tax",), running, file) == "no process here is called tax"
