"""What an adapter package declares about its system; the loops of this folder do the rest.

A system is connected by one package below ``adapters/``, which has an ``ADAPTER`` of this
kind. It says which files go in and out and how a record becomes a message and back; it moves
nothing itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hub.message import Copy
from schemas.canonical import CanonicalMessage


@dataclass(frozen=True, slots=True)
class Row:
    """One data record of a file: ``values`` by field name, as text, exactly as it came.

    ``number`` counts data records from 1, ``line`` the file's lines from 1. ``sound`` is
    false for a record that the layout already refused: it is given to the mapping as
    evidence about its group (household), and never becomes a message.
    """

    number: int
    line: int
    values: Mapping[str, str]
    sound: bool = True


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is set aside: where it stands and why; never what it says."""

    number: int
    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record that became a message; ``reason`` is the access log's 処理事由."""

    number: int
    message: CanonicalMessage
    reason: str


@dataclass(frozen=True, slots=True)
class Inbound:
    """Files that the system writes for the hub.

    ``to_messages`` gets the rows of one group (``layout.group_by``; a single row where the
    layout has no groups) and answers sound rows with a ``Mapped`` or a ``BadRecord``, in
    order; a row that only tells about its group gets no answer. It is pure.
    """

    pattern: str
    layout: str
    message_type: str
    to_messages: Callable[[Sequence[Row]], Sequence[Mapped | BadRecord]]


class Unwritable(ValueError):
    """A copy that cannot be written for the system: ``field`` and a reason without values."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outbound:
    """Files that the hub writes for the system: ``<prefix>_<sequence>.csv``.

    ``to_row`` gives the text of each of the layout's fields. It is pure, and raises
    ``Unwritable`` for a copy that has no place on this wire.
    """

    prefix: str
    layout: str
    message_type: str
    to_row: Callable[[Copy], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Adapter:
    """One connected system."""

    system: str
    inbound: tuple[Inbound, ...] = ()
    outbound: tuple[Outbound, ...] = ()
