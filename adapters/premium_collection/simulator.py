"""Plays the 徴収システム: tells of the office's day, reads its files, tries what may not move."""

from adapters.premium_collection import ADAPTER
from adapters.simulation.kit import BROKER
from adapters.simulation.misdeeds import on_own_exchange
from adapters.simulation.played import Played
from adapters.simulation.rows import facts_files

_PERSON = {"addressee_number": "000000099999995"}

_OPERATOR = ("医療保険課", "KOKI-T01", "S0301")

SIMULATOR = Played(
    ADAPTER,
    days=facts_files(ADAPTER, 9, _OPERATOR),
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
            "premium-collection-provides-information",
            "The premium collection system provides information to other bodies",
            ADAPTER.system,
            message_type="information.provided",
            data=_PERSON,
            expected_code=BROKER,
        ),
    ),
)
