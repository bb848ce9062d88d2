"""番号連携システム: numbers persons for all systems of the city, and passes inquiries on."""

from hub.edge import overdue
from hub.edge.kit import Adapter, Inbound, Outbound
from mappings import inquiries
from mappings import number_linkage as mapping
from schemas.addressee import AddresseeRegistered
from schemas.inquiry import InquiryAnswered, InquiryRequested
from schemas.linkage import PersonalCodeRequested, ProcessingNumberIssued

INQUIRY_PREFIX, RESULT_PREFIX = "P640R110", "P640R120"

ADAPTER = Adapter(
    system="number-linkage",
    inbound=(
        Inbound(
            pattern="P640R110_*.DAT",
            layout=mapping.INQUIRIES,
            message_type=InquiryRequested.MESSAGE_TYPE,
            to_messages=mapping.to_inquiries,
        ),
        Inbound(
            pattern="P640R120_*.DAT",
            layout=mapping.RESULTS,
            message_type=InquiryAnswered.MESSAGE_TYPE,
            to_messages=mapping.to_results,
        ),
        Inbound(
            pattern="FUGO_*.csv",
            layout=mapping.CODE_REQUESTS,
            message_type=PersonalCodeRequested.MESSAGE_TYPE,
            to_messages=mapping.to_code_requests,
        ),
        Inbound(
            pattern="JUKIGW_*.csv",
            layout=mapping.GATEWAY_NUMBERS,
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
            prefix="addressees",
            layout=mapping.ADDRESSEES,
            message_type=AddresseeRegistered.MESSAGE_TYPE,
            to_row=mapping.to_addressee_row,
            asks=mapping.asks_codes,
        ),
        Outbound(
            prefix=INQUIRY_PREFIX,
            layout=mapping.INQUIRIES,
            message_type=InquiryRequested.MESSAGE_TYPE,
            to_row=mapping.to_inquiry_row,
            asks=mapping.asks_inquiry,
            file_name=mapping.inquiry_name,
        ),
        Outbound(
            prefix=RESULT_PREFIX,
            layout=mapping.RESULTS,
            message_type=InquiryAnswered.MESSAGE_TYPE,
            to_row=mapping.to_result_row,
            asks=mapping.asks_result,
            file_name=mapping.inquiry_name,
        ),
        Outbound(
            prefix="numbers",
            layout=mapping.PROCESSING_NUMBERS,
            message_type=ProcessingNumberIssued.MESSAGE_TYPE,
            to_row=mapping.to_number_row,
            asks=mapping.asks_number,
        ),
    ),
)
