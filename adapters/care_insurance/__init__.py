"""介護保険システム: gives statuses and its high-cost benefits, gets those of medical care."""

from hub.edge.kit import Adapter
from mappings.plain import reads, writes
from schemas.benefit import CareBenefitPaid, MedicalBenefitPaid
from schemas.status import CareStatusChanged

ADAPTER = Adapter(
    system="care-insurance",
    inbound=(
        reads("KAIGO_JOTAI_*.csv", "care-insurance.status", CareStatusChanged),
        reads("KAIGO_KYUFU_*.csv", "care-insurance.benefits", CareBenefitPaid),
    ),
    outbound=(writes("care-insurance.medical-benefits", MedicalBenefitPaid),),
)
