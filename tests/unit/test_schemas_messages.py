"""Every canonical message: whole on the wire, bounded, strict, and silent about its values."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import MESSAGE_TYPES
from schemas.canonical import CanonicalMessage, field_names, my_number_fields
from schemas.inquiry import InquiryAnswered, InquiryRequested
from schemas.values import PRINTABLE
from tests.documents import Schema, documents, kept_together, resolved
from tests.messages import MY_NUMBER, PENSION_NUMBER, sample, sample_data

pytestmark = pytest.mark.unit

TYPES = sorted(MESSAGE_TYPES)
MAX_BYTES = 64 * 1024
MARKER = "秘密 X7419"

WITHOUT_MY_NUMBER = {
    "account-transfer.requested",
    "arrears.recorded",
    "collection.recorded",
    "deposit.found",
    "deposit.requested",
    "eligibility.recorded",
    "inquiry.answered",
    "inquiry.requested",
    "instalments.set",
    "payment.received",
    "personal-code.requested",
    "premium.decided",
    "processing-number.issued",
    "special-collection.notified",
    "special-collection.requested",
}


def largest(schema: Schema, definitions: Schema) -> int:
    """Give the most bytes that a value can take as UTF-8 JSON; fails where there is no bound."""
    schema = resolved(schema, definitions)
    if "anyOf" in schema:
        return max(largest(each, definitions) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return max(len(json.dumps(value)) for value in values)
    if schema["type"] == "object":
        assert schema["additionalProperties"] is False
        properties = schema["properties"].items()
        return 2 + sum(len(name) + 4 + largest(each, definitions) for name, each in properties)
    if schema["type"] == "array":
        return 2 + int(schema["maxItems"]) * (1 + largest(schema["items"], definitions))
    return largest_scalar(schema)


def largest_scalar(schema: Schema) -> int:
    match schema["type"]:
        case "string":
            return 2 + longest_text(schema)
        case "integer":
            return max(len(str(schema["minimum"])), len(str(schema["maximum"])))
        case kind:
            return {"boolean": 5, "null": 4}[kind]


def longest_text(schema: Schema) -> int:
    if "format" in schema:
        return {"date": 10, "date-time": 40}[schema["format"]]
    if "maxLength" in schema:
        # A control character takes six bytes in JSON, any other at most four.
        escaped = schema.get("pattern") != PRINTABLE
        return int(schema["maxLength"]) * (6 if escaped else 4)
    width = re._parser.parse(schema["pattern"]).getwidth()[1]  # type: ignore[attr-defined] # no public way to a pattern's width
    assert width < 1000, schema
    return int(width)


def written(message: CanonicalMessage) -> str:
    return json.dumps(message.model_dump(mode="json", exclude_none=True), ensure_ascii=False)


@pytest.mark.slow
@pytest.mark.parametrize("message_type", TYPES)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_what_the_json_schema_permits_round_trips_strictly(
    message_type: str, data: st.DataObject
) -> None:
    cls = MESSAGE_TYPES[message_type]
    document = kept_together(message_type, data.draw(documents(cls)))
    message = cls.model_validate_json(json.dumps(document), strict=True)
    again = cls.model_validate_json(written(message), strict=True)
    assert again == message
    assert written(again) == written(message)
    assert json.loads(written(message)).items() >= _same_moments(document).items()
    assert len(written(message).encode()) < MAX_BYTES


def _same_moments(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what pydantic writes in another way that means the same: moments and parts."""
    return {
        name: value
        for name, value in document.items()
        if not name.endswith("_at") and not isinstance(value, (dict, list))
    }


@pytest.mark.parametrize("message_type", TYPES)
def test_every_text_and_list_has_a_maximum(message_type: str) -> None:
    schema = MESSAGE_TYPES[message_type].model_json_schema()
    assert largest(schema, schema.get("$defs", {})) < MAX_BYTES


@pytest.mark.parametrize("message_type", TYPES)
@pytest.mark.parametrize("insured", [True, False])
def test_the_sample_is_whole_and_comes_back_the_same(message_type: str, *, insured: bool) -> None:
    cls = MESSAGE_TYPES[message_type]
    data = sample_data(message_type, insured=insured)
    message = sample(message_type, insured=insured)
    assert type(message) is cls
    assert cls.model_validate_json(json.dumps(data), strict=True) == message
    assert json.loads(written(message)).keys() >= data.keys()


