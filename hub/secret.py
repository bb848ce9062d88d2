"""Secrets: where one comes from, and how it is read.

A secret stands in a file that nobody else can read or change, in the environment, or is what a
command prints. Errors name the place and what is wrong there, never what it holds, and nothing of
what a command writes.
"""

import errno
import os
import select
import signal
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator, SecretStr

from hub.errors import SiteError

MOST_BYTES = 65_536
"""No secret is longer."""
COMMAND_SECONDS = 10.0
"""How long a command may take to print one."""
_VARIABLE_LENGTH = 100
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITTEN_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """A secret in an environment variable."""

    name: str

    def __str__(self) -> str:
        """Say where it is."""
        return f"in the environment variable {self.name}"


@dataclass(frozen=True, slots=True)
class FromCommand:
    """A secret that a command prints: a program's absolute path, and its arguments; no shell."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        """Say where it is; the arguments are left out."""
        return f"of the command {self.words[0]}"


SecretPlace = Path | FromEnvironment | FromCommand


def secret_source(value: object) -> SecretPlace:
    """Take what a site file says of a secret: where it is, never the secret itself.

    Raises:
        ValueError: it is no path, ``{ env = "NAME" }`` or ``{ command = ["/a/program", …] }``.
    """
    match value:
        case str() | Path() if str(value):
            return Path(value)
        case FromEnvironment() | FromCommand():
            return value
        case {"env": str() as name, **rest} if not rest and _is_variable(name):
            return FromEnvironment(name)
        case {"command": [str() as program, *more], **rest} if not rest and _all_texts(more):
            if Path(program).is_absolute():
                return FromCommand((program, *map(str, more)))
            message = "the command's first word is the whole path of a program, such as /usr/bin/x"
            raise ValueError(message)
    message = (
        "this is no place of a secret: the path of a file, "
        '{ env = "NAME" } or { command = ["/path/of/a/program", "an argument"] }'
    )
    raise ValueError(message)


SecretSource = Annotated[SecretPlace, PlainValidator(secret_source)]
"""Where a secret is, as a key of a site file says it."""


def _is_variable(name: str) -> bool:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
    return plain and len(name) <= _VARIABLE_LENGTH


def _all_texts(words: list[object]) -> bool:
    return all(isinstance(word, str) and "\0" not in word for word in words)


def read_secret(source: SecretPlace, *, given: bool = False) -> SecretStr:
    """Read a secret; blanks and line ends around it do not count.

    ``given`` says that another side gives it: nobody here can make one.

    Raises:
        SiteError: it is missing, empty, too long or no text; its file, or the folder of that, is
            open to others; the command fails or does not end.
    """
    match source:
        case FromEnvironment():
            found = os.environb.get(source.name.encode())
            if found is None:
                message = f"the secret {source} cannot be read: this process has no such variable"
                raise SiteError(message)
        case FromCommand():
            found = _printed(source)
        case _:
            found = _from_file(source, given=given)
    if len(found) > MOST_BYTES:
        message = f"the secret {source} is longer than {MOST_BYTES} bytes"
        raise SiteError(message)
    try:
        text = found.decode("utf-8").strip()
    except UnicodeDecodeError:
        message = f"the secret {source} cannot be read: it is no text in UTF-8"
        raise SiteError(message) from None
    if not text:
        message = f"the secret {source} is empty"
        raise SiteError(message)
    return SecretStr(text)


# -- a file ------------------------------------------------------------------------------------


def _from_file(path: Path, *, given: bool) -> bytes:
    try:
        # The very file that was looked at is read; one that is a pipe must not hold us up.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found, folder = os.fstat(handle), path.parent.stat()
            if why := _file_fault(found, folder, os.geteuid()):
                message = f"the secret {path} {why}"
                raise SiteError(message)
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        todo = (
            "write into it what its operator gave you (umask 077 first, or chmod 600)"
            if given
            else "if the site file names it, run renkei site init"
        )
        hint = f"it is not there; {todo}"
        message = f"the secret {path} cannot be read: {hint}"
        raise SiteError(message) from error
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        reason = "it is a link: name the file itself" if is_link else error.strerror
        message = f"the secret {path} cannot be read: {reason}"
        raise SiteError(message) from error


def _file_fault(file: os.stat_result, folder: os.stat_result, account: int) -> str:
    """Say why a file is no place for a secret of this account; empty where it is one."""
    if not stat.S_ISREG(file.st_mode):
        return "cannot be read: it is no file"
    # Root may look at everybody's, as when it checks a site whose adapters have accounts of
    # their own.
    if account != 0 and file.st_uid not in {0, account}:
        return "belongs to another account, which could change it: run chown on it"
    if file.st_mode & _OTHERS:
        return "is readable by others: run chmod 600 on it"
    if folder.st_mode & _WRITTEN_BY_OTHERS:
        return "lies in a folder in which others may write: run chmod go-w on the folder"
    return ""


# -- a command ---------------------------------------------------------------------------------


def _printed(source: FromCommand) -> bytes:
    """Give what a command prints on its standard output; what else it says is shown nowhere."""
    deadline = time.monotonic() + COMMAND_SECONDS
    try:
        process = subprocess.Popen(  # noqa: S603 - the site file's own command, without a shell
            source.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        message = f"the secret {source} cannot be read: it cannot be run: {error.strerror}"
        raise SiteError(message) from None
    try:
        found = _read_until(process, deadline)
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        message = f"the secret {source} cannot be read: it did not end in {COMMAND_SECONDS:g} s"
        raise SiteError(message) from None
    finally:
        _end(process)
    if status and len(found) <= MOST_BYTES:
        message = (
            f"the secret {source} cannot be read: it ended with status {status}; run it by "
            "hand to see why"
        )
        raise SiteError(message)
    return found


def _read_until(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read what a process prints until it ends that, or has printed too much.

    Raises:
        subprocess.TimeoutExpired: it went on for too long.
    """
    output = process.stdout
    if output is None:
        return b""
    found = b""
    ready = select.poll()
    ready.register(output, select.POLLIN | select.POLLHUP)
    while len(found) <= MOST_BYTES:
        if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise subprocess.TimeoutExpired(process.args, COMMAND_SECONDS)
        piece = output.read(MOST_BYTES + 1 - len(found))
        if not piece:
            return found
        found += piece
    _end(process)
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it has started, and let go of its output."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
