"""Verifiers that this project did not write: Go's own checksum database packages.

``golang.org/x/mod/sumdb`` (``note`` and ``tlog``, BSD-3-Clause) is what the go command checks
Go's checksum database with, and what C2SP's note and tile formats come from. Debian has it as
``golang-golang-x-mod-dev``; ``verify.go`` beside this file is built with it, without network.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hub.packages import NotInstalled, Wanted, install, privilege
from tests.servers.packages import alone

SOURCE = Path(__file__).with_name("verify.go")
CACHE = Path(__file__).parents[2] / ".cache" / "evidence"
GOPATH = Path("/usr/share/gocode")
LIBRARY = GOPATH / "src" / "golang.org" / "x" / "mod" / "sumdb"
BUILD_SECONDS = 300.0
RUN_SECONDS = 60.0
WANTED = Wanted(
    "Go with golang.org/x/mod",
    ("golang-go", "golang-golang-x-mod-dev"),
    "Install them (Debian and Ubuntu: apt-get install golang-go golang-golang-x-mod-dev)",
)


@dataclass(frozen=True)
class Verdict:
    """What the verifier said."""

    accepted: bool
    said: str


@dataclass(frozen=True)
class GoVerifier:
    """The built program."""

    program: Path

    def export(self, folder: Path, vkey: str) -> Verdict:
        """Verify a whole export: checkpoint, tiles and entries."""
        return self._verify(vkey, "export", folder)

    def inclusion(self, file: Path, vkey: str) -> Verdict:
        """Verify an inclusion proof's file."""
        return self._verify(vkey, "inclusion", file)

    def consistency(self, file: Path, vkey: str) -> Verdict:
        """Verify a consistency proof's file."""
        return self._verify(vkey, "consistency", file)

    def _verify(self, vkey: str, what: str, path: Path) -> Verdict:
        done = subprocess.run(
            [self.program, vkey, what, str(path)],
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return Verdict(done.returncode == 0, done.stdout.strip())


@cache
def go_verifier() -> GoVerifier:
    """Give the verifier; install and build what is missing.

    Raises:
        NotInstalled: it cannot be installed or built; the text says what to do.
    """
    program = CACHE / f"verify-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}"
    if not program.is_file():
        with alone():
            if not _is_here():
                install(WANTED, _say, privilege(WANTED))
        _build(program)
    return GoVerifier(program)


def _is_here() -> bool:
    return shutil.which("go") is not None and LIBRARY.is_dir()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _build(program: Path) -> None:
    """Build beside, then rename: other runs see the whole program or none."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        environment = {
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": str(GOPATH),
            "GOCACHE": f"{made}/cache",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "",
            "CGO_ENABLED": "0",
        }
        built = Path(made) / "verify"
        done = subprocess.run(
            ["go", "build", "-o", str(built), str(SOURCE)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise NotInstalled(f"go could not build {SOURCE.name}:\n{done.stderr}")
        built.rename(program)
