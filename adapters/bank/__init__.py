"""金融機関: account transfers and their results, receipts of payment slips, in 全銀 records."""

from hub.edge.kit import Adapter, Inbound, Outbound, without_desk
from mappings import bank as mapping
from schemas.bank import AccountTransferRequested, PaymentReceived

ADAPTER = Adapter(
    system="bank",
    inbound=(
        Inbound(
            pattern="KEKKA_*.dat",
            layout=mapping.RESULTS,
            message_type=PaymentReceived.MESSAGE_TYPE,
            to_messages=mapping.to_results,
        ),
        Inbound(
            pattern="NOFU_*.dat",
            layout=mapping.RECEIPTS,
            message_type=PaymentReceived.MESSAGE_TYPE,
            to_messages=without_desk(mapping.to_receipts),
        ),
    ),
    outbound=(
        Outbound(
            prefix="FURIKAE",
            layout=mapping.TRANSFERS,
            message_type=AccountTransferRequested.MESSAGE_TYPE,
            to_row=mapping.to_transfer_row,
            asks=mapping.asks,
        ),
    ),
)
