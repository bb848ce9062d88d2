"""福祉保健総合システム: gives statuses, gets the premiums that residents of facilities paid."""

from hub.edge.kit import Adapter
from mappings.plain import reads, writes
from schemas.premium import PremiumPaidYearly
from schemas.status import WelfareStatusChanged

ADAPTER = Adapter(
    system="welfare",
    inbound=(
        reads("FUKUSHI_JOTAI_*.csv", "welfare.status", WelfareStatusChanged, reason="status"),
    ),
    outbound=(writes("welfare.paid-yearly", PremiumPaidYearly),),
)
