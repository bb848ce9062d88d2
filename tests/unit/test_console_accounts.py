"""Accounts and passwords of the console: what is taken, what is recorded, who is left."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.console import app
from hub.compose.install import prepare
from hub.compose.ledger import open_ledger, prepare_ledger
from hub.errors import QuestionError
from hub.ledger.search.ask import Question, search
from hub.message import AccessItems
from hub.site import load_site
from monitoring.console import passwords
from monitoring.console.accounts import Person
from monitoring.console.pages import own
from monitoring.console.passwords import Hasher, fault_of, step_of
from monitoring.console.rights import Role
from tests.console_rig import SECRET, ConsoleRig, console_rig
from tests.plain_site import PLAIN

pytestmark = pytest.mark.unit

ADMIN = AccessItems("sato", "後期高齢", "T-1", "異動", "test")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, own.PAGES) as rig:
        yield rig


def person(account: str, *roles: Role, **facts: object) -> Person:
    given = {"id": account, "name": "田中", "department": "後期高齢", "roles": roles}
    return Person.model_validate(given | facts)


def test_every_change_of_an_account_is_recorded_with_who_made_it(console: ConsoleRig) -> None:
    accounts = console.console.office.accounts
    accounts.add(person("tanaka", Role.OPERATOR), ADMIN, console.now)
    accounts.change(person("tanaka", Role.OPERATOR, Role.AUDITOR, personal=True), ADMIN)
    accounts.lock("tanaka", ADMIN)
    accounts.unlock("tanaka", ADMIN, console.now)
    accounts.reset("tanaka", ADMIN, console.now)
    accounts.remove("tanaka", ADMIN)
    assert console.codes("sato") == [
        "account-added",
        "account-changed",
        "account-locked",
        "account-unlocked",
        "account-changed",
        "account-removed",
    ]
    (_, changed, *_) = console.entries()
    assert changed.detail == "tanaka: operator, auditor, personal"
    assert changed.access.reason == "異動"


@pytest.mark.parametrize(
    "wrong",
    [
        person("Tanaka", Role.VIEWER),
        person("t", Role.VIEWER),
        person("tanaka"),
        person("tanaka", Role.ADMINISTRATOR, Role.APPROVER),
        person("tanaka", Role.VIEWER, name=""),
        person("tanaka", Role.VIEWER, name="x\x00"),
        person("tanaka", Role.VIEWER, department="123456789018"),
    ],
)
def test_what_can_be_no_account_is_none_and_not_recorded(
    console: ConsoleRig, wrong: Person
) -> None:
    with pytest.raises(QuestionError):
        console.console.office.accounts.add(wrong, ADMIN, console.now)
    assert console.entries() == []


def test_the_last_administrator_stays_and_nobody_goes_by_themselves(console: ConsoleRig) -> None:
    accounts = console.console.office.accounts
    accounts.add(person("sato", Role.ADMINISTRATOR), ADMIN, console.now)
    other = ADMIN._replace(staff="suzuki")
    for take in (accounts.lock, accounts.remove):
        with pytest.raises(QuestionError, match="last"):
            take("sato", other)
    with pytest.raises(QuestionError, match="last"):
        accounts.change(person("sato", Role.VIEWER), other)
    accounts.add(person("suzuki", Role.ADMINISTRATOR), ADMIN, console.now)
    with pytest.raises(QuestionError, match="own"):
        accounts.lock("sato", ADMIN)
    accounts.lock("sato", other)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "short"),
        ("x" * 201, "long"),
        ("aaaaaaaaaaaaaa", "weak"),
        ("abcdefghijklmn", "weak"),
        ("12345678901234", "weak"),
        ("Renkei-2026-11!!", "weak"),
        ("passwordpassword", "weak"),
        ("tanaka-tanaka-1", "weak"),
        ("p-tanaka-2026-x", "weak"),
        ("ｓｅｖｅｎ cranes cross", ""),
        ("鶴が七羽川を渡っていきました", ""),
    ],
)
def test_which_passwords_are_taken(password: str, fault: str) -> None:
    assert fault_of(password, "tanaka") == fault


def test_a_password_is_known_by_its_hash_however_it_is_typed() -> None:
    hasher = Hasher(memory=64, rounds=1)
    kept = hasher.hashed("Ｓeven cranes cross")
    assert kept.startswith("$argon2id$")
    assert hasher.is_right("Seven cranes cross", kept)
    assert not hasher.is_right("seven cranes cross", kept)
    assert not hasher.is_right("Seven cranes cross", "")


@pytest.mark.parametrize("seconds", [0.0, -30.0, 30.0])
def test_a_clock_may_be_half_a_minute_wrong(seconds: float) -> None:
    at = 1_800_000_000.0
    code = passwords.code_at(SECRET, at + seconds)
    assert step_of(SECRET, f" {code[:3]} {code[3:]} ", at, 0) == (at + seconds) // 30
    assert step_of(SECRET, code, at, int(at + seconds) // 30) is None
    assert step_of(SECRET, code, at + 120, 0) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５", "²²²²²²"])
def test_what_can_be_no_code_is_none(code: str) -> None:
    assert step_of(SECRET, code, 1_800_000_000.0, 0) is None


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    text = f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n'
    path.write_text(f"{text}[console]\nport = 8443\n", encoding="utf-8")
    prepare(path)
    prepare_ledger(load_site(path))
    return path


def test_the_command_line_makes_the_first_administrator(site: Path) -> None:
    where = ["--site", str(site)]
    runner = CliRunner()
    made = runner.invoke(
        app,
        ["account", "add", "sato", "--name", "佐藤", "--role", "administrator", "--json", *where],
        catch_exceptions=False,
    )
    said = json.loads(made.output)
    assert (said["account"], said["hours"], len(said["code"])) == ("sato", 72, 23)
    listed = json.loads(runner.invoke(app, ["account", "list", "--json", *where]).output)
    assert [(one["id"], one["state"], one["roles"]) for one in listed] == [
        ("sato", "not set up", ["administrator"])
    ]
    folder = site.parent / "console"
    assert (folder / "console.sqlite3").stat().st_mode & 0o077 == 0
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert "佐藤".encode() not in content
    assert said["code"].encode() not in content
    ledger = open_ledger(load_site(site))
    with ledger.engine.connect() as connection:
        found = search(connection, Question()).entries
    ledger.close()
    assert [one.outcome for one in found] == ["account-added"]
    wrong = runner.invoke(app, ["account", "add", "x1", "--name", "x", "--role", "boss", *where])
    assert wrong.exit_code == 2
