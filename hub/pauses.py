"""Pauses before the broker is tried again.

All processes lose it at the same moment, and must neither come back at the same moment nor keep
anybody waiting: the first pause is short, each next one may be twice as long, and how long it is
is drawn evenly from nothing to that ("full jitter").
"""

import random
from collections.abc import Callable

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 5.0
SPREAD_SECONDS = 0.3
"""Over how long those that have just lost a link spread out before they ask for another."""
_MOST_DOUBLINGS = 10

Chance = Callable[[], float]
"""Gives a number from 0 up to 1."""


def pause(failures: int, chance: Chance = random.random) -> float:
    """Give how many seconds to wait after so many attempts in vain, counted from 1."""
    longest = FIRST_SECONDS * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    return chance() * min(longest, LONGEST_SECONDS)
