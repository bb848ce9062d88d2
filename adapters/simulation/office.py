"""What the office and its neighbours have to say on a day, by sender and message type.

Each is a function from the day's insured persons to canonical messages; a simulator writes
them in its own layouts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from adapters.simulation import asking, health, money, registration
from adapters.simulation.insured import Insured
from schemas.canonical import CanonicalMessage

Facts = Callable[[tuple[Insured, ...]], Iterator[CanonicalMessage]]


class Said(NamedTuple):
    """Who says it, and what kind of message it is."""

    sender: str
    message_type: str


FACTS: Mapping[Said, Facts] = {
    Said("premium-collection", "eligibility.notified"): registration.notifications,
    Said("premium-collection", "nonresident.changed"): registration.nonresidents,
    Said("premium-collection", "addressee.registered"): registration.nonresident_addressees,
    Said("premium-collection", "eligibility.recorded"): registration.eligibilities,
    Said("premium-collection", "instalments.set"): money.instalments,
    Said("premium-collection", "collection.recorded"): money.collections,
    Said("premium-collection", "arrears.recorded"): money.arrears,
    Said("premium-collection", "account-transfer.requested"): money.transfers,
    Said("premium-collection", "premium.paid-yearly"): money.paid_last_year,
    Said("premium-collection", "high-cost.related"): health.applications,
    Said("premium-collection", "medical-benefit.paid"): health.medical_payments,
    Said("premium-collection", "inquiry.requested"): asking.inquiries,
    Said("premium-collection", "deposit.requested"): asking.deposits,
    Said("premium-collection", "special-collection.requested"): asking.special_collections,
    Said("union", "insured.decided"): registration.decisions,
    Said("union", "premium.decided"): money.premiums,
    Said("union", "benefit.decided"): health.decisions,
    Said("resident-registry", "addressee.registered"): registration.resident_addressees,
    Said("resident-registry", "special-address.changed"): registration.special_addresses,
    Said("care-insurance", "care-status.changed"): health.care_statuses,
    Said("care-insurance", "care-benefit.paid"): health.care_payments,
    Said("welfare", "welfare-status.changed"): health.welfare_statuses,
}


def facts(
    sender: str, message_type: str, insured: tuple[Insured, ...]
) -> Iterator[CanonicalMessage]:
    """Give what a sender says of this kind about the day's insured persons."""
    return FACTS[Said(sender, message_type)](insured)
