"""Entries about the catalogue itself: which one is in force from when on, and which was refused.

Such an entry is the hub's own and no message's. ``digest`` is that of the catalogue that it is
about, and ``detail`` says which one was in force before; in an entry with a code, that one
stays in force.
"""

import datetime as dt
from collections.abc import Sequence

from hub.ledger.acts import kept_text
from hub.ledger.model import Entry, Kind
from hub.message import MessageKey
from hub.site import HUB_USER

CATALOGUE_REFUSED = "catalogue-refused"
"""The code of a catalogue that has faults and did not come into force."""
_DETAIL_CHARACTERS = 600


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
