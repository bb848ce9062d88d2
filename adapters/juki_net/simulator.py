"""Plays the 住基GW: reads the 処理通番 that it gets, and tries to send what nobody asked it for."""

from adapters.juki_net import ADAPTER
from adapters.simulation.kit import BROKER
from adapters.simulation.misdeeds import on_own_exchange, resident_data
from adapters.simulation.played import Played
from schemas.resident import ResidentChanged

SIMULATOR = Played(
    ADAPTER,
    forbidden=(
        on_own_exchange(
            "juki-net-sends-residents",
            "The resident register network sends a resident's change",
            ADAPTER.system,
            message_type=ResidentChanged.MESSAGE_TYPE,
            data=resident_data(),
            expected_code=BROKER,
        ),
    ),
)
