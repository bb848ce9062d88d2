"""A cluster of three nodes loses one: killed or frozen, under load, and the watch says so.

On the queues of a real plan, publishers that always wait for a confirm and consumers that take
what comes; every gap is measured. ``tests/fault/probes.py``.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from hub.broker.apply import apply
from hub.broker.link import LinkSettings
from hub.broker.management import Management
from hub.broker.node import PrivateNode
from hub.broker.plan import plan
from hub.broker.survey import BrokerWatch, Survey, View, ask
from hub.compose.watch import ANSWER_SECONDS, QUEUES_SECONDS, SURVEY_SECONDS
from hub.site import HUB_USER
from tests.fault.probes import Probes, at_work
from tests.fault.results import Result, note, percentile
from tests.servers.cluster import PrivateCluster, queues_of, until

pytestmark = pytest.mark.fault

VHOST, SYSTEM, MONITOR = "renkei", "tax", "renkei-monitor"
PARTITIONS = 3
QUEUES = [f"hub.in.{number}" for number in range(PARTITIONS)]
KILLS, FREEZES = (1, 100), (1, 12)
"""In the short run and in the long one."""
KILLED_SECONDS, ELSEWHERE_SECONDS, OWN_SECONDS = 2.0, 10.0, 20.0
"""The longest wait for a confirm, at the 99th percentile; longer in a short run, which has few."""
SHORT_RUNS_SLACK = 2.5
ALARM_SECONDS = 30.0
REJOIN_SECONDS = (3.0, 25.0)
WHOLE_SECONDS = 5.0
"""How long a cluster is whole before it loses the next node. Members of a node that came back, or
that are handing a queue over, may not vote yet: RabbitMQ then holds the next vote 5 s later."""
AGED_SECONDS = (0.0, 15.0)
"""How long a cluster is left alone before a node is frozen: its failure detectors learn from it."""


@dataclass
class Alarm:
    """What the watch found last, and when it first found each kind of trouble since ``reset``."""

    first: dict[str, float] = field(default_factory=dict)
    last: Survey | None = None

    def surveyed(self, survey: Survey) -> None:
        self.last = survey
        for kind in ("silent", "down", "partitioned", "short"):
            if getattr(survey, kind):
                self.first.setdefault(kind, time.monotonic())


@dataclass
class Stage:
    """A cluster with the hub's queues, and what looks at it."""

    cluster: PrivateCluster
    alarm: Alarm
    watch: BrokerWatch
    version: str
    long: bool

    def is_whole(self) -> bool:
        return not list(self.watch.look().troubles())

    def rejoin(self, node: PrivateNode, seconds: float) -> bool:
        """Wait until a thawed node is back; say whether it had to be started again for that.

        It may take itself for cut off for good (docs/operations/cluster.md).
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.is_whole():
                return False
            time.sleep(1.0)
        node.stop()
        node.start()
        return True

    def settings(self) -> LinkSettings:
        first, *others = self.cluster.hosts
        node = self.cluster.nodes[0]
        return LinkSettings(
            host=first.name,
            port=first.port,
            vhost=VHOST,
            user=node.admin_user,
            password=node.admin_password,
            name="probe",
            heartbeat=5,
            also=tuple(others),
        )

    def leader(self) -> PrivateNode:
        """Give the node that leads the most of the queues."""
        with self.cluster.management() as management:
            rows = queues_of(management, VHOST)
        leaders = Counter(rows[queue]["leader"] for queue in QUEUES)
        return self.cluster.node_of(leaders.most_common(1)[0][0])

    def mend(self) -> None:
        """Wait until all nodes and members are there; let the leaders be spread, and it settle."""
        until(self.is_whole, 90, "the cluster is whole")
        with self.cluster.management() as management:
            management.post("rebalance", "queues", body={})
        since = time.monotonic()

        def is_settled() -> bool:
            nonlocal since
            if not self.is_whole():
                since = time.monotonic()
            return time.monotonic() >= since + WHOLE_SECONDS

        until(is_settled, 90, "the cluster has settled")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stage]:
    password = SecretStr("monitor-password")
    with PrivateCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        topology = plan([SYSTEM], {SYSTEM: []}, PARTITIONS, MONITOR)
        passwords = dict.fromkeys((HUB_USER, SYSTEM, MONITOR), password)
        with cluster.management() as management:
            apply(management, VHOST, topology, passwords)
            version = management.get("overview")["rabbitmq_version"]

        def ask_one(url: str) -> View:
            def asker(seconds: float) -> Management:
                return Management(url, MONITOR, password, answer_seconds=seconds, attempts=1)

            with asker(ANSWER_SECONDS) as quick, asker(QUEUES_SECONDS) as patient:
                return ask(quick, patient, VHOST)

        alarm = Alarm()
        watch = BrokerWatch([node.management_url for node in cluster.nodes], ask_one, alarm)
        yield Stage(cluster, alarm, watch, version, bool(pytestconfig.getoption("--long")))


@contextmanager
def watched(stage: Stage) -> Iterator[Alarm]:
    """Let the watch look as often as it does in its process; begin without a finding."""
    over = threading.Event()
    stage.alarm.first.clear()

    def look() -> None:
        while not over.wait(SURVEY_SECONDS):
            stage.watch.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield stage.alarm
    finally:
        over.set()
        thread.join()


@contextmanager
def loaded(stage: Stage) -> Iterator[Probes]:
    """Run the probes; at the end nothing is lost and everything in order."""
    with at_work(stage.settings(), QUEUES) as probes:
        until(lambda: probes.alive_since(0.0), what="the probes are at work")
        yield probes
        probes.finish()
        assert not probes.lost()
        assert not probes.disordered()


def noted(stage: Stage, probes: Probes, drill: str, gaps: list[float], said: str = "") -> None:
    """Note a drill's result; ``gaps`` has the longest wait for a confirm after each fault."""
    note(
        Result(
            drill=f"cluster: {drill}",
            times=len(gaps),
            messages=sum(len(one.confirmed) for one in probes.publishers),
            lost=len(probes.lost()),
            doubled=0,  # a receiver takes each once
            recovery=gaps,
            kills=len(gaps) if "killed" in drill else 0,
            broker=f"RabbitMQ {stage.version}, three nodes",
            note=f"{said}{probes.doubled()} came again; recovery: the longest wait for a confirm",
        ),
        long=stage.long,
    )


