"""What a flow is: its legs, its basis over time, its state; and the catalogue of all flows.

Plain records. Whether they make sense together is judged in ``hub.statute.faults``; they are
read from files in ``hub.statute.catalogue``.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from hub.message import MessageType
from hub.site import SystemId

Ref = Annotated[str, Field(pattern=r"^[A-Z]+[0-9]+[a-z]?$")]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
RetryMinutes = Annotated[int, Field(ge=1, le=43_200)]
ExpiresHours = Annotated[int, Field(ge=1, le=720)]
NOT_SAID = "—"
"""What a route says where the source does not."""


class Record(BaseModel):
    """A part of the catalogue: immutable, with no key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class State(StrEnum):
    """What the catalogue says of a flow, before any date is looked at."""

    PERMITTED = "permitted"
    HELD = "held"
    DENIED = "denied"


class Standing(StrEnum):
    """What holds for a flow, or for a question, on a day."""

    PERMITTED = "permitted"
    HELD = "held"
    DENIED = "denied"
    NOT_IN_FORCE = "not-in-force"
    UNKNOWN = "unknown"


class Cell(StrEnum):
    """A cell of the source's table that a held flow may lack."""

    BASIS = "basis"
    PURPOSE = "purpose"
    DATA = "data"
    DESTINATION = "destination"
    PERSONS = "persons"
    FREQUENCY = "frequency"
    TRANSPORT = "transport"


class Basis(Record):
    """An article that permits a flow from ``valid_from`` through ``valid_to``, both included.

    ``valid_to`` is absent while the article is in force.
    """

    law: Text
    article: Text
    valid_from: dt.date
    valid_to: dt.date | None = None

    def in_force(self, day: dt.date) -> bool:
        """Say whether it covers this day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def period(self) -> str:
        """Give its days, in ISO 8601; open at the end while it is in force."""
        return f"{self.valid_from} – {self.valid_to or ''}".rstrip()

    def __str__(self) -> str:
        return f"{self.law} {self.article}"


class Lacking(StrEnum):
    """What becomes of a record with characters that the receiver's encoding lacks."""

    CONFIRM = "confirm"  # it waits, unharmed, on the confirmation list
    MARK = "mark"  # each is replaced by a visible mark, and that is reported


class Grant(Record):
    """What one receiver may get: field names, and whether a 個人番号 may be among them.

    ``since`` gives the first day of those fields that were added to the flow later.
    ``unencodable`` says what becomes of a record that the receiver's encoding lacks
    characters for.
    """

    fields: tuple[str, ...] = ()
    my_number: bool = False
    since: dict[str, dt.date] = {}
    unencodable: Lacking = Lacking.CONFIRM

    def fields_on(self, day: dt.date) -> tuple[str, ...]:
        """Give the fields that the receiver may get on a day."""
        if not self.since:
            return self.fields
        return tuple(name for name in self.fields if self.since.get(name, day) <= day)


class Leg(Record):
    """One stretch of a flow: who sends, and what each receiver may get."""

    sender: SystemId
    receivers: dict[SystemId, Grant] = {}


class Lasting(NamedTuple):
    """For how long after its acceptance a copy is tried, and until when it may be delivered."""

    retry: dt.timedelta
    expires: dt.timedelta | None = None


class Whose(Record):
    """The persons that a flow may carry: a rule of ``hub.statute.scope`` and its words."""

    rule: str
    text: Text


