"""What a sender states about a person's household, so that the hub can judge the scope.

A household's evidence comes from the rows of one group. Someone whose row says that they have
just left a household also carries that household's; those who stay, or who join, do not
inherit each other's past households.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.edge.kit import Row
from schemas.canonical import Insurance, ScopeEvidence
from schemas.dates import RegisterDate, read_register_date

_HOUSEHOLD_NUMBER = re.compile(r"[0-9]{1,15}")
_STRENGTH = {Insurance.NONE: 0, Insurance.PAST: 1, Insurance.CURRENT: 2}


class Member(NamedTuple):
    """One row as evidence: where the person lives, lived until now, and what is known.

    ``household`` is empty where it cannot be told.
    """

    household: str
    left: str
    born: RegisterDate | None
    insurance: Insurance


def readable_date(text: str) -> RegisterDate | None:
    """Read a date for evidence: what cannot be kept as a date counts as none."""
    try:
        return read_register_date(text)
    except ValueError:
        return None


def households_of(rows: Sequence[Row]) -> list[str]:
    """Give the household of each row of a group; empty where it cannot be told.

    A refused row whose household number cannot be read belongs to the group's only household,
    if the group has only one. It must say itself that it is of the group: a row whose group
    cannot be read is given to both groups beside it.
    """
    sound = [row.values for row in rows if row.sound]
    homes = {value["household_number"] for value in sound}
    numbers = {value["group"] for value in sound}
    only = homes.pop() if len(homes) == 1 else ""
    return [_household_of(row, only, numbers) for row in rows]


def _household_of(row: Row, only: str, numbers: Collection[str]) -> str:
    stated = row.values["household_number"]
    if row.sound or _HOUSEHOLD_NUMBER.fullmatch(stated):
        return stated
    return only if row.values["group"] in numbers else ""


def evidence_of_each(members: Sequence[Member]) -> list[ScopeEvidence]:
    """Give the evidence of each member of one group, in order."""
    homes = {member.household for member in members if member.household}
    own = {home: _evidence(m for m in members if m.household == home) for home in homes}
    left = {
        member.left: _evidence(_formerly_in(member.left, members))
        for member in members
        if member.left
    }
    return [_of(member, own, left) for member in members]


def _formerly_in(home: str, members: Iterable[Member]) -> Iterable[Member]:
    """Those who lived there until the event: all who left it, and all who did not just join."""
    return (m for m in members if m.left == home or (m.household == home and not m.left))


def _of(
    member: Member, own: Mapping[str, ScopeEvidence], left: Mapping[str, ScopeEvidence]
) -> ScopeEvidence:
    evidence = own.get(member.household, _NOTHING)
    return _joined((evidence, left[member.left])) if member.left else evidence


def _evidence(members: Iterable[Member]) -> ScopeEvidence:
    return _joined(
        (ScopeEvidence.model_construct(eldest_birth_date=m.born, insurance=m.insurance))
        for m in members
    )


def _joined(parts: Iterable[ScopeEvidence]) -> ScopeEvidence:
    """Take the eldest and the strongest.

    A date that is partly unknown counts from its last possible day, as the hub's rule does: so
    the household is in scope exactly when one of its members surely is. An unknown date counts
    as nothing.
    """
    eldest: RegisterDate | None = None
    strongest = Insurance.NONE
    for part in parts:
        eldest = _elder(eldest, part.eldest_birth_date)
        if _STRENGTH[part.insurance] > _STRENGTH[strongest]:
            strongest = part.insurance
    return ScopeEvidence.model_construct(eldest_birth_date=eldest, insurance=strongest)


def _elder(one: RegisterDate | None, other: RegisterDate | None) -> RegisterDate | None:
    latest = other.latest() if other is not None else None
    if latest is None:
        return one
    until_now = one.latest() if one is not None else None
    return other if until_now is None or latest < until_now else one


_NOTHING = ScopeEvidence()
