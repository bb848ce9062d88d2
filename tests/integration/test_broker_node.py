"""A private node's life: started, killed, stopped, orphaned; and no process survives it."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.broker.install import Installation, find_installation
from hub.broker.management import Management
from hub.broker.node import PrivateNode
from hub.errors import BrokerError, BrokerUnavailable
from tests.demo_rig import OURS

pytestmark = pytest.mark.integration

STARTER = """
import sys, time
from pathlib import Path
from hub.broker.node import PrivateNode
node = PrivateNode(Path(sys.argv[1]))
node.start()
print(*node.pids.values(), node.port, flush=True)
time.sleep(600)
"""


def is_there(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def all_gone(pids: list[int], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while any(map(is_there, pids)):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def start_elsewhere(folder: Path) -> tuple[subprocess.Popen[str], list[int], int]:
    command = [*OURS, sys.executable, "-c", STARTER, str(folder)]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert select.select([starter.stdout], [], [], 60)[0]
    *pids, port = map(int, starter.stdout.readline().split())
    return starter, pids, port


def test_it_keeps_its_data_ports_and_password_and_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "a folder with spaces, 市役所 and a rather long name" / ("x" * 60)
    node = PrivateNode(folder, name="drill")
    with node:
        first = (node.port, node.management_url, node.admin_password)
        pids = list(node.pids.values())
        assert all(map(is_there, pids))
        with Management(node.management_url, node.admin_user, node.admin_password) as management:
            management.put("vhosts", "kept")
        with pytest.raises(BrokerError, match="already running"):
            PrivateNode(folder).start()
        node.kill()
        assert not node.alive()
        node.start()
        assert node.alive()
        pids += node.pids.values()
    assert all_gone(pids, 1.0)
    with PrivateNode(folder, name="drill") as again:
        assert (again.port, again.management_url, again.admin_password) == first
        with Management(again.management_url, again.admin_user, again.admin_password) as management:
            assert "kept" in [vhost["name"] for vhost in management.get("vhosts")]
    private = [folder / "node.json", *(folder / "conf").iterdir(), folder / "home/.erlang.cookie"]
    assert {file.stat().st_mode & 0o777 for file in private} == {0o600}


def test_it_ends_by_itself_when_its_starter_is_killed(tmp_path: Path) -> None:
    starter, pids, _port = start_elsewhere(tmp_path / "node")
    with starter:
        starter.kill()
    assert all_gone(pids, 15.0)


def test_an_orphan_is_ended_before_its_folder_is_used_again(tmp_path: Path) -> None:
    starter, pids, _port = start_elsewhere(tmp_path / "node")
    with starter:
        # The guard is killed first, so that nothing but the next start can end the node.
        os.kill(pids[0], signal.SIGKILL)
        starter.kill()
    assert is_there(pids[1])
    assert is_there(pids[2])
    with PrivateNode(tmp_path / "node") as node:
        assert node.alive()
        assert all_gone(pids, 1.0)


def test_a_node_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    installed = find_installation()
    assert installed is not None
    broken = tmp_path / "rabbitmq-server"
    broken.write_text("#!/bin/sh\necho 'the moon is in the wrong phase' >&2\nexit 3\n")
    broken.chmod(0o755)
    node = PrivateNode(tmp_path / "node", installation=Installation(broken, installed.epmd))
    with pytest.raises(BrokerUnavailable, match="wrong phase"):
        node.start()
    assert not node.alive()
    assert node.pids == {}
