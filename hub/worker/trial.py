"""Finds out which message ends the process, so that only that one is given up.

A message that the broker has given out often is a suspect. Suspects are noted durably before a
batch with them is judged, and struck out once it is recorded. One that a process did not outlive
before is judged alone; after some more times it is given up without being judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.ledger.model import Ledger, Pseudonyms
from hub.ports import Delivery
from hub.worker.intray import InTray

TRIES = 3
"""A suspect that ended so many processes is given up."""


class ProcessEnded(Exception):
    """What is noted of a message that ended the process again and again."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The suspects of a batch, by their marks, and how often each was not outlived."""

    batch: Sequence[Delivery]
    suspects: Mapping[str, Delivery] = field(default_factory=dict)
    tries: Mapping[str, int] = field(default_factory=dict)

    def guilty(self) -> frozenset[int]:
        """Give the places in the batch of those to be given up."""
        given_up = {id(self.suspects[mark]) for mark, times in self.tries.items() if times >= TRIES}
        return frozenset(place for place, one in enumerate(self.batch) if id(one) in given_up)


def trial_of(batch: Sequence[Delivery], tray: InTray, ledger: Ledger, keyed: Pseudonyms) -> Trial:
    """Cut a batch so that one that was not outlived before comes alone; note the suspects of it.

    Raises:
        LedgerError: that cannot be noted.
    """
    if not any(tray.is_suspect(one) for one in batch):
        return Trial(batch)
    marks = {
        keyed.body(one.user_id.encode() + b"\x00" + one.body): one
        for one in batch
        if tray.is_suspect(one)
    }
    # What this process noted itself, and goes on with after a lost link or a ledger that was away,
    # ended nobody.
    fresh = marks.keys() - tray.noted.keys()
    before = ledger.tries(fresh) if fresh else {}
    tries = {mark: tray.noted.get(mark, before.get(mark, 0)) for mark in marks}
    alone = {id(marks[mark]) for mark, times in tries.items() if times}
    first = next((place for place, one in enumerate(batch) if id(one) in alone), len(batch))
    cut = batch[: first or 1]
    inside = {id(one) for one in cut}
    suspects = {mark: one for mark, one in marks.items() if id(one) in inside}
    if new := suspects.keys() & fresh:
        ledger.suspected(new)
        tray.noted.update({mark: tries[mark] for mark in new})
    return Trial(cut, suspects, {mark: tries[mark] for mark in suspects if tries[mark]})
