#!/usr/bin/env python3
"""Make the project's environment in ``.venv`` from ``requirements.lock``; run by ``make``.

With ``--shipped`` it has what the hub needs to run, and none of the tools for tests: for a
machine that runs it (``requirements.shipped.lock``).

Needs nothing but Python 3.11 or newer. Packages come from wherever this machine's own pip or
uv configuration says. The second time, when nothing has changed, it only compares a stamp.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_VERSION = "0.13.9"
OLDEST = (3, 11)
INPUTS = ("pyproject.toml", "deploy/bootstrap.py")
LOCK, SHIPPED, BUILD = "requirements.lock", "requirements.shipped.lock", "requirements.build.lock"


class CannotContinueError(Exception):
    """The environment cannot be made; the text says what to do."""


def main() -> int:
    """Make the environment if it is not there or not up to date; give the exit status."""
    try:
        bootstrap(ROOT, shipped="--shipped" in sys.argv[1:])
    except CannotContinueError as error:
        sys.stderr.write(f"bootstrap: {error}\n")
        return 1
    return 0


def bootstrap(root: Path, *, shipped: bool = False) -> None:
    """Bring ``root/.venv`` to what the lock says, or to what is ``shipped`` of it.

    Raises:
        CannotContinueError: something is missing that only a person can supply.
    """
    check_python(sys.version_info[:2])
    venv = root / ".venv"
    stamp = venv / "renkei-stamp"
    locks = (SHIPPED, BUILD) if shipped else (LOCK,)
    digest = digest_of(root, locks)
    if is_current(stamp, digest):
        return
    uv = find_uv() or make_uv(root / ".tools")
    # The stamp is the last thing written: without one, what is there is not to be trusted.
    if not stamp.exists() or not same_python(stamp.read_text(encoding="utf-8")):
        say(f"making {venv} with Python {python_version()} ...")
        call([uv, "venv", "--clear", "--no-project", "--python", sys.executable, str(venv)])
    stamp.unlink(missing_ok=True)
    say("installing the locked packages ...")
    pip = [uv, "pip"]
    into = ["--python", str(venv / "bin" / "python")]
    call([*pip, "sync", *into, "--require-hashes", *(str(root / one) for one in locks)], attempts=3)
    call([*pip, "install", *into, "--no-deps", "--no-build-isolation", "-e", str(root)])
    if shipped and (done := names_in(root / BUILD) - names_in(root / SHIPPED)):
        call([*pip, "uninstall", *into, *sorted(done)])
    stamp.write_text(digest, encoding="utf-8")
    say("ready")


def say(line: str) -> None:
    """Tell a person what goes on."""
    sys.stderr.write(f"bootstrap: {line}\n")
    sys.stderr.flush()


def check_python(version: Sequence[int]) -> None:
    """Refuse a Python that is too old.

    Raises:
        CannotContinueError: it is older than 3.11.
    """
    if tuple(version) < OLDEST:
        found = ".".join(map(str, version))
        raise CannotContinueError(
            f"this is Python {found}; 3.11 or newer is needed. "
            "Run it with another one: make PYTHON=/path/to/python3.11 ..."
        )


def python_version() -> str:
    """Name this Python: version and place."""
    return ".".join(map(str, sys.version_info[:3]))


def names_in(lock: Path) -> set[str]:
    """Give the names of the packages in a lock."""
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def digest_of(root: Path, locks: Sequence[str]) -> str:
    """Give the Python's version and a digest over everything that decides the environment."""
    digest = hashlib.sha256(str(root).encode())
    for name in (*locks, *INPUTS):
        digest.update((root / name).read_bytes())
    return f"{python_version()} {digest.hexdigest()}"


def is_current(stamp: Path, digest: str) -> bool:
    """Say whether the environment was completed from just these inputs, and still runs."""
    python = stamp.parent / "bin" / "python"
    return python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest


