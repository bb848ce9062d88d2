"""Installing the package without starting its service, and what is said when that fails."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.broker.install import Installation, find_installation, install_package
from hub.errors import BrokerUnavailable
from hub.packages import Run, run_command

pytestmark = pytest.mark.unit


class Shell:
    """Answers commands by their words, and writes them down."""

    def __init__(self, policy: Path, **failing: int) -> None:
        self.policy = policy
        self.failing = failing
        self.ran: list[str] = []
        self.policy_during: list[bool] = []

    def __call__(self, command: Sequence[str], text: str) -> Run:
        line = " ".join(command)
        self.ran.append(line)
        if "/dev/stdin" in line:
            self.policy.write_text(text)
        if line.endswith(f"rm -f {self.policy}"):
            self.policy.unlink()
        words = [word for word in self.failing if word in line.replace("-", "_").split()]
        if "rabbitmq-server" in line and "systemctl" not in line:
            self.policy_during.append(self.policy.exists())
        for word in words:
            if self.failing[word] > 0:
                self.failing[word] -= 1
                return Run(100, f"{word} failed")
        return Run(0, "")


def install(shell: Shell, units: Path, *, is_root: bool = True) -> list[str]:
    lines: list[str] = []
    install_package(
        lines.append, run=shell, is_root=is_root, policy=shell.policy, unit_folders=[units]
    )
    return lines


def test_root_installs_with_services_held_back(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "policy-rc.d")
    assert len(install(shell, tmp_path)) == 1
    assert shell.policy_during == [True]
    assert not shell.policy.exists()
    assert not any("update" in line or "sudo" in line for line in shell.ran)


def test_sudo_is_used_where_it_asks_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "policy-rc.d")
    install(shell, tmp_path, is_root=False)
    changing = [line for line in shell.ran if "install" in line or "rm" in line.split()]
    assert all(line.startswith("sudo -n ") for line in changing)


def test_without_root_and_sudo_nothing_is_tried(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "policy-rc.d", sudo=9)
    with pytest.raises(BrokerUnavailable, match="apt-get install rabbitmq-server"):
        install(shell, tmp_path, is_root=False)
    assert shell.ran == ["sudo -n true"]


def test_the_lists_are_read_again_once(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "policy-rc.d", rabbitmq_server=1)
    assert len(install(shell, tmp_path)) == 2
    assert sum("update" in line for line in shell.ran) == 1


def test_a_failed_installation_cleans_up_and_tells_the_cause(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "policy-rc.d", rabbitmq_server=9, update=9)
    with pytest.raises(BrokerUnavailable, match="update failed"):
        install(shell, tmp_path)
    assert not shell.policy.exists()
    shell = Shell(tmp_path / "policy-rc.d", apt_get=9)
    with pytest.raises(BrokerUnavailable, match="nor is apt-get"):
        install(shell, tmp_path)


def test_a_policy_that_is_there_stays(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "policy-rc.d")
    shell.policy.write_text("#!/bin/sh\nexit 101\n")
    install(shell, tmp_path)
    assert shell.policy.exists()


def test_only_the_services_that_came_with_it_are_disabled(tmp_path: Path) -> None:
    (tmp_path / "epmd.service").touch()

    class Installing(Shell):
        def __call__(self, command: Sequence[str], text: str) -> Run:
            if "rabbitmq-server" in command:
                (tmp_path / "rabbitmq-server.service").touch()
            return super().__call__(command, text)

    shell = Installing(tmp_path / "policy-rc.d")
    install(shell, tmp_path)
    assert shell.ran[-1] == "systemctl disable rabbitmq-server.service"


def test_commands_that_are_missing_fail_plainly() -> None:
    assert run_command(["no-such-command-here"]).status == 127
    assert run_command(["sh", "-c", "cat; exit 3"], "words") == Run(3, "words")


def test_an_installation_is_found(tmp_path: Path) -> None:
    packaged = tmp_path / "rabbitmq-server"
    paths = {"erl": "/opt/erlang/bin/erl", "epmd": "/opt/erlang/bin/epmd"}
    assert find_installation(packaged, paths.get) is None
    paths["rabbitmq-server"] = "/usr/sbin/rabbitmq-server"
    assert find_installation(packaged, paths.get) is None  # it would switch the account
    paths["rabbitmq-server"] = "/opt/rabbitmq/sbin/rabbitmq-server"
    found = find_installation(packaged, paths.get)
    assert found == Installation(
        Path("/opt/rabbitmq/sbin/rabbitmq-server"), Path("/opt/erlang/bin/epmd")
    )
    packaged.touch()
    assert find_installation(packaged, {"erl": "/opt/erlang/bin/erl"}.get) == Installation(
        packaged, Path("/opt/erlang/bin/epmd")
    )
    assert find_installation(packaged, {}.get) is None
