"""The hosts of a drill reach one another and nobody else, and nothing is left of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo_rig import gone
from tests.servers.hosts import ALLOWED, allowed, program

pytestmark = pytest.mark.fault

SCRIPT = """
import errno, socket, sys
from tests.servers.hosts import Network

def reached(place):
    with socket.socket() as tried:
        tried.settimeout(0.5)
        return tried.connect_ex(place)

with socket.create_server(("127.0.0.1", 0)) as outside, Network(("one", "two")) as network:
    one, two = network.hosts.values()
    with one.entered(), socket.create_server((one.address, 9)) as server:
        place = server.getsockname()
        with two.entered():
            assert reached(place) == 0
            assert reached(outside.getsockname()) == errno.ECONNREFUSED
            assert reached(("192.0.2.1", 9)) == errno.ENETUNREACH
            two.cut()
            assert reached(place) == errno.EAGAIN
            two.mend()
            assert reached(place) == 0
    two.lose()
    two.boot()
    with two.entered():
        assert reached(place) == errno.ECONNREFUSED
    print(*network.holders, flush=True)
    sys.stdin.read()
"""


def test_hosts_are_alone_and_end_with_who_made_them() -> None:
    program()  # while there is a way to get it
    command = (*(() if allowed() else ALLOWED), sys.executable, "-c", SCRIPT)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert process.stdout is not None
            holders = process.stdout.readline().split()
        finally:
            process.kill()
    assert len(holders) == 3
    assert gone({str(number): int(holder) for number, holder in enumerate(holders)})
