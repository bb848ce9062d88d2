"""Secrets are read from places that nobody else can see or change, and are shown nowhere."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from hub import secret as secrets
from hub.errors import SiteError
from hub.secret import FromCommand, FromEnvironment, SecretSource, read_secret

pytestmark = pytest.mark.unit

SECRET = "correct-horse-battery-staple-0123456789"  # noqa: S105 - nobody's
SOURCE: TypeAdapter[Any] = TypeAdapter(SecretSource)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def refused(source: Path | FromEnvironment | FromCommand) -> str:
    with pytest.raises(SiteError) as caught:
        read_secret(source)
    text = str(caught.value)
    assert SECRET not in text
    return text


def printing(code: str) -> FromCommand:
    return FromCommand((sys.executable, "-I", "-c", code))


# -- files -------------------------------------------------------------------------------------


def test_a_file_of_this_account_alone_is_read(file: Path) -> None:
    found = read_secret(file)
    assert found.get_secret_value() == SECRET
    assert SECRET not in repr(found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert "readable by others: run chmod 600 on it" in refused(file)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_file_that_others_may_exchange_is_refused(file: Path, mode: int) -> None:
    file.parent.chmod(mode)
    assert "run chmod go-w on the folder" in refused(file)


def test_a_file_of_another_account_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(file, 4242, -1)  # root's own would do for everybody
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    assert "belongs to another account" in refused(file)


def test_root_reads_the_file_of_any_account(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(file, 4242, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert read_secret(file) == SecretStr(SECRET)


def test_a_link_is_not_followed(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    assert "it is a link: name the file itself" in refused(link)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "it is no file" in refused(tmp_path / "pipe")
    assert "cannot be read" in refused(tmp_path)
    assert "run renkei site init" in refused(tmp_path / "missing")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b" \n", "is empty"), (b"\xff" * 40, "no text in UTF-8"), (b"a" * 65_537, "is longer than")],
)
def test_what_is_no_secret_is_refused(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    assert said in refused(file)


# -- environment and commands ------------------------------------------------------------------


def test_a_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_TEST_SECRET", SECRET)
    source = SOURCE.validate_python({"env": "RENKEI_TEST_SECRET"})
    assert read_secret(source) == SecretStr(SECRET)
    monkeypatch.delenv("RENKEI_TEST_SECRET")
    assert "environment variable RENKEI_TEST_SECRET" in refused(source)


def test_what_a_command_prints_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_TEST_SECRET", SECRET)
    code = "import os; print(os.environ['RENKEI_TEST_SECRET'])"
    source = SOURCE.validate_python({"command": [sys.executable, "-I", "-c", code]})
    assert read_secret(source) == SecretStr(SECRET)
    assert code not in str(source)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (f"import sys; print('{SECRET}'); sys.stderr.write('{SECRET}'); sys.exit(3)", "status 3"),
        ("pass", "is empty"),
        ("while True: print('x' * 60000, flush=True)", "is longer than"),
    ],
)
def test_a_command_that_fails_is_named_and_its_words_are_not(
    code: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = refused(printing(code))
    assert said in text
    assert sys.executable in text
    assert SECRET not in "".join(capfd.readouterr())


def test_a_command_gets_no_shell_and_must_be_there(tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert "cannot be run" in refused(FromCommand((f"/bin/true; touch {made}",)))
    assert not made.exists()


def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.3)
    begun, before = time.monotonic(), threading.active_count()
    text = refused(FromCommand(("/bin/sleep", "600")))
    assert "did not end" in text
    assert time.monotonic() - begun < 10
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "said",
    [
        "",
        3,
        [],
        {},
        {"env": ""},
        {"env": "A=B"},
        {"env": "1A"},
        {"env": "A", "command": ["/bin/true"]},
        {"env": "A", "path": "x"},
        {"command": []},
        {"command": "/bin/true"},
        {"command": ["true"]},
        {"command": ["/bin/true", 3]},
        {"command": ["/bin/true", "a\0b"]},
        {"secret": SECRET},
    ],
)
def test_what_names_no_place_is_refused_without_being_shown(said: object) -> None:
    with pytest.raises(ValidationError) as caught:
        SOURCE.validate_python(said)
    faults = caught.value.errors(include_input=False)
    assert SECRET not in "".join(fault["msg"] for fault in faults)
    assert len(faults) == 1


def test_a_path_stays_one() -> None:
    assert SOURCE.validate_python("secrets/hub") == Path("secrets/hub")
