"""The whole shipped catalogue against a table typed from the document's flows, section 2.

Every ordered pair of systems, neighbours too, with every message type, on a day in each period
of the change history: the rules and the explanations say what the table says.
"""

import datetime as dt
from typing import NamedTuple

import pytest

from hub.statute.catalogue import load_catalogue
from hub.statute.explain import explain
from hub.statute.model import Standing
from hub.statute.reasons import Code
from hub.statute.rules import rule
from schemas import MESSAGE_TYPES

pytestmark = pytest.mark.unit

CONNECTED = {
    "premium-collection",
    "union",
    "juki-net",
    "resident-registry",
    "tax",
    "number-linkage",
    "e-application",
    "deposit-inquiry",
    "intermediate-server",
    "kokuho-federation",
    "care-insurance",
    "welfare",
    "bank",
}
NEIGHBOURS = {
    "family-registry",
    "health-information",
    "municipal-housing",
    "national-health-insurance",
    "national-pension",
    "childcare-support",
    "tax-arrears",
}

# From which day on, and a part of the article as it is printed.
PERIODS = {
    "file": [("2016-01-01", "59の項"), ("2021-06-28", "84の項"), ("2022-06-28", "85の項")],
    "linkage": [("2022-02-22", "84の項"), ("2022-06-28", "85の項")],
    "application": [("2022-06-28", "85の項")],
    "inquiry": [("2022-02-22", "82の項"), ("2022-06-28", "106の項"), ("2025-01-14", "117の項")],
    "prepared residents": [("2015-10-05", "第54条第1項、第10項（平成27年2月13日府番第27号")],
    "prepared others": [("2015-10-05", "第138条（平成27年2月13日府番第27号")],
    "union": [("2016-01-01", "第138条（平成27年2月13日府番第27号")],
    "residents": [("2016-01-01", "第54条第1項、第10項（平成27年2月13日府番第27号")],
    "eligibility act": [("2016-01-01", "（資格管理）")],
    "levy act": [("2016-01-01", "（賦課）")],
    "benefit act": [("2016-01-01", "（給付）")],
    "register act": [("2016-01-01", "第7条の10")],
    "ordinance": [("2019-06-28", "第9条2項")],
}


class Row(NamedTuple):
    """One leg of a flow; ``basis`` names a list of periods, or what else is the case."""

    ref: str
    sender: str
    receiver: str
    message_type: str
    basis: str


HELD, DENIED = "held", "denied"
TABLE = [
    Row("I1", "resident-registry", "premium-collection", "resident.changed", "file"),
    Row("I2", "tax", "premium-collection", "income.assessed", "file"),
    Row("I3a", "welfare", "premium-collection", "welfare-status.changed", "file"),
    Row("I3b", "care-insurance", "premium-collection", "care-status.changed", "file"),
    Row("I4a", "union", "premium-collection", "insured.decided", "eligibility act"),
    Row("I4b", "union", "premium-collection", "premium.decided", "levy act"),
    Row("I4c", "union", "premium-collection", "benefit.decided", "benefit act"),
    Row("I5", "kokuho-federation", "premium-collection", "special-collection.notified", "file"),
    Row("O5", "premium-collection", "kokuho-federation", "special-collection.requested", "file"),
    Row("I6", "e-application", "premium-collection", "application.filed", "application"),
    Row("I8a", "resident-registry", "number-linkage", "addressee.registered", "linkage"),
    Row("I8b", "premium-collection", "number-linkage", "addressee.registered", "linkage"),
    Row("I9", "number-linkage", "intermediate-server", "personal-code.requested", "linkage"),
    Row("I10a", "intermediate-server", "number-linkage", "processing-number.issued", "linkage"),
    Row("I10b", "number-linkage", "juki-net", "processing-number.issued", "linkage"),
    Row("I11a", "premium-collection", "number-linkage", "inquiry.requested", "inquiry"),
    Row("I11a", "number-linkage", "intermediate-server", "inquiry.requested", "inquiry"),
    Row("I11b", "intermediate-server", "number-linkage", "inquiry.answered", "inquiry"),
    Row("I11b", "number-linkage", "premium-collection", "inquiry.answered", "inquiry"),
    Row("X1", "number-linkage", "intermediate-server", "information.provided", DENIED),
    Row("I12a", "premium-collection", "deposit-inquiry", "deposit.requested", HELD),
    Row("I12b", "deposit-inquiry", "premium-collection", "deposit.found", HELD),
    Row("B1", "premium-collection", "bank", "account-transfer.requested", "file"),
    Row("B2", "bank", "premium-collection", "payment.received", "file"),
    Row("M1a", "premium-collection", "union", "eligibility.notified", "union"),
    Row("M1b", "resident-registry", "union", "resident.changed", "prepared residents"),
    Row("M1c", "premium-collection", "union", "nonresident.changed", "prepared others"),
    Row("M1d", "tax", "union", "income.assessed", "union"),
    Row("M1e", "premium-collection", "union", "instalments.set", "union"),
    Row("M1f", "premium-collection", "union", "collection.recorded", "union"),
    Row("M1g", "premium-collection", "union", "arrears.recorded", "union"),
    Row("M1h", "premium-collection", "union", "high-cost.related", "union"),
    Row("M1i", "resident-registry", "union", "special-address.changed", "residents"),
    Row("U8a", "care-insurance", "premium-collection", "care-benefit.paid", "file"),
    Row("U8b", "premium-collection", "care-insurance", "medical-benefit.paid", "file"),
    Row("M2", "premium-collection", "resident-registry", "eligibility.recorded", "register act"),
    Row("M3", "premium-collection", "", "premium.paid-yearly", HELD),
    Row("M4", "premium-collection", "welfare", "", HELD),
    Row("M5", "premium-collection", "welfare", "", HELD),
    Row("M6", "premium-collection", "welfare", "premium.paid-yearly", "ordinance"),
]
DAYS = [
    "2015-10-04",
    "2015-10-05",
    "2015-12-31",
    "2016-01-01",
    "2019-06-27",
    "2019-06-28",
    "2021-06-27",
    "2021-06-28",
    "2022-02-21",
    "2022-02-22",
    "2022-06-27",
    "2022-06-28",
    "2023-07-06",
    "2023-07-07",
    "2025-01-13",
    "2025-01-14",
    dt.datetime.now(dt.timezone(dt.timedelta(hours=9))).date().isoformat(),
]
TYPES = sorted({*MESSAGE_TYPES, "information.provided", "resident.married"})
CATALOGUE = load_catalogue()


