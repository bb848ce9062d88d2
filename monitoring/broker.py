"""The metrics of what watches the broker; implements ``hub.broker.survey.Observer``."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.broker.survey import Logins, Survey


class BrokerMetrics:
    """Implements ``hub.broker.survey.Observer``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, registry=registry)

        self._nodes = gauge("renkei_broker_nodes", "Nodes of the broker's cluster.")
        self._down = gauge(
            "renkei_broker_nodes_down", "Nodes that another node says are down, or cannot reach."
        )
        self._silent = gauge(
            "renkei_broker_nodes_silent", "Nodes of the site file that do not answer the watch."
        )
        self._partitions = gauge(
            "renkei_broker_partitions", "Nodes that lost sight of another one that lives."
        )
        self._alarms = Gauge(
            "renkei_broker_alarms",
            "Nodes with an alarm, at which nobody can publish, by resource: memory, disk.",
            ("resource",),
            registry=registry,
        )
        self._without_majority = gauge(
            "renkei_broker_queues_without_majority", "Quorum queues that take nothing."
        )
        self._short = gauge(
            "renkei_broker_queues_short", "Quorum queues with fewer members at work than planned."
        )
        self._refused = Counter(
            "renkei_broker_logins_refused",
            "Logins that the broker refused, by protocol: amqp, http (its management).",
            ("protocol",),
            registry=registry,
        )
        for protocol in ("amqp", "http"):
            self._refused.labels(protocol)
        self._known: dict[Logins, int] = {}
        self._looked = gauge(
            "renkei_broker_last_survey_timestamp_seconds",
            "When the nodes were last asked, in seconds since 1970; 0 before.",
        )

    def surveyed(self, survey: Survey) -> None:
        """Show what was found. What no node could tell stays as it was."""
        self._silent.set(len(survey.silent))
        self._looked.set_to_current_time()
        if not survey.nodes:
            return
        self._nodes.set(survey.nodes)
        self._down.set(len(survey.down))
        self._partitions.set(len(survey.partitioned))
        self._alarms.labels("memory").set(len(survey.memory))
        self._alarms.labels("disk").set(len(survey.disk))
        self._count(survey.refused)
        if not survey.queues_known:
            return
        self._without_majority.set(len(survey.without_majority))
        self._short.set(len(survey.short))

    def _count(self, refused: Mapping[Logins, int]) -> None:
        """Add what is new since the last look; a node that started again counts from 0."""
        for key, number in refused.items():
            before = self._known.get(key, number)  # of what was before the first look, nothing
            self._refused.labels(key[1]).inc(number - before if number >= before else number)
            self._known[key] = number
