"""Install Debian packages without asking anything and without starting their services."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.errors import RenkeiError

POLICY = Path("/usr/sbin/policy-rc.d")
APT_SECONDS = 900.0

Say = Callable[[str], None]
"""Takes a line of progress for a person."""


class NotInstalled(RenkeiError):
    """A program is not here and cannot be installed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program, the packages that have it, and how a person gets it where this fails."""

    program: str
    packages: tuple[str, ...]
    by_hand: str


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended, with the end of what it wrote."""

    status: int
    output: str


Runner = Callable[[Sequence[str], str], Run]


def run_command(command: Sequence[str], text: str = "") -> Run:
    """Run a command of the machine to its end, ``text`` being its input."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands of the callers
            command,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=APT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return Run(127, f"{command[0]}: not found")
    except subprocess.TimeoutExpired:
        return Run(124, f"{command[0]}: no end within {APT_SECONDS:g} s")
    return Run(done.returncode, done.stdout[-2000:])


def privilege(
    wanted: Wanted, run: Runner = run_command, *, is_root: bool | None = None
) -> list[str]:
    """Give the words before a command that changes the machine: none for root, else sudo's.

    Raises:
        NotInstalled: this account may not change the machine.
    """
    if os.geteuid() == 0 if is_root is None else is_root:
        return []
    if run(["sudo", "-n", "true"], "").status == 0:
        return ["sudo", "-n"]
    raise NotInstalled(
        f"{wanted.program} is not here, and this account may not install it. {wanted.by_hand}."
    )


def install(
    wanted: Wanted,
    say: Say,
    prefix: Sequence[str],
    *,
    run: Runner = run_command,
    policy: Path = POLICY,
) -> None:
    """Install packages; ``prefix`` is what ``privilege`` gave.

    Raises:
        NotInstalled: there is no apt-get, or the installation failed; the text says why.
    """
    if run(["apt-get", "--version"], "").status != 0:
        raise NotInstalled(f"{wanted.program} is not here, nor is apt-get. {wanted.by_hand}.")
    named = " ".join(wanted.packages)
    say(f"installing {wanted.program} (Debian package {named}) ...")
    with _services_held_back(wanted, prefix, run, policy):
        _apt_install(wanted, prefix, run, say)


@contextmanager
def _services_held_back(
    wanted: Wanted, prefix: Sequence[str], run: Runner, policy: Path
) -> Iterator[None]:
    """Keep packages from starting their services (the way Debian's policy names for it)."""
    if policy.exists():
        yield
        return
    script = "#!/bin/sh\nexit 101\n"
    made = run([*prefix, "install", "-m", "755", "/dev/stdin", str(policy)], script)
    if made.status != 0:
        output = made.output.strip()
        raise NotInstalled(f"{policy} cannot be written: {output}. {wanted.by_hand}.")
    try:
        yield
    finally:
        run([*prefix, "rm", "-f", str(policy)], "")


def _apt_install(wanted: Wanted, prefix: Sequence[str], run: Runner, say: Say) -> None:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    apt += ["-q", "-o", "DPkg::Lock::Timeout=120"]
    command = [*apt, "install", "-y", "--no-install-recommends", *wanted.packages]
    if run(command, "").status == 0:
        return
    say("reading the package lists again ...")
    updated = run([*apt, "update"], "")
    done = run(command, "")
    if done.status != 0:
        # An update that failed is the likelier cause than the install that followed it.
        cause = updated if updated.status != 0 else done
        raise NotInstalled(
            f"apt-get could not install {' '.join(wanted.packages)}:\n"
            f"{cause.output.strip()}\n{wanted.by_hand}."
        )
