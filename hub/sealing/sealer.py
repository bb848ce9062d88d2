"""Encrypts the 個人番号 of events for one reader; implements ``hub.message.Seal``."""

from collections.abc import Mapping
from typing import Any

from hub.clock import JST
from hub.sealing.datakeys import DataKey, new_data_key
from hub.sealing.fields import bound, sealed_names
from hub.sealing.keys import LOOK_SECONDS, Keys

_NAMES = tuple(sorted(sealed_names()))


class Sealer:
    """Seals for one reader, under a data key of its own that is new each day.

    ``whose`` begins what is written with each number: for a copy the hub and its receiver.
    """

    def __init__(self, keys: Keys, reader: str, *whose: str) -> None:
        """Seal with these keys; one may be missing until the first number comes."""
        self._keys = keys
        self._reader = reader
        self._whose = whose
        self._data_key: DataKey | None = None
        self._made_for: tuple[str, str] = ("", "")
        self._due = float("-inf")

    def sealed(self, data: Mapping[str, Any], *about: str) -> tuple[Mapping[str, Any], str]:
        """Give the data with its 個人番号 encrypted, and the event's ``datakey``.

        Raises:
            KeyMissing: the reader has no key in force.
        """
        sealed: dict[str, Any] | None = None
        datakey = ""
        for name in _NAMES:
            number = data.get(name)
            if not number or not isinstance(number, str):
                continue
            key = self._key()
            if sealed is None:
                sealed, datakey = dict(data), key.wrapped
            sealed[name] = key.encrypt(bound((*self._whose, *about), name, number))
        return (data if sealed is None else sealed), datakey

    def _key(self) -> DataKey:
        now = self._keys.monotonic()
        key = self._data_key
        if key is not None and now < self._due and key.left > 0:
            return key
        reader = self._keys.to(self._reader)
        day = self._keys.clock().astimezone(JST).date()
        made_for = (reader.kid, day.isoformat())
        if key is None or key.left <= 0 or made_for != self._made_for:
            key = new_data_key(reader, day)
        self._data_key, self._made_for, self._due = key, made_for, now + LOOK_SECONDS
        return key
