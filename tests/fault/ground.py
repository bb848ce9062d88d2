"""The drill ground: one installation of the hub, as a person would run it, to be struck at will.

``renkei up`` runs the hub and the adapters of three systems; a fourth system, the tax, has an
account and speaks AMQP itself (``tests/fault/load.py``). The broker is a private node, the ledger
SQLite or PostgreSQL. Everything is started on the thread that made the ground: its children end
with that thread.
"""

import contextlib
import datetime as dt
import io
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import adapters
from hub.broker.apply import apply
from hub.broker.node import PrivateNode
from hub.broker.provide import ProvidedBroker
from hub.cli.main import app, guarded
from hub.clock import today
from hub.compose.broker import broker_plan, passwords_to_set
from hub.compose.checked import load_checked
from hub.compose.ledger import ledger_url
from hub.demo.site_file import write_site
from hub.demo.state import DemoState, Parameters, opened, write_atomically
from hub.ledger.schema import migrate
from hub.pki.parties import PARTIES
from hub.pki.store import Store
from hub.site import Site
from hub.statute.model import Catalogue
from tests.demo_rig import Renkei, supervised
from tests.fault.disk import SmallDisk
from tests.fault.strikes import Strikes
from tests.proxy import Proxy
from tests.servers.ledgers import ledger_on
from tests.servers.postgresql import PostgresqlServer

FILES = ("resident-registry", "premium-collection", "union")
"""Systems with an adapter."""
SPEAKS = "tax"
"""The system that speaks AMQP itself."""
BROKER, DATABASE, SUPERVISOR = "broker", "postgresql", "supervisor"


CERTIFIED_BEFORE = dt.timedelta(days=2)
"""How old the certificates of a ground are: a clock that is set back must find them in force."""


def certified_before(pki: Path) -> None:
    """Make the keys of all accounts anew, as if they had been made some time ago."""
    then = dt.datetime.now(dt.UTC) - CERTIFIED_BEFORE
    accounts = sorted({one.name.split(".")[0] for one in (pki / PARTIES).glob("*.pem")})
    shutil.rmtree(pki)
    Store.of(pki, "demo").init(then)
    for account in accounts:
        Store.of(pki, "demo").issue_encryption(account, then)


