"""The parts of kombu that the kit uses. Its own type annotations are too thin to check by."""

from typing import Any

import kombu

_kombu: Any = kombu

Connection: Any = _kombu.Connection
Consumer: Any = _kombu.Consumer
Producer: Any = _kombu.Producer
Queue: Any = _kombu.Queue
