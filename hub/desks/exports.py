"""Files with a person's data leave the hub on application alone (III.3): one asks, another permits.

Then who asked gets the file, once and within a day. What is asked for stands in the console's
database, sealed; the ledger has every step, and the SHA-256 of what left.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.desks.disclose import CODE, FORMATS, Request, read_disclosure
from hub.desks.persons import same_person
from hub.disclosure.transfers import Period
from hub.errors import LedgerError, QuestionError
from hub.ledger.acts import Act, act
from hub.ledger.model import Kind, Pseudonyms
from hub.ledger.search.whom import whom
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from hub.statute.model import Catalogue

KIND = "export"
WAITS = dt.timedelta(days=7)
"""What nobody has permitted in this time is asked for anew."""
KEPT = dt.timedelta(hours=24)
"""So long after it was permitted the file can be had."""

Format = Literal["pdf", "html", "json"]


class Rows(Protocol):
    """Where what is asked for is kept; the console's database."""

    def changing(self) -> AbstractContextManager[None]:
        """Do what is inside as a whole or not at all."""

    def get(self, kind: str, row: str) -> bytes | None:
        """Give a row; none where there is none, or it is damaged."""

    def all(self, kind: str) -> list[tuple[str, bytes | None]]:
        """Give all rows of a kind."""

    def put(self, kind: str, row: str, content: bytes) -> None:
        """Write a row."""

    def drop(self, kind: str, row: str) -> None:
        """Delete a row, if there is one."""


class Wish(BaseModel):
    """What somebody asks for: a disclosure report about a resident, and what for."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    number: str = Field(repr=False)
    """The resident's 宛名番号."""
    begin: dt.date | None = None
    end: dt.date | None = None
    format: Format = "pdf"


class Asked(Wish):
    """A wish that waits for a second person, or for who may have it now."""

    id: str
    staff: str
    department: str
    reason: str
    at: AwareDatetime
    permitted_by: str = ""
    permitted_at: AwareDatetime | None = None

    @property
    def until(self) -> dt.datetime:
        """When it ends by itself."""
        return self.at + WAITS if self.permitted_at is None else self.permitted_at + KEPT

    def is_of(self, staff: str) -> bool:
        """Say whether somebody asked for this themselves."""
        return same_person(self.staff, staff)


@dataclass(frozen=True, slots=True)
class Exports:
    """The desk at which files are asked for; every method raises ``LedgerError`` if it cannot."""

    ledger: DatabaseLedger
    catalogue: Catalogue
    pseudonyms: Pseudonyms
    rows: Rows
    clock: Callable[[], dt.datetime]

    def waiting(self) -> list[Asked]:
        """Give what waits, the oldest first; what has ended by itself is deleted."""
        return sorted(swept(self.rows, self.clock()), key=lambda one: one.at)

    def ask(self, wish: Wish, access: AccessItems) -> Asked:
        """Ask for a file.

        Raises:
            QuestionError: it cannot be asked so; the text says why, without what was typed.
        """
        whom(self.ledger, self.pseudonyms, wish.number)
        if wish.begin is not None and wish.end is not None and wish.end < wish.begin:
            raise QuestionError("the period ends before it begins")
        asked = Asked(
            **wish.model_dump(),
            id=secrets.token_hex(8),
            staff=access.staff,
            department=access.department,
            reason=access.reason,
            at=self.clock(),
        )
        with self.rows.changing():
            self._record(Act.EXPORT_REQUESTED, asked, access)
            self._keep(asked)
        return asked

    def approve(self, row: str, access: AccessItems) -> None:
        """Let somebody else have what they asked for.

        Raises:
            QuestionError: nothing of this number waits.
            LedgerError: it was this very person's, or it is permitted already.
        """
        with self.rows.changing():
            asked = self.find(row)
            if asked.is_of(access.staff):
                raise LedgerError("this was asked for by the same person: a second one permits it")
            if asked.permitted_at is not None:
                raise LedgerError(f"this was permitted already, by {asked.permitted_by}")
            update = {"permitted_by": access.staff, "permitted_at": self.clock()}
            self._record(Act.EXPORT_APPROVED, asked, access)
            self._keep(asked.model_copy(update=update))

    def decline(self, row: str, access: AccessItems) -> None:
        """Decline what somebody asked for, or take back what one asked for oneself.

        Raises:
            QuestionError: nothing of this number waits.
        """
        with self.rows.changing():
            asked = self.find(row)
            self._record(Act.EXPORT_DECLINED, asked, access)
            self.rows.drop(KIND, row)

    def take(self, row: str, access: AccessItems) -> tuple[str, bytes]:
        """Give the file, by its name, to who asked for it; there is no second time.

        Raises:
            QuestionError: nothing of this number waits.
            LedgerError: it is not permitted, or another person's.
        """
        asked = self._to_be_had(row, access)
        access = access._replace(reason=access.reason or asked.reason)
        made = read_disclosure(
            self.ledger,
            self.catalogue,
            self.pseudonyms,
            Request(asked.number, Period(asked.begin, asked.end)),
            access=access,
            now=self.clock(),
        )
        content = FORMATS[asked.format](made)
        with self.rows.changing():
            # Looked at again: that took long, and it may have been had or declined meanwhile.
            asked = self._to_be_had(row, access)
            self._record(CODE, asked, access, content)
            self.rows.drop(KIND, row)
        return f"disclosure-{asked.id}.{asked.format}", content

    def find(self, row: str) -> Asked:
        """Give what waits under a number.

        Raises:
            QuestionError: there is nothing, or its time is over.
        """
        asked = _read(self.rows.get(KIND, row))
        if asked is None or asked.until <= self.clock():
            raise QuestionError("nothing of this number waits: it was had, declined or has ended")
        return asked

    def _to_be_had(self, row: str, access: AccessItems) -> Asked:
        asked = self.find(row)
        if not asked.is_of(access.staff):
            raise LedgerError("only the person who asked for a file gets it")
        if asked.permitted_at is None:
            raise LedgerError("nobody has permitted this yet")
        return asked

    def _keep(self, asked: Asked) -> None:
        self.rows.put(KIND, asked.id, asked.model_dump_json().encode())

    def _record(
        self, code: str, asked: Asked, access: AccessItems, content: bytes | None = None
    ) -> None:
        """Say in the ledger what was done; the resident by the pseudonym."""
        digest = "" if content is None else hashlib.sha256(content).hexdigest()
        whose = "" if same_person(asked.staff, access.staff) else f" for {asked.staff}"
        entry = act(
            Kind.EXPORT,
            access,
            self.clock(),
            code=code,
            detail=f"disclosure {asked.id}{whose}, {asked.format}",
            digest=digest,
            resident=self.pseudonyms.resident(asked.number),
        )
        self.ledger.append([entry])


def swept(rows: Rows, now: dt.datetime) -> list[Asked]:
    """Delete what has ended by itself: nobody keeps a number that is asked for no more."""
    found: list[Asked] = []
    for row, content in rows.all(KIND):
        asked = _read(content)
        if asked is None or asked.until <= now:
            rows.drop(KIND, row)
        else:
            found.append(asked)
    return found


def _read(content: bytes | None) -> Asked | None:
    if content is None:
        return None
    try:
        return Asked.model_validate_json(content)
    except ValidationError:
        return None  # as a row that does not open
