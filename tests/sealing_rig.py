"""A hub with keys between systems with keys, whose numbers are under seal."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.ledger.store import DatabaseLedger
from hub.ledger.vault import vault_of
from hub.ledger.verify.ledger import verify
from hub.message import AccessItems, Copy, encode_event
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from tests.confirmations_rig import OTHER, PREMIUM, UNION, row
from tests.fakes import Stored
from tests.keyring import Keyring, keyring
from tests.samples import MY_NUMBER, PSEUDONYMS, REGISTRY, SIGNER, judge
from tests.worker_rig import IN, Rig


class Site:
    """A hub with keys, and systems with theirs; all receivers' queues are searched for numbers."""

    def __init__(self, folder: Path, plain_until: dt.date | None = None) -> None:
        self.ring: Keyring = keyring(HUB_USER, REGISTRY, PREMIUM, UNION)
        self.plain_until = plain_until
        self.rig = Rig(folder)
        self.begin()

    def begin(self) -> None:
        """Begin with the keys of now, as a new process does."""
        seals = Seals(self.ring.keys(HUB_USER), self.plain_until)
        self.rig.judge = replace(judge(), seals=seals)

    def lock_out(self) -> Mapping[str, Any]:
        """Take the hub's private keys away."""
        return self.ring.private.pop(HUB_USER)

    def body(self, event: Mapping[str, Any], *about: str) -> bytes:
        """Write a sealed event as its adapter does; ``about`` another message than its own."""
        sender = str(event["source"]).removeprefix("/systems/")
        body = encode_event(
            message_id=str(event["id"]),
            system=sender,
            message_type=str(event["type"]),
            time=dt.datetime.fromisoformat(str(event["time"])),
            data=event["data"],
            access=AccessItems(*(str(event.get(n, "")) for n in AccessItems._fields)),
            seal=_About(Sealer(self.ring.keys(sender), HUB_USER), about),
        )
        assert MY_NUMBER.encode() not in body
        return body

    def put(self, *bodies: bytes, user: str = REGISTRY) -> None:
        for body in bodies:
            stored = Stored(json.loads(body)["type"], user, body)
            self.rig.broker.queue(IN).append(stored)

    def send(self, *events: Mapping[str, Any]) -> None:
        for event in events:
            self.put(self.body(event), user=str(event["source"]).removeprefix("/systems/"))
        assert self.rig.drain()

    def copies(self, receiver: str) -> list[Copy]:
        """Open the copies in a receiver's queue as its adapter does."""
        opener = Opener(self.ring.keys(receiver))
        bodies = self.rig.bodies(receiver)
        assert not any(MY_NUMBER.encode() in body or OTHER.encode() in body for body in bodies)
        return [opener.copy(Copy.model_validate_json(body)) for body in bodies]

    def received(self, receiver: str) -> list[tuple[str, str | None]]:
        return [(one.id, one.data.get("my_number")) for one in self.copies(receiver)]

    def kept(self, number: int) -> bytes:
        """Decrypt the body of a row as the ledger keeps it."""
        return vault_of(PSEUDONYMS).open(number, row(self.rig, number).body)

    def verified(self) -> None:
        ledger = DatabaseLedger(self.rig.url, SIGNER)
        assert verify(ledger.engine, SIGNER.verifier).good
        ledger.close()


class _About:
    """Seals as if for another message."""

    def __init__(self, sealer: Sealer, about: tuple[str, ...]) -> None:
        self._sealer, self._about = sealer, about

    def sealed(self, data: Mapping[str, Any], *about: str) -> tuple[Mapping[str, Any], str]:
        return self._sealer.sealed(data, *(self._about or about))
