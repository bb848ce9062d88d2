"""What the hub tells whoever watches it; ``monitoring/`` counts it, tests write it down."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from hub.breaker import ReceiverState
from hub.ledger.model import Entry
from hub.statute.model import Catalogue


class Stage(StrEnum):
    """A stage of a batch: until it is judged, recorded, published, confirmed."""

    JUDGE = "judge"
    RECORD = "record"
    PUBLISH = "publish"
    CONFIRM = "confirm"


class HubObserver(Protocol):
    """Gets told what happened, after it was recorded."""

    def recorded(self, entries: Sequence[Entry]) -> None:
        """These entries are durably in the ledger."""
        ...

    def batch_done(self, messages: int, seconds: float) -> None:
        """A batch was acknowledged, this long after it was taken."""
        ...

    def took(self, stage: Stage, seconds: float) -> None:
        """Say how long a batch was in a stage; told once a batch."""
        ...

    def tried_again(self, receivers: Mapping[str, int]) -> None:
        """Say how many copies were sent once more, by receiver, whose queue had not taken them."""
        ...

    def came_again(self, messages: int) -> None:
        """Say how many messages of a batch the broker has given out before."""
        ...

    def number_in_clear(self, sender: str) -> None:
        """Say that a 個人番号 came without encryption, and was taken all the same."""
        ...

    def linked(self) -> None:
        """Say that there is a connection to the broker."""
        ...

    def link_lost(self) -> None:
        """The connection to the broker is gone; another will be made."""
        ...

    def ledger_available(self, *, available: bool, why: str = "") -> None:
        """Say whether entries can be recorded, and why not; while they cannot, nothing moves."""
        ...

    def waiting(self, receivers: Mapping[str, ReceiverState]) -> None:
        """Say how many messages wait for each receiver's queue, and what its breaker lets pass."""
        ...

    def catalogue_in_force(self, catalogue: Catalogue) -> None:
        """Say by which catalogue is judged from now on."""
        ...

    def catalogue_refused(self) -> None:
        """Say that a changed catalogue has faults; the one before stays in force."""
        ...
