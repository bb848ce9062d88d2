"""預貯金等照会システム: gets persons to look up, gives the accounts that were found."""

from hub.edge import overdue
from hub.edge.kit import Adapter, Inbound, Outbound
from mappings import deposit_inquiry as mapping
from schemas.deposit import DepositFound, DepositRequested

ADAPTER = Adapter(
    system="deposit-inquiry",
    inbound=(
        Inbound(
            pattern="KAITOU_*.xls[xm]",
            layout=mapping.ANSWERS,
            message_type=DepositFound.MESSAGE_TYPE,
            to_messages=mapping.to_messages,
        ),
        Inbound(
            pattern=overdue.PATTERN,
            layout=overdue.LAYOUT,
            message_type=DepositFound.MESSAGE_TYPE,
            to_messages=mapping.no_reply,
        ),
    ),
    outbound=(
        Outbound(
            prefix="requests",
            layout=mapping.REQUESTS,
            message_type=DepositRequested.MESSAGE_TYPE,
            to_row=mapping.to_request_row,
            asks=mapping.asks,
        ),
    ),
)
