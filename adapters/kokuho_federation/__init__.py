"""石川県国民健康保険団体連合会: 特別徴収, requests of the office and what becomes of them."""

from hub.edge.kit import Adapter, Inbound, Outbound
from mappings import kokuho_federation as mapping
from schemas.special_collection import (
    OfficeNotice,
    SpecialCollectionNotified,
    SpecialCollectionRequested,
)


def _inbound(name: str, *notices: str) -> Inbound:
    return Inbound(
        pattern=f"{name}*.dta",
        layout=mapping.NOTIFIED,
        message_type=SpecialCollectionNotified.MESSAGE_TYPE,
        to_messages=mapping.to_messages(*notices),
    )


def _outbound(prefix: str, notice: OfficeNotice) -> Outbound:
    return Outbound(
        prefix=prefix,
        layout=mapping.REQUESTED,
        message_type=SpecialCollectionRequested.MESSAGE_TYPE,
        to_row=mapping.to_row,
        takes=mapping.takes(notice),
        asks=mapping.asks,
    )


ADAPTER = Adapter(
    system="kokuho-federation",
    inbound=(
        _inbound("Z31", "00", "30"),
        _inbound("Z33", "02", "32"),
        _inbound("Z34", "22"),
        _inbound("Z3A", "42", "62", "82"),
    ),
    outbound=(
        _outbound("Z32_01", OfficeNotice.REQUEST),
        _outbound("Z32_31", OfficeNotice.ADDED_REQUEST),
        _outbound("Z3A_41", OfficeNotice.LOSS),
        _outbound("Z3A_61", OfficeNotice.PROVISIONAL_CHANGE),
        _outbound("Z3A_81", OfficeNotice.ADDRESS_EXCEPTION),
    ),
    matching=mapping.PERSONS,
)
