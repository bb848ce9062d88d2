"""税務システム: gives the income and taxation of residents, by household."""

from hub.edge.kit import Adapter, Inbound
from mappings import tax as mapping
from schemas.income import IncomeAssessed

ADAPTER = Adapter(
    system="tax",
    inbound=(
        Inbound(
            pattern="ZEI_*.csv",
            layout=mapping.LAYOUT,
            message_type=IncomeAssessed.MESSAGE_TYPE,
            to_messages=mapping.to_messages,
        ),
    ),
)
