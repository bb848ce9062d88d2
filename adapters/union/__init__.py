"""広域連合電算処理システム, by its 窓口端末: gets residents, income and taxation."""

from hub.edge.kit import Adapter, Outbound
from mappings import union as mapping
from schemas.income import IncomeAssessed
from schemas.resident import ResidentChanged

ADAPTER = Adapter(
    system="union",
    outbound=(
        Outbound(
            prefix="residents",
            layout=mapping.RESIDENTS,
            message_type=ResidentChanged.MESSAGE_TYPE,
            to_row=mapping.to_resident_row,
        ),
        Outbound(
            prefix="income",
            layout=mapping.INCOME,
            message_type=IncomeAssessed.MESSAGE_TYPE,
            to_row=mapping.to_income_row,
        ),
    ),
)
