"""What one account seals and opens with, and whether a number in clear is still taken."""

import datetime as dt
from dataclasses import dataclass, field

from hub.clock import JST
from hub.errors import NumberFault
from hub.message import Copy
from hub.sealing.keys import Keys, KeySource, utc_now
from hub.sealing.opener import NUMBER_IN_CLEAR, Opener, clear_names
from hub.sealing.sealer import Sealer
from hub.site import HUB_USER


@dataclass(slots=True)
class Seals:
    """The seals of one account: the hub's, or those of a connected system.

    Through the day ``plain_until`` a 個人番号 in clear is taken as well. Without certificates
    (``is_sealing`` false) nothing is encrypted, and then only that lets numbers move at all.
    """

    keys: Keys
    plain_until: dt.date | None = None
    opener: Opener = field(init=False)
    _sealers: dict[str, Sealer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opener = Opener(self.keys, self.keys.monotonic)

    @property
    def is_sealing(self) -> bool:
        """Say whether there are certificates to seal with."""
        return self.keys.source is not None

    def to_hub(self) -> Sealer | None:
        """Give what a system's adapter seals its events with; none where it writes them plain."""
        if not self.is_sealing:
            return None
        return self._sealers.setdefault("", Sealer(self.keys, HUB_USER))

    def to_receiver(self, receiver: str) -> Sealer | None:
        """Give what the hub seals a receiver's copies with; none where it writes them plain."""
        if not self.is_sealing:
            return None
        sealer = self._sealers.get(receiver)
        if sealer is None:
            sealer = self._sealers[receiver] = Sealer(self.keys, receiver, HUB_USER, receiver)
        return sealer

    def takes_plain(self, at: dt.datetime) -> bool:
        """Say whether a number in clear is taken at this moment, an aware time."""
        return self.plain_until is not None and at.astimezone(JST).date() <= self.plain_until

    def opened_copy(self, copy: Copy) -> Copy:
        """Give a copy that the hub sent to this account with its 個人番号 in clear.

        Raises:
            NumberFault: one cannot be opened, belongs to another copy, or came in clear.
        """
        if copy.datakey is not None:
            opened = self.opener.copy(copy)
            clear = clear_names(copy.data)
        else:
            opened, clear = copy, clear_names(copy.data)
        if clear and not self.takes_plain(self.keys.clock()):
            raise NumberFault(NUMBER_IN_CLEAR, f"{', '.join(clear)} came in clear")
        return opened


def seals_of(account: str, source: KeySource | None, plain_until: dt.date | None = None) -> Seals:
    """Give the seals of an account; without certificates there is no ``source`` of keys."""
    return Seals(Keys(account, source, utc_now), plain_until)
