"""Sends a file's records to the hub, in order, each once however often it has to begin again.

A message's id and content depend only on the file's content, so that the hub recognises what it
already has; only how a 個人番号 in it is encrypted differs each time. What the broker does not take
is published again until it does: nothing is skipped, and nothing newer about the same resident
overtakes it.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from hub.edge.backoff import Backoff
from hub.edge.form import BadFile, Header
from hub.edge.groups import Group
from hub.edge.inbox import Inbox, Picked
from hub.edge.journal import Journal
from hub.edge.kit import BadRecord, Desk, Inbound, Mapped, Question
from hub.edge.numbers import Numbers
from hub.edge.observe import EdgeObserver
from hub.edge.rejects import RejectsFile
from hub.edge.sieve import Sieve
from hub.edge.traced import file_read
from hub.errors import EdgeError, KeyMissing
from hub.limits import limits
from hub.message import AccessItems, encode_event, partition_of
from hub.names import inbound_exchange
from hub.ports import Link, Outgoing, Sent
from hub.site import AccessSite
from hub.traces import Traces, for_record
from schemas.canonical import schema_uri
from schemas.layout import Encoding

Steps = Generator[float, None, None]
"""Work in small pieces; each gives the seconds to wait before the next."""

BATCH = 500
"""Messages published, confirmed and noted together."""
TOO_LARGE = "makes a message that is larger than the hub reads"


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message, and the record that it came from."""

    record: int
    outgoing: Outgoing
    closes: Question | None


class Sender:
    """Reads what the inbox finds and publishes it over one link.

    ``steps`` runs for ever, and gives after each piece of work the seconds to wait before the
    next: so its caller can do other things in between, and stop at any time.
    """

    def __init__(  # noqa: PLR0913 - what one sender is made of
        self,
        system: str,
        access: AccessSite,
        encoding: Encoding | None,
        poll_seconds: float,
        *,
        inbox: Inbox,
        journal: Journal,
        desk: Desk,
        numbers: Numbers,
        observe: EdgeObserver,
        traces: Traces | None = None,
    ) -> None:
        self._traces = traces
        self._system = system
        self._numbers = numbers
        self._desk = desk
        self._access = access
        self._encoding = encoding
        self._poll_seconds = poll_seconds
        self._inbox = inbox
        self._journal = journal
        self._observe = observe

    def steps(self, link: Link) -> Steps:
        """Send file after file.

        Raises:
            LinkLost: the link is gone; a new one goes on where this one was.
            EdgeError: a folder, file or the journal cannot be used, or there is no key to encrypt
                a 個人番号 with; begin again later.
        """
        while True:
            picked = self._inbox.next_file()
            if picked is None:
                yield self._poll_seconds
                continue
            began = time.time_ns()
            try:
                yield from self._send_file(link, picked)
            except BadFile as bad:
                self._inbox.set_aside(picked.path, bad)
                file_read(self._traces, self._system, picked, began, bad.code)
            else:
                file_read(self._traces, self._system, picked, began)

    def _send_file(self, link: Link, picked: Picked) -> Steps:
        began = time.monotonic()
        rejects_path = self._inbox.rejects_path(picked)
        sieve = Sieve(picked.entry, self._journal)
        with RejectsFile(rejects_path) as rejects:
            batch: list[Numbered] = []
            for part in self._parts(picked, sieve):
                if isinstance(part, BadRecord):
                    rejects.add(part)
                else:
                    batch.append(part)
                if len(batch) == BATCH:
                    yield from self._publish(link, picked, batch)
                    sieve.confirmed()
                    batch = []
            yield from self._publish(link, picked, batch)
            rejects.finish()
        self._inbox.finish(picked, rejects.count)
        self._observe.file_took("in", time.monotonic() - began)

    def _parts(self, picked: Picked, sieve: Sieve) -> Iterator[Numbered | BadRecord]:
        for group in picked.form.groups(picked.path, self._encoding):
            lines = {row.number: row.line for row in group.rows}
            for answer in answers(picked.wire, group, self._desk):
                line = lines.get(answer.number, 0)
                part = sieve.sifted(answer, line, lines.keys())
                if isinstance(part, Mapped):
                    yield self._message(picked, part, line)
                elif part is not None:
                    yield part

    def _message(self, picked: Picked, mapped: Mapped, line: int) -> Numbered | BadRecord:
        message = mapped.message
        message_id = f"{picked.facts.digest[:32]}-{mapped.number}"
        try:
            body = encode_event(
                message_id=message_id,
                system=self._system,
                message_type=picked.wire.message_type,
                time=picked.facts.header.created_at,
                data=message,
                access=_access_items(picked.facts.header, self._access, mapped.reason),
                dataschema=schema_uri(type(message)),
                follows=mapped.follows,
                doubt=mapped.doubt,
                seal=self._numbers,
                traceparent=for_record(
                    picked.entry.traceparent, mapped.number, picked.facts.records
                ),
            )
        except KeyMissing as missing:
            # Nothing is sent in its place: the file waits, and what is newer waits behind it.
            raise EdgeError(f"no 個人番号 can be sent: {missing}") from missing
        # A broker that is asked to take much more closes the channel.
        if len(body) > limits().event_bytes:
            return BadRecord(mapped.number, line, "", TOO_LARGE)
        outgoing = Outgoing(
            exchange=inbound_exchange(self._system),
            routing_key=picked.wire.message_type,
            body=body,
            message_id=message_id,
            message_type=picked.wire.message_type,
            order_key=message.addressee_number,
            partition=partition_of(message.addressee_number),
        )
        return Numbered(mapped.number, outgoing, mapped.closes)

    def _publish(self, link: Link, picked: Picked, batch: Sequence[Numbered]) -> Steps:
        if not batch:
            return
        picked.ensure_unchanged()
        backoff = Backoff()
        waiting = [message.outgoing for message in batch]
        while waiting:
            fates = link.publish(waiting)
            waiting = [
                message
                for message, fate in zip(waiting, fates, strict=True)
                if fate is not Sent.CONFIRMED
            ]
            if waiting:
                self._observe.held_back(len(waiting))
                yield backoff.next()
        closed = [message.closes for message in batch if message.closes is not None]
        records = [message.record for message in batch]
        self._journal.confirm(picked.entry.digest, records, closed)
        self._observe.published(picked.wire.message_type, len(batch))
        yield 0.0


