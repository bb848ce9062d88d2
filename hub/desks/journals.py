"""Asks the journals beside the adapters of this machine what they say of one message."""

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hub.desks.ways import Noted, Pair, Point, Side, Step
from hub.edge.journal import TakenKey
from hub.edge.recorded import JournalRecord, place_of
from hub.message import MessageKey


@dataclass(frozen=True, slots=True)
class JournalsHere:
    """The journals by their system; one whose file is not there says nothing."""

    places: Mapping[str, Path]

    def __call__(self, key: MessageKey, pairs: Collection[Pair]) -> Noted:
        """Tell what sender and receivers noted of a message.

        Raises:
            EdgeError: a journal is there and cannot be read.
        """
        taken = {pair: self._taken(key, pair) for pair in pairs}
        return Noted(
            self._read(key), {pair: point for pair, point in taken.items() if point is not None}
        )

    def _read(self, key: MessageKey) -> Point | None:
        place = place_of(key.id)
        journal = self.places.get(key.sender)
        if place is None or journal is None or not journal.exists():
            return None
        beginning, record = place
        with closing(JournalRecord(journal)) as kept:
            file = kept.file_of(beginning)
            if file is None or not kept.is_sent(file.digest, record):
                return None
        at = _moment(file.read_at)
        return Point(Step.READ, Side.SENDER, at, file=file.name, record=record)

    def _taken(self, key: MessageKey, pair: Pair) -> Point | None:
        journal = self.places.get(pair.receiver)
        if journal is None or not journal.exists():
            return None
        with closing(JournalRecord(journal)) as kept:
            handled = kept.handled(TakenKey(key.sender, key.id, pair.flow))
        if handled is None:
            return None
        at = _moment(handled.at)
        return Point(Step.TAKEN, Side.RECEIVER, at, code=handled.code, file=handled.file)


def _moment(seconds: int) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
