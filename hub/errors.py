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
    └── EdgeError            a folder, file or journal of an adapter cannot be used

Texts never hold personal data: they name fields, lines and ids, not values. Foreign
exceptions (pika, SQLAlchemy, OSError) are mapped once, at the edge that met them.
"""


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


class EdgeError(RenkeiError):
    """An adapter's folder, file or journal cannot be used."""