def _access_items(header: Header, site: AccessSite, reason: str) -> AccessItems:
    return AccessItems(
        staff=header.staff or site.staff,
        department=header.department or site.department,
        terminal=header.terminal or site.terminal,
        reason=reason,
    )


def answers(wire: Inbound, group: Group, desk: Desk) -> Sequence[Mapped | BadRecord]:
    """Map one group, and put the layout's refusals and the mapping's answers in order.

    A mapping that fails, or answers what it was not asked, gets its whole group refused: no
    record of it may be sent on the word of code that went wrong.
    """
    sound = [row for row in group.rows if row.sound]
    if not sound:
        return group.faults
    try:
        mapped = wire.to_messages(group.rows, desk)
        fault = _answer_fault(wire, {row.number for row in sound}, mapped)
    except EdgeError:
        raise  # the desk cannot be asked now: nobody may be refused for that
    except Exception as error:  # noqa: BLE001 - whatever a mapping meets must not end a process
        mapped, fault = (), f"the mapping failed ({type(error).__name__})"
    if fault:
        mapped = [BadRecord(row.number, row.line, "", fault) for row in sound]
    return sorted([*group.faults, *mapped], key=lambda part: part.number)


def _answer_fault(wire: Inbound, asked: set[int], answered: Sequence[Mapped | BadRecord]) -> str:
    numbers = [answer.number for answer in answered]
    if not asked.issuperset(numbers) or len(set(numbers)) != len(numbers):
        return "the mapping answered records that it was not asked about"
    kinds = (answer.message.MESSAGE_TYPE for answer in answered if isinstance(answer, Mapped))
    if any(kind != wire.message_type for kind in kinds):
        return "the mapping gave a message of another type"
    return ""
