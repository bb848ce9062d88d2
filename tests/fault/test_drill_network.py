"""The network between hub and broker is cut, delayed, held up, and swallows what it takes."""

import pytest

from tests.fault.conftest import Grounds, chosen
from tests.fault.drill import Drill
from tests.proxy import Trouble

pytestmark = pytest.mark.fault

HUB = frozenset({"hub"})
EVERYBODY: frozenset[str] = frozenset()
LONG = 5
SECONDS = {
    Trouble.CUT: (0.3, 4.0),
    Trouble.DELAYED: (2.0, 5.0),
    Trouble.HELD: (1.0, 14.0),
    Trouble.SWALLOWED: (1.0, 6.0),
}
"""How long each lasts; a connection that swallowed stays deaf until somebody gives it up."""
DELAY_SECONDS = (0.05, 0.6)


def troubled(drill: Drill, trouble: Trouble, users: frozenset[str]) -> None:
    """Make trouble for a while, and wait until all has recovered."""
    proxy = drill.ground.proxy
    assert proxy is not None
    drill.wait(drill.chance.random())
    with drill.harm("network of the hub" if users else "network", trouble.value) as strike:
        proxy.make(trouble, users, drill.chance.uniform(*DELAY_SECONDS))
        drill.wait(drill.chance.uniform(*SECONDS[trouble]))
        if trouble is not Trouble.DELAYED:
            drill.bites(strike.began)
        proxy.heal()
    drill.recover()


LASTING = (Trouble.HELD, Trouble.DELAYED)


@pytest.mark.parametrize(
    "trouble", chosen([one for one in Trouble if one is not Trouble.NONE], LASTING)
)
def test_trouble_on_the_way_to_the_broker(grounds: Grounds, trouble: Trouble) -> None:
    def act(drill: Drill) -> None:
        for users in [HUB, EVERYBODY] * LONG if grounds.long else [HUB]:
            troubled(drill, trouble, users)

    for seed in grounds.seeds():
        grounds.taken("proxied").conduct(f"network {trouble.value}", seed, act)
