"""Installing Debian packages: what is run, and what is said when it cannot be done."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.packages import NotInstalled, Run, Wanted, install, privilege

pytestmark = pytest.mark.unit

WANTED = Wanted("Looms", ("loom", "shuttle"), "Install Looms (apt-get install loom shuttle)")


class Shell:
    """Answers every command with 0, except those with one of the failing words."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.ran: list[str] = []

    def __call__(self, command: Sequence[str], _text: str) -> Run:
        line = " ".join(command)
        self.ran.append(line)
        failed = any(word in line for word in self.failing)
        return Run(1, "no such loom") if failed else Run(0, "")


def test_all_packages_are_installed_by_one_command(tmp_path: Path) -> None:
    shell = Shell()
    said: list[str] = []
    prefix = privilege(WANTED, shell, is_root=False)
    install(WANTED, said.append, prefix, run=shell, policy=tmp_path / "policy")
    installs = [line for line in shell.ran if line.endswith("loom shuttle")]
    assert len(installs) == 1
    assert installs[0].startswith("sudo -n ")
    assert said == ["installing Looms (Debian package loom shuttle) ..."]


@pytest.mark.parametrize("failing", ["--version", "/dev/stdin", "loom shuttle", "sudo"])
def test_what_fails_is_said_with_what_to_do(failing: str, tmp_path: Path) -> None:
    shell = Shell(failing)
    with pytest.raises(NotInstalled, match=r"Install Looms \(apt-get install loom shuttle\)"):
        install(
            WANTED,
            lambda _: None,
            privilege(WANTED, shell, is_root=False),
            run=shell,
            policy=tmp_path / "policy",
        )
