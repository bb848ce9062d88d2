"""How often the largest messages come anew, for every prefetch that a site may have."""

import pytest

from hub.broker.intake import ROUNDS, bytes_kept
from hub.broker.plan import MESSAGE_BYTES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("prefetch", [1, 39, 60, 79, 119, 375, 1500, 4000])
def test_no_message_comes_oftener_than_said(prefetch: int) -> None:
    waiting, rounds = prefetch, 0
    while waiting:  # as Intake._came: the first always, others while they fit
        waiting -= min(waiting, max(1, bytes_kept(prefetch) // MESSAGE_BYTES))
        rounds += 1
    assert rounds <= ROUNDS, rounds
