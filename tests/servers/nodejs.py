"""Node.js for tests, and the npm packages that ``tests/asyncapi`` and ``tests/axe`` lock.

Debian's packages are installed where there is no Node.js. The npm packages are installed once,
below ``.cache``, for each state of the lock.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.packages import NotInstalled, Wanted
from tests.servers.packages import found_or_installed

PROJECT = Path(__file__).parents[2]
LOCKED = PROJECT / "tests" / "asyncapi"
AXE = PROJECT / "tests" / "axe"
CACHE = PROJECT / ".cache"
LEAST = 18
INSTALL_SECONDS = 300.0
RUN_SECONDS = 120.0
WANTED = Wanted(
    f"Node.js {LEAST} or newer with npm",
    ("nodejs", "npm"),
    f"Install Node.js {LEAST} or newer with npm (Debian and Ubuntu: apt-get install nodejs npm)",
)


@dataclass(frozen=True)
class Node:
    """A Node.js program, with the locked packages in ``folder``."""

    program: str
    folder: Path

    def run(self, script: str, *arguments: str, value: object = None) -> Any:  # noqa: ANN401
        """Run a script of ``tests/asyncapi`` and give the JSON that it prints."""
        done = subprocess.run(
            [self.program, str(LOCKED / script), *arguments],
            input=json.dumps(value),
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def node() -> Node:
    """Give Node.js with the locked packages; install what is missing.

    Raises:
        NotInstalled: it cannot be installed; the text says what to do.
    """
    program, npm = _programs()
    return Node(program, _packages(npm, LOCKED))


def axe() -> str:
    """Give the script of axe, which checks a page for accessibility; install what is missing.

    Raises:
        NotInstalled: it cannot be installed; the text says what to do.
    """
    folder = _packages(_programs()[1], AXE)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def _packages(npm: str, locked: Path) -> Path:
    content = b"\0".join(
        (locked / name).read_bytes() for name in ("package.json", "package-lock.json")
    )
    folder = CACHE / locked.name / hashlib.sha256(content).hexdigest()[:16]
    if not folder.is_dir():
        _install_packages(npm, locked, folder)
    return folder


def _programs() -> tuple[str, str]:
    return found_or_installed(_found, WANTED)


def _found() -> tuple[str, str] | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", said.stdout)
    return (program, npm) if version and int(version[1]) >= LEAST else None


def _install_packages(npm: str, locked: Path, folder: Path) -> None:
    """Install into a folder beside, then rename: other runs see all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(locked / name, made)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts"],
            cwd=made,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise NotInstalled(f"npm could not install what {locked} locks:\n{done.stderr}")
        whole = Path(made) / "whole"
        whole.mkdir()
        (Path(made) / "node_modules").rename(whole / "node_modules")
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            # Another run has put the same packages there meanwhile.
