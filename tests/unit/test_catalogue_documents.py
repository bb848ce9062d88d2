"""The documents of a catalogue: complete, the same each time, and with no field too many."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.catalogue.asyncapi import asyncapi
from hub.catalogue.documents import documents
from hub.catalogue.message_schemas import schema_files
from hub.catalogue.view import newest_day
from hub.statute.catalogue import load_catalogue
from hub.statute.model import Standing
from schemas import MESSAGE_TYPES
from schemas.canonical import EVIDENCE_ONLY, my_number_fields
from tests.samples import FLOW_TOML, routes

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
DAY = newest_day(CATALOGUE)
DOCUMENT = asyncapi(CATALOGUE, DAY, "1.2.3")
MESSAGES = DOCUMENT["components"]["messages"]


def copies() -> dict[str, dict[str, Any]]:
    return {name: one["payload"] for name, one in MESSAGES.items() if name.startswith("copy.")}


def test_the_same_catalogue_gives_the_same_documents() -> None:
    once, again = documents(CATALOGUE, "1"), documents(load_catalogue(), "1")
    assert once == again
    assert set(once) >= {"README.md", "flows.ja.md", "flows.en.md", "flows.ja.svg", "asyncapi.json"}
    assert documents(CATALOGUE, "2").keys() == once.keys()


def test_every_message_type_has_a_schema_with_its_my_number_marked() -> None:
    files = schema_files(CATALOGUE)
    assert set(files) == {*MESSAGE_TYPES, "hub.copy", "hub.receipt", "hub.notice"}
    for name, cls in MESSAGE_TYPES.items():
        properties = files[name]["properties"]
        marked = {field for field, one in properties.items() if one.get("x-my-number")}
        assert marked == {
            field
            for field in my_number_fields(cls)
            if "MyNumber" in str(cls.model_fields[field].annotation)
        }
        assert set(properties) == set(cls.model_fields)
    assert files["resident.changed"]["$id"] == "urn:renkei:resident.changed:1"


def test_only_the_types_of_flows_have_schemas(tmp_path: Path) -> None:
    catalogue = load_catalogue(routes(tmp_path / "routes", {"T1.toml": FLOW_TOML}))
    types = {name for name in schema_files(catalogue) if not name.startswith("hub.")}
    assert types == {"resident.changed"}


def test_a_copy_has_the_fields_of_its_flow_and_no_others() -> None:
    expected = {
        f"copy.{flow.ref}.{receiver}": set(grant.fields_on(DAY))
        for flow, leg in CATALOGUE.legs()
        if flow.standing(DAY) is Standing.PERMITTED
        for receiver, grant in leg.receivers.items()
    }
    found = {name: set(one["properties"]["data"]["properties"]) for name, one in copies().items()}
    assert found == expected
    for name, payload in copies().items():
        data = payload["properties"]["data"]
        assert data["additionalProperties"] is False
        assert set(data["required"]) <= set(data["properties"])
        assert EVIDENCE_ONLY not in data["properties"]
        assert payload["properties"]["flow"]["const"] == name.split(".")[1]


def test_a_copy_that_becomes_void_says_when(tmp_path: Path) -> None:
    texts = []
    for number, key in enumerate(("", "expires_hours = 6\n")):
        folder = routes(tmp_path / str(number), {"T1.toml": key + FLOW_TOML})
        document = asyncapi(load_catalogue(folder), DAY, "1")
        texts.append(document["components"]["messages"]["copy.T1.beta"]["summary"])
    assert "Void" not in texts[0]
    assert texts[1].endswith("Void 6 h after acceptedtime: the queue gives it out no more.")


def test_a_my_number_is_marked_in_the_copies_that_may_have_it() -> None:
    permitted = {
        f"copy.{flow.ref}.{receiver}"
        for flow, leg in CATALOGUE.legs()
        for receiver, grant in leg.receivers.items()
        if grant.my_number
    }
    marked = {name for name, payload in copies().items() if '"x-my-number"' in json.dumps(payload)}
    assert marked <= permitted
    assert "copy.I1.premium-collection" in marked


def test_held_and_denied_types_are_in_no_operation() -> None:
    text = json.dumps(DOCUMENT["operations"])
    for name in ("deposit.requested", "deposit.found", "information.provided"):
        assert name not in text
        assert name not in MESSAGES


def test_messages_carry_the_envelope_and_the_headers() -> None:
    sent = MESSAGES["resident.changed"]
    assert sent["contentType"] == "application/cloudevents+json"
    assert {"staff", "department", "terminal", "reason", "operation"} <= set(
        sent["payload"]["properties"]
    )
    headers = DOCUMENT["components"]["schemas"]["SentHeaders"]
    assert set(headers["required"]) == {"partition", "user_id"}
    assert MESSAGES["hub.receipt"]["payload"]["properties"]["data"] == {
        "$ref": "#/components/schemas/Receipts"
    }


def test_each_system_has_its_exchange_and_queue() -> None:
    channels = DOCUMENT["channels"]
    assert channels["in.tax"]["bindings"]["amqp"]["exchange"]["name"] == "in.tax"
    assert channels["in.tax"]["parameters"]["messageType"]["enum"] == ["income.assessed"]
    assert channels["out.union"]["bindings"]["amqp"]["queue"]["name"] == "out.union"
    assert DOCUMENT["operations"]["tax.publish"]["bindings"]["amqp"]["userId"] == "tax"
    systems = {name.partition(".")[2] for name in channels}
    assert systems == set(CATALOGUE.connected())
    assert not any(CATALOGUE.is_neighbour(system) for system in systems)
    assert DOCUMENT["info"]["version"] == "1.2.3"
