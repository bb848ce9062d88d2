"""Plays the 住基GW: reads the 処理通番 that it gets, and tries to send what nobody asked it for."""

from adapters.juki_net import ADAPTER
from adapters.simulation.misdeeds import sends_residents
from adapters.simulation.played import Played

SIMULATOR = Played(
    ADAPTER,
    forbidden=(
        sends_residents(
            "juki-net-sends-residents", "The resident register network", ADAPTER.system
        ),
    ),
)
