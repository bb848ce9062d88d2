"""A private PostgreSQL server for tests, from the Debian package.

It runs in a temporary folder on a loopback port, as an account that is not root, and ends with
the process that started it, however that ends. ``fsync`` is off: the tests kill the server's
processes, never the machine, and what a process wrote survives that without it. Everything is
thrown away at the end.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import pg8000.dbapi

from hub.broker.free import free_ports
from hub.packages import Run, run_command
from tests.servers.packages import alone

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LIBRARIES = Path("/usr/lib/postgresql")
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")
BY_HAND = "Install PostgreSQL (Debian and Ubuntu: apt-get install postgresql) for the tests"
ADMIN = "renkei_tests"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    # The ledger asks for more by itself, and a test sees that it does.
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "30",
    "password_encryption": "scram-sha-256",
}
SECURE = {
    "ssl": "on",
    "ssl_cert_file": "tls.pem",
    "ssl_key_file": "tls.key",
    "ssl_ca_file": "ca.pem",
    "ssl_crl_file": "crl.pem",
    "ssl_min_protocol_version": "TLSv1.2",
}
"""With TLS; the files lie in its data folder (docs/operations/certificates.md)."""
DURABLE = {
    **SETTINGS,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}
"""What a benchmark takes: as a city would run it."""


class NoPostgresql(Exception):
    """There is none, and it could not be installed; the text says what to do."""


def programs() -> Path:
    """Give the folder of the newest installed PostgreSQL's programs; install it if there is none.

    Raises:
        NoPostgresql: it is not here and cannot be installed.
    """
    found = _installed()
    if found is None:
        with alone():
            if _installed() is None:
                _install()
        found = _installed()
    if found is None:
        raise NoPostgresql(f"{LIBRARIES} has no PostgreSQL. {BY_HAND}.")
    return found


def _installed() -> Path | None:
    versions = [path for path in LIBRARIES.glob("*/bin") if (path / "initdb").is_file()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


def _install() -> None:
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and run_command([*prefix, "true"]).status != 0:
        raise NoPostgresql(
            f"PostgreSQL is not here and this account may not install it. {BY_HAND}."
        )
    # The package would make and start a cluster of its own; this file tells it not to.
    if not NO_CLUSTER.exists():
        run_command([*prefix, "mkdir", "-p", str(NO_CLUSTER.parent)])
        run_command(
            [*prefix, "install", "-m", "644", "/dev/stdin", str(NO_CLUSTER)],
            "create_main_cluster = false\n",
        )
    done = _apt(prefix)
    if done.status != 0:
        raise NoPostgresql(f"apt-get could not install postgresql:\n{done.output}\n{BY_HAND}.")


def _apt(prefix: list[str]) -> Run:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    apt += ["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold"]
    install = [*apt, "install", "-y", "--no-install-recommends", "postgresql"]
    first = run_command(install)
    if first.status == 0:
        return first
    run_command([*apt, "update"])
    return run_command(install)


class PostgresqlServer:
    """A server that belongs to this process; a context manager."""

    def __init__(
        self,
        settings: Mapping[str, str] = SETTINGS,
        certificates: Path | None = None,
        listen: str = HOST,
    ) -> None:
        """Take its settings, and the folder of ``renkei pki`` by which it speaks TLS as well.

        Who comes over TLS then logs in by its certificate alone, in plain by password alone, and
        to loopback alone. ``listen`` is an address for TLS, of a network of this machine.
        """
        self._certificates = certificates
        self._settings = settings if certificates is None else {**settings, **SECURE}
        if listen != HOST:
            self._settings = {**self._settings, "listen_addresses": f"{HOST},{listen}"}
        self._programs = programs()
        self._account = _account()
        self._folder = Path(tempfile.mkdtemp(prefix="renkei-postgresql-", dir=_open_to_all()))
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.password = secrets.token_urlsafe(18)
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def data(self) -> Path:
        """Give the folder of everything that it writes."""
        return self._data

    def url(self, database: str) -> str:
        """Give the address of a database, as a site file would."""
        return f"postgresql+pg8000://{ADMIN}:{self.password}@{HOST}:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """Make a database and give its address; it goes away with whatever still uses it."""
        name = f"t{secrets.token_hex(6)}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self) -> None:
        """Start it, on the same port as before if it ran before."""
        for _ in range(5):
            if self.port == 0:
                (self.port,) = free_ports(1)
            if self._has_started():
                return
            self.port = 0
        raise NoPostgresql(f"PostgreSQL does not start:\n{self._log.read_text()[-2000:]}")

    def _has_started(self) -> bool:
        """Start its first process; say whether it serves. One that does not is ended."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        server = str(self._programs / "postgres")
        command = [server, "-D", str(self._data), "-p", str(self.port), *settings]
        with self._log.open("ab") as log:
            # With its parent's end it gets SIGINT: PostgreSQL's fast shutdown.
            self._process = subprocess.Popen(
                self._as_account("--pdeathsig=INT", *command), stdout=log, stderr=log
            )
        if self._answers():
            return True
        self.stop()
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT closes all connections first, SIGQUIT leaves as after a crash."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        self._process = None

    def alive(self) -> bool:
        """Say whether its first process runs."""
        return self._process is not None and self._process.poll() is None

    def connections(self) -> list[int]:
        """Give the processes that serve a connection each."""
        return [pid for pid in _children(self.pid) if ADMIN in _title(pid)]

    def restart(self) -> None:
        """Start it again where it was, after whatever ended it.

        What its first process left behind ends by itself, and the new one has to wait for that.
        """
        deadline = time.monotonic() + START_SECONDS
        port = self.port
        while not self._has_started():
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
        assert self.port == port

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let none of its processes run for a while; connections stay open and say nothing.

        A shell holds them, which lets them go when this process ends too: what is stopped
        could not end by itself.
        """
        pids = [str(pid) for pid in (self.pid, *_children(self.pid))]
        script = 'kill -STOP "$@"; echo stopped; read -r nothing; kill -CONT "$@"'
        holding = subprocess.Popen(
            ["sh", "-c", script, "sh", *pids], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with holding:
            assert holding.stdout is not None
            assert holding.stdout.readline() == b"stopped\n"
            yield

    def close(self) -> None:
        """End it and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder)

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self._account is not None:
            for path in (self._folder, secret):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", ADMIN]
        command += ["--pwfile", str(secret), "--auth=scram-sha-256", "-E", "UTF8"]
        command += ["--locale=C", "--no-sync"]
        made = run_command(self._as_account(*command))
        secret.unlink()
        if made.status != 0:
            raise NoPostgresql(f"initdb failed:\n{made.output}")
        if self._certificates is not None:
            rules = self._data / "pg_hba.conf"
            by_certificate = "hostssl all all samenet cert map=renkei\n"
            rules.write_text(by_certificate + rules.read_text())
            (self._data / "pg_ident.conf").write_text(f"renkei hub {ADMIN}\n")
            self.take_certificates()

    def take_certificates(self) -> None:
        """Take the files of the folder as they are now; one that runs reads them again."""
        assert self._certificates is not None
        own = self._certificates / "postgresql"
        for file in (own / "tls.pem", own / "tls.key", *self._certificates.glob("trust/*.pem")):
            copy = self._data / file.name
            shutil.copy(file, copy)
            copy.chmod(0o600)
            if self._account is not None:
                os.chown(copy, self._account.pw_uid, self._account.pw_gid)
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def _as_account(self, *command: str) -> list[str]:
        if self._account is None:
            return ["setpriv", *command]
        ids = (f"--reuid={self._account.pw_uid}", f"--regid={self._account.pw_gid}")
        return ["setpriv", *ids, "--clear-groups", *command]

    def _answers(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            # The wait for its end is the pause between two tries.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                return False
            with contextlib.suppress(pg8000.dbapi.Error):
                self._execute("SELECT 1")
                return True
        return False

    def _execute(self, statement: str) -> None:
        connection = pg8000.dbapi.connect(
            ADMIN,
            host=HOST,
            port=self.port,
            password=self.password,
            database="postgres",
            ssl_context=False,  # else it reads all the machine's certificates first
        )
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()


def _account() -> pwd.struct_passwd | None:
    """Give the account to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgresql("PostgreSQL does not run as root, and there is no account 'nobody'")


def _open_to_all() -> Path:
    """Give a temporary folder that another account can reach."""
    chosen = os.environ.get("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    for folder in (Path(chosen), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        parents = [folder, *folder.resolve().parents]
        if folder.is_dir() and all(path.stat().st_mode & stat.S_IXOTH for path in parents):
            return folder
    raise NoPostgresql("no temporary folder can be reached by another account")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _title(pid: int) -> str:
    """Give what a process of the server says that it is."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
