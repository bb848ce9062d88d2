"""JSON Schemas of what travels: every message type, the copy, receipts and notices.

A field that holds a 個人番号 says ``"x-my-number": true``.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hub.message import NOTICE_TYPE, RECEIPT_TYPE, Copy, Notice, Receipts
from hub.statute.model import Catalogue
from schemas import MESSAGE_TYPES
from schemas.canonical import schema_uri

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COPY = "hub.copy"
_MARK = "x-"
_OWN: Mapping[str, type[BaseModel]] = {COPY: Copy, RECEIPT_TYPE: Receipts, NOTICE_TYPE: Notice}


def schema_files(catalogue: Catalogue) -> dict[str, Schema]:
    """Give each schema by its name: the types of the catalogue's flows, and the hub's own."""
    types = sorted({flow.message_type for flow in catalogue.flows if flow.message_type})
    known = {name: MESSAGE_TYPES[name] for name in types if name in MESSAGE_TYPES}
    files = {name: _file(cls, schema_uri(cls)) for name, cls in known.items()}
    return files | {name: _file(cls, f"urn:renkei:{name}:1") for name, cls in _OWN.items()}


def _file(cls: type[BaseModel], uri: str) -> Schema:
    schema = tidied(cls.model_json_schema(mode="validation"))
    return {"$schema": DIALECT, "$id": uri, **schema}


def component_schemas(classes: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """Give the schemas of these classes and of their parts, by name, referring to one another.

    The references are those of an AsyncAPI document: ``#/components/schemas/<name>``.
    """
    wanted = [(cls, "validation") for cls in sorted(set(classes), key=lambda cls: cls.__name__)]
    _, whole = models_json_schema(
        wanted,  # type: ignore[arg-type] # the mode is one of two texts
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Schema] = whole.get("$defs", {})
    return {name: tidied(schema) for name, schema in sorted(definitions.items())}


def reduced(schema: Schema, fields: Iterable[str]) -> Schema:
    """Give a message's schema with these fields only, as a receiver gets it."""
    named = [name for name in fields if name in schema["properties"]]
    kept = set(named)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: schema["properties"][name] for name in named},
        "required": [name for name in schema.get("required", []) if name in kept],
    }


def tidied(schema: Schema) -> Schema:
    """Drop titles that only repeat a field's name, and mark a secret number on its field too."""
    schema = copy.deepcopy(schema)
    for part in (schema, *schema.get("$defs", {}).values()):
        for field in part.get("properties", {}).values():
            field.pop("title", None)
            for choice in field.get("anyOf", []):
                field.update({k: v for k, v in choice.items() if k.startswith(_MARK)})
    return schema
