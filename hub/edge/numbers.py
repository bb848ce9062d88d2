"""The 個人番号 of one system: encrypted for the hub as they leave, decrypted as they come.

They are in clear in the adapter's memory and in the system's own files, and nowhere between.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from hub.errors import KeyMissing, NumberFault
from hub.message import Copy, Seal
from hub.sealing.keys import Keys
from hub.sealing.opener import NUMBER_IN_CLEAR, Opener, clear_names
from hub.sealing.sealer import Sealer
from hub.site import HUB_USER


@dataclass(frozen=True, slots=True)
class Numbers:
    """Seals for the hub and opens what the hub sealed; implements ``hub.message.Seal``.

    ``takes_plain`` says whether numbers in clear are still permitted today, while not all have
    been brought up to date ([my_number] of the site file): then what the hub has no key for yet
    leaves in clear, and copies with numbers in clear are taken.
    """

    seal: Seal
    opener: Opener
    takes_plain: Callable[[], bool]

    @classmethod
    def by(cls, keys: Keys, takes_plain: Callable[[], bool]) -> Self:
        """Seal and open by the keys of the system's account."""
        return cls(Sealer(keys, HUB_USER), Opener(keys), takes_plain)

    def sealed(self, data: Mapping[str, Any], *about: str) -> tuple[Mapping[str, Any], str]:
        """Give the data with its 個人番号 encrypted, and the event's ``datakey``.

        Raises:
            KeyMissing: the hub has no key in force, and numbers in clear are not permitted.
        """
        try:
            return self.seal.sealed(data, *about)
        except KeyMissing:
            if self.takes_plain():
                return data, ""
            raise

    def opened(self, copy: Copy) -> Copy:
        """Give a copy with its 個人番号 in clear.

        Raises:
            NumberFault: one cannot be opened, belongs to another copy, or came in clear.
            KeyMissing: one is for a key of the system that has not been brought here yet.
        """
        in_clear = clear_names(copy.data)
        if in_clear and not self.takes_plain():
            raise NumberFault(NUMBER_IN_CLEAR, f"{', '.join(in_clear)} came in clear")
        return copy if copy.datakey is None else self.opener.copy(copy)
