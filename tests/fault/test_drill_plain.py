"""Drills with one hub process and an SQLite ledger: nothing is lost, doubled or out of order."""

import pytest

from tests.fault.check import check
from tests.fault.clock import shifted, steps
from tests.fault.conftest import Act, Grounds, chosen
from tests.fault.databases import locked
from tests.fault.deliveries import repeated
from tests.fault.hands import change_an_entry, take_out_of_a_queue
from tests.fault.processes import in_turn, nothing, storm
from tests.fault.room import broker_alarmed, ledger_full

pytestmark = pytest.mark.fault

DRILLS: dict[str, tuple[Act, int, int]] = {
    "nothing, for comparison": (nothing, 2, 50),
    "one process killed": (in_turn, 6, 50),
    "storm of kills and stops": (storm, 12, 60),
    "disk of the ledger full": (ledger_full, 1, 5),
    "disk alarm of the broker": (broker_alarmed, 1, 5),
    "ledger locked by another": (locked, 1, 5),
    "given again, redelivered, out of order": (repeated, 2, 10),
}
"""What is done, and how often in a short run and in a round of a long one."""


LASTING = ("nothing, for comparison",)


@pytest.mark.parametrize("name", chosen(DRILLS, LASTING))
def test_drill(grounds: Grounds, name: str) -> None:
    act, short, long = DRILLS[name]
    grounds.conduct("plain", name, act, long if grounds.long else short)


def test_the_clock_steps(grounds: Grounds) -> None:
    for seed in grounds.seeds():
        ready = grounds.taken("plain")
        ready.ground.restart(shifted(ready.ground.folder / "clock"))
        ready.ground.until_working()
        ready.conduct("clock steps", seed, lambda drill: steps(drill, 3 if grounds.long else 1))
        ready.ground.restart({})


def test_what_is_broken_by_hand_is_found(grounds: Grounds) -> None:
    with grounds.taken("plain").loaded("broken by hand", seed=1) as drill:
        take_out_of_a_queue(drill)
    # Longer than the broker's statistics are old: till then what it lacks counts as under way.
    found = check(drill.ground, drill.arrivals, drill.load.sent, stall=8)
    assert found.lost > 0
    assert found.doubled == 0
    assert any("to union), of which the ledger has ['acceptance" in one for one in found.faults)
    assert any("renkei ledger reconcile: " in one for one in found.faults)

    change_an_entry(drill)
    found = check(drill.ground, drill.arrivals, drill.load.sent, stall=3)
    assert any("renkei ledger verify" in fault for fault in found.faults)
