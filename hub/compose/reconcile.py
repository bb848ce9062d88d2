"""Brings the sides of a reconciliation together: journals, ledger, broker, receipts."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import adapters
from hub.broker.depth import queue_depth
from hub.broker.management import Management
from hub.compose.broker import administrator
from hub.compose.links import link_settings
from hub.edge.journal import InboundFile, InboundState, TakenKey
from hub.edge.recorded import JournalRecord, place_of
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.ledger.tally import Fact, Span, Tally, in_parts
from hub.message import MessageKey
from hub.names import DEAD_QUEUE, outbound_queue, partition_queue
from hub.reconcile.compare import taken_only
from hub.reconcile.model import HUB, Gap, Message, Origin, Pair, Waiting
from hub.reconcile.sheet import Reading, Sheet, Source
from hub.site import HUB_USER, Site
from hub.statute.model import Catalogue

AskBroker = Callable[[], Waiting | None]
"""Counts what the broker holds; gives nothing where it is not to be asked."""

_SECOND = 1_000_000
LOOKS = 4
LOOK_AGAIN_SECONDS = 2.0
"""The broker's statistics are up to five seconds old, and a batch may be just under way."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Where each side is read; ``records`` has the journals that are on this machine."""

    site: Site
    catalogue: Catalogue
    tally: Tally
    records: Mapping[str, JournalRecord]


@contextmanager
def opened_sides(site: Site, catalogue: Catalogue, ledger: DatabaseLedger) -> Iterator[Sides]:
    """Open every side but the broker.

    Raises:
        EdgeError: a journal cannot be read. One that is missing is an unknown side.
    """
    with ExitStack() as stack:
        records = {
            name: stack.enter_context(JournalRecord(system.journal))
            for name, system in site.systems.items()
            if system.journal.exists()
        }
        yield Sides(site, catalogue, Tally(ledger.engine), records)


def reconcile(
    sides: Sides,
    span: Span,
    ask_broker: AskBroker,
    *,
    looks: int = LOOKS,
    wait: Callable[[float], object] = time.sleep,
) -> Sheet:
    """Reconcile a time; while messages lack that may be under way, look again a few times.

    Raises:
        RenkeiError: a side cannot be read.
    """
    for left in range(looks - 1, -1, -1):
        sheet = look(sides, span, ask_broker)
        if not sheet.gaps or not left:
            return sheet
        sheet.close()
        wait(LOOK_AGAIN_SECONDS)
    raise ValueError("a reconciliation needs one look at least")


def look(sides: Sides, span: Span, ask_broker: AskBroker) -> Sheet:
    """Reconcile a time once.

    The journals are read before the ledger and the ledger before the broker: a message that
    moves on meanwhile is found where it came to.

    Raises:
        RenkeiError: a side cannot be read.
    """
    sheet = Sheet(_receivers(sides))
    try:
        _expect(sides, sheet)
        _from_files(sides, span, sheet)
        _from_ledger(sides, span, sheet)
        for receiver in sorted(sheet.recorded):
            sheet.add_gaps(_taken_only(sides, span, receiver))
        sheet.finish(ask_broker())
    except BaseException:
        sheet.close()
        raise
    return sheet


def _receivers(sides: Sides) -> frozenset[str]:
    return frozenset(name for name in sides.records if adapters.find(name).outbound)


def _expect(sides: Sides, sheet: Sheet) -> None:
    for flow, leg in sides.catalogue.legs():
        source = Source(leg.sender, flow.message_type or "")
        for receiver in leg.receivers:
            sheet.expect(source, Pair(flow.ref, receiver))
        if leg.sender in sides.records:
            sheet.know(source)


# -- the senders' files ----------------------------------------------------------------------


def _from_files(sides: Sides, span: Span, sheet: Sheet) -> None:
    """Follow every message that was sent from a file whose reading began in this time."""
    for system, record in sides.records.items():
        for file in record.files(*_seconds(span)):
            kind = _type_of(system, file.name)
            sheet.read(Source(system, kind), Reading(1, file.records, file.rejected))
            keys = (
                MessageKey(system, f"{file.digest[:32]}-{number}")
                for number in record.sent(file.digest)
            )
            for part in in_parts(keys):
                facts = sides.tally.about(part)
                told = ((key, Origin.FILE, kind, facts.get(key, [])) for key in part)
                sheet.add(_messages(sides, sheet.recorded, told))


def _seconds(span: Span) -> tuple[int, ...]:
    if span.begin is None or span.end is None:
        return ()
    return span.begin // _SECOND, span.end // _SECOND


