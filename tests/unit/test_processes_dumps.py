"""No command of the hub leaves its memory on a disk or to another process."""

import ctypes
import os
import resource
from collections.abc import Callable

import pytest

from hub.cli import main

pytestmark = pytest.mark.unit

PR_GET_DUMPABLE = 3


def dumpable() -> int:
    return int(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))


def status_of_a_copy(of_this_process: Callable[[], None]) -> int:
    """Do in a copy of this process what cannot be undone; 0 if it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            of_this_process()
        except BaseException:  # noqa: BLE001 - the copy must not go on with this one's tests
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_whatever_the_command_is_no_dump_of_it_can_be_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def command() -> None:
        assert dumpable() == 0
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        os._exit(7)

    monkeypatch.setattr(main, "app", command)
    assert dumpable() == 1, "this test sees nothing here"
    assert status_of_a_copy(main.main) == 7
