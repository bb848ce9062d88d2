"""The command line: help for everything, clear errors, and the right exit status."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from hub.broker.provide import URL
from hub.cli.main import app, guarded
from hub.errors import BrokerUnavailable
from tests.plain_site import PLAIN
from tests.samples import SIGNER

pytestmark = pytest.mark.unit

KEY = "k" * 40


def run(*arguments: str) -> int:
    """Run ``renkei`` as its script does; give the exit status."""
    try:
        return guarded(lambda: app(list(arguments), prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def commands(command: Any, path: str = "renkei") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, f"{path} {name}")


ALL = dict(commands(typer.main.get_command(app)))


def write_site(folder: Path, *systems: str, hub: str = "") -> Path:
    (folder / "secrets").mkdir()
    texts = {name: name + KEY for name in ("hub", "key", *systems)}
    for name, text in {**texts, "ledger-key": SIGNER.text()}.items():
        secret = folder / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    lines = [
        PLAIN,
        "[hub]",
        'password_file = "secrets/hub"',
        'pseudonym_key_file = "secrets/key"',
        hub,
    ]
    for system in systems:
        lines += [f"[systems.{system}]", f'folder = "drives/{system}"']
        lines += [f'journal = "{system}.sqlite3"', f'password_file = "secrets/{system}"']
    path = folder / "site.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("path", ALL)
def test_every_command_and_option_has_a_help_text(path: str) -> None:
    command = ALL[path]
    assert command.help
    silent = [one.name for one in command.params if not getattr(one, "help", "")]
    assert silent == []


@pytest.mark.parametrize("path", ALL)
def test_help_is_printed_on_stdout_and_ends_well(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*path.split()[1:], "--help") == 0
    out = capsys.readouterr().out
    assert f"Usage: {path}" in out
    for option in (option for one in ALL[path].params for option in one.opts):
        assert option.lstrip("-") in out


def test_the_commands_are_those_that_are_promised() -> None:
    promised = {"demo", "hub", "adapter", "up", "version", "broker apply", "ledger migrate"}
    assert {f"renkei {name}" for name in promised} <= set(ALL)


@pytest.mark.parametrize("arguments", [("version",), ("--version",)])
def test_the_version_is_told(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0
    name, number = capsys.readouterr().out.split()
    assert name == "renkei"
    assert number.count(".") == 2
    assert run("version", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"version": number}


@pytest.mark.parametrize(
    "arguments",
    [
        ("hubb",),
        ("hub",),
        ("hub", "--site", "missing.toml"),
        ("adapter", "--site", "pyproject.toml"),
        ("demo", "--residents", "many"),
        ("demo", "--residents", "3"),
        ("demo", "--days", "-1"),
        ("demo", "--every", "0"),
        ("up", "--sight", "x"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_so_on_stderr(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Usage:" in said.err


def test_several_faults_are_named_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_site(tmp_path, "tax", "taxx", "tax-arrears", hub="batch = 0\ncolour = 1")
    (tmp_path / "secrets" / "tax").unlink()
    (tmp_path / "secrets" / "taxx").chmod(0o640)
    (tmp_path / "secrets" / "key").write_text("short")
    for command in (("up",), ("broker", "apply")):
        assert run(*command, "--site", str(path)) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        for fault in (
            "hub.batch",
            "hub.colour",
            "secrets/tax cannot be read",
            "secrets/taxx is readable by others: run chmod 600",
            "secrets/key is too short",
            "systems.taxx: the catalogue does not know this system",
            "systems.taxx: no adapter is installed for the system taxx; did you mean tax?",
            "systems.tax-arrears: no adapter is installed",
        ):
            assert fault in said.err


def test_an_unknown_system_is_answered_with_those_near(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_site(tmp_path, "tax", "union")
    assert run("adapter", "unio", "--site", str(path)) == 1
    assert "names no system unio; did you mean union?" in capsys.readouterr().err
    assert run("adapter", "zzz", "--site", str(path)) == 1
    assert "it names tax, union" in capsys.readouterr().err


def test_a_file_that_is_no_toml_is_one_clear_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xff[hub\n")
    assert run("up", "--site", str(path)) == 1
    said = capsys.readouterr().err
    assert str(path) in said
    assert "Traceback" not in said


def test_the_broker_command_wants_its_administrator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_site(tmp_path, "tax")
    assert run("broker", "apply", "--site", str(path)) == 1
    assert "broker.admin_password_file is missing" in capsys.readouterr().err


def test_the_ledger_is_migrated_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_site(tmp_path)
    for _ in range(2):
        assert run("ledger", "migrate", "--site", str(path)) == 0
    assert (tmp_path / "ledger.sqlite3").exists()
    assert "up to date" in capsys.readouterr().out


def test_an_error_of_ours_is_one_text_without_colours_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise BrokerUnavailable("[bold]no broker[/bold] at 10.0.0.1")

    assert guarded(fail) == 1
    said = capsys.readouterr()
    assert said.err == "renkei: [bold]no broker[/bold] at 10.0.0.1\n"
    assert said.out == ""


def test_an_unknown_error_is_no_error_of_ours() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(fail)


@pytest.mark.parametrize(
    "prepare",
    [
        lambda state: (state.mkdir(), (state / "thesis.txt").write_text("x")),
        lambda state: (state.mkdir(), (state / "demo.json").write_text("{")),
        lambda state: state.write_text("a file"),
    ],
    ids=["foreign", "damaged", "file"],
)
def test_a_folder_that_is_no_demo_is_left_alone(
    tmp_path: Path, prepare: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    prepare(state)
    before = sorted(tmp_path.rglob("*"))
    assert run("demo", "--state", str(state)) == 1
    assert str(state) in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) in (before, sorted([*before, state / ".lock"]))


def test_a_broker_that_does_not_answer_is_said_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hub.broker.management.ATTEMPTS", 1)
    monkeypatch.setenv(URL, "amqp://admin:geheim@127.0.0.1:1/")
    monkeypatch.setenv("RENKEI_BROKER_MANAGEMENT_URL", "http://127.0.0.1:1")
    assert run("demo", "--state", str(tmp_path / "state")) == 1
    said = capsys.readouterr()
    assert URL in said.err
    assert "geheim" not in said.err + said.out


def test_the_shell_completes_commands_and_systems(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_RENKEI_COMPLETE", "complete_bash")
    for words, expected in (
        ("renkei ", {"demo", "up", "adapter"}),
        ("renkei adapter res", {"resident-registry"}),
        ("renkei demo --res", {"--residents"}),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        assert run() == 0
        assert expected <= set(capsys.readouterr().out.split())
