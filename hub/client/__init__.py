"""What a team whose system speaks AMQP itself imports; see ``HubClient``."""

from hub.client.client import HubClient
from hub.client.errors import (
    CannotUse,
    ClientClosed,
    EventError,
    NotSent,
    OutcomeUnknown,
    PublishFailed,
    Refused,
    Unroutable,
)
from hub.client.events import Event
from hub.client.session import Timing
from hub.errors import KeyMissing
from hub.message import AccessItems, Copy, Notice

__all__ = [
    "AccessItems",
    "CannotUse",
    "ClientClosed",
    "Copy",
    "Event",
    "EventError",
    "HubClient",
    "KeyMissing",
    "NotSent",
    "Notice",
    "OutcomeUnknown",
    "PublishFailed",
    "Refused",
    "Timing",
    "Unroutable",
]
