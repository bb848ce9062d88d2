"""広域連合電算処理システム (標準システム), by files at its 窓口端末 and no other way.

Of files that wait, those of the name that comes first are read first: decisions on persons, for
whom somebody may stand at the counter.
"""

from hub.edge.kit import Adapter
from mappings.plain import reads, writes
from schemas.addressee import NonresidentChanged, SpecialAddressChanged
from schemas.benefit import BenefitDecided, HighCostRelated
from schemas.collection import ArrearsRecorded, CollectionRecorded
from schemas.eligibility import EligibilityNotified, InsuredDecided
from schemas.income import IncomeAssessed
from schemas.premium import InstalmentsSet, PremiumDecided
from schemas.resident import ResidentChanged

ADAPTER = Adapter(
    system="union",
    inbound=(
        reads("KOIKI_HIHOKENSHA_*.csv", "union.insured", InsuredDecided),
        reads("KOIKI_HOKENRYO_*.csv", "union.premiums", PremiumDecided),
        reads("KOIKI_KYUFU_*.csv", "union.benefits", BenefitDecided, reason="outcome"),
    ),
    outbound=(
        writes("union.residents", ResidentChanged),
        writes("union.income", IncomeAssessed),
        writes("union.notifications", EligibilityNotified),
        writes("union.nonresidents", NonresidentChanged),
        writes("union.instalments", InstalmentsSet),
        writes("union.collections", CollectionRecorded),
        writes("union.arrears", ArrearsRecorded),
        writes("union.high-cost", HighCostRelated),
        writes("union.special-addresses", SpecialAddressChanged),
    ),
)
