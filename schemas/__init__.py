"""Canonical messages, their value types, and the wire layouts of the connected systems."""

from schemas import income, resident
from schemas.canonical import MESSAGE_TYPES

__all__ = ["MESSAGE_TYPES", "income", "resident"]
