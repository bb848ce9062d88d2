"""Opening a link, again and again until it is open or the process is to stop."""

import logging
import time
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from hub.broker.link import LinkSettings, PikaLink
from hub.errors import BrokerUnavailable

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
STEP = 0.1
"""How soon a stop is noticed during a pause."""


def connected(
    settings: LinkSettings,
    *,
    stopping: Callable[[], bool],
    say: Callable[[str], None] = log.warning,
    open_link: Callable[[LinkSettings], PikaLink] = PikaLink,
) -> PikaLink | None:
    """Open a link, or give nothing once ``stopping``.

    It tries for ever, with growing, jittered pauses: the broker may be away for long, and a
    wrong password or a missing queue may be mended while we wait. ``say`` gets a line for each
    failure.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0.0
        say(f"no link to the broker: {error}; trying again in {pause:.1f} s")

    retrying = Retrying(
        retry=retry_if_exception_type(BrokerUnavailable),
        wait=wait_random_exponential(multiplier=FIRST_PAUSE, min=FIRST_PAUSE, max=LONGEST_PAUSE),
        stop=lambda _state: stopping(),
        before_sleep=tell,
        sleep=lambda seconds: _pause(seconds, stopping),
        retry_error_callback=lambda _state: None,
    )
    if stopping():
        return None
    link: PikaLink | None = retrying(open_link, settings)
    if link is not None and stopping():
        link.close()
        return None
    return link


def _pause(seconds: float, stopping: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stopping() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, STEP))
