"""What a worker works with; the composition root puts it together."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from hub.ledger.model import Ledger
from hub.observe import HubObserver
from hub.pipeline.judge import Judge
from hub.traces import Traces


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker works with.

    ``rules`` gives the judge to ask now; it is called between two batches. ``notified`` are the
    systems that have a queue for notices; ``clock`` gives aware times; ``batch`` is how many
    messages are moved at once. ``traces`` follows messages, where the site has some followed.
    """

    rules: Callable[[], Judge]
    ledger: Ledger
    notified: frozenset[str]
    observe: HubObserver
    clock: Callable[[], dt.datetime]
    batch: int = 500
    traces: Traces | None = None
