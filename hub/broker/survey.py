"""What the nodes of a broker say of one another and of the queues: down, cut off, full, too few.

Every node named in the site is asked by itself. A cut network shows in what they say (each part
takes the other for dead), a frozen node in that it says nothing, sooner than the others notice.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.broker.management import Management
from hub.errors import BrokerError, BrokerUnavailable

log = logging.getLogger(__name__)

MEMBERS = 3
"""How many members a quorum queue is to have, where there are so many nodes."""


Logins = tuple[str, str]
"""A node's name, and a protocol: ``amqp`` or ``http``, the management API."""
_PROTOCOLS = {"amqp091": "amqp", "amqp10": "amqp", "http": "http"}


@dataclass(frozen=True, slots=True)
class View:
    """What one node says: rows of the management API about nodes, and queues if it could tell.

    ``refused`` are the logins that a node refused since it started, by node and protocol.
    """

    nodes: Sequence[Mapping[str, Any]]
    queues: Sequence[Mapping[str, Any]] | None
    refused: Mapping[Logins, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is wrong with a broker; names of nodes and queues, addresses of what is ``silent``.

    ``partitioned`` are nodes that lost sight of another that lives; ``memory`` and ``disk`` those
    with an alarm, at which every publisher stops. Queues ``without_majority`` take nothing;
    ``short`` ones have fewer members at work than they are to have. ``nodes`` is how many the
    cluster has. Without ``queues_known`` no node could tell of the queues; else ``sizes`` are the
    bytes in each, and ``published`` how many messages ever came into it, as far as that is told
    (RabbitMQ 3.10 tells both of quorum queues too, some 5 s late). ``refused`` are the logins that
    each node refused since it started; of what else a broker refuses it counts nothing.
    """

    nodes: int = 0
    silent: Mapping[str, str] = field(default_factory=dict)
    down: tuple[str, ...] = ()
    partitioned: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    disk: tuple[str, ...] = ()
    without_majority: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    queues_known: bool = True
    sizes: Mapping[str, int] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[Logins, int] = field(default_factory=dict)

    def troubles(self) -> Iterator[str]:
        """Say what is wrong, a line for each kind; none if all is well."""
        yield from (f"{url} does not answer: {why}" for url, why in self.silent.items())
        for names, what in (
            (self.partitioned, "the cluster is partitioned, as seen by"),
            (self.down, "nodes that are down"),
            (self.memory, "nodes with a memory alarm: nobody can publish"),
            (self.disk, "nodes with a disk alarm: nobody can publish"),
            (self.without_majority, "queues without a majority: they take nothing"),
            (self.short, "queues with members missing"),
        ):
            if names:
                yield f"{what}: {', '.join(names)}"


class Observer(Protocol):
    """Gets told what a survey found; ``monitoring.broker`` makes metrics of it."""

    def surveyed(self, survey: Survey) -> None:
        """Take what was found."""
        ...


Ask = Callable[[str], View]
"""Asks the management API at an address; raises ``BrokerError``."""


def ask(quick: Management, patient: Management, vhost: str) -> View:
    """Ask one node for what it says of nodes and of a vhost's queues.

    ``quick`` waits a few seconds, ``patient`` some more: asked for the queues, RabbitMQ 3.10
    takes 6 s and longer while a node is frozen, and for nodes until the others have noticed.
    Where a node is down that is to be told at once, whatever there is to say of queues.

    Raises:
        BrokerError: it does not answer, or refuses.
    """
    quick.get("whoami")
    try:
        nodes = _rows(quick.get("nodes"))
    except BrokerUnavailable as error:
        raise BrokerError("it lives, and waits for another node's answer") from error
    is_whole = all(row.get("running") for row in nodes)
    try:
        queues = _rows((patient if is_whole else quick).get("queues", vhost))
    except (BrokerUnavailable, _NoRows):
        return View(nodes, None)
    return View(nodes, queues, _refused(quick, nodes) if is_whole else {})


class _NoRows(BrokerError):
    """It answered with something else: a node that goes away meanwhile is an error among rows."""


def _rows(told: object) -> list[dict[str, Any]]:
    """Give the rows of an answer.

    Raises:
        BrokerError: it is no list of objects.
    """
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        raise _NoRows("it lives, and answers with an error of its own")
    return told


def _refused(quick: Management, nodes: Sequence[Mapping[str, Any]]) -> dict[Logins, int]:
    """Ask how many logins each node refused; a broker that does not tell has none."""
    found: dict[Logins, int] = {}
    try:
        for node in (row["name"] for row in nodes):
            for row in _rows(quick.get("auth", "attempts", node)):
                if (protocol := _PROTOCOLS.get(str(row.get("protocol")))) is not None:
                    key = (node, protocol)
                    found[key] = found.get(key, 0) + int(row.get("auth_attempts_failed") or 0)
    except BrokerError as error:
        log.debug("the broker does not tell of refused logins: %s", error)
    return found


def small(view: View) -> tuple[str, ...]:
    """Name the quorum queues that have fewer members than the cluster has nodes for.

    They were made before the other nodes came; ``rabbitmq-queues grow`` adds members.
    """
    wanted = min(MEMBERS, len(view.nodes))
    quorum = [row for row in view.queues or () if row.get("type") == "quorum"]
    return tuple(sorted(row["name"] for row in quorum if len(row.get("members") or ()) < wanted))


def judge(views: Sequence[View], silent: Mapping[str, str]) -> Survey:
    """Put together what the nodes say; what one of them finds wrong is wrong."""
    rows = [row for view in views for row in view.nodes]
    names = sorted({row["name"] for row in rows})

    def nodes(holds: Callable[[Mapping[str, Any]], object]) -> tuple[str, ...]:
        found = {row["name"] for row in rows if holds(row)}
        return tuple(name for name in names if name in found)

    running = {row["name"] for row in rows if row.get("running")}
    down = nodes(lambda row: not row.get("running"))
    seen = {row["name"]: row for view in views for row in view.queues or ()}
    quorum = [row for _, row in sorted(seen.items()) if row.get("type") == "quorum"]
    wanted = min(MEMBERS, len(names))
    return Survey(
        nodes=len(names),
        silent=silent,
        down=down,
        # One that is down for one and runs for another is cut off from the first.
        partitioned=tuple(
            sorted({*nodes(lambda row: row.get("partitions")), *(running & set(down))})
        ),
        memory=nodes(lambda row: row.get("mem_alarm")),
        disk=nodes(lambda row: row.get("disk_free_alarm")),
        without_majority=tuple(row["name"] for row in quorum if not _has_majority(row)),
        short=tuple(row["name"] for row in quorum if len(_online(row)) < wanted),
        queues_known=any(view.queues is not None for view in views) or not views,
        sizes={
            name: int(size)
            for name, row in seen.items()
            if (size := row.get("message_bytes")) is not None
        },
        published={
            name: int(count)
            for name, row in seen.items()
            if (count := (row.get("message_stats") or {}).get("publish")) is not None
        },
        refused={
            key: max(view.refused.get(key, 0) for view in views)
            for key in dict.fromkeys(key for view in views for key in view.refused)
        },
    )


def _online(row: Mapping[str, Any]) -> Sequence[str]:
    return row.get("online") or ()


def _has_majority(row: Mapping[str, Any]) -> bool:
    return len(_online(row)) > len(row.get("members") or ()) // 2


class BrokerWatch:
    """Asks every node, and tells and logs what is wrong and when it is right again."""

    def __init__(self, urls: Sequence[str], ask_one: Ask, observe: Observer) -> None:
        self._urls = tuple(dict.fromkeys(urls))
        self._ask = ask_one
        self._observe = observe
        self._known: tuple[str, ...] = ()

    def look(self) -> Survey:
        """Ask all nodes at the same time; a node that does not answer is a finding."""
        views: list[View] = []
        silent: dict[str, str] = {}
        with ThreadPoolExecutor(len(self._urls), "survey") as askers:
            asked = {url: askers.submit(self._ask, url) for url in self._urls}
        for url, answer in asked.items():
            try:
                views.append(answer.result())
            except BrokerError as error:
                silent[url] = str(error)
        survey = judge(views, silent)
        self._observe.surveyed(survey)
        self._say(tuple(survey.troubles()))
        return survey

    def _say(self, troubles: tuple[str, ...]) -> None:
        for trouble in troubles:
            if trouble not in self._known:
                log.error("the broker: %s", trouble)
        if self._known and not troubles:
            log.info("the broker is whole again")
        self._known = troubles
