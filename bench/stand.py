"""A private broker for a benchmark, with the hub's topology and two plain queues beside it."""

import datetime as dt
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from hub.broker.apply import apply
from hub.broker.link import LinkSettings, PikaLink
from hub.broker.management import Management
from hub.broker.plan import plan
from hub.broker.provide import ProvidedBroker, provide
from hub.message import AccessItems, encode_event, partition_of
from hub.names import inbound_exchange
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER

SENDER, RECEIVER = "care-insurance", "premium-collection"
KIND = "care-status.changed"
"""One flow to one receiver, so that a message in is a message out, as in the bare moves."""
BYTES = 1024
VHOST = "bench"
SOURCE, TARGET = "bench.source", "bench.target"
RESIDENTS = 20_000
PORTION = 5000


@dataclass(frozen=True, slots=True)
class Stand:
    """A broker with a vhost that holds all that is measured."""

    broker: ProvidedBroker
    management: Management
    passwords: dict[str, SecretStr]

    def settings(self, user: str = "", queues: tuple[str, ...] = ()) -> LinkSettings:
        """Give the settings of a link, by default as the administrator."""
        password = self.passwords[user] if user else self.broker.admin_password
        return LinkSettings(
            host=self.broker.host,
            port=self.broker.port,
            vhost=VHOST,
            user=user or self.broker.admin_user,
            password=password,
            name="bench",
            queues=queues,
        )

    def purge(self, queue: str) -> None:
        """Empty a queue."""
        self.management.delete("queues", VHOST, queue, "contents")

    def fill_hub(self, count: int) -> None:
        """Publish events of the sender into the hub's queue."""
        for start in range(0, count, PORTION):
            numbers = range(start, min(start + PORTION, count))
            self._publish(SENDER, [event(number) for number in numbers])

    def fill_source(self, count: int) -> None:
        """Publish as many bytes into the plain queue."""
        body = event(0).body
        for start in range(0, count, PORTION):
            messages = [
                Outgoing("", SOURCE, body, str(number), "bench")
                for number in range(start, min(start + PORTION, count))
            ]
            self._publish("", messages)

    def _publish(self, user: str, messages: Sequence[Outgoing]) -> None:
        with PikaLink(self.settings(user)) as link:
            if set(link.publish(messages)) != {Sent.CONFIRMED}:
                raise RuntimeError("the broker did not take what a benchmark is made of")


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """Start a broker in a folder, with everything declared."""
    with provide(folder) as broker, broker.management() as management:
        management.put("vhosts", VHOST)
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        management.put("permissions", VHOST, broker.admin_user, body=rights)
        systems = (SENDER, RECEIVER)
        passwords = {user: SecretStr(secrets.token_urlsafe(12)) for user in (HUB_USER, *systems)}
        sends = {SENDER: {KIND, "hub.receipt"}, RECEIVER: {"hub.receipt"}}
        apply(management, VHOST, plan(systems, sends, 1), passwords, settle=time.sleep)
        for queue in (SOURCE, TARGET):
            arguments = {"x-queue-type": "quorum"}
            body = {"durable": True, "arguments": arguments}
            management.put("queues", VHOST, queue, body=body)
        time.sleep(1)  # as ``settle`` above: a quorum queue needs its leader
        yield Stand(broker, management, passwords)


def event(number: int) -> Outgoing:
    """Give an event of 1,024 bytes about one of many residents."""
    resident = str(number % RESIDENTS + 1).zfill(15)
    data = {
        "addressee_number": resident,
        "scope": {"insurance": "current"},
        "history_number": number // RESIDENTS,
        "care_insurer_number": "172015",
        "care_insured_number": str(number % RESIDENTS + 1).zfill(10),
        "acquired": {"raw": "2012-04-01", "precision": "day", "date": "2012-04-01"},
        "care_level": "care-2",
        "certified_from": {"raw": "2026-04-01", "precision": "day", "date": "2026-04-01"},
        "certified_to": {"raw": "2028-03-31", "precision": "day", "date": "2028-03-31"},
        "copayment_tenths": 1,
    }
    message_id = f"{number:032x}-1"

    def written(reason: str) -> bytes:
        return encode_event(
            message_id=message_id,
            system=SENDER,
            message_type=KIND,
            time=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
            data=data,
            access=AccessItems("S0101", "介護保険課", "KAIGO-T01", reason),
        )

    lacking = BYTES - len(written(""))
    body = written("x" * min(lacking, 80))
    body = body[:-1] + b" " * (BYTES - len(body)) + body[-1:]
    return Outgoing(
        exchange=inbound_exchange(SENDER),
        routing_key=KIND,
        body=body,
        message_id=message_id,
        message_type=KIND,
        partition=partition_of(resident),
    )
