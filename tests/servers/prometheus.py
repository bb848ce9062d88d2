"""Prometheus, Alertmanager and their tools for tests, from Debian's packages.

Both run in a folder of the test on free loopback ports, as the account that runs the test, and end
with it.
"""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.broker.free import free_ports
from hub.packages import Wanted
from tests.servers.packages import found_or_installed

PROGRAMS = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
"""Each program, and the package that has it."""
_PACKAGES = tuple(dict.fromkeys(PROGRAMS.values()))
WANTED = Wanted(
    "Prometheus with Alertmanager",
    _PACKAGES,
    f"Install them (Debian and Ubuntu: apt-get install {' '.join(_PACKAGES)}) for the tests",
)
START_SECONDS = 30.0
STOP_SECONDS = 10.0
CHECK_SECONDS = 120.0


@functools.cache
def program(name: str) -> str:
    """Give the path of one of ``PROGRAMS``; install all of them if it is not here.

    Raises:
        NotInstalled: they cannot be installed; the text says what to do.
    """
    return found_or_installed(lambda: shutil.which(name), WANTED)


def checked(name: str, *arguments: str, text: str | None = None) -> str:
    """Run a tool to its end and give what it said.

    Raises:
        AssertionError: it found fault; the text is what it said.
    """
    done = subprocess.run(
        [program(name), *arguments],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CHECK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, path: str, **query: str) -> Any:  # noqa: ANN401
        """Ask its API; give what stands under ``data``."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - a loopback port
            return json.load(answer)["data"]

    def values(self, query: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Give the values of now, by labels without the name."""
        return {
            tuple(sorted((k, v) for k, v in one["metric"].items() if k != "__name__")): float(
                one["value"][1]
            )
            for one in self.ask("query", query=query)["result"]
        }

    def firing(self) -> set[str]:
        """Name the alerts that fire."""
        return {
            one["labels"]["alertname"]
            for one in self.ask("alerts")["alerts"]
            if one["state"] == "firing"
        }


@contextlib.contextmanager
def prometheus(folder: Path, config: str) -> Iterator[Prometheus]:
    """Run one with a configuration; it is ready."""
    (port,) = free_ports(1)
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    url = f"http://127.0.0.1:{port}"
    with _running(command, folder / "prometheus.log", f"{url}/-/ready"):
        yield Prometheus(url)


@contextlib.contextmanager
def alertmanager(folder: Path, config: str) -> Iterator[str]:
    """Run one with a configuration, alone; it is ready. Give its address."""
    (port,) = free_ports(1)
    (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    address = f"127.0.0.1:{port}"
    with _running(command, folder / "alertmanager.log", f"http://{address}/-/ready"):
        yield address


def until(found: Callable[[], object], what: str, seconds: float) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it was not in time.
    """
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


@contextlib.contextmanager
def _running(command: list[str], log: Path, ready: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=_environment(), cwd=log.parent
        )
    try:
        until(lambda: _answers(process, ready, log), f"an answer of {command[0]}", START_SECONDS)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - a loopback port
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _environment() -> Mapping[str, str]:
    """No proxy stands between processes of one machine."""
    return {**os.environ, "no_proxy": "*"}
