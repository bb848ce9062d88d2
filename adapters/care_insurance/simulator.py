"""Plays the 介護保険システム: tells statuses and benefits, and reads those of medical care."""

from adapters.care_insurance import ADAPTER
from adapters.simulation.kit import BROKER
from adapters.simulation.misdeeds import on_own_exchange, resident_data
from adapters.simulation.played import Played
from adapters.simulation.rows import facts_files
from schemas.resident import ResidentChanged

_OPERATOR = ("介護保険課", "KAIGO-T01", "S0501")

SIMULATOR = Played(
    ADAPTER,
    days=facts_files(ADAPTER, 8, _OPERATOR),
    forbidden=(
        on_own_exchange(
            "care-insurance-sends-residents",
            "The care insurance system sends a resident's change",
            ADAPTER.system,
            message_type=ResidentChanged.MESSAGE_TYPE,
            data=resident_data(),
            expected_code=BROKER,
        ),
    ),
)
