"""Opening a link, again and again until it is open or the process is to stop."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from hub.broker.link import LinkSettings, PikaLink
from hub.errors import BrokerUnavailable
from hub.hosts import Host, in_any_order
from hub.pauses import Chance, pause

log = logging.getLogger(__name__)

FIRST_PATIENCE = 2.0
"""How long opening may take in the first round, where there are other hosts; doubled each time."""
STEP = 0.1
"""How soon a stop is noticed during a pause."""


def connected(  # noqa: PLR0913 - what the tests turn
    settings: LinkSettings,
    *,
    stopping: Callable[[], bool],
    say: Callable[[str], None] = log.warning,
    open_link: Callable[[LinkSettings], PikaLink] | None = None,
    chance: Chance = random.random,
    sleep: Callable[[float], None] | None = None,
) -> PikaLink | None:
    """Open a link, or give nothing once ``stopping``.

    It tries for ever, with the pauses of ``hub.pauses``: the broker may be away for long, and a
    wrong password or a missing queue may be mended while we wait. ``say`` gets a line for each
    failure. ``sleep`` is given each pause; by default it ends early once ``stopping``.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        say(f"no link to the broker: {error}; trying again in {state.upcoming_sleep:.1f} s")

    retrying = Retrying(
        retry=retry_if_exception_type(BrokerUnavailable),
        wait=lambda state: pause(state.attempt_number, chance),
        stop=lambda _state: stopping(),
        before_sleep=tell,
        sleep=sleep or (lambda seconds: rest(seconds, stopping)),
        retry_error_callback=lambda _state: None,
    )
    if stopping():
        return None
    rounds = count(1)
    opening = open_link or partial(PikaLink, stopping=stopping)
    link: PikaLink | None = retrying(lambda: open_any(settings, opening, stopping, next(rounds)))
    if link is not None and stopping():
        link.close()
        return None
    return link


def open_any(
    settings: LinkSettings,
    open_link: Callable[[LinkSettings], PikaLink],
    stopping: Callable[[], bool],
    round_number: int = 1,
) -> PikaLink:
    """Open a link to one of the hosts, tried once each in random order.

    Where there are several, none is waited for long: a frozen node takes the connection and
    says nothing. But all may be slow, as after a failure, so each round is more patient.

    Raises:
        BrokerUnavailable: none can be had; the text names each and why.
    """
    hosts = in_any_order((Host(settings.host, settings.port), *settings.also))
    patience = settings.open_seconds
    if len(hosts) > 1:
        patience = min(patience, FIRST_PATIENCE * 2 ** min(round_number - 1, 10))
    faults: list[str] = []
    for host in hosts:
        if faults and stopping():
            break
        try:
            return open_link(
                replace(settings, host=host.name, port=host.port, open_seconds=patience)
            )
        except BrokerUnavailable as error:
            said = str(error)
            faults.append(said if str(host) in said else f"{host}: {said}")
    raise BrokerUnavailable("; ".join(faults))


def rest(seconds: float, stopping: Callable[[], bool]) -> None:
    """Wait so long, or until ``stopping``."""
    until = time.monotonic() + seconds
    while not stopping() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, STEP))
