"""Who of a hub's workers works off which partition. Pure: each works it out for itself."""

import hashlib
from collections.abc import Collection


def assigned(members: Collection[str], partitions: int, me: str) -> tuple[int, ...]:
    """Give the numbers of the partitions that are mine, of those from 0 on; ``me`` is a member.

    The same members give the same answer everywhere. Shares differ by one at the most, and few
    partitions move when a member comes or goes: of all pairs of a partition and a member, taken
    in the order of a hash (rendezvous hashing), each holds that gives nobody too much.

    >>> [assigned({"hub", "hub-2"}, 4, me) for me in ("hub", "hub-2")]
    [(1, 2), (0, 3)]
    """
    small, larger_ones = divmod(partitions, len(members))
    owners: dict[int, str] = {}
    count = dict.fromkeys(members, 0)
    pairs = (
        (_weight(number, name), number, name) for number in range(partitions) for name in count
    )
    for _, number, name in sorted(pairs, reverse=True):
        is_full = count[name] > small or (count[name] == small and not larger_ones)
        if number in owners or is_full:
            continue
        if count[name] == small:
            larger_ones -= 1
        count[name] += 1
        owners[number] = name
    return tuple(number for number in range(partitions) if owners[number] == me)


def _weight(number: int, name: str) -> bytes:
    return hashlib.blake2b(f"{number} {name}".encode(), digest_size=8).digest()
