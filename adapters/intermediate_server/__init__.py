"""中間サーバー: takes inquiries and code requests over HTTP, and answers them later."""

from adapters.intermediate_server import interface
from adapters.intermediate_server.courier import carry
from hub.edge import overdue
from hub.edge.kit import Adapter, Inbound, Outbound
from mappings import inquiries
from mappings import intermediate_server as mapping
from schemas.inquiry import InquiryAnswered, InquiryRequested
from schemas.linkage import PersonalCodeRequested, ProcessingNumberIssued

ADAPTER = Adapter(
    system="intermediate-server",
    inbound=(
        Inbound(
            pattern="SKI_RESULT_*.xml",
            layout=mapping.INQUIRY_RESULTS,
            message_type=InquiryAnswered.MESSAGE_TYPE,
            to_messages=mapping.to_answers,
        ),
        Inbound(
            pattern="FGU_RESULT_*.xml",
            layout=mapping.CODE_RESULTS,
            message_type=ProcessingNumberIssued.MESSAGE_TYPE,
            to_messages=mapping.to_numbers,
        ),
        Inbound(
            pattern=overdue.PATTERN,
            layout=overdue.LAYOUT,
            message_type=InquiryAnswered.MESSAGE_TYPE,
            to_messages=inquiries.no_reply,
        ),
    ),
    outbound=(
        Outbound(
            prefix="FGU",
            layout=mapping.CODE_REQUESTS,
            message_type=PersonalCodeRequested.MESSAGE_TYPE,
            to_row=mapping.to_code_row,
            asks=mapping.asks_code,
        ),
        Outbound(
            prefix="SKI",
            layout=mapping.INQUIRIES,
            message_type=InquiryRequested.MESSAGE_TYPE,
            to_row=mapping.to_inquiry_row,
            asks=mapping.asks_inquiry,
        ),
    ),
    courier=carry,
    layouts=(
        interface.PERMITS,
        interface.PERMITTED_INQUIRIES,
        interface.LISTINGS,
        interface.CODE_RECEIPTS,
    ),
)
