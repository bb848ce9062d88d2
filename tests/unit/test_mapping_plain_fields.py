"""Records ↔ messages by the columns' names: evidence, parts, lists and codes, and their faults."""

from typing import Any

import pytest

from hub.edge.kit import BadRecord, Mapped, Row, Unwritable
from schemas.layout import load_layout
from tests.messages import sample
from tests.plain_wires import INBOUND, OUTBOUND, EmptyDesk, answer, copy_of, row_of

pytestmark = pytest.mark.unit


def test_evidence_parts_lists_and_codes_are_read_by_their_columns_names() -> None:
    wire = INBOUND["premium-collection.instalments"]
    values = row_of(load_layout(wire.layout), sample(wire.message_type))
    assert values["instalments_1_method"] == "2"
    assert values["instalments_2_due_on"] == "2026-08-31"
    assert values["instalments_3_number"] == ""
    assert values["scope_insurance"] == "1"
    values |= {"scope_insurance": "2", "scope_eldest_birth_date": "3120503"}
    one = answer(wire, values)
    assert isinstance(one, Mapped)
    assert one.reason == "期割情報"
    said = one.message.model_dump(mode="json")
    assert said["scope"]["insurance"] == "past"
    assert said["scope"]["eldest_birth_date"]["date"] == "1937-05-03"
    assert [part["amount"] for part in said["instalments"]] == [60_000, 54_816]


def test_the_reason_is_the_name_of_a_code_where_a_column_is_named_for_it() -> None:
    wire = INBOUND["premium-collection.notifications"]
    values = row_of(load_layout(wire.layout), sample(wire.message_type))
    one = answer(wire, values | {"notification_kind": "2"})
    assert isinstance(one, Mapped)
    assert one.reason == "資格喪失"


def test_an_optional_part_is_whole_or_absent() -> None:
    wire = INBOUND["premium-collection.high-cost"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    account = {name for name in good if name.startswith("account_")}
    one = answer(wire, good | dict.fromkeys(account, ""))
    assert isinstance(one, Mapped)
    assert one.message.model_dump()["account"] is None
    bad = answer(wire, good | {"account_branch_code": ""})
    assert isinstance(bad, BadRecord)
    assert (bad.field, bad.reason) == ("account_branch_code", "missing")


def test_a_required_part_that_is_blank_lacks_its_fields() -> None:
    wire = INBOUND["premium-collection.transfers"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    blank = {name: "" for name in good if name.startswith("account_")}
    (bad,) = wire.to_messages([Row(7, 8, good | blank)], EmptyDesk())
    assert bad == BadRecord(7, 8, "account_bank_code", "missing")


def test_a_fault_in_a_list_is_told_by_its_place() -> None:
    wire = INBOUND["premium-collection.instalments"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    bad = answer(wire, good | {"instalments_2_due_on": ""})
    assert bad == BadRecord(7, 8, "instalments_2_due_on", "missing")


def test_a_list_has_no_gap() -> None:
    wire = INBOUND["premium-collection.deposit-requests"]
    good = row_of(load_layout(wire.layout), sample(wire.message_type))
    bad = answer(wire, good | {"banks_1": ""})
    assert isinstance(bad, BadRecord)
    assert (bad.field, bad.reason) == ("banks_2", "stands behind a blank place")


@pytest.mark.parametrize(
    ("layout_id", "changes", "field", "reason"),
    [
        ("premium-collection.notifications", {"my_number": "1" * 12}, "my_number", "check digit"),
        (
            "premium-collection.special-collection-requests",
            {"pension_number": "123"},
            "pension_number",
            "ten ASCII digits",
        ),
        (
            "premium-collection.collections",
            {"cancelled_number": "R1"},
            "(record)",
            "cancelled_number is present exactly in a cancellation",
        ),
        (
            "resident-registry.special-addresses",
            {"municipality_code": "172010"},
            "municipality_code",
            "check digit of the 団体コード",
        ),
        ("union.premiums", {"liable_months": "13"}, "liable_months", "less than equal"),
    ],
)
def test_the_schemas_own_reason_is_told(
    layout_id: str, changes: dict[str, str], field: str, reason: str
) -> None:
    wire = INBOUND[layout_id]
    bad = answer(wire, row_of(load_layout(layout_id), sample(wire.message_type)) | changes)
    assert isinstance(bad, BadRecord)
    assert bad.field == field
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("message_type", "layout_id", "changes", "field"),
    [
        ("insured.decided", "premium-collection.insured", {"certificate": "x"}, "certificate_"),
        ("insured.decided", "premium-collection.insured", {"name": None}, "name"),
        ("insured.decided", "premium-collection.insured", {"immediate": "yes"}, "immediate"),
        ("insured.decided", "premium-collection.insured", {"acquired": {"raw": "x"}}, "acquired"),
        ("insured.decided", "premium-collection.insured", {"name": ["x"]}, "name"),
        ("instalments.set", "union.instalments", {"instalments": [{}] * 25}, "instalments_1_"),
        ("instalments.set", "union.instalments", {"instalments": "x"}, "instalments_1_"),
        ("eligibility.notified", "union.notifications", {"protected": None}, "protected"),
        (
            "application.filed",
            "premium-collection.applications",
            {"answers": [{"item": "", "text": ""}]},
            "answers_1_item",
        ),
    ],
)
def test_what_a_receivers_columns_cannot_say_is_named_and_not_quoted(
    message_type: str, layout_id: str, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unwritable) as refused:
        OUTBOUND[layout_id].to_row(copy_of(sample(message_type), **changes))
    assert refused.value.field.startswith(field)
    assert "yes" not in refused.value.reason
