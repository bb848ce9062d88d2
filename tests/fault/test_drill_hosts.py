"""Hub workers on several hosts: one host is lost and comes back, the link of another is cut.

Broker, database and each worker have a host of their own (``tests/fault/spread.py``). The times
are those that docs/operations/scaling.md promises.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGKILL

import pytest

from hub.broker.conf import HEARTBEAT
from hub.names import DEAD_QUEUE, partition_queue
from tests.fault.conftest import ready
from tests.fault.drill import Drill, Ready, all_arrived
from tests.fault.ground import say
from tests.fault.spread import PARTITIONS, WORKERS, SpreadGround, install, spread
from tests.servers.hosts import ALLOWED, allowed

pytestmark = pytest.mark.fault

FIRST, SECOND = WORKERS
BOTH = f"{FIRST}, {SECOND}; "
ROUNDS = (1, 10)
"""In the short run and in the long one."""
TAKEN_OVER_SECONDS = 25.0
"""Within so long, says the page, the others work on what a lost host had."""
WAY_SECONDS = 20.0
"""From a sender to the last receiver's file, on a machine that others use too."""
GIVEN_SECONDS = 1.5
"""What is given for so long is of residents of each partition."""
SHORT_SECONDS = 2.0
BUSY_SECONDS, BUSY_PACE = 1.0, 0.1
"""Before a harm the load is ten times as much for so long, so that it meets messages in hand."""
PATIENCE = 60.0
NOTE = (
    f"recovery: from a loss or a cut until all had arrived that was given in the {GIVEN_SECONDS} s "
    "after it; the worker had its share again within {:.0f} s of the end"
)


@contextmanager
def at_work(folder: Path, *, long: bool) -> Iterator[Ready]:
    """Give a ground at work on hosts of its own."""
    with ExitStack() as stack:
        ground = stack.enter_context(spread(folder))
        yield ready(stack, ground, long=long)


def see(drill: Drill, ground: SpreadGround, worker: str, text: str) -> None:
    """Wait until a worker says so of its share."""
    assert drill.until(lambda: text in ground.share(worker), PATIENCE), ground.share(worker)


def see_both(drill: Drill, ground: SpreadGround) -> None:
    """Wait until the two share the partitions evenly."""
    for worker in WORKERS:
        see(drill, ground, worker, BOTH)
    shares = [set(ground.share(worker).partition("takes ")[2].split(", ")) for worker in WORKERS]
    assert len(shares[0] - {DEAD_QUEUE}) == len(shares[1]) == PARTITIONS // 2
    assert set.union(*shares) == {DEAD_QUEUE, *map(partition_queue, range(PARTITIONS))}


def amidst_much(drill: Drill, harm: Callable[[], None]) -> float:
    """Do harm while the workers have their hands full; give the moment (monotonic)."""
    drill.load.pace = BUSY_PACE
    try:
        drill.wait(BUSY_SECONDS)
        began = time.monotonic()
        harm()
    finally:
        drill.load.pace = 1.0
    return began


def arrived(drill: Drill, since: float) -> float:
    """Wait until all has arrived that was given in the first moments; say when it had."""
    end = since + GIVEN_SECONDS
    drill.until(lambda: all_arrived(drill, since, end) is not None, PATIENCE)
    moment = all_arrived(drill, since, end)
    assert moment is not None, f"{drill.name}: nobody has taken over"
    return moment


def taken_over(drill: Drill, began: float) -> float:
    """Wait for what was given since a harm began; give the seconds that it took.

    Raises:
        AssertionError: it took longer than is promised; or the harm did none.
    """
    took = arrived(drill, began) - began
    assert HEARTBEAT < took < TAKEN_OVER_SECONDS + WAY_SECONDS, took
    return took


def back(drill: Drill, ground: SpreadGround, began: float) -> float:
    """Wait until both work on their shares; give the seconds since the one could again."""
    see_both(drill, ground)
    return arrived(drill, time.monotonic()) - began


def test_hosts_are_lost_and_cut_off(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    long = bool(pytestconfig.getoption("--long"))
    install()
    if not allowed():
        again_allowed(long=long)
        return
    with at_work(tmp_path_factory.mktemp("hosts"), long=long) as made:
        conducted(made)


def again_allowed(*, long: bool) -> None:
    """Run this file once more as somebody who may make hosts; its output is this one's."""
    options = ("-n0", "-s", *(["--long"] if long else []))
    command = (*ALLOWED, sys.executable, "-m", "pytest", *options, __file__)
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0, "its output says why"


def conducted(at_work: Ready) -> None:
    """Lose hosts and cut links under load; nothing may be lost or doubled, or take too long."""
    ground = at_work.ground
    assert isinstance(ground, SpreadGround)
    returns: list[float] = []

    def one_is_lost_and_comes_back(drill: Drill, worker: str, other: str) -> None:
        with drill.harm(f"{worker}, whole", SIGKILL.name) as strike:
            began = amidst_much(drill, lambda: ground.lose(worker))
            drill.timed.append((strike, taken_over(drill, began)))
            see(drill, ground, other, f"{other}; ")
            ground.bring_back(worker)
        returns.append(back(drill, ground, strike.over))

    def one_is_cut_off_for_a_moment(drill: Drill, worker: str) -> None:
        before = [ground.running[one].err.count(BOTH) for one in WORKERS]
        with drill.harm(f"link of {worker}", "cut for a moment") as strike:
            amidst_much(drill, ground.network[worker].cut)
            drill.wait(SHORT_SECONDS)
            ground.network[worker].mend()
        back(drill, ground, strike.over)
        assert [ground.running[one].err.count(BOTH) for one in WORKERS] == before

    def one_is_cut_off(drill: Drill, worker: str, other: str) -> None:
        with drill.harm(f"link of {worker}", "cut") as strike:
            began = amidst_much(drill, ground.network[worker].cut)
            drill.timed.append((strike, taken_over(drill, began)))
            see(drill, ground, other, f"{other}; ")
            ground.network[worker].mend()
        returns.append(back(drill, ground, strike.over))

    def act(drill: Drill) -> None:
        see_both(drill, ground)
        for _ in range(ROUNDS[at_work.long]):
            one_is_lost_and_comes_back(drill, SECOND, FIRST)
            one_is_cut_off_for_a_moment(drill, SECOND)
            one_is_cut_off(drill, FIRST, SECOND)
        drill.note = NOTE.format(max(returns))
        say(f"  {drill.note}")

    at_work.conduct("hosts: one lost, one cut off", 1, act)
