"""既存住民基本台帳システム: gives residents by household, addressees and special addresses.

It gets back what it prints on a 住民票 (住民基本台帳法7条の10).
"""

from hub.edge.kit import Adapter, Inbound, without_desk
from mappings import resident_registry as mapping
from mappings.plain import reads, writes
from schemas.addressee import AddresseeRegistered, SpecialAddressChanged
from schemas.eligibility import EligibilityRecorded
from schemas.resident import ResidentChanged

ADAPTER = Adapter(
    system="resident-registry",
    inbound=(
        Inbound(
            pattern="JUKI_*.csv",
            layout=mapping.LAYOUT,
            message_type=ResidentChanged.MESSAGE_TYPE,
            to_messages=without_desk(mapping.to_messages),
        ),
        reads("ATENA_*.csv", "resident-registry.addressees", AddresseeRegistered),
        reads("TOKUREI_*.csv", "resident-registry.special-addresses", SpecialAddressChanged),
    ),
    outbound=(writes("resident-registry.eligibility", EligibilityRecorded),),
)
