"""What a shift tells its observer of a batch: how long its stages took, what came or went again.

Each once a batch, so that no message is slower for it.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter

from hub.observe import HubObserver, Stage
from hub.pipeline.book import Send
from hub.pipeline.waiting import WaitingRoom
from hub.ports import Delivery
from hub.worker.under import Origins, origin

_TIMES = attrgetter("times")


@contextmanager
def timed(observe: HubObserver, stage: Stage) -> Iterator[None]:
    """Tell how long a stage took that went well."""
    began = time.monotonic()
    yield
    observe.took(stage, time.monotonic() - began)


def came_again(moved: Sequence[Delivery], room: WaitingRoom) -> int:
    """Count the messages that the broker gave out before; what waits in the room was counted."""
    if not any(map(_TIMES, moved)):
        return 0
    return sum(one.times > 0 and one not in room for one in moved)


def sent_again(sends: Sequence[Send], of: Origins, room: WaitingRoom) -> Mapping[str, int]:
    """Count the copies, by receiver, that its queue was asked to take before."""
    found: Counter[str] = Counter()
    for send in sends if room.size else ():
        entry = send.confirmed
        if entry is not None and entry.receiver in room.tried(origin(of, entry)):
            found[entry.receiver] += 1
    return found
