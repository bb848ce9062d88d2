"""``renkei site init`` makes what is missing and no more; ``site check`` names every fault."""

import json
import shutil
import stat
from pathlib import Path

import pytest

import adapters
from hub.cli.main import app, guarded
from hub.compose.checked import load_checked
from hub.compose.install import prepare
from hub.errors import SiteError

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy/site.example.toml"
INSTALL = (ROOT / "docs/operations/install.md").read_text(encoding="utf-8")


INTERFACES = ("intermediate-server", "e-application")
MADE = 5
"""Secrets of the example that are made: administrator, monitor, two keys."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    shutil.copy(EXAMPLE, path)
    return path


def run(*arguments: str) -> int:
    try:
        return guarded(lambda: app(list(arguments), prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def give_logins(site: Path) -> None:
    """Do what is left to people: certificates, and what the other sides gave."""
    assert run("pki", "init", "--site", str(site)) == 0
    assert run("pki", "issue", "--all", "--site", str(site)) == 0
    for system in INTERFACES:
        login = site.parent / "secrets" / f"{system}-interface"
        login.touch(mode=0o600)
        login.write_text(f"as {system} gave it\n", encoding="utf-8")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_example_becomes_a_site_without_fault(site: Path) -> None:
    with pytest.raises(SiteError):
        load_checked(site, administrator=True)
    made, left = prepare(site)
    secrets = sorted((site.parent / "secrets").iterdir())
    give_logins(site)
    settings, _ = load_checked(site, administrator=True)
    assert sorted(settings.systems) == sorted(adapters.systems())
    assert {mode(secret) for secret in secrets} == {0o600}
    assert len({secret.read_text() for secret in secrets}) == len(secrets) == MADE
    assert mode(site.parent / "secrets") == mode(site.parent / "journals") == 0o700
    for name, system in settings.systems.items():
        assert mode(system.folder) & stat.S_IXGRP
        assert not mode(system.folder) & stat.S_IRWXO
        assert mode(system.folder / "to-hub") == (0o700 if name in INTERFACES else 0o770)
        assert mode(system.folder / "processed") == 0o700
        assert not system.journal.exists()
    assert set(secrets) <= set(made)
    everything = "\n".join(left)
    assert not any(secret.read_text().strip() in everything for secret in secrets)


def test_only_the_adapter_puts_files_where_a_courier_does(site: Path) -> None:
    prepare(site)
    drive = site.parent / "drives" / "e-application"
    assert mode(drive / "to-hub") == mode(drive / "from-hub") == 0o700
    assert mode(drive / "rejects") == 0o770


def test_what_is_there_is_left_as_it_is(site: Path) -> None:
    prepare(site)
    before = {path: path.read_text() for path in (site.parent / "secrets").iterdir()}
    (site.parent / "secrets/broker-monitor").unlink()
    made, _ = prepare(site)
    assert made == [site.parent / "secrets/broker-monitor"]
    assert prepare(site)[0] == []
    after = {path: path.read_text() for path in (site.parent / "secrets").iterdir()}
    assert after.keys() == before.keys()
    assert [path.name for path in after if after[path] != before[path]] == ["broker-monitor"]


def test_what_is_left_comes_in_the_order_of_the_page(site: Path) -> None:
    _, left = prepare(site)
    steps = [
        "pseudonym-key",
        "renkei ledger archive-key",
        *INTERFACES,
        "renkei pki init",
        "renkei pki issue --all",
        "renkei broker config",
        "rabbitmq-plugins enable rabbitmq_management",
        "renkei-admin",
        "renkei site check",
        "renkei broker apply",
        "renkei ledger migrate",
        "renkei up",
    ]
    assert len(left) == len(steps)
    assert all(step in said for step, said in zip(steps, left, strict=True))
    places = [INSTALL.index(step) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["pseudonym-key", "ledger-key"])
@pytest.mark.parametrize("sign", ["ledger/ledger.sqlite3", "journals/tax.sqlite3"])
def test_a_site_that_has_worked_gets_no_second_key(site: Path, sign: str, name: str) -> None:
    prepare(site)
    (site.parent / sign).touch()
    assert prepare(site)[0] == []
    key = site.parent / "secrets" / name
    key.unlink()
    (site.parent / "secrets/broker-monitor").unlink()
    with pytest.raises(SiteError, match="bring the key back") as caught:
        prepare(site)
    assert sign in str(caught.value)
    assert not key.exists()
    assert not (site.parent / "secrets/broker-monitor").exists()


def test_a_file_with_faults_makes_nothing(site: Path) -> None:
    text = (
        site.read_text().replace("drives/union", "drives/tax").replace("batch = 500", "batch = 0")
    )
    site.write_text(text)
    with pytest.raises(SiteError) as caught:
        prepare(site)
    for fault in ("hub.batch", "systems.tax.folder and systems.union.folder are the same"):
        assert fault in str(caught.value)
    assert [path.name for path in site.parent.iterdir()] == ["site.toml"]


def test_what_cannot_be_made_is_named(site: Path) -> None:
    (site.parent / "secrets").touch()
    with pytest.raises(SiteError, match="secrets cannot be made"):
        prepare(site)


def test_the_commands_say_what_they_did(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--site", str(site))
    assert run("site", "check", *where) == 1
    said = capsys.readouterr().err
    assert all(
        f"secrets/{name} cannot be read" in said for name in ("broker-admin", "broker-monitor")
    )
    by_init, by_hand = "run renkei site init", "what its operator gave you"
    for name, told in {"broker-admin": by_init, "e-application-interface": by_hand}.items():
        (line,) = (one for one in said.splitlines() if f"secrets/{name} cannot" in one)
        assert [one for one in (by_init, by_hand) if one in line] == [told]
    assert run("site", "check", "--json", *where) == 1
    assert len(json.loads(capsys.readouterr().out)["faults"]) == MADE + len(INTERFACES)
    assert run("site", "init", *where) == 0
    said = capsys.readouterr().out
    assert f"made: {site.parent}/secrets/broker-monitor" in said
    assert "left to do" in said
    assert run("site", "init", "--json", *where) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["made"] == []
    assert answer["left"]
    give_logins(site)
    assert run("site", "check", *where) == 0
    shown = capsys.readouterr()
    assert "nothing is wrong" in shown.out
    assert "renkei ledger archive-key" in shown.err
    assert run("site", "check", "--json", *where) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["faults"] == []
    assert ["archive_recipients" in note or "ca.key" in note for note in answer["notes"]] == [
        True
    ] * 2
    assert run("pki", "revoke", "tax", "--offline", *where) == 0
    assert run("site", "check", *where) == 1
    assert "tax: it is revoked: run renkei pki issue tax" in capsys.readouterr().err


def test_the_login_of_an_interface_is_left_to_whoever_has_it(site: Path) -> None:
    made, left = prepare(site)
    login = site.parent / "secrets" / "intermediate-server-interface"
    assert login not in made
    assert any(str(login) in step for step in left)
    with pytest.raises(SiteError, match=login.name):
        load_checked(site, {"intermediate-server"})
    give_logins(site)
    load_checked(site)
    assert not any(str(login) in step for step in prepare(site)[1])


@pytest.mark.parametrize("key", ["url", "secret_file"])
def test_a_system_reached_by_http_needs_its_address_and_login(site: Path, key: str) -> None:
    before, heading, after = site.read_text(encoding="utf-8").partition(
        "[systems.intermediate-server]\n"
    )
    lines = after.splitlines(keepends=True)
    lines.remove(next(line for line in lines if line.startswith(f"{key} =")))
    site.write_text("".join((before, heading, *lines)), encoding="utf-8")
    prepare(site)
    with pytest.raises(SiteError, match=rf"systems\.intermediate-server: {key} is missing"):
        load_checked(site)


def test_certificates_that_are_not_there_are_a_fault_before_anything_starts(site: Path) -> None:
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace("# ca_file", "ca_file"), encoding="utf-8")
    for system in INTERFACES:
        said = rf"systems\.{system}: ca_file .*{system}\.pem is not there"
        with pytest.raises(SiteError, match=said):
            load_checked(site)
    (site.parent / "certificates").mkdir()
    for system in INTERFACES:
        (site.parent / "certificates" / f"{system}.pem").touch()
    with pytest.raises(SiteError) as caught:
        load_checked(site)
    assert "ca_file" not in str(caught.value)


def test_the_witness_has_its_folder_or_a_check_says_so(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = site.read_text(encoding="utf-8")
    line = 'ledger_witness_file = "other-disk/witness/ledger.witness"\n'
    site.write_text(text.replace("[hub]\n", f"[hub]\n{line}"), encoding="utf-8")
    folder = site.parent / "other-disk" / "witness"
    made, _ = prepare(site)
    assert folder in made
    assert mode(folder) == 0o700
    give_logins(site)
    assert run("site", "check", "--site", str(site)) == 0
    folder.rmdir()
    assert run("site", "check", "--site", str(site)) == 1
    assert f"the folder {folder} of hub.ledger_witness_file" in capsys.readouterr().err


def test_a_site_file_that_is_not_there_is_to_be_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.toml"
    assert run("site", "init", "--site", str(new)) == 2
    assert "cp deploy/site.example.toml" in " ".join(capsys.readouterr().err.split())
