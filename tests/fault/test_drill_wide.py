"""Drills with several hub processes and a PostgreSQL ledger."""

import pytest

from tests.fault.conftest import Act, Grounds, chosen
from tests.fault.databases import struck
from tests.fault.processes import in_turn, storm

pytestmark = pytest.mark.fault

DRILLS: dict[str, tuple[Act, int, int]] = {
    "one process killed": (in_turn, 4, 50),
    "storm of kills and stops": (storm, 12, 60),
    "database restarted, killed, frozen": (struck, 1, 4),
}
"""What is done, and how often in a short run and in a round of a long one."""


LASTING = ("one process killed",)


@pytest.mark.parametrize("name", chosen(DRILLS, LASTING))
def test_drill(grounds: Grounds, name: str) -> None:
    act, short, long = DRILLS[name]
    grounds.conduct("wide", name, act, long if grounds.long else short)
