"""Plays the 既存住民基本台帳システム: a full file at first, then each day's 異動 by household."""

from collections.abc import Iterator, Mapping

from adapters.resident_registry import ADAPTER
from adapters.simulation.addresses import MUNICIPALITY_CODE
from adapters.simulation.changes import Entry
from adapters.simulation.city import CityDay
from adapters.simulation.kit import DayFile, Misdeed
from adapters.simulation.misdeeds import on_own_exchange, resident_data
from adapters.simulation.people import my_number
from adapters.simulation.played import Played
from adapters.simulation.rows import facts_files, rows_file
from schemas.layout import load_layout
from schemas.resident import ResidentChanged

_HOUR = 6
_NOBODY = 400_000_000
"""Where the indexes of 個人番号 begin that nobody has."""
_OPERATOR = ("市民課", "JUKI-T01", "S0101")
_EVENT_CODES = {
    reason: code
    for column in load_layout("resident-registry.residents").columns
    if column.field == "event_reason"
    for code, reason in column.means.items()
}


_facts = facts_files(ADAPTER, _HOUR, _OPERATOR)


def _files(day: CityDay) -> Iterator[DayFile]:
    """Give the day's residents, the whole city on the first day and then what changed; the rest."""
    yield rows_file(ADAPTER.inbound[0], day, _HOUR, _OPERATOR, rows_of(day))
    yield from _facts(day)


def _misdeeds() -> tuple[Misdeed, ...]:
    """Send a field that the message type does not have, and for an end of its own."""
    kind = ResidentChanged.MESSAGE_TYPE
    account = {"bank_account": "0001-001-0000001"}
    return (
        on_own_exchange(
            "registry-adds-a-field",
            "The resident registry adds a bank account to a resident's change",
            ADAPTER.system,
            message_type=kind,
            data=resident_data() | account,
            expected_code="field-not-permitted",
        ),
        on_own_exchange(
            "registry-states-another-purpose",
            "The resident registry sends a resident's change for statistics",
            ADAPTER.system,
            message_type=kind,
            data=resident_data(),
            expected_code="purpose-not-permitted",
            purpose="統計の作成",
        ),
    )


SIMULATOR = Played(ADAPTER, days=_files, forbidden=_misdeeds())


def rows_of(day: CityDay) -> Iterator[Mapping[str, str]]:
    """Stream a day's rows, as the layout ``resident-registry.residents`` wants them."""
    rows = (_row(entry, group.number) for group in day.groups() for entry in group.entries)
    return (_mistaken(row, day) for row in rows)


def _mistaken(row: dict[str, str], day: CityDay) -> Mapping[str, str]:
    """Write another 個人番号 where the day has somebody make that mistake."""
    if (row["group"], row["addressee_number"]) == day.mistaken:
        row["my_number"] = my_number(_NOBODY + day.number)
    return row


def _row(entry: Entry, group: str) -> dict[str, str]:
    person, place, held = entry.person, entry.place, entry.person.eligibility
    return {
        "group": group,
        "addressee_number": person.number,
        "history_number": str(person.history),
        "household_number": entry.household_number,
        "previous_household_number": entry.left,
        "my_number": person.my_number,
        "resident_kind": person.kind,
        "resident_state": "9" if entry.removed else "1",
        "event_reason": _EVENT_CODES[entry.reason],
        "event_date": entry.event_date,
        "name": person.name,
        "name_kana": person.kana,
        "common_name": person.common_name,
        "birth_date": person.birth.text,
        "sex": person.sex,
        "relationship_codes": person.relation[0],
        "relationship": person.relation[1],
        "postal_code": place.postal_code,
        "municipality_code": MUNICIPALITY_CODE,
        "town_code": place.town_code,
        "address": place.address,
        "building": place.building,
        "previous_address": entry.previous_address,
        "protected": "1" if person.protected else "0",
        "eligibility_insured_number": held.number if held else "",
        "eligibility_acquired": held.acquired if held else "",
        "eligibility_lost": held.lost if held else "",
        "note": person.note,
    }