@dataclass
class Ground:
    """One installation that runs; a context manager.

    ``workers`` are hub processes, ``files`` the systems with an adapter. The ledger is in
    ``database``, or on ``disk``. With ``proxied`` all processes reach the broker through ``proxy``;
    the load never does. With ``pki``, a folder of certificates of which the node has its own, all
    of them come by certificate. With ``console`` there is one, and two persons
    decide about confirmations.
    """

    folder: Path
    node: PrivateNode
    database: PostgresqlServer | None = None
    workers: int = 1
    disk: SmallDisk | None = None
    proxied: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Collection[str] = FILES
    pki: Path | None = None
    console: bool = False
    proxy: Proxy | None = None
    run: Renkei | None = None
    runs: int = 0
    strikes: Strikes = field(default_factory=Strikes)
    _stack: ExitStack = field(default_factory=ExitStack)
    _starting: threading.Thread | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._lay(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- what it is ----------------------------------------------------------------------

    @property
    def state(self) -> DemoState:
        return DemoState(self.folder.resolve() / "site", Parameters(1, 0, 1, workers=self.workers))

    @property
    def url(self) -> str:
        """The address for the system that speaks AMQP itself."""
        password = self.state.secret(SPEAKS).read_text().strip()
        return f"amqp://{SPEAKS}:{password}@{self.node.host}:{self.node.port}/{self.vhost}"

    @property
    def vhost(self) -> str:
        return self.state.vhost()

    def checked(self) -> tuple[Site, Catalogue]:
        return load_checked(self.state.site_file)

    def broker(self) -> ProvidedBroker:
        node = self.node
        return ProvidedBroker(
            host=node.host,
            port=node.port,
            management_url=node.management_url,
            admin_user=node.admin_user,
            admin_password=node.admin_password,
            kind="private node",
            node=node,
        )

    def renkei(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the site in this process; give its status and what it printed."""
        status, printed, _ = self._ran(*arguments)
        return status, printed

    def must(self, *arguments: str) -> None:
        """Run a command of the site that has to do what it is for."""
        status, _, said = self._ran(*arguments)
        assert status == 0, f"renkei {' '.join(arguments)}: {said}"

    def _ran(self, *arguments: str) -> tuple[int, str, str]:
        printed, said = io.StringIO(), io.StringIO()
        command = [*arguments, "--site", str(self.state.site_file)]
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
            try:
                status = guarded(lambda: app(command, prog_name="renkei"))
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else 1
        return status, printed.getvalue(), said.getvalue()

    def version(self) -> str:
        """Give the version of the broker."""
        with self.broker().management() as management:
            return str(management.get("overview")["rabbitmq_version"])

    # -- bringing it about ---------------------------------------------------------------

    def _lay(self, stack: ExitStack) -> None:
        with opened(self.folder / "site", self.state.parameters):
            pass
        if self.disk is not None:
            (self.state.root / "ledger").symlink_to(self.disk.folder)
        if self.proxied:
            self.proxy = stack.enter_context(Proxy(self.node.host, self.node.port))
        address = ""
        if self.database is not None:
            address = stack.enter_context(self.database.database())
        with self.broker().management() as management:
            management.put("vhosts", self.vhost)
            stack.callback(self._drop_vhost)
            self._write((*self.files, SPEAKS), address)
            site, catalogue = load_checked(self.state.site_file)
            topology, known = broker_plan(site, catalogue, today()), passwords_to_set(site)
            apply(management, self.vhost, topology, known, settle=lambda _: None)
            who = self.node.admin_user
            rights = {"configure": ".*", "write": ".*", "read": ".*"}
            management.put("permissions", self.vhost, who, body=rights)
        self._write(tuple(self.files), address)
        site, _ = self.checked()
        migrate(ledger_url(site))
        stack.callback(self._end)
        self.start()

    def _end(self) -> None:
        """End what runs on it; a database that was killed has to be there to be removed."""
        self.stop()
        if self.database is not None and not self.database.alive():
            self.database.restart()

    def _drop_vhost(self) -> None:
        if self.node.alive():
            with self.broker().management() as management:
                management.delete("vhosts", self.vhost)

    def _write(self, systems: tuple[str, ...], database: str) -> None:
        broker = self.broker()
        served = [system for system in systems if adapters.simulator(system).served]
        write_site(self.state, broker, self.vhost, systems, served, console=self.console)
        certified_before(self.state.pki)
        port = self.proxy.port if self.proxy is not None else broker.port
        admin = self.state.secret("admin")
        write_atomically(admin, broker.admin_password.get_secret_value() + "\n")
        told = {
            f"port = {broker.port}\n": f'port = {port}\nadmin_user = "{broker.admin_user}"\n'
            'admin_password_file = "secrets/admin"\n',
            "file_seconds = 0.5": "file_seconds = 0.2",
            "poll_seconds = 0.2": "poll_seconds = 0.1",
        }
        if self.console:
            told["[hub]\n"] = '[hub]\nsecond_person = ["confirmations"]\n'
        if database:
            told |= ledger_on(database, self.state)
        if self.pki is not None and (secure := self.node.secure) is not None:
            told |= {
                'plain_loopback = true\nfolder = "pki"\n': f'folder = "{self.pki}"\n',
                f"port = {broker.port}\n": told[f"port = {broker.port}\n"].replace(
                    f"port = {port}\n", f"port = {secure.amqp.port}\n"
                ),
                broker.management_url: f"https://{secure.management}",
                'url = "http://': 'url = "https://',
            }
        text = self.state.site_file.read_text(encoding="utf-8")
        for old, new in told.items():
            assert old in text, old
            text = text.replace(old, new)
        write_atomically(self.state.site_file, text)

    # -- running it ----------------------------------------------------------------------

    def start(self) -> None:
        """Start ``renkei up``; it is working when its adapters and workers say so."""
        self.runs += 1
        here = self.folder / f"up-{self.runs}"
        command = ("up", "--site", str(self.state.site_file))
        self.run = Renkei(here, command, self.environment)

    def until_working(self) -> None:
        """Wait until every process that was started has begun to work."""
        assert self.run is not None
        names = {"hub", *(f"adapter-{system}" for system in self.files)}
        self.run.until(lambda: names <= set(self.pids()), "list of processes")
        logs = [self.state.logs / f"{name}.log" for name in names]
        self.run.until(
            lambda: all(log.exists() and " is working" in log.read_text() for log in logs), "work"
        )

    def pids(self) -> dict[str, int]:
        """Give every process that can be struck, by name."""
        found = supervised(self.state.logs)
        if self.run is not None and self.run.process.poll() is None:
            found[SUPERVISOR] = self.run.process.pid
        if self.node.alive() and self._starting is None:
            found[BROKER] = self.node.pids["server"]
        if self.database is not None:
            found[DATABASE] = self.database.pid
        return found

    def strike(self, name: str, number: signal.Signals, seconds: float = 0.0) -> bool:
        """Send a signal to a process; let a stopped one go on after so long.

        Says whether there was such a process.
        """
        pid = self.pids().get(name)
        return pid is not None and self.strike_process(name, pid, number, seconds)

    def strike_process(
        self, name: str, pid: int, number: signal.Signals, seconds: float = 0.0
    ) -> bool:
        """Do the same to a process by its number."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        self.strikes.note(name, number.name, pid, seconds)
        return True

    def tend(self) -> None:
        """Let go on what was stopped long enough, and start again what nobody else would."""
        self.strikes.thaw()
        if self.run is None or self.run.process.poll() is not None:
            self.start()
        if self._starting is not None and not self._starting.is_alive():
            self._starting = None
        if self._starting is None and not self.node.alive():
            self._starting = threading.Thread(target=self.node.start)
            self._starting.start()
        if self.database is not None and not self.database.alive():
            self.database.restart()

    def whole(self) -> None:
        """Let everything go on, and have all of it running."""
        self.strikes.thaw(all_of_them=True)
        self.tend()
        if self._starting is not None:
            self._starting.join()
        self.tend()

    def stop(self) -> None:
        """End ``renkei up`` in order; at last by force."""
        self.strikes.thaw(all_of_them=True)
        if self._starting is not None:
            self._starting.join()
        if self.run is None:
            return
        with contextlib.suppress(Exception):
            self.run.stopped(seconds=30)
        self.run.end()

    def restart(self, environment: Mapping[str, str]) -> None:
        """Run ``renkei up`` anew with other variables in its environment."""
        self.stop()
        self.environment = environment
        self.start()


def say(line: str) -> None:
    """Tell who waits for a long run how it goes."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def last_object(printed: str) -> dict[str, Any]:
    """Give the object that a command printed."""
    found: dict[str, Any] = json.loads(printed[printed.index("{") :])
    return found
