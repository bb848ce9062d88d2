"""Where the time of one message goes, by counters around the stages of the hub's worker.

A counter is two clocks read before and after a call: the wall's and this thread's processor's.
Time inside a counted call counts for that call alone, not for the one around it, so the stages
add up to the whole. A profiler's hook on every single call would cost as much as what it measures.
"""

import functools
import importlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

REST = "the rest of the worker's loop"
FIRST = "judge"
"""What is measured begins with the first message that is judged, and ends with the last ack."""
LAST = "ack"
CALIBRATION = 20_000

STAGES: Mapping[str, tuple[str, ...]] = {
    "take": ("hub.broker.link:PikaLink.take",),
    "decode frames": ("hub.broker.connection:Connection._on_data_available",),
    "judge": ("hub.pipeline.judge:Judge.judge",),
    "plan": (
        "hub.pipeline.plan:plan_batch",
        "hub.pipeline.plan:keys_of",
        "hub.pipeline.plan:numbered_in",
    ),
    "ledger: look up": (
        "hub.ledger.store:DatabaseLedger.known",
        "hub.ledger.store:DatabaseLedger.bindings",
        "hub.ledger.store:DatabaseLedger.confirmations",
        "hub.ledger.store:DatabaseLedger.released",
        "hub.ledger.store:DatabaseLedger.tend",
    ),
    "ledger: number, hash, tree": ("hub.ledger.store:DatabaseLedger.append",),
    "ledger: SQL": (
        "sqlalchemy.engine.default:DefaultDialect.do_execute",
        "sqlalchemy.engine.default:DefaultDialect.do_executemany",
    ),
    "ledger: commit": ("sqlalchemy.engine.default:DefaultDialect.do_commit",),
    "publish": ("hub.broker.link:PikaLink.start", "hub.broker.outlet:Outlet.push"),
    "socket": (
        "pika.adapters.utils.io_services_utils:_AsyncTransportBase._consume",
        "pika.adapters.utils.io_services_utils:_AsyncTransportBase._produce",
    ),
    "confirm": (
        "hub.broker.link:PikaLink.finish",
        "hub.broker.link:PikaLink.turn",
        "hub.broker.link:PikaLink.idle",
    ),
    "ack": ("hub.broker.link:PikaLink.ack",),
    "tell the metrics": (
        "monitoring.hub:HubMetrics.recorded",
        "monitoring.hub:HubMetrics.batch_done",
    ),
}


@dataclass(slots=True)
class Spent:
    """What one stage took: seconds by the wall, seconds of the processor, and how many calls."""

    wall: float = 0.0
    cpu: float = 0.0
    calls: int = 0


@dataclass(slots=True)
class Stages:
    """The counters; ``missing`` names the calls that are not there (any more)."""

    spent: dict[str, Spent] = field(default_factory=lambda: {REST: Spent()})
    missing: list[str] = field(default_factory=list)
    settled: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    cost: float = 0.0
    _stack: list[Spent] = field(default_factory=list)
    _wall: float = 0.0
    _cpu: float = 0.0
    _begun: bool = False

    def install(self, stages: Mapping[str, Iterable[str]] = STAGES) -> None:
        """Put a counter around every call; nothing that imports them by name may be loaded yet."""
        self._measure_cost()
        for stage, places in stages.items():
            spent = self.spent.setdefault(stage, Spent())
            for place in places:
                try:
                    self._wrap(place, stage, spent)
                except (ImportError, AttributeError):
                    self.missing.append(place)
        self._stack = [self.spent[REST]]

    def _wrap(self, place: str, stage: str, spent: Spent) -> None:
        owner, name = found(place)
        setattr(owner, name, self._counted(getattr(owner, name), stage, spent))

    def _counted(self, call: Callable[P, R], stage: str, spent: Spent) -> Callable[P, R]:

        @functools.wraps(call)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            if not self._begun and stage == FIRST:
                self._begin()
            self._switch(spent)
            spent.calls += 1
            try:
                return call(*args, **kwargs)
            finally:
                self._switch(None)
                if stage == LAST and self._begun and len(self._stack) == 1:
                    self._settle()

        return counted

    def _switch(self, entered: Spent | None) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        if self._stack:
            top = self._stack[-1]
            top.wall += wall - self._wall
            top.cpu += cpu - self._cpu
        self._wall, self._cpu = wall, cpu
        if entered is None:
            self._stack.pop()
        else:
            self._stack.append(entered)

    def _begin(self) -> None:
        for spent in self.spent.values():
            spent.wall = spent.cpu = 0.0
            spent.calls = 0
        self._wall, self._cpu = time.perf_counter(), time.thread_time()
        self._begun = True

    def _settle(self) -> None:
        self.settled = {
            name: (spent.wall, spent.cpu, spent.calls) for name, spent in self.spent.items()
        }

    def _measure_cost(self) -> None:
        """See what one counter costs itself."""
        spent = Spent()
        empty = self._counted(lambda: None, "", spent)
        self._stack.append(Spent())
        begun = time.perf_counter()
        for _ in range(CALIBRATION):
            empty()
        self.cost = (time.perf_counter() - begun) / CALIBRATION
        self._stack.pop()


def when_first_called(then: Callable[[], None], stage: str = FIRST) -> None:
    """Call something once: when a stage is first entered."""
    (place,) = STAGES[stage]
    owner, name = found(place)
    call = getattr(owner, name)

    def first(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as what it stands for
        setattr(owner, name, call)
        then()
        return call(*args, **kwargs)

    setattr(owner, name, first)


def found(place: str) -> tuple[Any, str]:
    """Give what a call belongs to, and its name there.

    Raises:
        ImportError: the module is not there.
        AttributeError: the call is not.
    """
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *above, name = path.split(".")
    for part in above:
        owner = getattr(owner, part)
    getattr(owner, name)
    return owner, name
