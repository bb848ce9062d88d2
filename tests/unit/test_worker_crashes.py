"""The hub is killed at every step of a batch, and what it leaves is as if it had not been."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.model import Kind
from tests.samples import REGISTRY, event, income, receipts_event, resident, tax_event
from tests.worker_rig import Fact, Fuse, Rig

pytestmark = pytest.mark.unit

RECEIVERS = ("premium-collection", "union")
OUTSIDE = {"insurance": "none"}
BATCH: tuple[dict[str, Any], ...] = (
    event(resident(history_number=1), id="a1"),
    event(resident(shoe_size=1), id="bad"),
    event(resident(history_number=2), id="a2"),
    event(resident(history_number=1), id="a1"),
    event(resident(history_number=9), id="a1"),
    tax_event(income(addressee_number="77"), id="t1"),
    event(resident(scope=OUTSIDE, addressee_number="8"), id="out"),
    receipts_event("union", [{"sender": REGISTRY, "id": "a1", "flow": "M1b"}]),
)


class Folders:
    """A new folder for each try of a test."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._count = 0

    def next(self) -> Path:
        self._count += 1
        folder = self._root / str(self._count)
        folder.mkdir()
        return folder


def moved(
    folder: Path, kills: Iterable[int], batch: int = 500, confirms: Iterator[bool] | None = None
) -> tuple[Rig, int]:
    """Move the batch, killed at these steps one process after another; tell how often it was."""
    rig = Rig(folder, confirms=confirms)
    rig.send(*BATCH)
    killed = 0
    for step in kills:
        killed += not rig.drain(Fuse(step), batch)
    assert rig.drain(batch=batch)
    return rig, killed


def firsts(rig: Rig, receiver: str) -> list[tuple[str, str]]:
    """Give a receiver's copies in the order in which each came first."""
    return list(dict.fromkeys((copy["flow"], copy["id"]) for copy in rig.copies(receiver)))


def assert_as_if_never_killed(rig: Rig, whole: Rig) -> None:
    assert rig.waiting() == 0
    assert rig.facts() == whole.facts()
    for receiver in RECEIVERS:
        assert firsts(rig, receiver) == firsts(whole, receiver)
        by_key: dict[tuple[str, str], set[bytes]] = {}
        for body, copy in zip(rig.bodies(receiver), rig.copies(receiver), strict=True):
            by_key.setdefault((copy["flow"], copy["id"]), set()).add(body)
        assert all(len(bodies) == 1 for bodies in by_key.values())
        recorded = {
            (row["flow"], row["message_id"]): row["body"]
            for row in rig.rows()
            if row["kind"] == Kind.DELIVERY and row["receiver"] == receiver
        }
        assert recorded.keys() == by_key.keys()
        assert all(recorded[key].is_of(body) for key, (body,) in by_key.items())
    told = {notice["data"]["code"] for notice in rig.notices(REGISTRY)}
    assert told == {"field-not-permitted", "id-reused"}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    rig, _ = moved(tmp_path_factory.mktemp("whole"), ())
    return rig


def test_the_batch_without_a_kill(whole: Rig) -> None:
    accepted = whole.facts(Kind.ACCEPTANCE)
    assert {(fact.id, fact.receiver) for fact in accepted} == {
        (one, receiver) for one in ("a1", "a2", "t1") for receiver in RECEIVERS
    }
    assert set(accepted.values()) == {1}
    delivered = whole.facts(Kind.DELIVERY)
    assert {fact[1:] for fact in delivered} == {fact[1:] for fact in accepted}
    assert set(delivered.values()) == {1}
    assert whole.facts(Kind.RECEIPT) == {
        Fact("receipt", REGISTRY, "a1", "M1b", "union", "delivered"): 1
    }


@pytest.mark.slow
@pytest.mark.parametrize("batch", [500, 3])
def test_killed_once_at_every_step(whole: Rig, folders: Folders, batch: int) -> None:
    for step in range(1000):
        rig, killed = moved(folders.next(), [step], batch)
        assert_as_if_never_killed(rig, whole)
        if not killed:
            # Two look-ups, two records, six copies, two notices and the ack: before and after each.
            assert step >= 26
            return
    pytest.fail("the fuse never burned through")


@pytest.mark.slow
@settings(max_examples=40)
@given(
    kills=st.lists(st.integers(min_value=0, max_value=30), min_size=2, max_size=5),
    batch=st.sampled_from([1, 2, 3, 500]),
    confirms=st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_killed_again_and_again(
    whole: Rig,
    tmp_path_factory: pytest.TempPathFactory,
    kills: list[int],
    batch: int,
    confirms: list[bool],
) -> None:
    folder = tmp_path_factory.mktemp("again")
    rig, _ = moved(folder, kills, batch, itertools.cycle(confirms))
    assert_as_if_never_killed(rig, whole)


def test_accepted_time_is_that_of_the_first_acceptance(folders: Folders) -> None:
    rig = Rig(folders.next())
    rig.send(event())
    assert not rig.drain(Fuse(6))  # after the first record
    (accepted,) = {row["at"] for row in rig.rows()}
    for step in (7, 9, 11):
        rig.drain(Fuse(step))
    rig.drain()
    times = {copy["acceptedtime"] for receiver in RECEIVERS for copy in rig.copies(receiver)}
    (time,) = times
    assert time.endswith("+00:00")
    assert {row["at"] for row in rig.rows() if row["kind"] == Kind.ACCEPTANCE} == {accepted}