def _type_of(system: str, name: str) -> str:
    """Give the kind of message that a file holds, by its name."""
    wires = adapters.find(system).inbound
    return next((wire.message_type for wire in wires if fnmatchcase(name, wire.pattern)), "")


# -- the ledger ------------------------------------------------------------------------------


def _from_ledger(sides: Sides, span: Span, sheet: Sheet) -> None:
    """Follow every message first decided about in this time that is from no file of record."""
    for found in sides.tally.first_decided(span, lambda key: not _is_followed(sides, key)):
        told = (
            (key, _origin(sides, key), "", facts)
            for key, facts in found.items()
            if not _is_followed(sides, key)  # its file may be further by now
        )
        sheet.add(_messages(sides, sheet.recorded, told))


def _is_followed(sides: Sides, key: MessageKey) -> bool:
    """Say whether the message belongs to a file, on whose day it is, or is just being sent."""
    record, file, number = _file_of(sides, key)
    if record is None or file is None or not file.read_at:
        return False
    being_sent = (
        file.state == InboundState.READING and file.confirmed_through < number <= file.records
    )
    return being_sent or record.is_sent(file.digest, number)


def _origin(sides: Sides, key: MessageKey) -> Origin:
    record, file, _ = _file_of(sides, key)
    if record is None or (file is not None and not file.read_at):
        return Origin.UNKNOWN
    return Origin.NOWHERE


def _file_of(sides: Sides, key: MessageKey) -> tuple[JournalRecord | None, InboundFile | None, int]:
    record = sides.records.get(key.sender)
    place = place_of(key.id)
    if record is None or place is None:
        return record, None, 0
    return record, record.file_of(place[0]), place[1]


# -- the receivers' own records ----------------------------------------------------------------


def _messages(
    sides: Sides,
    recorded: Collection[str],
    told: Iterable[tuple[MessageKey, Origin, str, list[Fact]]],
) -> Iterator[Message]:
    for key, origin, kind, facts in told:
        taken = {}
        for pair in _accepted(facts):
            if pair.receiver in recorded:
                name = TakenKey(key.sender, key.id, pair.flow)
                found = sides.records[pair.receiver].taken([name])
                if name in found:
                    taken[pair] = found[name]
        yield Message(key, origin, kind, facts, taken)


def _accepted(facts: Iterable[Fact]) -> set[Pair]:
    return {Pair(fact.flow, fact.receiver) for fact in facts if fact.kind is Kind.ACCEPTANCE}


def _taken_only(sides: Sides, span: Span, receiver: str) -> Iterator[Gap]:
    for part in sides.records[receiver].taken_between(*_seconds(span)):
        facts = sides.tally.about({MessageKey(key.sender, key.id) for key in part})
        accepted = {(*key, *pair) for key, about in facts.items() for pair in _accepted(about)}
        yield from taken_only(receiver, part, accepted)


# -- the broker --------------------------------------------------------------------------------


def broker_of(site: Site, catalogue: Catalogue) -> AskBroker:
    """Give what counts the messages in the broker's queues.

    With the administrator's password also those that were taken and not acknowledged.
    """
    if site.broker.admin_password_file is None:
        return lambda: _ready(site, catalogue)

    def ask() -> Waiting:
        with administrator(site) as management:
            return waiting_of(management, site, catalogue)

    return ask


def waiting_of(management: Management, site: Site, catalogue: Catalogue) -> Waiting:
    """Count what the broker holds; the management API tells what processes have taken.

    Raises:
        BrokerError: it cannot be reached, refuses, or lacks a queue.
    """
    rows = management.get("queues", site.broker.vhost)
    taken = {row["name"]: int(row.get("messages_unacknowledged") or 0) for row in rows}
    by_system = {name: taken.get(outbound_queue(name), 0) for name in _with_queues(catalogue)}
    own = sum(taken.get(queue, 0) for queue in _own_queues(site))
    return replace(_ready(site, catalogue), taken={HUB: own, **by_system})


def _ready(site: Site, catalogue: Catalogue) -> Waiting:
    settings = link_settings(site, HUB_USER, site.hub.password_file, (), prefetch=1)

    def depth(queue: str) -> int:
        return queue_depth(settings, queue)[0]

    return Waiting(
        hub=sum(map(depth, _own_queues(site))),
        out={name: depth(outbound_queue(name)) for name in _with_queues(catalogue)},
        dead=depth(DEAD_QUEUE),
    )


def _own_queues(site: Site) -> list[str]:
    return [partition_queue(number) for number in range(site.hub.partitions)]


def _with_queues(catalogue: Catalogue) -> list[str]:
    return [name for name, system in catalogue.systems.items() if not system.neighbour]
