"""Entries about the catalogue itself: which one is in force from when on, and which was refused.

Such an entry is the hub's own and no message's. ``digest`` is that of the catalogue that it is
about, and ``detail`` says which one was in force before; in an entry with a code, that one
stays in force.
"""

import datetime as dt
import re
from collections.abc import Sequence
from enum import StrEnum

from hub.ledger.acts import kept_text
from hub.ledger.model import Entry, Kind
from hub.message import MessageKey
from hub.site import HUB_USER

CATALOGUE_REFUSED = "catalogue-refused"
"""The code of a catalogue that has faults and did not come into force."""
_DETAIL_CHARACTERS = 600
_FIRST = "before none"
_CUT = "…"


class Told(StrEnum):
    """What an entry says of one flow."""

    FIRST = "first"  # no catalogue was recorded before
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    CLOSED = "closed"
    OPENED = "opened"
    COMPLETED = "completed"
    UNKNOWN = "unknown"  # it names no flow, or not all that differ
    NOTHING = "nothing"  # others differ, this one does not


_NAMED = re.compile(rf"(\S+) ({'|'.join(Told)})")


def told_of(detail: str, ref: str) -> Told:
    """Read what an entry of ``changed`` says of a flow, by its detail.

    >>> told_of("before 12ab; M1e closed, M2 changed", "M2")
    <Told.CHANGED: 'changed'>
    >>> told_of("before 12ab; M1e closed, M2 changed", "M1")
    <Told.NOTHING: 'nothing'>
    >>> told_of("before 12ab", "M1")
    <Told.UNKNOWN: 'unknown'>
    """
    before, _, named = detail.partition("; ")
    parts = named.split(", ") if named else []
    flows = {found[1]: Told(found[2]) for found in map(_NAMED.fullmatch, parts) if found}
    if ref in flows:
        return flows[ref]
    if not parts:
        return Told.FIRST if before == _FIRST else Told.UNKNOWN
    return Told.UNKNOWN if parts[-1].endswith(_CUT) else Told.NOTHING


def changed(before: str, after: str, what: Sequence[str], at: dt.datetime) -> Entry:
    """Say that a catalogue is in force; ``before`` is empty where none was recorded.

    ``what`` names the flows that differ, as far as that is known.
    """
    said = f"before {before or 'none'}; {', '.join(what)}" if what else f"before {before or 'none'}"
    return _entry(after, "", said, at)


def refused(in_force: str, offered: str, faults: Sequence[str], at: dt.datetime) -> Entry:
    """Say that a catalogue was refused whole; ``faults`` name files, lines and keys."""
    said = f"in force {in_force}; {'; '.join(faults)}"
    return _entry(offered, CATALOGUE_REFUSED, said, at)


def _entry(digest: str, code: str, detail: str, at: dt.datetime) -> Entry:
    return Entry(
        kind=Kind.CATALOGUE_CHANGE,
        at=at,
        message=MessageKey(HUB_USER, f"catalogue-{digest[:32]}"),
        message_type="",
        digest=digest,
        code=code,
        detail=kept_text(detail, _DETAIL_CHARACTERS),
    )
