"""On a terminal the command line has colours, unless NO_COLOR says no; shells complete it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.demo_rig import RENKEI
from tests.plain_site import PLAIN

pytestmark = pytest.mark.integration


def watched(*arguments: str, **environment: str) -> str:
    """Run ``renkei`` on a terminal and give what it shows there."""
    master, terminal = os.openpty()
    try:
        process = subprocess.Popen(
            [*RENKEI, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=os.environ | {"TERM": "xterm-256color"} | environment,
        )
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:  # the terminal is gone: it has ended
                break
            if not part:
                break
            shown += part
        assert process.wait(10) == 1
        return shown.decode()
    finally:
        os.close(master)


@pytest.fixture
def bad_site(tmp_path: Path) -> str:
    path = tmp_path / "site.toml"
    path.write_text(f"{PLAIN}[hub]\n")
    return str(path)


def test_a_terminal_gets_colours(bad_site: str) -> None:
    shown = watched("up", "--site", bad_site)
    assert "\x1b[31m" in shown
    assert "hub.password_file" in shown


def test_no_color_is_heard(bad_site: str) -> None:
    shown = watched("up", "--site", bad_site, NO_COLOR="1")
    assert "\x1b[31m" not in shown
    assert "hub.password_file" in shown


def test_a_shell_can_ask_for_its_completion(tmp_path: Path) -> None:
    script = tmp_path / "renkei"
    script.write_text(f'#!/bin/sh\nexec {RENKEI[0]} -m hub.cli.main "$@"\n')
    script.chmod(0o700)
    command = 'renkei --show-completion; true "keep this shell"'
    path = f"{tmp_path}:{os.environ['PATH']}"
    found = subprocess.run(
        ["bash", "-c", command],
        env=os.environ | {"PATH": path, "SHELL": "/bin/bash"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert "COMPREPLY" in found.stdout
    assert "complete " in found.stdout
