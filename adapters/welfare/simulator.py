"""Plays the 福祉保健総合システム: tells statuses, and reads what residents of facilities paid."""

from adapters.simulation.kit import BROKER
from adapters.simulation.misdeeds import on_own_exchange
from adapters.simulation.played import Played
from adapters.simulation.rows import facts_files
from adapters.welfare import ADAPTER

_OPERATOR = ("生活支援課", "FUKU-T01", "S0401")

SIMULATOR = Played(
    ADAPTER,
    days=facts_files(ADAPTER, 8, _OPERATOR),
    forbidden=(
        on_own_exchange(
            "welfare-sends-care-statuses",
            "The welfare system sends what only care insurance may",
            ADAPTER.system,
            message_type="care-status.changed",
            data={"addressee_number": "000000099999995"},
            expected_code=BROKER,
        ),
    ),
)
