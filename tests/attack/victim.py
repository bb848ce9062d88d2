"""The installation that is attacked, with what its attackers may do and its keepers may see."""

import json
import secrets
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pika
import sqlalchemy as sa
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPConnectionError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    StreamLostError,
    UnroutableError,
)
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from hub.broker.parameters import LinkSettings, parameters
from hub.compose.ledger import ledger_url
from hub.hosts import Host
from hub.tls import Identity, client_context
from tests.fault.ground import SPEAKS, Ground
from tests.samples import income, tax_event
from tests.servers.postgresql import programs

PATIENCE = 60.0
EXCHANGE, TYPE = f"in.{SPEAKS}", "income.assessed"
FIRST_PERSON = 700_000
ENTRIES = "renkei_ledger_entries_total"


@dataclass
class Victim:
    """A hub that runs, with broker, database and adapters.

    ``SPEAKS`` names the system whose key or password the attacker has, where nothing else is said.
    """

    ground: Ground
    pki: Path
    persons: int = 0
    logged: int = 0
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        groups = json.loads(self.ground.state.metrics_targets.read_text(encoding="utf-8"))
        for group in groups:
            port = int(group["targets"][0].rpartition(":")[2])
            self.ports[group["labels"]["process"]] = port

    # -- what an attacker does -----------------------------------------------------------

    def event(self, data: Mapping[str, Any] | None = None, **attributes: object) -> dict[str, Any]:
        """Make a message of the tax system that is right, but for what is asked for.

        Each is about somebody else, so that none waits for another.
        """
        self.persons += 1
        about = {"addressee_number": f"{FIRST_PERSON + self.persons:015d}", "my_number": None}
        given = {**income(), **about, **(data or {})}
        return {**tax_event(given), "id": f"attack-{secrets.token_hex(8)}", **attributes}

    @property
    def where(self) -> Host:
        """Where the broker takes connections by certificate."""
        assert self.ground.node.secure is not None
        return self.ground.node.secure.amqp

    def settings(self, identity: Identity, user: str = SPEAKS, port: int = 0) -> LinkSettings:
        """Give the settings of a link by a certificate."""
        return LinkSettings(
            host=self.where.name,
            port=port or self.where.port,
            vhost=self.ground.vhost,
            user=user,
            password=SecretStr(""),
            name=f"somebody as {user}",
            tls=partial(client_context, identity),
        )

    def parameters(self, user: str) -> pika.ConnectionParameters:
        """Give what a client needs: an account's certificate, or the administrator's password."""
        node = self.ground.node
        if user != node.admin_user:
            return parameters(self.settings(Identity(self.pki, user), user))
        login = pika.PlainCredentials(user, node.admin_password.get_secret_value())
        return pika.ConnectionParameters(node.host, node.port, self.ground.vhost, login)

    @contextmanager
    def channel(self, user: str = SPEAKS) -> Iterator[BlockingChannel]:
        """Speak to the broker as a user, in whatever way one likes."""
        connection = pika.BlockingConnection(self.parameters(user))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def refusal(self, act: Callable[[BlockingChannel], Any], user: str = SPEAKS) -> str:
        """Do something as a user; say how the broker refused it, or nothing."""
        try:
            with self.channel(user) as channel:
                act(channel)
        except (ChannelClosedByBroker, ConnectionClosedByBroker) as closed:
            return f"broker: {closed.reply_code} {closed.reply_text.partition(' ')[0]}"
        except UnroutableError:
            return "broker: no queue for it"
        except StreamLostError:
            return "broker: cut off"
        return ""

    def publish(  # noqa: PLR0913 - whatever may be forged
        self,
        event: Mapping[str, Any] | bytes,
        *,
        exchange: str = EXCHANGE,
        key: str = TYPE,
        user: str = SPEAKS,
        signed: str | None = "",
        headers: Mapping[str, Any] | None = None,
        message_id: str = "",
    ) -> str:
        """Publish as a user; say how the broker refused it, or nothing.

        It is signed with the user's name, with another, or with None not at all.
        """
        body = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
        name = message_id if isinstance(event, bytes) else str(event["id"])
        properties = pika.BasicProperties(
            content_type="application/cloudevents+json",
            delivery_mode=2,
            message_id=name,
            type=key,
            user_id=user if signed == "" else signed,
            headers=dict(headers or {}),
        )
        return self.refusal(
            lambda channel: channel.basic_publish(exchange, key, body, properties, mandatory=True),
            user,
        )

    def guess(self, user: str, password: str) -> str:
        """Log in by a guessed password, with one's own certificate; say what came of it."""
        where = self.parameters(SPEAKS)
        where.credentials = pika.PlainCredentials(user, password)
        try:
            pika.BlockingConnection(where).close()
        except AMQPConnectionError as closed:
            return f"broker: {type(closed).__name__}"
        return ""

    def drop(self, system: str, name: str, content: bytes) -> Path:
        """Put a file where a system puts its files for the hub."""
        path = self.drive(system) / "to-hub" / name
        path.write_bytes(content)
        return path

    @contextmanager
    def rights(self) -> Iterator[sa.Connection]:
        """Give a connection to the ledger's database with all rights; it commits."""
        engine = sa.create_engine(self._database(), connect_args={"ssl_context": False})
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def _database(self) -> sa.URL:
        site, _ = self.ground.checked()
        return sa.make_url(ledger_url(site)).set(query={})

    def with_database(self, program: str, *arguments: str, said: bytes = b"") -> bytes:
        """Run a program of PostgreSQL's on the ledger's database; give what it prints."""
        url = self._database()
        where = ["-h", str(url.host), "-p", str(url.port), "-U", str(url.username)]
        environment = {
            "PGPASSWORD": str(url.password),
            "PGSSLMODE": "disable",
            # Where the hub's watch and this wait for one another, the watch is to give way.
            "PGOPTIONS": "-c deadlock_timeout=60s",
            "LC_ALL": "C.UTF-8",
        }
        command = [str(programs() / program), *where, "-d", str(url.database), *arguments]
        run = subprocess.run(command, env=environment, input=said, capture_output=True, check=True)
        return run.stdout

    # -- what is seen of it --------------------------------------------------------------

    def drive(self, system: str) -> Path:
        return self.ground.state.drive(system)

    def until(self, event: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:  # noqa: ANN401
        """Wait for something, also for a process that does not answer yet; give what it gives."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                if found := event():
                    return found
            assert time.monotonic() < deadline, f"no {what} within {seconds} s"
            time.sleep(0.05)  # other processes have no event to wait for

    def found(self, *filters: str) -> list[dict[str, Any]]:
        """Search the ledger as its keeper would."""
        status, printed = self.ground.renkei("ledger", "search", "--json", *filters)
        assert status == 0, printed
        return [json.loads(line) for line in printed.splitlines()]

    def outcomes(self, message: str) -> set[tuple[str, str]]:
        """Give (kind, outcome) of every entry about a message."""
        return {(one["kind"], one["outcome"]) for one in self.found("--message", message)}

    def recorded(self, message: str, outcome: str) -> str:
        """Wait until the ledger says this of a message; say where it stands."""
        kinds = self.until(
            lambda: [kind for kind, code in self.outcomes(message) if code == outcome],
            f"entry {outcome}",
        )
        return f"ledger: {kinds[0]} {outcome}"

    def passes(self, seconds: float = PATIENCE) -> float:
        """Send a message that is right; say how long it took until its receiver had it."""
        event = self.event()
        began = time.monotonic()
        assert not self.publish(event)
        self.until(
            lambda: ("receipt", "delivered") in self.outcomes(str(event["id"])),
            "receipt of a message that is right",
            seconds,
        )
        return time.monotonic() - began

    def metric(self, name: str, **labels: str) -> float:
        """Add up a metric over all processes that have it."""
        return sum(self._samples(name, labels))

    def _samples(self, name: str, labels: Mapping[str, str]) -> Iterator[float]:
        for port in self.ports.values():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name == name and labels.items() <= sample.labels.items():
                        yield sample.value

    def watch(self, name: str, **labels: str) -> Callable[[], str]:
        """Give what waits until a metric is more than it is now, and says which."""
        before = self.metric(name, **labels)
        shown = ",".join(f'{label}="{value}"' for label, value in labels.items())

        def rises() -> str:
            self.until(lambda: self.metric(name, **labels) > before, f"rise of {name}")
            return f"`{name}{{{shown}}}`" if shown else f"`{name}`"

        return rises

    def mark(self) -> None:
        """Begin to look for what the broker says from here on."""
        self.logged = self._broker_log.stat().st_size

    @property
    def _broker_log(self) -> Path:
        return self.ground.node.folder / "log" / "rabbit.log"

    def broker_says(self, *words: str, seconds: float = PATIENCE) -> str:
        """Wait until a line of the broker's log has these words; say so."""

        def said() -> bool:
            with self._broker_log.open("rb") as log:
                log.seek(self.logged)
                lines = log.read().decode(errors="replace").splitlines()
            return any(all(word in line for word in words) for line in lines)

        self.until(said, f"line of the broker with {words}", seconds)
        return "broker's log"
