"""The exceptions of the hub, as a tree.

::

    RenkeiError
    ├── SiteError            the site file or its secrets are wrong; every fault is named
    ├── CatalogueError       the routes are wrong; every fault is named
    ├── QuestionError        a question names something that there is not
    ├── BrokerError          RabbitMQ said no, or cannot be reached
    │   ├── BrokerUnavailable    no broker could be found or started
    │   └── LinkLost             a connection that was up is gone: begin again
    ├── LedgerError          the ledger cannot be read or written: nothing may move
    ├── KeyMissing           nobody could read what would be encrypted: there is no key in force
    ├── NumberFault          a 個人番号 in a copy cannot be opened, or is not that copy's
    └── EdgeError            a folder, file or journal of an adapter cannot be used

Texts never hold personal data: they name fields, lines and ids, not values. Foreign
exceptions (pika, SQLAlchemy, OSError) are mapped once, at the edge that met them.
"""

import traceback
from pathlib import Path

_PLACES = 4


def placed(error: BaseException) -> str:
    """Say of what kind a fault is and where it came up; not its text, which may hold data.

    >>> try:
    ...     int("123456789018")
    ... except ValueError as fault:
    ...     placed(fault).partition(" at ")[0]
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
    where = " < ".join(
        f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(frames)
    )
    return f"{type(error).__name__} at {where}"


class RenkeiError(Exception):
    """The base of every error that the hub raises on purpose."""


class SiteError(RenkeiError):
    """The site file, or a secret it points to, is wrong."""


class CatalogueError(RenkeiError):
    """The routes are wrong; the text names every fault with its file."""


class QuestionError(RenkeiError):
    """A question names a flow, a system or a layout that there is not."""


class BrokerError(RenkeiError):
    """RabbitMQ refused something or cannot be reached."""


class BrokerUnavailable(BrokerError):
    """No broker could be found or started; the text says what to do."""


class LinkLost(BrokerError):
    """A connection that was up is gone; what was not acknowledged will come again."""


class LedgerError(RenkeiError):
    """The ledger cannot be read or written; nothing may move until it can."""


class KeyMissing(RenkeiError):
    """Nobody could read what would be encrypted: its reader has no key in force."""


class NumberFault(RenkeiError):
    """A 個人番号 in a copy cannot be opened, or is not that copy's; ``code`` says which."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class EdgeError(RenkeiError):
    """An adapter's folder, file or journal cannot be used."""