def article(row: Row, day: str) -> str | None:
    """Give a part of the article that permits a leg on a day, by the table."""
    began = [words for start, words in PERIODS.get(row.basis, []) if start <= day]
    return began[-1] if began else None


def state(row: Row, day: str) -> str:
    if row.basis in {HELD, DENIED}:
        return row.basis
    return "permitted" if article(row, day) else "not-in-force"


def test_the_table_has_every_system_and_flow() -> None:
    assert {flow.ref for flow in CATALOGUE.flows} == {row.ref for row in TABLE}
    assert set(CATALOGUE.systems) == CONNECTED | NEIGHBOURS
    assert set(CATALOGUE.connected()) == CONNECTED
    assert {name for name, one in CATALOGUE.systems.items() if one.neighbour} == NEIGHBOURS
    assert {row.message_type for row in TABLE} - {"", "information.provided"} == set(MESSAGE_TYPES)


@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS)
def test_every_pair_and_message_is_explained_as_the_table_says(day: str) -> None:
    date = dt.date.fromisoformat(day)
    for sender in CATALOGUE.systems:
        for receiver in CATALOGUE.systems:
            between = [row for row in TABLE if (row.sender, row.receiver) == (sender, receiver)]
            for message_type in TYPES:
                found = explain(
                    CATALOGUE, date, sender=sender, receiver=receiver, message_type=message_type
                )
                due = [row for row in between if row.message_type == message_type]
                said = {(one.ref, str(one.state)) for one in found}
                assert said == ({(row.ref, state(row, day)) for row in due} or {(None, "unknown")})
                for row in due:
                    words = article(row, day)
                    reason = next(one.reason for one in found if one.ref == row.ref)
                    if words is not None:
                        assert words in reason.en
                        assert words in reason.ja


@pytest.mark.parametrize("day", DAYS)
def test_every_sender_and_message_is_ruled_as_the_table_says(day: str) -> None:
    date = dt.date.fromisoformat(day)
    for sender in (*CATALOGUE.systems, "nobody"):
        for message_type in TYPES:
            ruling = rule(CATALOGUE, sender, message_type, date)
            carrying = [row for row in TABLE if row.message_type == message_type]
            own = [row for row in carrying if row.sender == sender]
            due = {(row.ref, row.receiver): words for row in own if (words := article(row, day))}
            moving = {
                (one.flow.ref, receiver): str(one.basis)
                for one in ruling.flows
                for receiver in one.leg.receivers
            }
            assert moving.keys() == due.keys()
            assert all(words in moving[pair] for pair, words in due.items())
            assert ruling.code is (None if due else refusal(sender, carrying, own, day))


