"""Whose keys there are: an account's own private ones, and everybody's public ones, kept fresh.

They are looked at every two seconds, as the catalogue is, so that a new certificate, a revoked one
or a key that came late is known without a new start.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import KeyMissing, RenkeiError
from hub.pki.parties import load_parties, own_keys, stamp_of
from hub.sealing.datakeys import ReaderKey

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
_READ_SECONDS = 3600.0
"""So often they are read although nothing has changed: a certificate may have come into force."""
SETTLING = dt.timedelta(hours=1)
"""So long a new certificate is left alone where an older one is in force: it has to reach all."""


class KeySource(Protocol):
    """Where keys are kept."""

    def stamp(self) -> object:
        """Give something that is another whenever the keys may be others."""
        ...

    def parties(self) -> Sequence[ReaderKey]:
        """Give the public keys of all accounts that are not revoked.

        Raises:
            RenkeiError: they cannot be read.
        """
        ...

    def own(self) -> Mapping[str, ec.EllipticCurvePrivateKey]:
        """Give this account's private keys by their names, also those that are not used any more.

        Raises:
            RenkeiError: they cannot be read.
        """
        ...


def chosen(keys: Sequence[ReaderKey], now: dt.datetime) -> ReaderKey | None:
    """Choose among a reader's keys: the newest in force that has had time to reach the reader.

    Where none has, the oldest in force. None where none is in force.
    """
    in_force = sorted(
        (one for one in keys if one.since <= now < one.until), key=lambda one: (one.since, one.kid)
    )
    settled = [one for one in in_force if one.since <= now - SETTLING]
    if settled:
        return settled[-1]
    return in_force[0] if in_force else None


@dataclass(frozen=True, slots=True)
class FolderKeys:
    """Keys in a site's folder of certificates (``hub.pki``), for an account; a ``KeySource``."""

    folder: Path
    account: str

    def stamp(self) -> object:
        """Give something that is another whenever the keys may be others."""
        return stamp_of(self.folder, self.account)

    def parties(self) -> Sequence[ReaderKey]:
        """Give the public keys of all accounts.

        Raises:
            SiteError: authorities or revocation lists cannot be read.
        """
        return load_parties(self.folder, utc_now())

    def own(self) -> Mapping[str, ec.EllipticCurvePrivateKey]:
        """Give the account's private keys by their names.

        Raises:
            SiteError: one cannot be read, or is open to others.
        """
        return own_keys(self.folder, self.account)


def utc_now() -> dt.datetime:
    """Give the time."""
    return dt.datetime.now(dt.UTC)


@dataclass(slots=True)
class Keys:
    """The keys of one account, as ``source`` has them now; without one there are none.

    What cannot be read is said once, and what was read before holds until it can.
    """

    account: str
    source: KeySource | None = None
    clock: Callable[[], dt.datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    _due: float = float("-inf")
    _stamp: object = None
    _read_at: float = float("-inf")
    _own: Mapping[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict, repr=False)
    _parties: Mapping[str, Sequence[ReaderKey]] = field(default_factory=dict, repr=False)
    _trouble: str = ""

    def to(self, account: str) -> ReaderKey:
        """Give the key to encrypt with for an account, now.

        Raises:
            KeyMissing: it has none in force.
        """
        self._look()
        found = chosen(self._parties.get(account, ()), self.clock())
        if found is None and self.source is None:
            raise KeyMissing(
                f"{account} cannot be given a 個人番号: there is no folder of certificates here "
                "([tls] folder in the site file, certificates= of a client)"
            )
        if found is None:
            trouble = f" ({self._trouble})" if self._trouble else ""
            raise KeyMissing(
                f"{account} has no encryption certificate in force here{trouble}: "
                f"run renkei pki issue {account}, and give its file in parties to every machine"
            )
        return found

    def must_open(self) -> None:
        """Make sure, where there are certificates, that something could be opened.

        Raises:
            KeyMissing: this account has no private key here.
        """
        self._look()
        if self.source is not None and not self._own:
            trouble = f" ({self._trouble})" if self._trouble else ""
            raise KeyMissing(
                f"there is no private encryption key of {self.account} here{trouble}: "
                f"run renkei pki issue {self.account}"
            )

    def lacks(self, kid: str) -> bool:
        """Say whether this account is encrypted to with a key whose private half is not here."""
        self._look()
        parties = self._parties.get(self.account, ())
        return kid not in self._own and any(one.kid == kid for one in parties)

    def own(self, kid: str) -> ec.EllipticCurvePrivateKey | None:
        """Give the private key of this name; none where it is not this account's."""
        self._look()
        return self._own.get(kid)

    def _look(self) -> None:
        now = self.monotonic()
        if self.source is None or now < self._due:
            return
        self._due = now + LOOK_SECONDS
        try:
            stamp = self.source.stamp()
            if stamp == self._stamp and now < self._read_at + _READ_SECONDS:
                return
            own, parties = self.source.own(), self.source.parties()
        except RenkeiError as error:
            self._complain(str(error))
            return
        by_account: dict[str, list[ReaderKey]] = {}
        for one in parties:
            by_account.setdefault(one.account, []).append(one)
        self._own, self._parties = own, by_account
        self._stamp, self._read_at = stamp, now
        self._complain("")

    def _complain(self, trouble: str) -> None:
        """Log what is wrong with the keys, once."""
        if trouble and trouble != self._trouble:
            log.warning("keys stay as they were: %s", trouble)
        self._trouble = trouble
