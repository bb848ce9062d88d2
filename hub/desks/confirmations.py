"""The confirmation list (確認リスト) for a person: look, release, reject; all of it recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pydantic_core
from pydantic import BaseModel, TypeAdapter, ValidationError

from hub.desks.requests import End, RequestDesk
from hub.desks.shelf import NOBODY
from hub.desks.shelf import listed as on_shelf
from hub.errors import LedgerError
from hub.ledger.acts import Act
from hub.ledger.asides import MEANWHILE, Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.leaf import Recorded
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import RELEASE_TYPE, AccessItems, Envelope
from hub.pipeline.letters import Letter
from hub.pipeline.verdict import Permitted, Refused
from hub.statute.reasons import Code, sentence
from schemas import MESSAGE_TYPES
from schemas.canonical import EVIDENCE_ONLY
from schemas.hidden import mask_my_numbers
from schemas.masked import Masked


@dataclass(frozen=True, slots=True)
class Shown:
    """A message on the list and the fields that it would send, such as ``birth_date.raw``.

    What identifies a person (個人番号 and the like) is masked. ``fields`` is empty once the body
    is deleted. ``is_overtaken`` says that a newer one was accepted: it can only be rejected.
    ``asked`` is the entry by which one person asks to release or reject it, while it waits.
    """

    row: Shelved
    fields: Sequence[tuple[str, str]]
    is_overtaken: bool
    asked: Recorded | None = None


def listed(
    ledger: DatabaseLedger, state: State | None, system: str = "", code: str = "", most: int = 1000
) -> list[Shelved]:
    """Give what stands on the list, the oldest first; none of it says who it is about.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    wanted = Wanted(Shelf.CONFIRMATION, state, sender=system, code=code)
    return on_shelf(ledger, wanted, most)


@dataclass(frozen=True, slots=True)
class Desk(RequestDesk):
    """Where staff decide about confirmations."""

    shelf = Shelf.CONFIRMATION
    name = "confirmations"
    noun = "confirmation"
    command = "renkei confirmations"
    ending = "reject"
    viewing = Act.CONFIRMATION
    deciding = Kind.RELEASE
    ends = MappingProxyType(
        {
            State.RELEASED: End(Code.RELEASE_REQUESTED, ""),
            State.REJECTED: End(Code.REJECT_REQUESTED, Code.REJECTED),
        }
    )

    def show(self, number: int, access: AccessItems, *, with_fields: bool = True) -> Shown:
        """Show a message; that somebody looks is recorded first.

        Without its fields nothing is decrypted, and nobody's data is shown.

        Raises:
            QuestionError: there is no such confirmation.
        """
        row, is_overtaken = self.row(number)
        self.view(row, access)
        is_read = with_fields and row.sealed
        fields = _fields(row.message_type, self.body(row)) if is_read else []
        asked = self.requested(row.request, 1)[1] if row.state is State.REQUESTED else None
        return Shown(row, fields, is_overtaken, asked)

    def release(self, number: int, access: AccessItems) -> int:
        """Let a message go its way: the hub moves it, by today's rules, in its place.

        Where a second person has to approve it, give the number of the request, else 0.

        Raises:
            QuestionError: there is no such confirmation.
            LedgerError: it was decided about, is overtaken, or may not move today.
        """
        return self.settle(self.open_row(number)[0], access, State.RELEASED)

    def reject(self, number: int, access: AccessItems) -> int:
        """Decide that a message goes nowhere; its body is deleted.

        Where a second person has to approve it, give the number of the request, else 0.

        Raises:
            QuestionError: there is no such confirmation.
            LedgerError: it was decided about already.
        """
        return self.settle(self.open_row(number)[0], access, State.REJECTED)

    def pairs(self, row: Shelved, now: State) -> Sequence[tuple[str, str]]:
        """Give the flows and receivers by which a message waits: to go, those of today's rules.

        Raises:
            LedgerError: it is to go, and is overtaken or may not move today.
        """
        listed_as = row.state
        row, is_overtaken = self.row(row.id)  # a listed one is without its body
        if row.state is not listed_as:
            raise LedgerError(MEANWHILE)
        if now is State.RELEASED and is_overtaken:
            raise LedgerError(
                f"confirmation {row.id} cannot be released: a newer message of the same kind about "
                f"the same person was accepted meanwhile, and nothing older may follow it. "
                f"It can be rejected: {self.left(row)}"
            )
        if row.message_type == RELEASE_TYPE:
            return [Letter.read(self.body(row)).pair]
        held = self.known(row).held
        if now is not State.RELEASED:
            # A month that is destroyed has forgotten for whom it was.
            return sorted(held) or [("", "")]
        permitted = {one.terms.pair for one in self._permitted(row).releases}
        return sorted(held & permitted) or self.refuse(row, NOBODY)

    def _permitted(self, row: Shelved) -> Permitted:
        verdict = self.judge.judge(self.sent(row), self.clock(), is_kept=True)
        if isinstance(verdict, Refused):
            self.refuse(row, sentence(verdict.code, verdict.detail).en)
        if not isinstance(verdict, Permitted):
            self.refuse(row, sentence(Code.INVALID).en)
        return verdict


def _fields(message_type: str, body: bytes) -> list[tuple[str, str]]:
    """Give the fields of a message as people read them; masked ones stay masked."""
    if message_type == RELEASE_TYPE:
        letter = Letter.read(body)
        return [("receiver", letter.receiver), ("flow", letter.order.flow)]
    cls = MESSAGE_TYPES.get(message_type)
    if cls is None:
        return []
    adapter: TypeAdapter[Any] = TypeAdapter(Envelope[cls])  # type: ignore[valid-type]
    try:
        data: BaseModel = adapter.validate_json(body, strict=True).data
    except ValidationError:
        return []
    return list(_flat("", {name: value for name, value in data if name != EVIDENCE_ONLY}))


def _flat(prefix: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        parts = [_flat(f"{prefix}.{name}" if prefix else name, one) for name, one in value.items()]
        return [pair for part in parts for pair in part]
    if isinstance(value, list | tuple):
        parts = [_flat(f"{prefix}.{place}", one) for place, one in enumerate(value, 1)]
        return [pair for part in parts for pair in part]
    if value is None or value == "":
        return []
    if isinstance(value, Masked):
        return [(prefix, str(value))]
    text = value if isinstance(value, str) else str(pydantic_core.to_jsonable_python(value))
    return [(prefix, mask_my_numbers(text))]
