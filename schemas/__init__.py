"""Canonical messages, their value types, and the wire layouts of the connected systems."""

from schemas import (
    addressee,
    application,
    bank,
    benefit,
    collection,
    deposit,
    eligibility,
    income,
    inquiry,
    linkage,
    premium,
    resident,
    special_collection,
    status,
)
from schemas.canonical import MESSAGE_TYPES

__all__ = [
    "MESSAGE_TYPES",
    "addressee",
    "application",
    "bank",
    "benefit",
    "collection",
    "deposit",
    "eligibility",
    "income",
    "inquiry",
    "linkage",
    "premium",
    "resident",
    "special_collection",
    "status",
]