def is_in_time(gaps: list[float], seconds: float, *, long: bool) -> None:
    """Hold the 99th percentile to what is promised."""
    limit = seconds if long else seconds * SHORT_RUNS_SLACK
    assert percentile(gaps, 0.99) <= limit, sorted(gaps)


def test_every_queue_has_three_members_and_another_leader(stage: Stage) -> None:
    with stage.cluster.management() as management:
        rows = queues_of(management, VHOST)
        assert {len(row["members"]) for row in rows.values()} == {3}
        assert len({rows[queue]["leader"] for queue in QUEUES}) > 1
    assert not list(stage.watch.look().troubles())


def test_the_node_that_leads_is_killed(stage: Stage) -> None:
    long = stage.long
    gaps: list[float] = []
    with loaded(stage) as probes:
        for _ in range(KILLS[long]):
            node = stage.leader()
            began = time.monotonic()
            node.kill()
            recovered(probes, began)
            gaps.append(max(one.longest_gap(began, time.monotonic()) for one in probes.publishers))
            assert "http" in "".join(stage.watch.look().silent)
            node.start()
            stage.mend()
    noted(stage, probes, "the leading node killed", gaps)
    is_in_time(gaps, KILLED_SECONDS, long=long)


@pytest.mark.lasting  # a short run of it takes a minute
def test_a_node_is_frozen_past_the_tick_time(stage: Stage) -> None:
    long = stage.long
    elsewhere: list[float] = []
    own: list[float] = []
    alarms: list[float] = []
    restarts = 0
    with loaded(stage) as probes:
        time.sleep(AGED_SECONDS[long])
        for _ in range(FREEZES[long]):
            node = stage.leader()
            ports = {one: one.port for one in probes.publishers}
            with watched(stage) as alarm:
                began = time.monotonic()
                node.freeze()
                try:
                    recovered(probes, began)
                    now = time.monotonic()
                    for one, port in ports.items():
                        (own if port == node.port else elsewhere).append(
                            one.longest_gap(began, now)
                        )
                    until(_found(alarm, "down"), 2 * ALARM_SECONDS, "the alarm of a node down")
                finally:
                    node.thaw()
            alarms.append(alarm.first["down"] - began)
            assert min(alarm.first.values()) - began < ALARM_SECONDS / 2
            restarts += stage.rejoin(node, REJOIN_SECONDS[long])
            stage.mend()
            time.sleep(AGED_SECONDS[long])
    for where, gaps in (("elsewhere", elsewhere), ("of it", own)):
        if gaps:
            drill = f"a node frozen, clients {where}"
            noted(stage, probes, drill, gaps, f"{restarts} restarted by hand; ")
    is_in_time(alarms, ALARM_SECONDS, long=long)
    is_in_time(elsewhere or [0.0], ELSEWHERE_SECONDS, long=long)
    is_in_time(own or [0.0], OWN_SECONDS, long=long)


def _found(alarm: Alarm, kind: str) -> Callable[[], bool]:
    return lambda: kind in alarm.first


def recovered(probes: Probes, began: float) -> None:
    """Wait until every publisher has a confirm of what it sent after a moment."""
    until(lambda: probes.alive_since(began + 0.001), 60, "every publisher goes on")
