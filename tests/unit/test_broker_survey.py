"""What the nodes of a broker say is put together, told once, and becomes figures."""

import logging
from collections.abc import Mapping
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from hub.broker.management import Management
from hub.broker.survey import BrokerWatch, Survey, View, ask, judge, small
from hub.errors import BrokerError, BrokerUnavailable
from monitoring.broker import BrokerMetrics

pytestmark = pytest.mark.unit

ABC = ("a", "b", "c")


def node(name: str, *, running: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"name": name, "running": running, "partitions": [], **more}


def queue(name: str, members: str = "abc", online: str = "abc") -> dict[str, Any]:
    return {"name": name, "type": "quorum", "members": [*members], "online": [*online]}


def seen(down: str = "", **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [node(name, running=name not in down, **more) for name in ABC]


class Node:
    """A node's management API that answers at once, or never for its queues."""

    def __init__(self, rows: list[dict[str, Any]], *, tells: bool = True) -> None:
        self._rows, self._tells = rows, tells
        self.asked: list[str] = []

    def get(self, what: str, *_: str) -> Any:  # noqa: ANN401 - JSON
        self.asked.append(what)
        if what == "queues" and not self._tells:
            raise BrokerUnavailable("no answer")
        refused = [
            {"protocol": "amqp091", "auth_attempts_failed": 2},
            {"protocol": "http", "auth_attempts_failed": 1},
            {"protocol": "mqtt", "auth_attempts_failed": 7},
        ]
        told = {"nodes": self._rows, "queues": [queue("q")], "whoami": {}, "auth": refused}
        return told[what]


def test_what_is_down_is_told_without_patience_for_the_queues() -> None:
    quick, patient = Node(seen("c"), tells=False), Node([])
    view = ask(cast("Management", quick), cast("Management", patient), "renkei")
    assert judge([view], {}).down == ("c",)
    assert view.queues is None
    assert patient.asked == []


def test_the_queues_of_a_whole_cluster_are_asked_for_with_patience() -> None:
    quick, patient = Node(seen(), tells=False), Node([])
    view = ask(cast("Management", quick), cast("Management", patient), "renkei")
    survey = judge([view, view], {})
    assert survey == Survey(nodes=3, refused=survey.refused)
    assert survey.refused == {(n, p): c for n in ABC for p, c in (("amqp", 2), ("http", 1))}
    assert patient.asked == ["queues"]


@pytest.mark.parametrize("what", ["auth", "queues", "nodes"])
@pytest.mark.parametrize("told", [{"error": "Object Not Found", "reason": "Not Found"}, ["gone"]])
def test_an_error_in_the_place_of_rows_ends_no_look(what: str, told: object) -> None:
    """A node that goes away while another asks it has its error handed on as an answer."""

    class Going(Node):
        def get(self, asked: str, *more: str) -> Any:  # noqa: ANN401 - JSON
            return told if asked == what else super().get(asked, *more)

    one = cast("Management", Going(seen()))
    if what == "nodes":
        with pytest.raises(BrokerError, match="an error of its own"):
            ask(one, one, "renkei")
        return
    view = ask(one, one, "renkei")
    assert (view.queues is None) == (what == "queues")
    assert view.refused == {}


def test_refused_logins_are_counted_from_the_first_look_on_and_after_a_new_start() -> None:
    registry = CollectorRegistry()
    metrics = BrokerMetrics(registry)

    def counted(*told: int) -> float | None:
        refused = {(name, "amqp"): one for name, one in zip(ABC, told, strict=True)}
        metrics.surveyed(Survey(nodes=3, refused=refused))
        return registry.get_sample_value("renkei_broker_logins_refused_total", {"protocol": "amqp"})

    assert (
        registry.get_sample_value("renkei_broker_logins_refused_total", {"protocol": "http"}) == 0
    )
    assert counted(9, 0, 4) == 0
    assert counted(10, 0, 4) == 1
    metrics.surveyed(Survey(nodes=3))  # nobody could tell
    assert counted(10, 0, 2) == 3
    assert counted(10, 5, 2) == 8


def test_a_whole_cluster_has_no_troubles() -> None:
    survey = judge([View(seen(), [queue("q")])] * 3, {})
    assert survey == Survey(nodes=3)
    assert not list(survey.troubles())


def test_a_single_node_needs_no_more_members() -> None:
    assert judge([View([node("a")], [queue("q", "a", "a")])], {}) == Survey(nodes=1)


def test_a_node_that_is_down_for_the_others() -> None:
    rows = [queue("q", online="ab"), queue("p", online="a"), queue("r")]
    survey = judge([View(seen("c"), rows)] * 2, {"http://c": "nobody answers"})
    assert survey.down == ("c",)
    assert survey.partitioned == ()
    assert survey.without_majority == ("p",)
    assert survey.short == ("p", "q")
    assert list(survey.troubles()) == [
        "http://c does not answer: nobody answers",
        "nodes that are down: c",
        "queues without a majority: they take nothing: p",
        "queues with members missing: p, q",
    ]


@pytest.mark.parametrize(
    "views",
    [
        [View(seen("bc"), []), View(seen("a"), [])],
        [View([node("a", partitions=["c"]), node("b"), node("c", partitions=["a"])], [])],
    ],
)
def test_nodes_that_contradict_one_another_are_cut_off(views: list[View]) -> None:
    assert {"a", "c"} <= set(judge(views, {}).partitioned)


def test_queues_that_were_made_before_the_other_nodes_came() -> None:
    survey = judge([View(seen(), [queue("old", "a", "a"), queue("new")])], {})
    assert (survey.short, survey.without_majority) == (("old",), ())


def test_classic_queues_have_no_members() -> None:
    assert judge([View(seen(), [{"name": "q", "type": "classic"}])], {}) == Survey(nodes=3)


def test_alarms_are_of_a_node() -> None:
    rows = [node("a", mem_alarm=True), node("b", disk_free_alarm=True), node("c")]
    survey = judge([View(rows, [])], {})
    assert (survey.memory, survey.disk) == (("a",), ("b",))


class Cluster:
    """Answers by address; what is no view is raised."""

    def __init__(self) -> None:
        self.answers: dict[str, View | Exception] = {}

    def __call__(self, url: str) -> View:
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer


def figures(registry: CollectorRegistry) -> Mapping[str, float]:
    lines = [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in (line.split() for line in lines)}


def test_trouble_is_said_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    registry, cluster = CollectorRegistry(), Cluster()
    watch = BrokerWatch(("u1", "u2", "u1"), cluster, BrokerMetrics(registry))
    cluster.answers = dict.fromkeys(("u1", "u2"), View(seen(), [queue("q")]))
    with caplog.at_level(logging.INFO):
        watch.look()
        assert caplog.messages == []
        cluster.answers["u2"] = BrokerUnavailable("gone")
        cluster.answers["u1"] = View(seen("b", mem_alarm=True), [queue("q", online="ac")])
        watch.look()
        watch.look()
        assert caplog.messages == [
            "the broker: u2 does not answer: gone",
            "the broker: nodes that are down: b",
            "the broker: nodes with a memory alarm: nobody can publish: a, b, c",
            "the broker: queues with members missing: q",
        ]
        now = figures(registry)
        cluster.answers = dict.fromkeys(("u1", "u2"), View(seen(), [queue("q")]))
        watch.look()
    assert caplog.messages[-1] == "the broker is whole again"
    assert now["renkei_broker_nodes"] == 3
    assert now["renkei_broker_nodes_down"] == 1
    assert now["renkei_broker_nodes_silent"] == 1
    assert now['renkei_broker_alarms{resource="memory"}'] == 3
    assert now["renkei_broker_queues_short"] == 1
    assert figures(registry)["renkei_broker_nodes_down"] == 0


def test_where_nobody_answers_the_last_that_was_known_stays() -> None:
    registry, cluster = CollectorRegistry(), Cluster()
    watch = BrokerWatch(("u1",), cluster, BrokerMetrics(registry))
    cluster.answers["u1"] = View(seen("b"), [])
    watch.look()
    cluster.answers["u1"] = BrokerUnavailable("gone")
    watch.look()
    now = figures(registry)
    assert (now["renkei_broker_nodes_down"], now["renkei_broker_nodes_silent"]) == (1, 1)


def test_queues_that_no_node_can_tell_of_stay_as_they_were() -> None:
    registry, cluster = CollectorRegistry(), Cluster()
    watch = BrokerWatch(("u1",), cluster, BrokerMetrics(registry))
    cluster.answers["u1"] = View(seen("b"), [queue("q", online="a")])
    watch.look()
    cluster.answers["u1"] = View(seen("c"), None)
    watch.look()
    assert figures(registry)["renkei_broker_queues_without_majority"] == 1
    assert figures(registry)["renkei_broker_nodes_down"] == 1


def test_queues_made_while_there_was_one_node_are_to_grow() -> None:
    rows = [queue("old", "a", "a"), queue("away", online="a"), {"name": "c", "type": "classic"}]
    assert small(View(seen(), rows)) == ("old",)
    assert small(View([node("a")], rows[:1])) == ()


def test_sizes_and_counts_of_queues_are_given_where_they_are_told() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "a", "message_bytes": 0, "message_stats": {"publish": 0, "ack": 9}},
        {"name": "b", "message_bytes": 70, "message_stats": {"publish": 12}},
        {"name": "c", "message_stats": {}},
    ]
    found = judge([View(seen(), rows)], {})
    assert found.sizes == {"a": 0, "b": 70}
    assert found.published == {"a": 0, "b": 12}
