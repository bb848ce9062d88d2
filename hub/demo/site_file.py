"""The site file of a demo, its secrets and ports: what a person writes for a real site."""

import datetime as dt
import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from hub.broker.free import free_ports, is_free
from hub.broker.provide import ProvidedBroker
from hub.compose.install import new_ledger_key
from hub.demo.state import DemoState, write_atomically
from hub.pki.parties import PARTIES
from hub.pki.store import Store
from hub.processes import worker_names
from hub.site import HUB_USER

_KEY_BYTES = 32
CONSOLE = "console"
SETTLE_SECONDS = 1.0
"""The simulators never leave a file unfinished; who drops one by hand need not wait long."""

DECISIONS = """\
# What the city decides about flows (docs/site-file.md). Two flows of the assessment lack their
# basis, so that the hub holds them. This is how a person completes them: they state the missing
# cell, who decided it and when, and nothing else; `renkei explain I12a` tells what is missing.
# The article below is an example of the demo. Your city states its own.
[catalogue.flows.I12a]
basis = [{ law = "高齢者の医療の確保に関する法律", article = "第138条", valid_from = 2023-07-07 }]
decided_by = "医療保険課長（デモの例）"
decided_on = 2023-07-07

[catalogue.flows.I12b]
basis = [{ law = "高齢者の医療の確保に関する法律", article = "第138条", valid_from = 2023-07-07 }]
decided_by = "医療保険課長（デモの例）"
decided_on = 2023-07-07"""


def write_site(  # noqa: PLR0913 - what a demo consists of
    state: DemoState,
    broker: ProvidedBroker,
    vhost: str,
    systems: Iterable[str],
    served: Iterable[str] = (),
    *,
    console: bool = False,
) -> dict[str, int]:
    """Write the site file, secrets, keys and metrics targets of a demo; secrets and keys stay.

    ``served`` are the systems that are reached by HTTP; their ports are given. With ``console``
    the site has one.
    """
    systems, served = tuple(systems), tuple(served)
    for name in ("hub", "pseudonym-key", *systems, *map(_interface, served)):
        _make_secret(state.secret(name), secrets.token_urlsafe(_KEY_BYTES))
    _make_secret(state.secret("ledger-key"), new_ledger_key("renkei-demo/ledger"))
    _make_keys(state, (HUB_USER, *systems))
    workers = worker_names(state.parameters.workers)
    consoles = (CONSOLE,) if console else ()
    names = (*workers, "ledger-watch", *systems, *consoles)
    ports = _metrics_ports(state, len(names))
    hubs, (watch, *others) = ports[: len(workers)], ports[len(workers) :]
    *free, page = free_ports(len(served) + 1, ports)
    interfaces = dict(zip(served, free, strict=True))
    lines = [
        "# Written by renkei demo; a real site file is explained in docs/site-file.md.",
        "# Everything here runs on one machine, so its connections are plain; a real site's are",
        "# encrypted. The folder has the keys by which My Number is encrypted in every message.",
        "[tls]",
        "plain_loopback = true",
        'folder = "pki"',
        "",
        "[broker]",
        f"host = {json.dumps(broker.host)}",
        f"port = {broker.port}",
        f"vhost = {json.dumps(vhost)}",
        f"management_url = {json.dumps(broker.management_url)}",
        "",
        "[hub]",
        'ledger = "sqlite:///ledger/ledger.sqlite3"',
        'password_file = "secrets/hub"',
        'pseudonym_key_file = "secrets/pseudonym-key"',
        'ledger_key_file = "secrets/ledger-key"',
        f"metrics_port = {hubs[0]}",
        f"watch_metrics_port = {watch}",
    ]
    if len(workers) > 1:
        lines += [f"workers = {len(workers)}", f"worker_metrics_ports = {hubs[1:]}"]
    if console:
        _make_secret(state.secret("console-key"), secrets.token_urlsafe(_KEY_BYTES))
        lines += [
            "",
            "[console]",
            f"port = {page}",
            f"metrics_port = {others.pop()}",
        ]
    for system, port in zip(systems, others, strict=True):
        lines += [
            "",
            f"[systems.{system}]",
            f"folder = {json.dumps(f'drives/{system}')}",
            f"journal = {json.dumps(f'journals/{system}.sqlite3')}",
            f"password_file = {json.dumps(f'secrets/{system}')}",
            f"metrics_port = {port}",
            "poll_seconds = 0.2",
            "file_seconds = 0.5",
            f"settle_seconds = {SETTLE_SECONDS}",
        ]
        if system in interfaces:
            lines += [
                f'url = "http://127.0.0.1:{interfaces[system]}"',
                f"secret_file = {json.dumps(f'secrets/{_interface(system)}')}",
                "http_timeout_seconds = 5.0",
            ]
    lines += ["", DECISIONS]
    write_atomically(state.site_file, "\n".join(lines) + "\n")
    _write_targets(state, dict(zip(names, ports, strict=True)))
    return interfaces


def served_commands(state: DemoState, ports: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Give the command of each served simulator, by process name."""
    return {
        f"simulator-{system}": (
            "simulate",
            system,
            "--idle",
            "--folder",
            str(state.service(system)),
            "--port",
            str(port),
            "--secret-file",
            str(state.secret(_interface(system))),
        )
        for system, port in ports.items()
    }


def _interface(system: str) -> str:
    """Name the secret of a system's interface."""
    return f"{system}-interface"


def _make_secret(path: Path, content: str) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(path, content + "\n")


def _make_keys(state: DemoState, accounts: Iterable[str]) -> None:
    """Give each account a key to decrypt 個人番号 with, where it has none yet."""
    now = dt.datetime.now(dt.UTC)
    if not state.pki.exists():
        fresh = state.root / ".pki.new"  # of an authority that is half made nothing could be made
        shutil.rmtree(fresh, ignore_errors=True)
        Store.of(fresh, "demo").init(now)
        fresh.rename(state.pki)
    for account in accounts:
        if not any((state.pki / PARTIES).glob(f"{account}.*.pem")):
            Store.of(state.pki, "demo").issue_encryption(account, now)


def _metrics_ports(state: DemoState, count: int) -> list[int]:
    """Give free loopback ports; those of an interrupted run again, so that a scrape goes on."""
    if state.metrics_targets.exists():
        groups = json.loads(state.metrics_targets.read_text(encoding="utf-8"))
        ports = [int(group["targets"][0].rpartition(":")[2]) for group in groups]
        if len(ports) == count and all(map(is_free, ports)):
            return ports
    return free_ports(count)


def _write_targets(state: DemoState, ports: dict[str, int]) -> None:
    groups = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"process": name}}
        for name, port in ports.items()
    ]
    write_atomically(state.metrics_targets, json.dumps(groups, indent=2) + "\n")
