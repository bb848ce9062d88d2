"""The registry of message types, and what each type says about its fields."""

from typing import ClassVar

import pytest

import schemas
from schemas.canonical import (
    MESSAGE_TYPES,
    CanonicalMessage,
    field_names,
    message_type,
    my_number_fields,
    schema_uri,
)
from schemas.income import IncomeAssessed
from schemas.resident import ResidentChanged

pytestmark = pytest.mark.unit


def test_every_type_is_known_by_its_name() -> None:
    assert schemas.MESSAGE_TYPES is MESSAGE_TYPES
    assert MESSAGE_TYPES["resident.changed"] is ResidentChanged
    assert MESSAGE_TYPES["income.assessed"] is IncomeAssessed
    assert schema_uri(ResidentChanged) == "urn:renkei:resident.changed:1"


@pytest.mark.parametrize("cls", [ResidentChanged, IncomeAssessed])
def test_the_evidence_may_be_listed_by_no_route(cls: type[CanonicalMessage]) -> None:
    assert "scope" in cls.model_fields
    assert "scope" not in field_names(cls)


@pytest.mark.parametrize("cls", [ResidentChanged, IncomeAssessed])
def test_my_numbers_are_found_by_their_type(cls: type[CanonicalMessage]) -> None:
    assert my_number_fields(cls) == {"my_number"}
    schema = cls.model_json_schema()
    assert "x-my-number" in str(schema["properties"]["my_number"])


def test_two_schemas_cannot_claim_one_type() -> None:
    class Impostor(CanonicalMessage):
        MESSAGE_TYPE: ClassVar[str] = "resident.changed"

    with pytest.raises(ValueError, match=r"resident\.changed"):
        message_type(Impostor)
    assert MESSAGE_TYPES["resident.changed"] is ResidentChanged
