"""One system's files without hub and broker: copies out, the simulator's answers, messages in.

It stands for the adapter's loop: files are written and read by the forms, questions are noted
as the journal does, and closed when an answer is mapped.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import adapters
from hub.edge.form import Header
from hub.edge.forms import form_of
from hub.edge.inbound import answers
from hub.edge.journal import TakenKey
from hub.edge.kit import (
    Adapter,
    Asked,
    BadRecord,
    Inbound,
    KnownPerson,
    Mapped,
    Question,
)
from hub.edge.sorting import _asked
from hub.message import Copy
from schemas import MESSAGE_TYPES

AT = dt.datetime(2026, 4, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))
HEADER = Header(AT, "HUB", "HUB", "HUB")


@dataclass
class Desk:
    """The open questions of one adapter."""

    questions: dict[Question, Asked] = field(default_factory=dict)

    def asked(self, question: Question) -> Asked | None:
        return self.questions.get(question)

    def persons(self, field: str, value: str) -> tuple[KnownPerson, ...]:
        del field, value
        return ()

    def close(self, question: Question) -> None:
        open_one = self.questions.get(question)
        if open_one is not None:
            self.questions[question] = dataclasses.replace(open_one, closed=True, facts={})


@dataclass
class Passage:
    """The adapter and the simulator of a system, at one shared folder."""

    system: str
    folder: Path
    desk: Desk = field(default_factory=Desk)
    sequence: int = 0

    @property
    def adapter(self) -> Adapter:
        return adapters.find(self.system)

    def deliver(self, message_type: str, *data: dict[str, Any], sender: str = "somebody") -> Path:
        """Write copies of one type into a file in ``from-hub``, and note what they ask."""
        wire = next(one for one in self.adapter.outbound if one.message_type == message_type)
        form = form_of(wire.layout)
        encoder = form.encoder(None)
        records = []
        self.sequence += 1
        for number, one in enumerate(data, 1):
            copy = copy_of(message_type, one, f"m-{self.sequence}.{number}", sender)
            records.append(encoder.record(wire.to_row(copy)))
            key = TakenKey(sender, copy.id, copy.flow)
            for asked in _asked(copy, key, wire):
                self.desk.questions[asked.question] = asked
        name = wire.file_name(wire.prefix, self.sequence, AT, form.suffix)
        path = self.folder / "from-hub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(encoder.framed(HEADER, records)))
        return path

    def react(self) -> list[Path]:
        """Let the simulator answer; give its files."""
        written = adapters.simulator(self.system).react(self.folder)
        return [one.path for one in written if one.fresh]

    def take(self, path: Path) -> list[Mapped | BadRecord]:
        """Read a file as the adapter does, closing what is answered."""
        wire = self.wire_of(path.name)
        form = form_of(wire.layout)
        form.check(path, None, settled=True)
        found: list[Mapped | BadRecord] = []
        for group in form.groups(path, None):
            found += answers(wire, group, self.desk)
        for one in found:
            if isinstance(one, Mapped) and one.closes is not None:
                self.desk.close(one.closes)
        return found

    def take_rows(self, name: str, rows: Iterable[dict[str, str]]) -> list[Mapped | BadRecord]:
        """Write rows into a file of the system, and read it."""
        encoder = form_of(self.wire_of(name).layout).encoder(None)
        path = self.folder / name
        path.write_bytes(b"".join(encoder.framed(HEADER, map(encoder.record, rows))))
        return self.take(path)

    def wire_of(self, name: str) -> Inbound:
        return next(one for one in self.adapter.inbound if fnmatchcase(name, one.pattern))


def copy_of(message_type: str, data: dict[str, Any], message_id: str, sender: str) -> Copy:
    """Make a copy as the hub gives it: whole, but for the evidence."""
    message = MESSAGE_TYPES[message_type].model_validate({"scope": {}, **data})
    fields = message.model_dump(mode="json", exclude_none=True, exclude={"scope"})
    return Copy(
        id=message_id,
        source=f"/systems/{sender}",
        type=message_type,
        time=AT,
        flow="X9",
        acceptedtime=AT,
        data=fields,
    )


def bad(found: Iterable[Mapped | BadRecord]) -> list[tuple[str, str]]:
    """Give field and reason of each refusal."""
    return [(one.field, one.reason) for one in found if isinstance(one, BadRecord)]


def data_of(one: Mapped | BadRecord) -> dict[str, Any]:
    """Give the data of a message, without the evidence."""
    assert isinstance(one, Mapped), one
    return one.message.model_dump(mode="json", exclude_none=True, exclude={"scope"})