def same_python(stamp: str) -> bool:
    """Say whether the environment was made with a Python of this version."""
    return stamp.split(" ", maxsplit=1)[0] == python_version()


def find_uv() -> str | None:
    """Find a uv on the path of the same series as the one the project is tried with."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - uv itself
            [uv, "--version"], capture_output=True, text=True, check=False, timeout=20
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    series = UV_VERSION.rpartition(".")[0] + "."
    return uv if len(answer) > 1 and answer[1].startswith(series) else None


def make_uv(tools: Path) -> str:
    """Install uv with pip in a folder of the project's own; give its path.

    Raises:
        CannotContinueError: pip or the package index is not to be had.
    """
    uv = tools / "bin" / "uv"
    stamp = tools / "renkei-stamp"
    wanted = f"{python_version()} uv {UV_VERSION}"
    if uv.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return str(uv)
    ensure_venv_module()
    say(f"installing uv {UV_VERSION} in {tools} ...")
    shutil.rmtree(tools, ignore_errors=True)
    call([sys.executable, "-m", "venv", str(tools)])
    pip = [str(tools / "bin" / "python"), "-m", "pip"]
    quiet = ["--disable-pip-version-check", "--quiet"]
    call([*pip, "install", *quiet, f"uv=={UV_VERSION}"], attempts=3)
    stamp.write_text(wanted, encoding="utf-8")
    return str(uv)


def ensure_venv_module() -> None:
    """Install Debian's ``python3-venv`` where this Python cannot make environments.

    Raises:
        CannotContinueError: it is missing and this account may not install it.
    """
    if has_ensurepip():
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    by_hand = f"Install it (apt-get install {package}), then run the same command again."
    apt = shutil.which("apt-get")
    if apt is None:
        raise CannotContinueError(f"this Python has no ensurepip, nor is apt-get here. {by_hand}")
    sudo = privilege()
    if sudo is None:
        raise CannotContinueError(f"this Python has no ensurepip. {by_hand}")
    say(f"this Python has no ensurepip: installing {package} ...")
    command = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-q"]
    command += ["-o", "DPkg::Lock::Timeout=120"]
    install = [*command, "install", "-y", "--no-install-recommends", package]
    if run(install) != 0:
        say("reading the package lists again ...")
        run([*command, "update"])
        call(install, advice=by_hand)
    if not has_ensurepip():
        raise CannotContinueError(f"{package} is installed, but ensurepip is still missing")


def has_ensurepip() -> bool:
    """Ask a fresh Python whether it can put pip into a new environment."""
    # Debian ships the module's folder without its contents, so only an import tells.
    return run([sys.executable, "-c", "import ensurepip, venv"], quiet=True) == 0


def privilege() -> list[str] | None:
    """Give the words before a command that installs; nothing if this account may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and run(["sudo", "-n", "true"], quiet=True) == 0:
        return ["sudo", "-n"]
    return None


def run(command: Sequence[str], *, quiet: bool = False) -> int:
    """Run a command to its end; give its exit status."""
    output = subprocess.DEVNULL if quiet else sys.stderr
    return subprocess.run(  # noqa: S603 - this module's own commands
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        check=False,
        env=environment(os.environ),
    ).returncode


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Give commands the caller's environment, freed of another environment being active."""
    names = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT"}
    return {name: value for name, value in given.items() if name not in names}


def call(command: Sequence[str], *, attempts: int = 1, advice: str = "") -> None:
    """Run a command that has to succeed; one that uses the network may be tried again.

    Raises:
        CannotContinueError: it failed each time; its own words stand above.
    """
    for left in reversed(range(attempts)):
        status = run(command)
        if status == 0:
            return
        if left:
            say("trying again ...")
    words = " ".join(command[:4])
    raise CannotContinueError(
        f"`{words} ...` failed (status {status}); see the lines above. "
        + (advice or "If the package index cannot be reached, look at this machine's pip settings.")
    )


if __name__ == "__main__":
    sys.exit(main())
