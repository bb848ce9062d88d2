"""The committed AsyncAPI document and schemas, held to the official parser and a validator."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.catalogue.view import newest_day
from hub.message import (
    AccessItems,
    Envelope,
    Notice,
    Receipt,
    Receipts,
    encode_copy,
    encode_event,
)
from hub.statute.catalogue import load_catalogue
from hub.statute.model import Standing
from hub.statute.rules import rule
from schemas import MESSAGE_TYPES
from schemas.canonical import schema_uri
from tests.messages import sample, sample_data
from tests.servers.nodejs import LOCKED, PROJECT, Node, node

pytestmark = pytest.mark.integration

DOCS = PROJECT / "docs" / "catalogue"
DOCUMENT = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
CATALOGUE = load_catalogue()
DAY = newest_day(CATALOGUE)
NOW = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)
WARNING = 1
"""The parser's severities: 0 is an error, 1 a warning, 2 and more are hints."""


@pytest.fixture(scope="module")
def nodejs() -> Node:
    return node()


def parsed(nodejs: Node, document: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / "asyncapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    found: dict[str, Any] = nodejs.run("validate.mjs", str(path))
    return found


def test_the_official_parser_finds_nothing_wrong(nodejs: Node, tmp_path: Path) -> None:
    found = parsed(nodejs, DOCUMENT, tmp_path)
    assert [one for one in found["findings"] if one["severity"] <= WARNING] == []
    assert found["document"]["version"] == "3.0.0"


def test_what_a_system_may_publish_and_gets_is_what_the_rules_say(
    nodejs: Node, tmp_path: Path
) -> None:
    operations = parsed(nodejs, DOCUMENT, tmp_path)["document"]["operations"]
    messages = {one["id"]: set(one["messages"]) for one in operations}
    actions = {one["id"]: one["action"] for one in operations}
    for system in CATALOGUE.systems:
        given = {name for name in MESSAGE_TYPES if rule(CATALOGUE, system, name, DAY).flows}
        assert messages.get(f"{system}.publish", set()) == given
        got = {
            flow.message_type
            for flow, leg in CATALOGUE.legs()
            if system in leg.receivers and flow.standing(DAY) is Standing.PERMITTED
        }
        assert messages.get(f"{system}.receive", set()) - {"hub.notice"} == got
        assert (f"{system}.receipt" in messages) >= bool(got)
    assert set(actions.values()) == {"send", "receive"}


def without_an_action(document: dict[str, Any]) -> None:
    del document["operations"]["tax.publish"]["action"]


def with_a_message_of_nobody(document: dict[str, Any]) -> None:
    messages = document["channels"]["in.tax"]["messages"]
    messages["nobody"] = {"$ref": "#/components/messages/nobody"}


def with_a_binding_that_is_none(document: dict[str, Any]) -> None:
    document["channels"]["out.tax"]["bindings"]["amqp"]["is"] = "letterbox"


@pytest.mark.parametrize(
    "spoil", [without_an_action, with_a_message_of_nobody, with_a_binding_that_is_none]
)
def test_the_parser_would_find_what_is_wrong(
    nodejs: Node, tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    spoil(document)
    found = parsed(nodejs, document, tmp_path)
    assert any(one["severity"] == 0 for one in found["findings"])


def event(name: str, sender: str) -> dict[str, Any]:
    made = encode_event(
        message_id="m-1",
        system=sender,
        message_type=name,
        time=NOW,
        data=sample(name),
        access=AccessItems("職員一", "課", "T-1", "", ""),
        dataschema=schema_uri(MESSAGE_TYPES[name]),
    )
    content: dict[str, Any] = json.loads(made)
    return content


def test_every_event_and_every_copy_is_as_the_document_says(nodejs: Node) -> None:
    cases = []
    for flow, leg in CATALOGUE.legs():
        if flow.standing(DAY) is not Standing.PERMITTED or flow.message_type is None:
            continue
        name = flow.message_type
        sent = event(name, leg.sender)
        cases.append((f"asyncapi#/components/messages/{name}/payload", sent))
        envelope = Envelope[MESSAGE_TYPES[name]].model_validate_json(json.dumps(sent))  # type: ignore[name-defined]
        for receiver, grant in leg.receivers.items():
            fields = {k: v for k, v in sent["data"].items() if k in grant.fields_on(DAY)}
            copy = json.loads(encode_copy(envelope, flow.ref, fields, NOW))
            place = f"asyncapi#/components/messages/copy.{flow.ref}.{receiver}/payload"
            cases.append((place, copy))
            cases.append(("copy", copy))
            # One field more than the flow gives is not what the document says.
            cases.append((place, copy | {"data": fields | {"scope": sent["data"]["scope"]}}))
    documents = {
        "asyncapi": DOCUMENT,
        "copy": json.loads((DOCS / "schemas" / "hub.copy.json").read_text(encoding="utf-8")),
    }
    del documents["copy"]["$id"]
    found = nodejs.run("schemas.mjs", value={"documents": documents, "cases": cases})
    too_much = ["scope" in one["data"] and "flow" in one for _, one in cases]
    assert [one is not None for one in found] == too_much


def test_every_schema_takes_its_message_and_nothing_else(nodejs: Node) -> None:
    documents = {}
    cases: list[tuple[str, object]] = []
    expected = []
    for path in sorted((DOCS / "schemas").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        uri = schema.pop("$id")
        documents[uri] = schema
        name = path.stem
        if name not in MESSAGE_TYPES:
            continue
        assert uri == schema_uri(MESSAGE_TYPES[name])
        data = sample_data(name)
        wrong = [data | {"shoe_size": 26}, data | {"addressee_number": "12a"}]
        wrong.append({k: v for k, v in data.items() if k != "addressee_number"})
        cases += [(uri, one) for one in (data, *wrong)]
        expected += [True, False, False, False]
    receipts = Receipts(receipts=[Receipt(sender="tax", id="m-1", flow="I2")])
    notice = Notice(id="m-1", message_type="x.y", code="held", reason_en="a", reason_ja="b", at=NOW)
    for uri, one in (("urn:renkei:hub.receipt:1", receipts), ("urn:renkei:hub.notice:1", notice)):
        data = one.model_dump(mode="json")
        cases += [(uri, data), (uri, {})]
        expected += [True, False]
    found = nodejs.run("schemas.mjs", value={"documents": documents, "cases": cases})
    assert [one is None for one in found] == expected


def test_the_lock_names_no_address() -> None:
    text = (LOCKED / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in one for path, one in packages.items() if path)
