"""Plays the 徴収システム: reads its files, and tries to send what no flow carries."""

from adapters.premium_collection import ADAPTER
from adapters.simulation.kit import Misdeed
from adapters.simulation.misdeeds import event
from adapters.simulation.receiving import Receiver
from hub.names import inbound_exchange

_NAME = "premium-collection-sends-pensions"
_TYPE = "pension.suspended"

SIMULATOR = Receiver(
    ADAPTER,
    forbidden=(
        Misdeed(
            name=_NAME,
            title="The premium collection system sends a message that no flow carries",
            as_system=ADAPTER.system,
            exchange=inbound_exchange(ADAPTER.system),
            routing_key=_TYPE,
            event=event(
                _NAME,
                source=ADAPTER.system,
                message_type=_TYPE,
                data={"addressee_number": "000000099999995"},
            ),
            expected_code="no-flow",
        ),
    ),
)
