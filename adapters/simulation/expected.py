"""Who has to arrive, by message type, as the city's own households say."""

import datetime as dt
from collections.abc import Callable, Mapping

from adapters.simulation.city import CityDay
from adapters.simulation.scope import in_scope, incomes_in_scope
from schemas.income import IncomeAssessed
from schemas.resident import ResidentChanged

Scope = Callable[[CityDay, int, dt.date | None], set[str]]

EXPECTED: Mapping[str, Scope] = {
    ResidentChanged.MESSAGE_TYPE: in_scope,
    IncomeAssessed.MESSAGE_TYPE: incomes_in_scope,
}
