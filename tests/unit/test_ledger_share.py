"""Which partitions are whose: everybody comes to the same, in even shares, and few of them move."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.share import assigned

pytestmark = pytest.mark.unit

NAMES = st.sets(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), min_size=1, max_size=16)
PARTITIONS = st.integers(1, 16)


def owners(members: set[str], partitions: int) -> dict[int, str]:
    """Ask every member; each partition has to have one answer."""
    answers = [(number, me) for me in members for number in assigned(members, partitions, me)]
    found = dict(answers)
    assert len(found) == len(answers) == partitions
    assert set(found) == set(range(partitions))
    return found


@given(NAMES, PARTITIONS)
def test_every_partition_is_somebodys_and_the_shares_are_even(
    members: set[str], partitions: int
) -> None:
    shares = Counter(dict.fromkeys(members, 0))
    shares.update(owners(members, partitions).values())
    assert max(shares.values()) - min(shares.values()) <= 1


@given(NAMES, PARTITIONS, st.randoms(use_true_random=False))
def test_the_order_of_the_members_does_not_matter(
    members: set[str], partitions: int, chance: object
) -> None:
    listed = sorted(members)
    chance.shuffle(listed)  # type: ignore[attr-defined]
    for me in listed:
        assert assigned(listed, partitions, me) == assigned(members, partitions, me)


@given(PARTITIONS)
def test_who_is_alone_has_all(partitions: int) -> None:
    assert assigned({"hub"}, partitions, "hub") == tuple(range(partitions))


@pytest.mark.parametrize(("partitions", "before"), [(4, 1), (4, 2), (8, 2), (16, 2), (16, 3)])
def test_few_partitions_move_when_one_comes_or_goes(partitions: int, before: int) -> None:
    moved = 0
    for city in range(40):
        members = {f"hub-{city}-{number}" for number in range(before)}
        old = owners(members, partitions)
        new = owners(members | {f"hub-{city}-late"}, partitions)
        moved += sum(old[number] != new[number] for number in range(partitions))
    # The newcomer's share has to move; more than half as many again would be a new deal.
    assert moved / 40 <= 1.5 * partitions / (before + 1) + 0.5
