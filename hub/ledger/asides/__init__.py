"""The tables beside the entries: who is bound to which number, and what waits for a person.

``bound`` has the first, the other modules the second: ``writing`` in the transaction that
appends, ``finding``, and ``overtaking``, which tells what a newer message has overtaken.
"""

from hub.ledger.asides.bound import bound
from hub.ledger.asides.finding import (
    Wanted,
    count_kept,
    counted,
    find,
    listed,
    oldest_undecided,
    recorded,
    requests,
    waiting,
)
from hub.ledger.asides.once import MEANWHILE
from hub.ledger.asides.overtaking import Names, overtaken, recorded_name
from hub.ledger.asides.writing import accepted_by, forget, write

__all__ = [
    "MEANWHILE",
    "Names",
    "Wanted",
    "accepted_by",
    "bound",
    "count_kept",
    "counted",
    "find",
    "forget",
    "listed",
    "oldest_undecided",
    "overtaken",
    "recorded",
    "recorded_name",
    "requests",
    "waiting",
    "write",
]
