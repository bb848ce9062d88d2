"""Hold what the receivers' files say against the senders' own files, field by field.

A message's id names the record of the file that it came from (the first 32 digits of the file's
SHA-256, and the record's number), and read files stand in the sender's ``processed``. What both
layouts have under one name must mean the same; what the flow does not release must be blank.
A wire without a place for the id is matched by what it says. Faults name flows and fields,
never values.
"""

import hashlib
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import adapters
from adapters.simulation.conversions import columns_of, field_of, says_the_same
from adapters.simulation.kit import ReceivedRecord
from hub.edge.forms import form_of
from hub.edge.kit import Inbound, Row
from hub.statute.model import Catalogue, Grant

MOST = 2000
"""Records kept of one flow to one receiver; beyond that every second of them is, and so on."""

_READ = "processed"
_DIGEST_DIGITS = 32


class Way(NamedTuple):
    """One flow to one receiver."""

    flow: str
    receiver: str


@dataclass(slots=True)
class Kept:
    """The records of one way that are looked at: all, or an even part of them."""

    received: int = 0
    step: int = 1
    records: list[ReceivedRecord] = field(default_factory=list)

    def add(self, record: ReceivedRecord) -> None:
        """Take one more, and thin them out when there are too many."""
        self.received += 1
        if _place(record) % self.step == 0:
            self.records.append(record)
        while len(self.records) > MOST:
            self.step *= 2
            self.records = [one for one in self.records if _place(one) % self.step == 0]


def _place(record: ReceivedRecord) -> int:
    return zlib.crc32(record.message_id.encode())


@dataclass(frozen=True, slots=True)
class Checked:
    """What the comparison of one way came to; ``sampled`` says that not all were looked at."""

    way: Way
    records: int
    sampled: bool
    faults: tuple[str, ...] = ()


class Contents:
    """Collects what receivers found in their files, and compares it with the senders' files."""

    def __init__(self, catalogue: Catalogue, drives: Mapping[str, Path]) -> None:
        self._drives = drives
        self._grants: dict[Way, Grant] = {}
        self._senders: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for flow, leg in catalogue.legs():
            for receiver, grant in leg.receivers.items():
                self._grants[Way(flow.ref, receiver)] = grant
                told = (receiver, flow.message_type or "")
                self._senders[told].add((flow.ref, leg.sender))
        self._kept: dict[Way, Kept] = defaultdict(Kept)

    def seen(self, receiver: str, records: Iterable[ReceivedRecord]) -> Iterator[ReceivedRecord]:
        """Take note of records while they pass; those whose wire names no flow get theirs."""
        for record in records:
            whole = self._named(receiver, record)
            self._kept[Way(whole.flow, receiver)].add(whole)
            yield whole

    def _named(self, receiver: str, record: ReceivedRecord) -> ReceivedRecord:
        known = self._senders[receiver, record.message_type]
        if record.flow or len(known) != 1:
            return record
        flow, sender = next(iter(known))
        return ReceivedRecord(
            record.sender or sender,
            record.message_id,
            flow,
            record.message_type,
            record.addressee_number,
            record.values,
            record.layout,
        )

    def checked(self) -> dict[Way, Checked]:
        """Compare everything that was kept; each of the senders' files is read once."""
        faults: dict[Way, Counter[str]] = {way: Counter() for way in sorted(self._kept)}
        by_sender: dict[str, list[Looked]] = defaultdict(list)
        for way, kept in self._kept.items():
            for record in kept.records:
                by_sender[record.sender].append(Looked(way, record))
        for sender, looked in sorted(by_sender.items()):
            if sender not in self._drives:
                for way, _ in looked:
                    faults[way]["comes from a sender without files"] += 1
                continue
            for (way, record), source in Sources(sender, self._drives[sender]).matched(looked):
                faults[way].update(differences(record, source, self._grants.get(way, Grant())))
        return {way: self._said(way, found) for way, found in faults.items()}

    def _said(self, way: Way, faults: Mapping[str, int]) -> Checked:
        kept = self._kept[way]
        said = (f"{way.flow} to {way.receiver}: {text} ({n} records)" for text, n in faults.items())
        return Checked(way, len(kept.records), kept.step > 1, tuple(said))


class Looked(NamedTuple):
    """A record that is looked at, and the way that it came."""

    way: Way
    record: ReceivedRecord


class Source(NamedTuple):
    """The record that a message came from, and its file's layout."""

    row: Row
    layout: str


class Sources:
    """The files of one sender that the hub's side has read."""

    def __init__(self, sender: str, drive: Path) -> None:
        self._files: dict[str, tuple[Path, Inbound]] = {}
        wires = adapters.find(sender).inbound
        for path in sorted((drive / _READ).glob("*")):
            wire = next((w for w in wires if fnmatchcase(path.name, w.pattern)), None)
            if wire is not None:
                self._files[_digest(path)[:_DIGEST_DIGITS]] = (path, wire)

    def matched(self, looked: Iterable[Looked]) -> Iterator[tuple[Looked, Source | None]]:
        """Give each record with its source; each file is read once, and only as far as needed."""
        wanted: dict[str, dict[int, list[Looked]]] = defaultdict(lambda: defaultdict(list))
        for one in looked:
            digest, _, number = one.record.message_id.rpartition("-")
            if not one.record.message_id:
                yield one, self._alike(one.record)
            elif digest in self._files and number.isdecimal():
                wanted[digest][int(number)].append(one)
            else:
                yield one, None
        for digest, numbers in wanted.items():
            path, wire = self._files[digest]
            for row in _rows(path, wire):
                source = Source(row, wire.layout)
                yield from ((one, source) for one in numbers.pop(row.number, ()))
                if not numbers:
                    break
            yield from ((one, None) for lost in numbers.values() for one in lost)

    def _alike(self, record: ReceivedRecord) -> Source | None:
        """Find the record that says most of what this one says: its wire names no message."""
        best: tuple[int, Source] | None = None
        for path, wire in self._files.values():
            if wire.message_type != record.message_type:
                continue
            for row in _rows(path, wire):
                source = Source(row, wire.layout)
                agreeing = sum(1 for _, same in _shared(record, source) if same)
                if best is None or agreeing > best[0]:
                    best = (agreeing, source)
        return best[1] if best else None


def _rows(path: Path, wire: Inbound) -> Iterator[Row]:
    for group in form_of(wire.layout).groups(path, None):
        yield from (row for row in group.rows if row.sound)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def differences(record: ReceivedRecord, source: Source | None, grant: Grant) -> Iterator[str]:
    """Say where a record does not agree with the one that it came from."""
    for column, text in record.values.items():
        name = field_of(record.message_type, column)
        if text and name and name not in grant.fields:
            yield f"{column} is not released, and is not blank"
    if source is None:
        yield "no file of the sender has the record"
        return
    for column, same in _shared(record, source):
        if not same and field_of(record.message_type, column) in grant.fields:
            yield f"{column} is not what the sender wrote"


def _shared(record: ReceivedRecord, source: Source) -> Iterator[tuple[str, bool]]:
    """Compare what both have under one name."""
    kind = record.message_type
    theirs = columns_of(source.layout)
    for column, text in record.values.items():
        if column in theirs and field_of(kind, column):
            written = (source.layout, source.row.values[column])
            yield column, says_the_same(kind, column, (record.layout, text), written)
