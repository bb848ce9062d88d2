"""What the processes say of this moment, put together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.names import outbound_queue
from monitoring.figures.scrape import WATCH, Reading
from monitoring.figures.standing import Standing, standing_of

_OUTBOUND = outbound_queue("")


class QueueNow(NamedTuple):
    """A queue: messages, consumers, and the age of the oldest in seconds."""

    messages: int
    consumers: int
    oldest: float


@dataclass(frozen=True, slots=True)
class ProcessNow:
    """A process: does it answer, is it linked, since when it runs, what it uses.

    ``cpu_seconds`` grows; two looks give the share. ``waiting`` are a worker's messages that wait
    for receivers, or the files in an adapter's folder.
    """

    name: str
    answers: bool
    linked: bool | None = None
    started: float | None = None
    memory: float | None = None
    cpu_seconds: float | None = None
    waiting: float | None = None


@dataclass(frozen=True, slots=True)
class LedgerNow:
    """The ledger as its watch sees it; times are of the clock, in seconds since 1970."""

    size: int
    verified: int
    checkpoint_age: float
    writable: bool
    halted: bool


@dataclass(frozen=True, slots=True)
class Live:
    """All of it. Where the watch does not answer, ``queues``, ``due``, … say nothing (``None``).

    ``stopped`` are the receivers to whose queues nothing but single tries goes. ``lists`` counts
    what waits for a person, ``standing`` is what all of it stands on.
    """

    processes: tuple[ProcessNow, ...] = ()
    queues: Mapping[str, QueueNow] | None = None
    due: Mapping[str, float] | None = None
    last: Mapping[str, float] | None = None
    lists: Mapping[str, int] | None = None
    ledger: LedgerNow | None = None
    stopped: frozenset[str] = frozenset()
    maintenance: bool = False
    unanswered: tuple[str, ...] = ()
    standing: Standing = field(default_factory=Standing)

    def hub_queues(self) -> dict[str, QueueNow] | None:
        """Give the queues that belong to no receiver: partitions and dead letters, if known."""
        if self.queues is None:
            return None
        return {name: one for name, one in self.queues.items() if not name.startswith(_OUTBOUND)}


def live_of(readings: Mapping[str, Reading | None]) -> Live:
    """Put together what the processes answered."""
    watch = readings.get(WATCH)
    answered = [one for one in readings.values() if one is not None]
    stopped = {
        receiver
        for one in answered
        for receiver, is_open in one.by("renkei_receiver_breaker_open", "receiver").items()
        if is_open
    }
    return Live(
        processes=tuple(_process(name, one) for name, one in readings.items()),
        queues=_queues(watch),
        due=_by_flow(watch, "renkei_flow_due_timestamp_seconds"),
        last=_by_flow(watch, "renkei_flow_last_message_timestamp_seconds"),
        lists=_lists(watch),
        ledger=_ledger(watch),
        stopped=frozenset(stopped),
        maintenance=any(one.value("renkei_maintenance") for one in answered),
        unanswered=tuple(name for name, one in readings.items() if one is None),
        standing=standing_of(readings),
    )


def _by_flow(watch: Reading | None, name: str) -> dict[str, float] | None:
    return None if watch is None else watch.by(name, "flow")


def _queues(watch: Reading | None) -> dict[str, QueueNow] | None:
    if watch is None:
        return None
    consumers = watch.by("renkei_queue_consumers", "queue")
    oldest = watch.by("renkei_queue_oldest_message_age_seconds", "queue")
    return {
        queue: QueueNow(int(messages), int(consumers.get(queue, 0)), oldest.get(queue, 0.0))
        for queue, messages in watch.by("renkei_queue_messages", "queue").items()
    }


def _lists(watch: Reading | None) -> dict[str, int] | None:
    if watch is None:
        return None
    waits = ("open", "requested")
    found = {
        name: sum(int(by.get(state, 0)) for state in waits)
        for name, by in (
            ("confirmations", watch.by("renkei_confirmations", "state")),
            ("dead-letters", watch.by("renkei_dead_letters", "state")),
        )
        if by
    }
    return found or None


def _ledger(watch: Reading | None) -> LedgerNow | None:
    size = None if watch is None else watch.value("renkei_ledger_size_entries")
    if watch is None or size is None:
        return None
    return LedgerNow(
        int(size),
        int(watch.value("renkei_ledger_verified_through_entry") or 0),
        watch.value("renkei_ledger_checkpoint_age_seconds") or 0.0,
        bool(watch.value("renkei_ledger_writable")),
        bool(watch.value("renkei_ledger_halted")),
    )


def _process(name: str, one: Reading | None) -> ProcessNow:
    if one is None:
        return ProcessNow(name, answers=False)
    linked = one.value("renkei_hub_connected")
    if linked is None:
        linked = one.value("renkei_adapter_connected")
    waiting = one.value("renkei_adapter_files_waiting")
    return ProcessNow(
        name,
        answers=True,
        linked=None if linked is None else bool(linked),
        started=one.value("process_start_time_seconds"),
        memory=one.value("process_resident_memory_bytes"),
        cpu_seconds=one.value("process_cpu_seconds_total"),
        waiting=one.value("renkei_waiting_messages") if waiting is None else waiting,
    )
