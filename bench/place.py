"""Where a broker is and as whom; what one process of a benchmark tells another on its input."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pika

from hub.processes import end_with_parent


@dataclass(frozen=True, slots=True)
class Place:
    """A vhost of a broker, and an account of it."""

    host: str
    port: int
    vhost: str
    user: str
    password: str = field(repr=False)

    def parameters(self, heartbeat: int | None = None) -> pika.ConnectionParameters:
        """Give them as pika wants them."""
        return pika.ConnectionParameters(
            self.host,
            self.port,
            self.vhost,
            pika.PlainCredentials(self.user, self.password),
            heartbeat=heartbeat,
            blocked_connection_timeout=60,
        )

    @property
    def url(self) -> str:
        """Give them as one address."""
        return f"amqp://{self.user}:{self.password}@{self.host}:{self.port}/{self.vhost}"

    def asked(self, **more: Any) -> bytes:  # noqa: ANN401 - JSON
        """Write an order for another process: this place, and what else it has to know."""
        return json.dumps({"place": asdict(self), **more}).encode()


def order() -> tuple[Place, Mapping[str, Any]]:
    """Read the order on this process's input; the process ends when its starter does."""
    end_with_parent()
    asked = json.load(sys.stdin)
    return Place(**asked.pop("place")), asked
