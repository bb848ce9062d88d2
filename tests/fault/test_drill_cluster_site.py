"""A whole site on a cluster: hub, adapters and a client go on when a node is killed or frozen.

The files of the resident registry and the messages of the tax system go through real processes
to three receivers; everything arrives once and in order, and the ledger verifies.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from hub.broker.node import PrivateNode
from tests.fault.conftest import ready
from tests.fault.drill import Drill, Ready
from tests.fault.ground import Ground
from tests.servers.cluster import PrivateCluster, queues_of, until

pytestmark = [pytest.mark.fault, pytest.mark.lasting]

ROUNDS = (1, 20)
"""In the short run and in the long one; in each a node is killed, then one is frozen."""
FROZEN_SECONDS = 20.0


@dataclass
class ClusterGround(Ground):
    """A ground whose processes know all three nodes of a cluster."""

    cluster: PrivateCluster | None = None

    @property
    def url(self) -> str:
        first = f"{self.node.host}:{self.node.port}"
        return super().url.replace(first, ",".join(map(str, self._cluster.hosts)))

    @property
    def _cluster(self) -> PrivateCluster:
        assert self.cluster is not None
        return self.cluster

    def _write(self, systems: tuple[str, ...], database: str) -> None:
        super()._write(systems, database)
        others = self._cluster.others(self.node)
        also = json.dumps([f"{node.host}:{node.port}" for node in others])
        management = json.dumps([node.management_url for node in others])
        more = f"[broker]\nheartbeat = 5\nalso = {also}\nmanagement_also = {management}\n"
        file = self.state.site_file
        file.write_text(file.read_text(encoding="utf-8").replace("[broker]\n", more))

    def tend(self) -> None:
        """Leave a killed node to the drill, which starts each of them again."""
        if self.node.alive():
            super().tend()

    def leader(self) -> PrivateNode:
        """Give the node that leads the most of the hub's queues."""
        with self._cluster.management() as management:
            rows = queues_of(management, self.vhost)
        leaders = Counter(row["leader"] for row in rows.values())
        return self._cluster.node_of(leaders.most_common(1)[0][0])

    def is_whole(self) -> bool:
        """Say whether every queue has all its members at work."""
        with self._cluster.management() as management:
            rows = queues_of(management, self.vhost).values()
            return all(len(row.get("online") or ()) == len(row["members"]) for row in rows)


@pytest.fixture
def at_work(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Ready]:
    with ExitStack() as stack:
        cluster = stack.enter_context(PrivateCluster(tmp_path_factory.mktemp("cluster")))
        folder = tmp_path_factory.mktemp("site")
        ground = ClusterGround(folder, cluster.nodes[0], cluster=cluster)
        yield ready(stack, ground, long=bool(pytestconfig.getoption("--long")))


def test_a_site_goes_on_when_it_loses_a_node(at_work: Ready) -> None:
    ground = at_work.ground
    assert isinstance(ground, ClusterGround)

    def act(drill: Drill) -> None:
        for _ in range(ROUNDS[at_work.long]):
            node = ground.leader()
            with drill.harm("the leading node", "killed"):
                node.kill()
            drill.recover()
            node.start()
            until(ground.is_whole, what="the killed node is back")
            node = ground.leader()
            with drill.harm("the leading node", "frozen"):
                node.freeze()
            try:
                drill.recover()
                drill.wait(FROZEN_SECONDS)
            finally:
                node.thaw()
            # It may take itself for cut off for good: docs/operations/cluster.md.
            node.stop()
            node.start()
            until(ground.is_whole, what="the frozen node is back")

    at_work.conduct("cluster: a site loses a node", 1, act)
