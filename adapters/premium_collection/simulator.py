"""Plays the 徴収システム: reads its files, and tries to send what may not move."""

from adapters.premium_collection import ADAPTER
from adapters.simulation.kit import BROKER
from adapters.simulation.misdeeds import on_own_exchange
from adapters.simulation.played import Played

_PERSON = {"addressee_number": "000000099999995"}

SIMULATOR = Played(
    ADAPTER,
    forbidden=(
        on_own_exchange(
            "premium-collection-sends-pensions",
            "The premium collection system sends a message that no flow carries",
            ADAPTER.system,
            message_type="pension.suspended",
            data=_PERSON,
            expected_code=BROKER,
        ),
        on_own_exchange(
            "premium-collection-asks-for-deposits",
            "The premium collection system uses a flow that waits for its legal basis",
            ADAPTER.system,
            message_type="deposit.requested",
            data=_PERSON,
            expected_code=BROKER,
        ),
    ),
)
