"""A group of processes that ends when the process that started it is gone.

A guard, the group's leader, holds one end of a pipe: when the starter is gone, for whatever
reason, the pipe closes and the guard ends the group. So nothing survives, also after a SIGKILL.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_GUARD = """
trap '' HUP INT TERM
read -r nothing
kill -TERM 0
sleep 3
kill -KILL 0
"""


class Group:
    """Processes of this one's; ``mark`` stands in the guard's command line."""

    def __init__(self, mark: str) -> None:
        """Start the guard."""
        self._guard = subprocess.Popen(  # noqa: S603 - this module's own script
            ["/bin/sh", "-c", _GUARD, "guard", mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self._members: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        """The guard's own number."""
        return self._guard.pid

    def spawn(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes],
        folder: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process in the group; what it says goes to ``output``."""
        member = subprocess.Popen(  # noqa: S603 - the caller's own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=folder,
            process_group=self._guard.pid,
        )
        self._members.append(member)
        return member

    def end(self) -> None:
        """Kill every process of the group and wait until it is gone."""
        # The guard leads the group and is ours until it is waited for, so the number cannot
        # have passed to anybody else.
        os.killpg(self._guard.pid, signal.SIGKILL)
        for child in (*self._members, self._guard):
            child.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
