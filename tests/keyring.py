"""Encryption keys of the accounts of a test, in memory."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from hub.sealing.datakeys import ReaderKey
from hub.sealing.keys import Keys

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass
class Keyring:
    """Makes keys for accounts and gives each its own."""

    clock: dt.datetime = BEGIN + dt.timedelta(days=100)
    private: dict[str, dict[str, ec.EllipticCurvePrivateKey]] = field(default_factory=dict)
    public: list[ReaderKey] = field(default_factory=list)

    def issue(self, account: str) -> None:
        """Make a key for an account, the newest that it has."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = self.private.setdefault(account, {})
        kid = f"{account}.{len(own):08x}"
        own[kid] = key
        since = BEGIN + dt.timedelta(days=len(own))
        until = since + dt.timedelta(days=3650)
        self.public.append(ReaderKey(kid, account, key.public_key(), since, until))

    def keys(self, account: str) -> Keys:
        """Give the keys as this account has them; it sees at once what changes."""
        ticks = iter(range(0, 1_000_000_000, 10))
        source = _Source(self, account)
        return Keys(account, source, lambda: self.clock, lambda: float(next(ticks)))


@dataclass
class _Source:
    """The keyring as one account sees it (``hub.sealing.keys.KeySource``)."""

    ring: Keyring
    account: str

    def stamp(self) -> object:
        return [one.kid for one in self.ring.public], list(self.own())

    def parties(self) -> Sequence[ReaderKey]:
        return list(self.ring.public)

    def own(self) -> Mapping[str, ec.EllipticCurvePrivateKey]:
        return dict(self.ring.private.get(self.account, {}))


def keyring(*accounts: str) -> Keyring:
    """Give a keyring with a key for each of these accounts."""
    ring = Keyring()
    for account in accounts:
        ring.issue(account)
    return ring