def refusal(sender: str, carrying: list[Row], own: list[Row], day: str) -> Code:
    if sender in NEIGHBOURS:
        return Code.NEIGHBOUR
    if not carrying:
        return Code.NO_FLOW
    if not own:
        return Code.TYPE_NOT_PERMITTED
    states = {state(row, day) for row in own}
    if "not-in-force" in states:
        return Code.NOT_IN_FORCE
    return Code.HELD if "held" in states else Code.DENIED


@pytest.mark.parametrize("day", DAYS)
def test_the_rules_and_the_explanations_agree(day: str) -> None:
    date = dt.date.fromisoformat(day)
    for sender in CATALOGUE.systems:
        for message_type in TYPES:
            ruled = {
                (one.flow.ref, receiver)
                for one in rule(CATALOGUE, sender, message_type, date).flows
                for receiver in one.leg.receivers
            }
            explained = {
                (one.ref, receiver)
                for one in explain(CATALOGUE, date, sender=sender, message_type=message_type)
                if one.state is Standing.PERMITTED
                for leg in one.legs
                for receiver in leg.receivers
            }
            assert ruled == explained


# -- what the flows say beside who and when --------------------------------------------------

WITH_MY_NUMBER = {"I1", "I2", "I4a", "I6", "I8a", "I8b", "M1a", "M1b", "M1c", "M1d", "M1h", "M1i"}
BY_FILE_BASIS = {"I5", "O5", "I8a", "I8b", "I9", "I10a", "I10b", "B1", "B2"}
VOLUMES = {
    **{f"M1{letter}": "10万人以上100万人未満" for letter in "abcdefghi"},
    "M2": "1万人以上10万人未満",
    "M3": "1万人以上10万人未満",
    "M6": "1万人未満",
}
MISSING = {
    "I12a": {"basis"},
    "I12b": {"basis"},
    "M3": {"destination", "persons", "frequency"},
    "M4": {"basis", "purpose", "data", "persons", "frequency"},
    "M5": {"basis", "purpose", "data", "persons", "frequency"},
}


def test_my_number_goes_only_where_the_data_has_it() -> None:
    permitted = {
        flow.ref
        for flow, leg in CATALOGUE.legs()
        for grant in leg.receivers.values()
        if grant.my_number
    }
    assert permitted == WITH_MY_NUMBER


def test_what_the_document_says_of_volume_level_and_lost_cells() -> None:
    flows = {flow.ref: flow for flow in CATALOGUE.flows}
    assert {ref for ref, flow in flows.items() if flow.basis_level == "file"} == BY_FILE_BASIS
    assert {ref: flow.volume for ref, flow in flows.items() if flow.volume != "—"} == VOLUMES
    assert {ref: set(flow.missing) for ref, flow in flows.items() if flow.missing} == MISSING
    assert {ref: flow.whose.rule for ref, flow in flows.items() if ref in {"M2", "M6"}} == {
        "M2": "eligibility-history",
        "M6": "facility-payer",
    }
    others = {flow.whose.rule for ref, flow in flows.items() if ref not in {"M2", "M6"}}
    assert others == {"insured-household"}
    assert all(flow.retention_years == 7 for flow in flows.values())


def test_the_document_states_no_hour_after_which_data_would_be_void() -> None:
    day = dt.timedelta(days=1)
    assert {flow.lasting for flow in CATALOGUE.flows} == {(day, None)}


def test_fields_that_the_document_added_later_are_not_released_before() -> None:
    added = {"total_income", "pension_income", "specific_expenses", "income_adjustment_deduction"}
    for ref in ("I2", "M1d"):
        (before,) = explain(CATALOGUE, dt.date(2021, 6, 27), ref=ref)
        (after,) = explain(CATALOGUE, dt.date(2021, 6, 28), ref=ref)
        assert set(after.fields) - set(before.fields) == added


def test_the_network_of_the_register_gets_the_processing_number_and_nobody() -> None:
    (found,) = explain(CATALOGUE, dt.date(2026, 4, 1), ref="I10b")
    assert found.fields == ("processing_number", "issued_at")


def test_the_evidence_is_released_to_nobody() -> None:
    for _, leg in CATALOGUE.legs():
        for grant in leg.receivers.values():
            assert "scope" not in grant.fields
