"""The set-up from a bare machine: what it runs, when it runs nothing, what it says."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "deploy" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    for name in ("requirements.lock", "pyproject.toml", "deploy/bootstrap.py"):
        (tmp_path / name).write_text(name)
    return tmp_path


class Commands:
    """Stands for the commands that would be run; makes what they would make."""

    def __init__(self, root: Path, bootstrap: ModuleType) -> None:
        self.root = root
        self.ran: list[str] = []
        self.failing: dict[str, int] = {}
        bootstrap.run = self

    def __call__(self, command: Sequence[str], *, quiet: bool = False) -> int:
        line = " ".join(command)
        if not quiet:
            self.ran.append(line)
        for words, times in self.failing.items():
            if words in line and times:
                self.failing[words] -= 1
                return 1
        if " venv " in line:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        return 0

    def count(self, words: str) -> int:
        return sum(words in line for line in self.ran)


@pytest.fixture
def commands(root: Path, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setattr(bootstrap, "find_uv", lambda: "uv")
    return Commands(root, bootstrap)


def test_the_second_time_nothing_is_run(
    root: Path, bootstrap: ModuleType, commands: Commands
) -> None:
    bootstrap.bootstrap(root)
    assert commands.count("pip sync") == 1
    assert commands.count("--require-hashes") == 1
    commands.ran.clear()
    bootstrap.bootstrap(root)
    assert commands.ran == []


def test_a_changed_lock_is_installed_into_the_same_environment(
    root: Path, bootstrap: ModuleType, commands: Commands
) -> None:
    bootstrap.bootstrap(root)
    commands.ran.clear()
    (root / "requirements.lock").write_text("other")
    bootstrap.bootstrap(root)
    assert commands.count(" venv ") == 0
    assert commands.count("pip sync") == 1


def test_a_machine_that_runs_the_hub_has_no_tools_of_tests(
    root: Path, bootstrap: ModuleType, commands: Commands
) -> None:
    (root / "requirements.shipped.lock").write_text("pika==1 \\\n    --hash=a\npluggy==1\n")
    (root / "requirements.build.lock").write_text("hatchling==1\npluggy==1\n")
    bootstrap.bootstrap(root, shipped=True)
    (sync,) = [line for line in commands.ran if "pip sync" in line]
    assert "--require-hashes" in sync
    assert f"{root}/requirements.lock" not in sync
    assert f"{root}/requirements.shipped.lock {root}/requirements.build.lock" in sync
    (gone,) = [line for line in commands.ran if "uninstall" in line]
    assert gone.endswith("/python hatchling")
    commands.ran.clear()
    bootstrap.bootstrap(root, shipped=True)
    assert commands.ran == []
    bootstrap.bootstrap(root)
    assert commands.count(f"{root}/requirements.lock") == 1


def test_an_interrupted_run_is_made_anew(
    root: Path, bootstrap: ModuleType, commands: Commands
) -> None:
    commands.failing["pip sync"] = 99
    with pytest.raises(bootstrap.CannotContinueError, match="see the lines above"):
        bootstrap.bootstrap(root)
    assert commands.count("pip sync") == 3
    commands.failing.clear()
    commands.ran.clear()
    bootstrap.bootstrap(root)
    assert commands.count(" venv ") == 1
    assert commands.count("pip sync") == 1


def test_another_python_gets_another_environment(
    root: Path, bootstrap: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.bootstrap(root)
    commands.ran.clear()
    monkeypatch.setattr(bootstrap, "python_version", lambda: "3.99.0")
    bootstrap.bootstrap(root)
    assert commands.count(" venv ") == 1


def test_uv_is_made_once_with_its_pinned_version(
    root: Path, bootstrap: ModuleType, commands: Commands
) -> None:
    tools = root / ".tools"
    path = bootstrap.make_uv(tools)
    assert commands.count(f"uv=={bootstrap.UV_VERSION}") == 1
    Path(path).touch()
    commands.ran.clear()
    assert bootstrap.make_uv(tools) == path
    assert commands.ran == []


def test_a_python_that_is_too_old_is_told(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.CannotContinueError, match=r"Python 3\.10; 3\.11 or newer"):
        bootstrap.check_python((3, 10))
    bootstrap.check_python((3, 11))
    bootstrap.check_python((4, 0))


def test_without_ensurepip_the_package_is_installed(
    bootstrap: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    commands.failing.update({"import ensurepip": 1, "install -y": 1})
    bootstrap.ensure_venv_module()
    package = f"python3.{sys.version_info[1]}-venv"
    assert commands.count(package) == 2
    assert commands.count("apt-get -q -o DPkg::Lock::Timeout=120 update") == 1
    assert all(line.startswith("sudo -n env DEBIAN_FRONTEND=") for line in commands.ran)


def test_without_ensurepip_and_rights_it_says_what_to_install(
    bootstrap: ModuleType, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    commands.failing["import ensurepip"] = 9
    commands.failing["sudo -n true"] = 9
    for found in (None, "/usr/bin/there"):
        monkeypatch.setattr(bootstrap.shutil, "which", lambda _name, found=found: found)
        with pytest.raises(bootstrap.CannotContinueError, match=r"apt-get install python3\.\d+-v"):
            bootstrap.ensure_venv_module()
    assert commands.ran == []


def test_only_a_uv_of_the_tried_series_is_used(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    assert bootstrap.find_uv() is None
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: "/opt/uv")
    for version, found in ((bootstrap.UV_VERSION, "/opt/uv"), ("0.1.2", None)):
        answer = subprocess.CompletedProcess([], 0, stdout=f"uv {version} (abc)\n")
        monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, answer=answer, **__: answer)
        assert bootstrap.find_uv() == found


def test_commands_are_free_of_another_environment(bootstrap: ModuleType) -> None:
    given = {"PATH": "p", "VIRTUAL_ENV": "x", "PYTHONPATH": "y", "PIP_CERT": "z"}
    assert bootstrap.environment(given) == {"PATH": "p", "PIP_CERT": "z"}


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((ROOT / "deploy" / "bootstrap.py").read_text(encoding="utf-8"))
    plain = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    names = {alias.name for node in plain for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".", maxsplit=1)[0] for name in names} <= sys.stdlib_module_names
