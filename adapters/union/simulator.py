"""Plays the 広域連合電算処理システム: decides, at once if asked, and tries to go past the hub."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.simulation.kit import BROKER, DayFile, Misdeed, ReceivedRecord
from adapters.simulation.misdeeds import event, on_own_exchange, resident_data
from adapters.simulation.played import Played, Reaction
from adapters.simulation.rows import facts_files
from adapters.union import ADAPTER
from hub.clock import JST
from hub.edge.form import Header
from hub.names import OUT_EXCHANGE
from schemas.layout import load_layout
from schemas.resident import ResidentChanged

_NAME = "union-goes-past-the-hub"
_ADDRESSED = "premium-collection"

_OPERATOR = ("広域連合", "KOIKI-T01", "S0601")
_DECIDED = next(wire for wire in ADAPTER.inbound if wire.message_type == "insured.decided")
_YES = "1"


def _decided_at_once(path: Path, notified: Sequence[ReceivedRecord]) -> DayFile | None:
    """Decide what asks for 即時交付; the rest waits for a day of its own."""
    immediate = [one.values for one in notified if one.values["immediate"] == _YES]
    if not immediate:
        return None
    at = dt.datetime.combine(dt.date.fromisoformat(immediate[0]["notified_on"]), dt.time(11), JST)
    return DayFile(
        f"KOIKI_HIHOKENSHA_SOKUJI_{path.stem}.csv",
        _DECIDED.layout,
        _DECIDED.message_type,
        Header(at, *_OPERATOR),
        [_decision(values) for values in immediate],
    )


def _decision(notified: Mapping[str, str]) -> Mapping[str, str]:
    """Give a decision as it is written; its 履歴番号 follows the notification's day."""
    day = notified["notified_on"]
    made = {
        "history_number": str(int(notified["notification_number"][1:5]) + 1),
        "person_kind": "1",
        "acquisition_reason": "001",
        "acquired": notified["event_date"],
        "decided_on": day,
        "immediate": _YES,
        "copayment_tenths": "1",
        "certificate_issued_on": day,
        "certificate_valid_from": day,
        "scope_eldest_birth_date": notified["birth_date"],
        "scope_insurance": "1",
    }
    columns = load_layout(_DECIDED.layout).columns
    return {one.field: made.get(one.field, notified.get(one.field, "")) for one in columns}


SIMULATOR = Played(
    ADAPTER,
    days=facts_files(ADAPTER, 10, _OPERATOR),
    reactions=(Reaction("notifications", _decided_at_once),),
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
