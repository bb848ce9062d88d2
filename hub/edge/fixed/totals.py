"""What the data records of a fixed-length file come to: their number, counts and sums."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hub.edge.fixed.fields import Wrong
from hub.edge.form import BadFile, FileFault
from schemas.fixed_layout import FixedPlan, Holds, Slot

COUNTED = (Holds.COUNT, Holds.SUM)


class Totals(NamedTuple):
    """What the data records of a file come to: their number, and each counting slot's total."""

    records: int
    of: Mapping[str, int]

    def in_slot(self, slot: Slot) -> int:
        """Give the total that a counting slot holds."""
        return self.of[_key(slot)]


class Tally:
    """Counts and sums the data records as they pass."""

    def __init__(self, plan: FixedPlan, value: Callable[[bytes, str], str]) -> None:
        """Begin at nothing; ``value`` reads a field of a data record, or raises ``Wrong``."""
        slots = (slot for record in (*plan.before, *plan.after) for slot in record.slots)
        self._slots = {_key(slot): slot for slot in slots if slot.holds in COUNTED}
        self._of = dict.fromkeys(self._slots, 0)
        self._value_of = value
        self._records = 0

    def add(self, raw: bytes, line: int) -> None:
        """Add a data record.

        Raises:
            BadFile: a sum cannot be made, for this record has no readable number for it.
        """
        self._records += 1
        for key, slot in self._slots.items():
            self._of[key] += self._worth(slot, raw, line)

    def has_room_for(self, raw: bytes) -> bool:
        """Say whether the totals still have room for one more data record, which is sound."""
        return all(
            self._of[key] + self._worth(slot, raw, 0) < 10**slot.bytes
            for key, slot in self._slots.items()
        )

    def _worth(self, slot: Slot, raw: bytes, line: int) -> int:
        if any(self._value(raw, name, line) not in of for name, of in slot.where.items()):
            return 0
        return int((self._value(raw, slot.field, line) if slot.field else "1") or 0)

    def _value(self, raw: bytes, field: str, line: int) -> str:
        try:
            return self._value_of(raw, field)
        except Wrong as wrong:
            reason = f"the totals cannot be checked: {field} {wrong}"
            raise BadFile(FileFault.LINE, reason, line) from None

    def totals(self) -> Totals:
        """Give what was counted so far."""
        return Totals(self._records, dict(self._of))


def _key(slot: Slot) -> str:
    conditions = "|".join(f"{name}={','.join(values)}" for name, values in slot.where.items())
    return f"{slot.field}?{conditions}"
