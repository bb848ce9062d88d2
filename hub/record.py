"""Values that nobody changes, made once a message or oftener: checked by mypy, not at run time.

A frozen dataclass sets each of its fields by a call, which takes three times as long as making the
same object without: 4 of the hub's 90 µs a message.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a dataclass with slots that compares and hashes by its fields, and is not to change."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
