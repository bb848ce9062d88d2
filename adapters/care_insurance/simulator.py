"""Plays the 介護保険システム: tells statuses and benefits, and reads those of medical care."""

from adapters.care_insurance import ADAPTER
from adapters.simulation.misdeeds import sends_residents
from adapters.simulation.played import Played
from adapters.simulation.rows import facts_files

_OPERATOR = ("介護保険課", "KAIGO-T01", "S0501")

SIMULATOR = Played(
    ADAPTER,
    days=facts_files(ADAPTER, 8, _OPERATOR),
    forbidden=(
        sends_residents(
            "care-insurance-sends-residents", "The care insurance system", ADAPTER.system
        ),
    ),
)