def objects(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the place of every JSON object within a value."""
    if isinstance(value, dict):
        yield path
        for name, each in value.items():
            yield from objects(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from objects(each, (*path, number))


def at(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - JSON
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("message_type", TYPES)
def test_nothing_beside_the_fields_is_taken(message_type: str) -> None:
    cls = MESSAGE_TYPES[message_type]
    for path in objects(sample_data(message_type)):
        data = json.loads(json.dumps(sample_data(message_type)))
        at(data, path)["memo"] = MARKER
        with pytest.raises(ValidationError) as refused:
            cls.model_validate_json(json.dumps(data), strict=True)
        assert [fault["type"] for fault in refused.value.errors()] == ["extra_forbidden"]
        assert MARKER not in str(refused.value)


@pytest.mark.parametrize("message_type", TYPES)
def test_no_error_tells_a_value(message_type: str) -> None:
    cls = MESSAGE_TYPES[message_type]
    for path in objects(sample_data(message_type)):
        for name in at(sample_data(message_type), path):
            for wrong in (f"{MARKER}\x00" * 100, {MARKER: MARKER}, [MARKER], 74_193.5):
                data = json.loads(json.dumps(sample_data(message_type)))
                at(data, path)[name] = wrong
                try:
                    cls.model_validate_json(json.dumps(data), strict=True)
                except ValidationError as error:
                    shown = str(error)
                    if not isinstance(wrong, dict):
                        assert MARKER not in shown
                    assert "74193.5" not in shown
                    assert MY_NUMBER not in shown
                    assert PENSION_NUMBER not in shown
                else:
                    pytest.fail(f"{name} took a value of another kind")


@pytest.mark.parametrize("message_type", TYPES)
def test_my_numbers_are_found_and_stand_in_one_field(message_type: str) -> None:
    cls = MESSAGE_TYPES[message_type]
    expected = set() if message_type in WITHOUT_MY_NUMBER else {"my_number"}
    assert my_number_fields(cls) == expected
    assert MY_NUMBER not in repr(sample(message_type))
    assert PENSION_NUMBER not in repr(sample(message_type))
    assert (MY_NUMBER in written(sample(message_type))) == bool(expected)


@pytest.mark.parametrize("message_type", TYPES)
def test_field_names_can_be_shown_in_a_refusal(message_type: str) -> None:
    cls = MESSAGE_TYPES[message_type]
    assert cls.SCHEMA_VERSION == 1
    assert all(re.fullmatch(r"[a-z_]{1,40}", name) for name in field_names(cls))


@pytest.mark.parametrize(
    ("message_type", "changes"),
    [
        ("payment.received", {"amount": None}),
        ("payment.received", {"transfer_result": "short"}),
        ("payment.received", {"transfer_result": None}),
        ("payment.received", {"method": "slip"}),
        ("collection.recorded", {"collection_kind": "receipt"}),
        ("collection.recorded", {"collection_kind": "cancellation"}),
        ("collection.recorded", {"cancelled_number": "1"}),
        ("collection.recorded", {"to_levy_year": None}),
        ("deposit.found", {"outcome": "none"}),
        ("deposit.found", {"accounts": []}),
        ("inquiry.answered", {"error": "other"}),
        ("inquiry.answered", {"error": "other", "items": []}),
        ("inquiry.answered", {"error": "other", "detail_status": "03"}),
    ],
)
def test_fields_that_contradict_one_another_are_refused(
    message_type: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        sample(message_type, **changes)


def test_a_failed_transfer_and_an_unanswered_inquiry_can_be_told() -> None:
    sample("payment.received", transfer_result="short", amount=None)
    sample("payment.received", method="slip", transfer_result=None)
    unanswered = sample(
        "inquiry.answered", detail_status=None, name_status=None, error="no-reply", items=[]
    )
    assert isinstance(unanswered, InquiryAnswered)
    assert not unanswered.succeeded


def test_only_the_two_statuses_together_are_a_result() -> None:
    for detail, name, succeeded in [("09", "01", True), ("09", "02", False), ("01", "01", False)]:
        answer = sample("inquiry.answered", detail_status=detail, name_status=name)
        assert isinstance(answer, InquiryAnswered)
        assert answer.succeeded is succeeded


def test_an_answer_has_the_key_of_its_request_whatever_the_zeros() -> None:
    request = sample("inquiry.requested", addressee_number="12345")
    answer = sample("inquiry.answered", addressee_number="000000000012345")
    later = sample("inquiry.answered", requested_at="2026-04-01T10:15:30.124+09:00")
    assert isinstance(request, InquiryRequested)
    assert isinstance(answer, InquiryAnswered)
    assert isinstance(later, InquiryAnswered)
    assert request.key == answer.key
    assert later.key != answer.key


@pytest.mark.parametrize("moment", ["2026-04-01T10:15:30.1234+09:00", "2026-04-01T10:15:30.123"])
def test_a_moment_has_an_offset_and_no_more_than_milliseconds(moment: str) -> None:
    with pytest.raises(ValidationError) as refused:
        sample("inquiry.requested", requested_at=moment)
    assert moment not in str(refused.value)


@pytest.mark.parametrize("text", [MY_NUMBER, f"番号は{MY_NUMBER}です"])
def test_a_my_number_in_an_answer_of_a_form_is_refused_unseen(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        sample("application.filed", answers=[{"item": "備考", "text": text}])
    assert MY_NUMBER not in str(refused.value)


@pytest.mark.parametrize("text", ["123456789010", f"0{MY_NUMBER}", "076-000-0000"])
def test_other_digits_in_an_answer_are_taken(text: str) -> None:
    sample("application.filed", answers=[{"item": "備考", "text": text}])