class Route(Record):
    """One statutory flow, as its file states it.

    ``sender`` and ``receivers`` are the first leg, ``onward`` the legs after it.
    ``message_type`` is absent, and ``receivers`` empty, only where a held flow lacks that
    cell; ``missing`` names all cells that it lacks. ``basis_level`` is ``file`` where the
    source gives the flow no basis of its own, so that the basis of the whole file (I.4)
    applies. ``section`` is where the source (the city's assessment no. 17) states the flow.
    ``fields_assumed`` marks an allow-list that the source names only by its subject, so that
    the city confirms the single fields. A cell that the source leaves open reads ``—``.

    A copy that its receiver's queue does not take is tried for ``retry_minutes`` after it was
    accepted; then it is a dead letter. One that its receiver has not fetched ``expires_hours``
    after it was accepted is not delivered any more; by default there is no such hour.
    """

    ref: Ref
    title: Text
    title_ja: Text
    state: State = State.PERMITTED
    missing: tuple[Cell, ...] = ()
    sender: SystemId
    message_type: MessageType | None = None
    receivers: dict[SystemId, Grant] = {}
    onward: tuple[Leg, ...] = ()
    purpose: Text
    whose: Whose
    basis: tuple[Basis, ...] = ()
    basis_level: Literal["flow", "file"] = "flow"
    frequency: Text
    transport: Text
    volume: Text = NOT_SAID
    retention_years: Annotated[int, Field(ge=1, le=100)] = 7
    retry_minutes: RetryMinutes = 1440
    expires_hours: ExpiresHours | None = None
    section: Text
    fields_assumed: bool = False
    note: str = ""
    note_ja: str = ""

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Give every stretch, in order; a leg is judged by its own sender."""
        return (Leg.model_construct(sender=self.sender, receivers=self.receivers), *self.onward)

    @property
    def lasting(self) -> Lasting:
        """Give for how long a copy is tried and kept."""
        hours = self.expires_hours
        expires = None if hours is None else dt.timedelta(hours=hours)
        return Lasting(dt.timedelta(minutes=self.retry_minutes), expires)

    def basis_on(self, day: dt.date) -> Basis | None:
        """Give the article in force on a day."""
        return next((basis for basis in self.basis if basis.in_force(day)), None)


class Decision(Record):
    """Who at the city decided something about a flow, and on which day."""

    by: Text
    on: dt.date
    reason: str = ""


class Flow(Route):
    """A flow of the effective catalogue: a route, and what the site decided about it.

    ``closed``: not moved from that day on. ``completed``: held until that day, when somebody
    supplied the cells in ``missing``. ``own``: no row of the document, but the city's own,
    from that day on. ``timed``: the site decided for how long its copies are tried or kept; that
    is no matter of law, and holds at once.
    """

    closed: Decision | None = None
    completed: Decision | None = None
    own: Decision | None = None
    timed: Decision | None = None

    def standing(self, day: dt.date) -> Standing:
        """Say what holds for it on a day."""
        if self.state is State.DENIED or (self.closed and self.closed.on <= day):
            return Standing.DENIED
        if self.state is State.HELD or (self.completed and day < self.completed.on):
            return Standing.HELD
        if (self.own and day < self.own.on) or self.basis_on(day) is None:
            return Standing.NOT_IN_FORCE
        return Standing.PERMITTED


class System(Record):
    """A system that the hub knows by name; a neighbour is known only to be refused."""

    id: SystemId
    name: Text
    name_ja: Text
    section: Text
    neighbour: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All systems and flows.

    ``digest`` is the SHA-256 of the files it was read from and of the site's decisions.
    """

    systems: Mapping[str, System]
    flows: tuple[Flow, ...]
    digest: str

    def connected(self) -> tuple[str, ...]:
        """Give the ids of the systems that send or receive in some flow, sorted."""
        ends = {leg.sender for _, leg in self.legs()}
        for _, leg in self.legs():
            ends |= leg.receivers.keys()
        return tuple(sorted(ends))

    def legs(self) -> Iterator[tuple[Flow, Leg]]:
        """Give every leg of every flow."""
        return ((flow, leg) for flow in self.flows for leg in flow.legs)

    def carrying(self, message_type: str) -> tuple[Flow, ...]:
        """Give the flows of a message type, whoever sends it."""
        return tuple(flow for flow in self.flows if flow.message_type == message_type)

    def flow(self, ref: str) -> Flow | None:
        """Give the flow of a reference."""
        return next((flow for flow in self.flows if flow.ref == ref), None)

    def is_neighbour(self, system: str) -> bool:
        """Say whether a system is known only to be refused."""
        return system in self.systems and self.systems[system].neighbour
