"""What an adapter package declares about its system; the loops of this folder do the rest.

A system is connected by one package below ``adapters/``, which has an ``ADAPTER`` of this
kind. It says which files go in and out and how a record becomes a message and back; it moves
nothing itself.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from hub.edge.http.trust import Trust
from hub.message import Copy, MessageKey
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


class Question(NamedTuple):
    """What names an open question of this system: its kind, and a key of that kind.

    Whoever asks and whoever answers know the same key: a number of the inquiry, or of a person.
    """

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A copy that was delivered to the system and that something may answer or follow.

    ``facts`` is what an answer is held against, as JSON; ``within`` is how long an answer may
    take before the asker is told that there is none (``None``: nobody waits). ``also`` names
    questions that the copy opens besides, without facts and deadline: a system that passes a
    thing on and later answers it closes one by each.
    """

    question: Question
    facts: Mapping[str, Any] = field(default_factory=dict)
    within: dt.timedelta | None = None
    also: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An ``Asking`` as the journal keeps it.

    ``message`` names the message that was delivered, ``addressee_number`` is of whom it was.
    ``closed`` says that an answer was given, or that the asker was told of none. ``due_after``
    is how many seconds an answer may take; ``None`` where nobody waits.
    """

    question: Question
    message: MessageKey
    addressee_number: str
    facts: Mapping[str, Any]
    closed: bool = False
    due_after: float | None = None


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person in the office's own list for matching (突合), by the columns of its layout."""

    addressee_number: str
    values: Mapping[str, str]


class Desk(Protocol):
    """What a mapping may look up; every method raises ``EdgeError`` when it cannot be done."""

    def asked(self, question: Question) -> Asked | None:
        """Give what the system was asked by this name; the newest, where it was asked twice."""
        ...

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:
        """Give those in the list for matching whose ``field`` has this value."""
        ...


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record that became a message; ``reason`` is the access log's 処理事由.

    ``follows`` names a message that the hub delivered to this system, about the same person, and
    that this one answers or passes on: the hub makes sure of it, and lets such a message pass
    where the sender itself knows nothing of the person's household. ``closes`` is the question
    that it answers. ``doubt`` is a code that has the hub hold it for a person to look at.
    """

    number: int
    message: CanonicalMessage
    reason: str
    follows: MessageKey | None = None
    closes: Question | None = None
    doubt: str = ""


ToMessages = Callable[[Sequence[Row], Desk], Sequence[Mapped | BadRecord]]


def without_desk(
    to_messages: Callable[[Sequence[Row]], Sequence[Mapped | BadRecord]],
) -> ToMessages:
    """Make a ``ToMessages`` of a mapping that has nothing to look up."""
    return lambda rows, _desk: to_messages(rows)


@dataclass(frozen=True, slots=True)
class Inbound:
    """Files that the system writes for the hub.

    ``to_messages`` gets the rows of one group (``layout.group_by``; a single row where the
    layout has no groups) and answers sound rows with a ``Mapped`` or a ``BadRecord``, in
    order; a row that only tells about its group gets no answer. It changes nothing.
    """

    pattern: str
    layout: str
    message_type: str
    to_messages: ToMessages


class Unwritable(ValueError):
    """A copy that cannot be written for the system: ``field`` and a reason without values."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Unencodable(Unwritable):
    """A text with characters that the encoding of the file lacks.

    ``characters`` are those, for whoever replaces them; the text of the error does not say them.
    """

    def __init__(self, field: str, encoding: str, characters: Iterable[str]) -> None:
        super().__init__(field, f"has a character that {encoding} lacks")
        self.characters = frozenset(characters)


def numbered(prefix: str, sequence: int, at: dt.datetime, suffix: str) -> str:
    """Name a file ``<prefix>_<sequence, 8 digits><suffix>``."""
    del at
    return f"{prefix}_{sequence:08}{suffix}"


def _every(_copy: Copy) -> bool:
    return True


def _nothing(_copy: Copy) -> Asking | None:
    return None


@dataclass(frozen=True, slots=True)
class Outbound:
    """Files that the hub writes for the system.

    ``to_row`` gives the text of each of the layout's fields. It is pure, and raises
    ``Unwritable`` for a copy that has no place on this wire. Of several wires for one message
    type each ``takes`` copies of its own. ``asks`` says what a copy asks the system, if it does.
    ``file_name`` names a file by prefix, sequence, time and suffix; a name is never given twice,
    and begins with the prefix and ``_``.
    """

    prefix: str
    layout: str
    message_type: str
    to_row: Callable[[Copy], Mapping[str, str]]
    takes: Callable[[Copy], bool] = _every
    asks: Callable[[Copy], Asking | None] = _nothing
    file_name: Callable[[str, int, dt.datetime, str], str] = numbered


@dataclass(frozen=True, slots=True)
class Errand:
    """What a courier is given: the system's drive, a memory of its own, and where to go.

    ``drive`` has ``to-hub`` and ``from-hub``; ``memory`` is the path of a file of the courier's
    own beside the journal. ``url`` is the base address of the system's interface, ``secret``
    what it logs in with, ``trust`` whom it trusts there, and its certificate if it has one.
    ``tell`` says what went wrong, or with ``None`` that it works again.
    """

    system: str
    drive: Path
    memory: Path
    url: str
    secret: str = field(repr=False)
    timeout_seconds: float
    poll_seconds: float
    tell: Callable[[str, Exception | None], None]
    trust: Trust = field(default_factory=Trust)


Courier = Callable[[Errand], Awaitable[None]]
"""Carries files between a system's drive and its interface, until it is cancelled.

For a system that is reached by HTTP: it takes files out of ``from-hub`` as the system itself
would, and puts the system's into ``to-hub``, whole. It may be ended at any moment, and goes on
where it was by its ``memory``.
"""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One connected system.

    ``courier`` carries its files where it is reached by HTTP. ``matching`` is the layout of the
    office's own list for matching (突合), where the system's records do not name a person by
    宛名番号; the list stands in the folder ``matching``. ``layouts`` are those that its courier
    reads and writes besides.
    """

    system: str
    inbound: tuple[Inbound, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    courier: Courier | None = None
    matching: str = ""
    layouts: tuple[str, ...] = ()
