"""What can go wrong for a system that speaks to the hub itself, as a tree.

::

    RenkeiError
    ├── BrokerError
    │   ├── PublishFailed     the time is up; ``events`` are those that nobody confirmed
    │   │   ├── OutcomeUnknown    some of them may have arrived
    │   │   └── NotSent           none of them has arrived
    │   ├── Refused           the broker does not permit it: repeating does not help
    │   ├── Unroutable        no queue is bound for the message: it went nowhere
    │   └── ClientClosed      the client was closed
    ├── EventError            an event that cannot be sent (also a ``ValueError``)
    ├── KeyMissing            there is no key of the hub to encrypt a 個人番号 with
    └── CannotUse             raised by the handler of a system, for a copy it cannot use

No text holds data of a message, a password or a URL.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.errors import BrokerError, RenkeiError
from schemas.hidden import holds_my_number

if TYPE_CHECKING:
    from hub.client.events import Event

_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_IDS_SHOWN = 3


class PublishFailed(BrokerError):
    """Not confirmed in time. ``events`` can be given to ``publish_many`` again as they are."""

    def __init__(self, why: str, events: "Sequence[Event]") -> None:
        super().__init__(why)
        self.events = tuple(events)


class OutcomeUnknown(PublishFailed):
    """It is unknown whether the messages arrived; sending the same events again is safe."""

    def __init__(self, events: "Sequence[Event]", reason: str) -> None:
        super().__init__(
            f"it is unknown whether {_named(events)} arrived ({reason}); sending the same event"
            " again is safe: same id, time and data count once",
            events,
        )


class NotSent(PublishFailed):
    """The messages did not arrive; the same events may be sent again later."""

    def __init__(self, events: "Sequence[Event]", reason: str) -> None:
        super().__init__(f"{_named(events)} did not arrive ({reason}); send again later", events)


class Refused(BrokerError):
    """The broker refused: a wrong password, no permission, or no such exchange or queue."""


class Unroutable(BrokerError):
    """No queue is bound for the message: the hub's exchanges and queues are not all there."""


class ClientClosed(BrokerError):
    """The client was closed and sends nothing any more."""


class EventError(RenkeiError, ValueError):
    """An event that cannot be sent; the text names attributes, not values."""


class CannotUse(RenkeiError):
    """Raised by a handler: this copy cannot be used, and the hub is told so with ``code``.

    ``code`` is 1 to 40 of ``a-z``, ``0-9`` and ``-``, begins with a letter, and
    tells nothing about a person.
    """

    def __init__(self, code: str) -> None:
        if not _CODE.fullmatch(code):
            message = "a code has 1 to 40 characters, a-z, 0-9 and -, and begins with a letter"
            raise ValueError(message)
        if holds_my_number(code):
            message = "a code holds no 個人番号"
            raise ValueError(message)
        super().__init__(code)
        self.code = code


def _named(events: "Sequence[Event]") -> str:
    shown = ", ".join(event.message_id for event in events[:_IDS_SHOWN])
    more = len(events) - _IDS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
