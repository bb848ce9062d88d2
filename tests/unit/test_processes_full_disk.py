"""A full disk, or a log folder that cannot be written, ends no supervisor."""

import logging
from pathlib import Path

import pytest

from hub.processes import Supervisor

pytestmark = pytest.mark.unit


def _folder_gone(supervisor: Supervisor, folder: Path) -> None:
    # A file in the folder's place refuses every write, as a full disk does, root included.
    supervisor.stop()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("not a folder")


def test_a_child_that_cannot_be_started_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    folder = tmp_path / "logs"
    supervisor = Supervisor(folder, clock=lambda: now)
    supervisor.start({})
    _folder_gone(supervisor, folder)
    with caplog.at_level(logging.WARNING):
        supervisor.start_one("version", ("version",))
        assert supervisor.tend() == []
    assert "version cannot be started" in caplog.text
    assert "processes.json cannot be written" in caplog.text
    folder.unlink()
    folder.mkdir()
    now = 60.0
    assert supervisor.tend() == ["version"]
    child = supervisor.children["version"].process
    assert child is not None
    assert child.wait(60) == 0
    supervisor.stop()
