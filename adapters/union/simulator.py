"""Plays the 広域連合電算処理システム: reads its files, and tries to go past the hub."""

from adapters.simulation.kit import BROKER, Misdeed
from adapters.simulation.misdeeds import event, on_own_exchange, resident_data
from adapters.simulation.played import Played
from adapters.union import ADAPTER
from hub.names import OUT_EXCHANGE
from schemas.resident import ResidentChanged

_NAME = "union-goes-past-the-hub"
_ADDRESSED = "premium-collection"

SIMULATOR = Played(
    ADAPTER,
    forbidden=(
        Misdeed(
            name=_NAME,
            title="The union's system publishes straight to a receiver",
            as_system=ADAPTER.system,
            exchange=OUT_EXCHANGE,
            routing_key=_ADDRESSED,
            event=event(
                _NAME,
                source=ADAPTER.system,
                message_type=ResidentChanged.MESSAGE_TYPE,
                data=resident_data(),
            ),
            expected_code=BROKER,
        ),
        on_own_exchange(
            "union-signs-as-the-registry",
            "The union's system signs as the resident registry",
            ADAPTER.system,
            message_type=ResidentChanged.MESSAGE_TYPE,
            data=resident_data(),
            expected_code=BROKER,
            claims="resident-registry",
            signed_as="resident-registry",
        ),
    ),
)
