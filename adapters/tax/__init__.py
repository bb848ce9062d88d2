"""税務システム: gives the income and taxation of residents, by household."""

from hub.edge.kit import Adapter, Inbound, without_desk
from mappings import tax as mapping
from schemas.income import IncomeAssessed

ADAPTER = Adapter(
    system="tax",
    inbound=(
        Inbound(
            pattern="ZEI_*.csv",
            layout=mapping.LAYOUT,
            message_type=IncomeAssessed.MESSAGE_TYPE,
            to_messages=without_desk(mapping.to_messages),
        ),
    ),
)
