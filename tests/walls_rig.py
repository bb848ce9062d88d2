"""A site with four systems on a vhost of its own, for the tests of its walls."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker
from pydantic import SecretStr

from hub.cli.main import app, guarded
from hub.site import HUB_USER
from tests.conftest import Vhost
from tests.plain_site import PLAIN
from tests.samples import SIGNER

NAMED = ("premium-collection", "resident-registry", "tax", "union")
CLOSING = """
[catalogue.flows.I2]
close = true
reason = "tests"
decided_by = "somebody"
decided_on = 2026-01-01

[catalogue.flows.M1d]
close = true
reason = "tests"
decided_by = "somebody"
decided_on = 2026-01-01
"""


@dataclass
class Office:
    """A site with four systems on a vhost that its administrator brings about."""

    folder: Path
    vhost: Vhost

    def __post_init__(self) -> None:
        secrets = {name: f"{name}-{'k' * 40}" for name in (HUB_USER, "key", *NAMED)}
        secrets["ledger-key"] = SIGNER.text()
        secrets["admin"] = self.vhost.broker.admin_password.get_secret_value()
        (self.folder / "secrets").mkdir()
        for name, text in secrets.items():
            secret = self.folder / "secrets" / name
            secret.write_text(text)
            secret.chmod(0o600)
        self.vhost.passwords = {name: SecretStr(secrets[name]) for name in (HUB_USER, *NAMED)}
        self.write()

    @property
    def site_file(self) -> Path:
        return self.folder / "site.toml"

    def write(self, more: str = "", hub: str = "") -> None:
        """Write the site file; ``more`` stands at its end, ``hub`` among the hub's keys."""
        broker = self.vhost.broker
        lines = [
            PLAIN,
            "[broker]",
            f'host = "{broker.host}"',
            f"port = {broker.port}",
            f'vhost = "{self.vhost.name}"',
            f'management_url = "{broker.management_url}"',
            f'admin_user = "{broker.admin_user}"',
            'admin_password_file = "secrets/admin"',
            "[hub]",
            'password_file = "secrets/hub"',
            'pseudonym_key_file = "secrets/key"',
            hub,
        ]
        for system in NAMED:
            lines += [f"[systems.{system}]", f'folder = "drives/{system}"']
            lines += [f'journal = "{system}.sqlite3"', f'password_file = "secrets/{system}"']
        self.site_file.write_text("\n".join(lines) + more, encoding="utf-8")

    def renkei(self, *arguments: str) -> int:
        command = [*arguments, "--site", str(self.site_file)]
        try:
            return guarded(lambda: app(command, prog_name="renkei"))
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 1

    @contextmanager
    def channel(self, user: str) -> Iterator[BlockingChannel]:
        """Open a plain channel as a user, as any AMQP client might."""
        settings = self.vhost.settings(user)
        credentials = pika.PlainCredentials(user, settings.password.get_secret_value())
        where = pika.ConnectionParameters(settings.host, settings.port, settings.vhost, credentials)
        connection = pika.BlockingConnection(where)
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def takes(self, user: str, exchange: str, key: str) -> bool:
        """Say whether the broker takes a message; any refusal but 403 is an error."""
        with self.channel(user) as channel:
            try:
                channel.basic_publish(exchange, key, b"{}", mandatory=True)
            except ChannelClosedByBroker as closed:
                if closed.reply_code == 403:
                    return False
                raise
        return True
