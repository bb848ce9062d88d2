"""Plays the 税務システム: every resident's income at first, then corrections by household."""

from collections.abc import Iterator, Mapping

from adapters.simulation.city import CityDay
from adapters.simulation.incomes import TaxEntry
from adapters.simulation.kit import DayFile, Misdeed
from adapters.simulation.misdeeds import income_data, on_own_exchange, sends_residents
from adapters.simulation.people import Person
from adapters.simulation.played import Played
from adapters.simulation.rows import rows_file
from adapters.tax import ADAPTER
from hub.names import outbound_queue
from mappings.codes import AMOUNTS
from schemas.income import IncomeAssessed

_HOUR = 7
_OPERATOR = ("市民税課", "ZEI-T01", "S0201")
_TAX_YEAR = 2025
_FIRST_ASSESSED = "2025-06-10"


def _files(day: CityDay) -> Iterator[DayFile]:
    """Give the day's one file: everybody on the first day, then what was corrected."""
    yield rows_file(ADAPTER.inbound[0], day, _HOUR, _OPERATOR, rows_of(day))


def _misdeeds() -> tuple[Misdeed, ...]:
    """Send what only the registry may; claim to be it; ask for copies."""
    income = IncomeAssessed.MESSAGE_TYPE
    return (
        sends_residents("tax-sends-residents", "The tax system", ADAPTER.system),
        on_own_exchange(
            "tax-claims-another-name",
            "The tax system claims to be the resident registry",
            ADAPTER.system,
            message_type=income,
            data=income_data(),
            expected_code="sender-mismatch",
            claims="resident-registry",
        ),
        on_own_exchange(
            "tax-asks-for-copies",
            "The tax system asks for a copy to the bank",
            ADAPTER.system,
            message_type=income,
            data=income_data(),
            expected_code="copies-asked",
            copies=(outbound_queue("bank"),),
        ),
    )


SIMULATOR = Played(ADAPTER, days=_files, forbidden=_misdeeds())


def rows_of(day: CityDay) -> Iterator[Mapping[str, str]]:
    """Stream a day's rows, as the layout ``tax.income`` wants them."""
    assessed = _FIRST_ASSESSED if day.is_initial else day.date.isoformat()
    return (
        _row(entry, group.number, assessed) for group in day.tax_groups() for entry in group.entries
    )


def _row(entry: TaxEntry, group: str, assessed: str) -> Mapping[str, str]:
    person, income = entry.person, entry.income
    amounts = {name: str(income.amounts[name]) if income.amounts else "" for name in AMOUNTS}
    return {
        "group": group,
        "addressee_number": person.number,
        "tax_year": str(_TAX_YEAR - entry.years_back),
        "correction_number": str(entry.correction),
        "my_number": person.my_number,
        "household_number": entry.household_number,
        "birth_date": person.birth.text,
        "insurance": _insurance(person),
        "changed": "1" if entry.changed else "0",
        "assessed_on": assessed if entry.changed else _FIRST_ASSESSED,
        "undeclared": income.undeclared,
        "taxation_class": income.taxation_class,
        **amounts,
    }


def _insurance(person: Person) -> str:
    if person.eligibility is None:
        return "0"
    return "2" if person.eligibility.lost else "1"
