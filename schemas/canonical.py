"""What every canonical message has in common, and the registry of message types.

A canonical message (Enterprise Integration Patterns: Canonical Data Model) is about one
resident. Its class states the CloudEvents ``type``, the version of its schema, and by its
annotations which fields are My Number and which exist only as evidence for the scope rule.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from schemas.dates import RegisterDate
from schemas.numbers import AddresseeNumber, MyNumber

Text72 = Annotated[str, Field(max_length=72)]
Text100 = Annotated[str, Field(max_length=100)]
Text300 = Annotated[str, Field(max_length=300)]
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,4}$")]
Yen = Annotated[int, Field(ge=-999_999_999_999, le=999_999_999_999)]


class Part(BaseModel):
    """A group of fields inside a message; strict, immutable, and silent about its values."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=False
    )


class Insurance(StrEnum):
    """Whether a person has, had, or never had 後期高齢者医療 eligibility."""

    NONE = "none"
    PAST = "past"
    CURRENT = "current"


class ScopeEvidence(Part):
    """What the sender states so that the hub can judge whether the person may be sent.

    It covers the person's household (世帯) and, where an event has just moved the person,
    the household they left. It goes to the hub only: no route may release it.
    ``eldest_birth_date`` is the birth date of the eldest member (absent when no member's is
    known); ``insurance`` is the strongest insurance of any member.
    """

    eldest_birth_date: RegisterDate | None = None
    insurance: Insurance = Insurance.NONE


class PersonEvidence(ScopeEvidence):
    """Evidence where the rule is about the person alone, not the household.

    ``own_insurance`` is the person's own, past or current.
    """

    own_insurance: Insurance = Insurance.NONE


class FacilityEvidence(ScopeEvidence):
    """Evidence where the rule asks for residents of support facilities (障害者支援施設入所者等).

    ``facility_resident`` is true only where the sender knows it.
    """

    facility_resident: bool = False


class CanonicalMessage(Part):
    """The base of all messages about one resident."""

    MESSAGE_TYPE: ClassVar[str]
    SCHEMA_VERSION: ClassVar[int] = 1
    FOLLOWS: ClassVar[frozenset[str]] = frozenset()
    """The types of messages that this one may answer or pass on; most answer nothing."""

    addressee_number: AddresseeNumber
    scope: ScopeEvidence

    def changes_my_number(self) -> bool:
        """Say whether this event may give the person another 個人番号 than the one known."""
        return False


MESSAGE_TYPES: dict[str, type[CanonicalMessage]] = {}
"""Every message type by its name; filled by ``message_type`` when a schema module is read."""


def message_type(cls: type[CanonicalMessage]) -> type[CanonicalMessage]:
    """Enter a message class in the registry under its ``MESSAGE_TYPE``."""
    if cls.MESSAGE_TYPE in MESSAGE_TYPES:
        message = f"two schemas claim the message type {cls.MESSAGE_TYPE}"
        raise ValueError(message)
    MESSAGE_TYPES[cls.MESSAGE_TYPE] = cls
    return cls


OWN_MY_NUMBER = "my_number"
"""What a message calls the 個人番号 of the person whom it is about."""
EVIDENCE_ONLY = "scope"
"""The one field of every message that no receiver may get."""


def field_names(cls: type[CanonicalMessage]) -> frozenset[str]:
    """Give the names of the fields that a route may list for this message."""
    return frozenset(cls.model_fields) - {EVIDENCE_ONLY}


@cache
def own_my_number_field(cls: type[CanonicalMessage]) -> str | None:
    """Give the field that holds the 個人番号 of the person whom the message is about, if any."""
    return OWN_MY_NUMBER if OWN_MY_NUMBER in my_number_fields(cls) else None


def my_number_fields(cls: type[CanonicalMessage]) -> frozenset[str]:
    """Give the names of the fields that hold a 個人番号, alone, optional or inside a part."""
    return frozenset(
        name for name, info in cls.model_fields.items() if _holds_my_number(info.annotation)
    )


def _holds_my_number(annotation: Any) -> bool:  # noqa: ANN401 - a type form has no type
    return any(kind is MyNumber for kind in _types_within(annotation))


def _types_within(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - a type form has no type
    yield annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for info in annotation.model_fields.values():
            yield from _types_within(info.annotation)
    for argument in get_args(annotation):
        yield from _types_within(argument)


def schema_uri(cls: type[CanonicalMessage]) -> str:
    """Give the CloudEvents ``dataschema`` of a message class."""
    return f"urn:renkei:{cls.MESSAGE_TYPE}:{cls.SCHEMA_VERSION}"
