"""Messages are given again, delivered again, and given out of order."""

import contextlib

from hub.errors import BrokerError
from tests.fault.drill import Drill
from tests.fault.load import RESIDENTS, TAX

GIVEN_AGAIN = 60
OUT_OF_ORDER = 40


def give_again(drill: Drill) -> None:
    """Give events that were confirmed once more, the same as before, in any order."""
    known = drill.load.published
    chosen = drill.chance.sample(known, min(GIVEN_AGAIN, len(known)))
    with drill.harm(TAX, "gives again"), drill.load.client() as client:
        client.publish_many(chosen)


def give_out_of_order(drill: Drill) -> None:
    """Give new events whose versions do not rise: they are to stand as they were accepted."""
    persons = [drill.chance.randrange(RESIDENTS) for _ in range(OUT_OF_ORDER)]
    events = drill.load.assess(persons, in_order=False)
    drill.chance.shuffle(events)
    with drill.harm(TAX, "out of order"), drill.load.client() as client:
        client.publish_many(events)


def close_connections(drill: Drill) -> None:
    """Close connections of the hub and its adapters: what they had taken is delivered again."""
    with drill.ground.broker().management() as management:
        rows = management.get("vhosts", drill.ground.vhost, "connections")
        names = [row["name"] for row in rows if row.get("user") != TAX]
        chosen = drill.chance.sample(names, min(2, len(names)))
        with drill.harm("connections", "closed"):
            for name in chosen:
                with contextlib.suppress(BrokerError):  # it has just ended by itself
                    management.delete("connections", name)


def repeated(drill: Drill, times: int) -> None:
    """Do each of these, so often."""
    for _ in range(times):
        for do in (give_again, close_connections, give_out_of_order):
            drill.wait(drill.chance.random())
            do(drill)
            drill.recover()
