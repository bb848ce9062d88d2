"""One system can do nothing to another's messages: not block, change, pre-empt or receipt them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ports import Delivery
from tests.samples import REGISTRY, delivery, event, receipts_event, resident
from tests.worker_rig import Fact, Rig

pytestmark = pytest.mark.unit

RECEIVERS = ("premium-collection", "union")
VICTIM = tuple(event(resident(history_number=n), id=f"m{n}") for n in (1, 2, 3))
OTHER = {"name": "攻撃者", "history_number": 99}


def attacks(user: str, message_id: str, victims_own: dict[str, Any]) -> list[Delivery]:
    """Give what a system may try with the id and even the very bytes of another's message."""
    own = f"/systems/{user}" if user else f"/systems/{REGISTRY}"
    theirs = [{"sender": REGISTRY, "id": message_id, "flow": flow} for flow in ("I1", "M1b")]
    return [
        delivery(victims_own, user_id=user),
        delivery(victims_own, user_id=user, copied=True),
        delivery(event(resident(**OTHER), id=message_id), user_id=user),
        delivery(event(resident(**OTHER), id=message_id, source=own), user_id=user),
        delivery(event(id=message_id, source=own), user_id=user, routing_key="income.assessed"),
        delivery(receipts_event("union", theirs, id=message_id), user_id=user),
        delivery(receipts_event(user or "union", theirs, id=message_id), user_id=user),
        delivery(b"\x00" + message_id.encode(), user_id=user),
    ]


ATTACKS = [
    attack
    for user in ("tax", "premium-collection-x", "family-registry", "", "guest", "hub")
    for own in VICTIM
    for attack in attacks(user, str(own["id"]), own)
]


def outcome(rig: Rig) -> tuple[object, ...]:
    """Give all that concerns the victim: its entries and the copies of its messages."""
    facts = {fact: n for fact, n in rig.facts().items() if fact.sender == REGISTRY}
    data = [[copy["data"] for copy in rig.copies(receiver)] for receiver in RECEIVERS]
    return facts, data, rig.notices(REGISTRY)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    rig = Rig(tmp_path_factory.mktemp("undisturbed"))
    rig.send(*VICTIM)
    rig.drain()
    return outcome(rig)


def test_every_attack_before_between_and_after(
    tmp_path: Path, undisturbed: tuple[object, ...]
) -> None:
    rig = Rig(tmp_path)
    for own in VICTIM:
        rig.put(*ATTACKS)
        rig.send(own)
    rig.put(*ATTACKS)
    rig.drain(batch=50)
    assert outcome(rig) == undisturbed
    assert rig.waiting() == 0
    assert {fact.kind for fact in rig.facts() if fact.sender != REGISTRY} == {"refusal"}


@pytest.mark.slow
@settings(max_examples=40)
@given(
    chosen=st.lists(st.sampled_from(range(len(ATTACKS))), max_size=12),
    places=st.lists(st.integers(min_value=0, max_value=20), min_size=3, max_size=3),
    batch=st.sampled_from([1, 4, 500]),
)
def test_any_mixture_of_attacks_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    undisturbed: tuple[object, ...],
    chosen: list[int],
    places: list[int],
    batch: int,
) -> None:
    rig = Rig(tmp_path_factory.mktemp("attacked"))
    queue = [ATTACKS[index] for index in chosen]
    # From the last to the first, so that each goes before the one that follows it.
    before = len(queue)
    for own, place in zip(reversed(VICTIM), sorted(places, reverse=True), strict=True):
        before = min(place, before)
        queue.insert(before, delivery(own))
    rig.put(*queue)
    rig.drain(batch=batch)
    assert outcome(rig) == undisturbed


def test_a_receiver_cannot_receipt_for_another(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.send(VICTIM[0])
    rig.drain()
    theirs = {"sender": REGISTRY, "id": "m1", "flow": "I1"}
    rig.send(receipts_event("union", [theirs]))
    rig.drain()
    assert Fact("refusal", "union", "r-1", "", "", "receipt-unknown") in rig.facts()
    assert not [fact for fact in rig.facts() if fact.kind == "receipt"]
