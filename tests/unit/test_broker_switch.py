"""Which queues a bucket's messages may be in, and whether another plan moves them."""

import pytest

from hub.broker.plan import plan
from hub.broker.switch import RETIRED_EXCHANGE, moving, ways
from hub.broker.topology import Binding, Topology

pytestmark = pytest.mark.unit


def planned(partitions: int) -> Topology:
    return plan(["tax"], {"tax": []}, partitions)


def hashed(queues: int) -> Topology:
    """Give what an earlier version made: a consistent hash over so many queues."""
    return Topology(
        bindings=frozenset(
            Binding(RETIRED_EXCHANGE, f"hub.in.{number}", "queue", "10") for number in range(queues)
        )
    )


def test_a_bucket_goes_to_one_partition_for_good() -> None:
    assert ways(planned(4)) == {
        str(bucket): frozenset({f"hub.in.{bucket % 4}"}) for bucket in range(16)
    }
    assert ways(Topology()) == {}


@pytest.mark.parametrize(
    ("there", "partitions", "queues"),
    [
        pytest.param(Topology(), 4, set(), id="a new site"),
        pytest.param(planned(4), 4, set(), id="nothing changes"),
        pytest.param(hashed(1), 1, set(), id="one queue stays one queue"),
        pytest.param(hashed(1), 2, {"hub.in.0"}, id="one queue becomes two"),
        pytest.param(hashed(3), 3, {"hub.in.0", "hub.in.1", "hub.in.2"}, id="a hash of three"),
        pytest.param(planned(1), 4, {"hub.in.0"}, id="one becomes four"),
        pytest.param(planned(2), 1, {"hub.in.1"}, id="two become one"),
        pytest.param(planned(4), 2, {"hub.in.2", "hub.in.3"}, id="four become two"),
        pytest.param(planned(4), 3, {f"hub.in.{n}" for n in range(4)}, id="four become three"),
    ],
)
def test_queues_that_residents_move_out_of(
    there: Topology, partitions: int, queues: set[str]
) -> None:
    assert moving(there, planned(partitions)) == queues


def test_a_switch_that_broke_off_still_asks_for_drained_queues() -> None:
    half = Topology(bindings=planned(1).bindings | planned(2).bindings)
    assert moving(half, planned(2)) == {"hub.in.0", "hub.in.1"}


def test_a_strangers_binding_is_no_way_of_ours() -> None:
    leak = Binding("hub.buckets", "leak", "queue", "", (("partition", "3"),))
    there = Topology(bindings=planned(2).bindings | {leak})
    assert ways(there) == ways(planned(2))
