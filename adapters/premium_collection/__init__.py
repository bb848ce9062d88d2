"""後期高齢者医療保険料徴収システム: the office's own; most flows begin or end here.

Its files are comma-separated, but for 特別徴収: those have fixed lengths, both ways.
"""

from hub.edge.kit import Adapter
from mappings.plain import reads, writes
from schemas.addressee import AddresseeRegistered, NonresidentChanged
from schemas.application import ApplicationFiled
from schemas.bank import AccountTransferRequested, PaymentReceived
from schemas.benefit import BenefitDecided, CareBenefitPaid, HighCostRelated, MedicalBenefitPaid
from schemas.collection import ArrearsRecorded, CollectionRecorded
from schemas.deposit import DepositFound, DepositRequested
from schemas.eligibility import EligibilityNotified, EligibilityRecorded, InsuredDecided
from schemas.income import IncomeAssessed
from schemas.inquiry import InquiryAnswered, InquiryRequested
from schemas.premium import InstalmentsSet, PremiumDecided, PremiumPaidYearly
from schemas.resident import ResidentChanged
from schemas.special_collection import SpecialCollectionNotified, SpecialCollectionRequested
from schemas.status import CareStatusChanged, WelfareStatusChanged

_ID = "premium-collection"

ADAPTER = Adapter(
    system=_ID,
    inbound=(
        reads(
            "KOKI_TODOKE_*.csv",
            f"{_ID}.notifications",
            EligibilityNotified,
            reason="notification_kind",
        ),
        reads("KOKI_JUTOGAI_*.csv", f"{_ID}.nonresidents", NonresidentChanged),
        reads("KOKI_KIWARI_*.csv", f"{_ID}.instalments", InstalmentsSet),
        reads(
            "KOKI_SHUNO_*.csv", f"{_ID}.collections", CollectionRecorded, reason="collection_kind"
        ),
        reads("KOKI_TAINO_*.csv", f"{_ID}.arrears", ArrearsRecorded, reason="state"),
        reads("KOKI_KOGAKU_*.csv", f"{_ID}.high-cost", HighCostRelated, reason="benefit_kind"),
        reads("KOKI_SHIKAKU_*.csv", f"{_ID}.eligibility", EligibilityRecorded),
        reads("KOKI_NOFU_*.csv", f"{_ID}.paid-yearly", PremiumPaidYearly),
        reads("KOKI_KYUFU_*.csv", f"{_ID}.medical-benefits", MedicalBenefitPaid),
        reads("KOKI_ATENA_*.csv", f"{_ID}.addressees", AddresseeRegistered),
        reads(
            "KOKI_TOKUCHO_*.dat",
            f"{_ID}.special-collection-requests",
            SpecialCollectionRequested,
            reason="notice",
        ),
        reads("KOKI_SHOKAI_*.csv", f"{_ID}.inquiries", InquiryRequested),
        reads("KOKI_YOKIN_*.csv", f"{_ID}.deposit-requests", DepositRequested),
        reads("KOKI_FURIKAE_*.csv", f"{_ID}.transfers", AccountTransferRequested),
    ),
    outbound=(
        writes(f"{_ID}.residents", ResidentChanged),
        writes(f"{_ID}.income", IncomeAssessed),
        writes(f"{_ID}.welfare-status", WelfareStatusChanged),
        writes(f"{_ID}.care-status", CareStatusChanged),
        writes(f"{_ID}.insured", InsuredDecided),
        writes(f"{_ID}.premiums", PremiumDecided),
        writes(f"{_ID}.benefits", BenefitDecided),
        writes(f"{_ID}.special-collection", SpecialCollectionNotified),
        writes(f"{_ID}.applications", ApplicationFiled),
        writes(f"{_ID}.inquiry-answers", InquiryAnswered),
        writes(f"{_ID}.deposits", DepositFound),
        writes(f"{_ID}.payments", PaymentReceived),
        writes(f"{_ID}.care-benefits", CareBenefitPaid),
    ),
)
