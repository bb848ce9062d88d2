"""What the hub opens and seals with, and whether a number in clear is still taken."""

import datetime as dt
from dataclasses import dataclass, field

from hub.clock import JST
from hub.sealing.keys import Keys
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from hub.site import HUB_USER


@dataclass(slots=True)
class Seals:
    """The hub's seals.

    Through the day ``plain_until`` a 個人番号 in clear is taken as well. At a site without
    certificates ``keys`` have no source: nothing can be encrypted, and only that lets one move.
    """

    keys: Keys
    plain_until: dt.date | None = None
    opener: Opener = field(init=False)
    _sealers: dict[str, Sealer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opener = Opener(self.keys, self.keys.monotonic)

    def to_receiver(self, receiver: str) -> Sealer | None:
        """Give what seals a receiver's copies; none at a site without certificates."""
        if self.keys.source is None:
            return None
        sealer = self._sealers.get(receiver)
        if sealer is None:
            sealer = self._sealers[receiver] = Sealer(self.keys, receiver, HUB_USER, receiver)
        return sealer

    def takes_plain(self, at: dt.datetime) -> bool:
        """Say whether a number in clear is taken at this moment, an aware time."""
        return self.plain_until is not None and at.astimezone(JST).date() <= self.plain_until
