"""Connecting with patience, and giving up at once when asked to stop."""

import itertools
import random
import time
from collections import Counter
from dataclasses import replace

import pytest
from pydantic import SecretStr

from hub.broker.connect import connected, open_any
from hub.broker.link import LinkSettings
from hub.errors import BrokerUnavailable
from hub.hosts import Host
from hub.pauses import FIRST_SECONDS, LONGEST_SECONDS

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SETTINGS = LinkSettings("127.0.0.1", 1, "v", "u", SecretStr("hunter2"), "n")


class Opener:
    """Fails some times, then opens."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.closed = False

    def __call__(self, _settings: LinkSettings) -> "Opener":
        if self.failures > 0:
            self.failures -= 1
            raise BrokerUnavailable("nobody answers")
        return self

    def close(self) -> None:
        self.closed = True


def test_it_tries_again_until_it_is_open() -> None:
    said: list[str] = []
    opener = Opener(2)
    link: object = connected(SETTINGS, stopping=lambda: False, say=said.append, open_link=opener)  # type: ignore[arg-type]
    assert link is opener
    assert len(said) == 2
    where = f"{SETTINGS.host}:{SETTINGS.port}"
    assert all(f"no link to the broker: {where}: nobody answers;" in line for line in said)


def test_it_stops_promptly_during_a_pause() -> None:
    until = time.monotonic() + 0.3
    said: list[str] = []
    began = time.monotonic()
    link: object = connected(
        SETTINGS,
        stopping=lambda: time.monotonic() > until,
        say=said.append,
        open_link=Opener(10**9),  # type: ignore[arg-type]
        chance=lambda: 100.0,
    )
    assert link is None
    assert time.monotonic() - began < 10.0
    assert len(said) == 1


def test_it_does_not_even_try_when_already_stopping() -> None:
    opener = Opener(0)
    assert connected(SETTINGS, stopping=lambda: True, open_link=opener) is None  # type: ignore[arg-type]
    assert not opener.closed


def test_a_link_that_opens_while_stopping_is_closed() -> None:
    opener = Opener(0)
    answers = iter([False, True, True])
    link: object = connected(SETTINGS, stopping=lambda: next(answers), open_link=opener)  # type: ignore[arg-type]
    assert link is None
    assert opener.closed


class Outage:
    """A broker that is away until a moment, and a process that tries to come back to it."""

    def __init__(self, seed: int, until: float) -> None:
        self.now = 0.0
        self.until = until
        self.tries: list[float] = []
        self._drawn = random.Random(seed)  # noqa: S311 - nothing secret

    def back_at(self) -> float:
        link: object = connected(
            SETTINGS,
            stopping=lambda: False,
            say=lambda _: None,
            open_link=self.open,  # type: ignore[arg-type]
            chance=self._drawn.random,
            sleep=self.sleep,
        )
        assert link is not None
        return self.now

    def open(self, _settings: LinkSettings) -> Opener:
        self.tries.append(self.now)
        if self.now < self.until:
            raise BrokerUnavailable("nobody answers")
        return Opener(0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_first_try_again_is_prompt_and_none_is_far_off() -> None:
    outage = Outage(1, until=600.0)
    assert outage.back_at() <= 600.0 + LONGEST_SECONDS
    pauses = [later - earlier for earlier, later in itertools.pairwise(outage.tries)]
    assert pauses[0] <= FIRST_SECONDS
    assert max(pauses) <= LONGEST_SECONDS
    assert len(pauses) < 600 / LONGEST_SECONDS * 4


@pytest.mark.parametrize("until", [0.2, 3.0, 60.0])
def test_many_that_lost_the_broker_at_once_come_back_spread_out(until: float) -> None:
    outages = [Outage(seed, until) for seed in range(400)]
    back = [outage.back_at() - until for outage in outages]
    window = min(LONGEST_SECONDS, FIRST_SECONDS + until) / 10
    busiest = Counter(int(at / window) for at in back).most_common(1)[0][1]
    assert busiest < 400 * 0.4
    assert max(back) <= LONGEST_SECONDS


class Cluster:
    """Nodes of which some are open; ``tried`` are the ports in order, with how long each had."""

    def __init__(self, *good: int) -> None:
        self.good = set(good)
        self.tried: list[tuple[int, float]] = []

    def __call__(self, settings: LinkSettings) -> "Cluster":
        self.tried.append((settings.port, settings.open_seconds))
        if settings.port not in self.good:
            raise BrokerUnavailable("nobody answers")
        return self

    def ports(self) -> list[int]:
        return [port for port, _ in self.tried]


THREE = replace(SETTINGS, also=(Host("127.0.0.1", 2), Host("127.0.0.1", 3)))


def test_each_node_is_tried_once_before_there_is_a_pause() -> None:
    cluster = Cluster(3)
    said: list[str] = []
    link: object = connected(THREE, stopping=lambda: False, say=said.append, open_link=cluster)  # type: ignore[arg-type]
    assert link is cluster
    assert said == []
    ports = cluster.ports()
    assert ports[-1] == 3
    assert len(ports) == len(set(ports))


def test_clients_spread_over_the_nodes() -> None:
    first = set()
    for _ in range(100):
        cluster = Cluster(1, 2, 3)
        open_any(THREE, cluster, lambda: False)  # type: ignore[arg-type]
        first.add(cluster.ports()[0])
    assert first == {1, 2, 3}


def test_a_frozen_node_is_not_waited_for_long_at_first_but_slow_ones_are_later() -> None:
    seconds = []
    for number in (1, 2, 3, 4, 50):
        cluster = Cluster()
        with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:2: nobody answers"):
            open_any(THREE, cluster, lambda: False, number)  # type: ignore[arg-type]
        seconds.append(max(seconds for _, seconds in cluster.tried))
    assert seconds == [2, 4, 8, 10, 10]


def test_a_single_node_has_all_the_time_there_is() -> None:
    cluster = Cluster(1)
    open_any(SETTINGS, cluster, lambda: False)  # type: ignore[arg-type]
    assert cluster.tried == [(1, 10.0)]


def test_a_stop_is_noticed_between_two_nodes() -> None:
    cluster = Cluster()
    with pytest.raises(BrokerUnavailable):
        open_any(THREE, cluster, lambda: True)  # type: ignore[arg-type]
    assert len(cluster.tried) == 1
