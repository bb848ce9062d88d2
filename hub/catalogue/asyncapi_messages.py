"""The messages of the AsyncAPI document: events as sent, copies as received, receipts, notices."""

from typing import Any

from pydantic import BaseModel

from hub.catalogue.message_schemas import reduced, tidied
from hub.message import (
    CONTENT_TYPE,
    NOTICE_TYPE,
    RECEIPT_TYPE,
    SOURCE_PREFIX,
    Copy,
    Envelope,
    Notice,
    Receipts,
)
from hub.site import HUB_USER
from hub.statute.model import Flow
from schemas import MESSAGE_TYPES
from schemas.canonical import schema_uri

Part = dict[str, Any]

BINDING = "0.3.0"
"""The version of the AMQP bindings."""

_SENT = "SentHeaders"
_RECEIVED = "ReceivedHeaders"
_PER_MESSAGE = frozenset({"specversion", "type", "data"})
_ATTRIBUTES: dict[type[BaseModel], str] = {Envelope[Part]: "event", Copy: "copy"}
_REQUIRED = ("specversion", "id", "source", "type", "time", "datacontenttype", "data")


def sent(name: str) -> Part:
    """Give the message by which a system publishes an event of this type."""
    cls = MESSAGE_TYPES[name]
    payload = _event(name, cls, {"dataschema": {"const": schema_uri(cls)}})
    return _message(name, _first_line(cls), payload, _SENT)


def receipt() -> Part:
    """Give the message by which a receiver says what it has."""
    payload = _event(RECEIPT_TYPE, Receipts, {})
    text = "Which copies a system has stored, or had to set aside."
    return _message(RECEIPT_TYPE, text, payload, _SENT)


def notice() -> Part:
    """Give the message by which the hub says what it did not take."""
    properties = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"const": f"{SOURCE_PREFIX}{HUB_USER}"},
        "type": {"const": NOTICE_TYPE},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "data": _component(Notice),
    }
    text = "What the hub did not take from this system, and why. It needs no receipt."
    return _message(NOTICE_TYPE, text, _object(properties), _RECEIVED)


def copied(flow: Flow, sender: str, fields: tuple[str, ...], schemas: Part) -> Part:
    """Give the message by which a receiver gets these fields of a flow's event.

    ``schemas`` holds the message's schema among the document's components.
    """
    name = flow.message_type or ""
    fixed = {
        "specversion": {"const": "1.0"},
        "source": {"const": f"{SOURCE_PREFIX}{sender}"},
        "type": {"const": name},
        "flow": {"const": flow.ref},
        "data": reduced(schemas[MESSAGE_TYPES[name].__name__], fields),
    }
    payload = _object({**_referred(Copy), **fixed}, "flow", "acceptedtime")
    basis = "; ".join(f"{basis} ({basis.period()})" for basis in flow.basis)
    text = f"{flow.ref} {flow.title_ja}, from {sender}. Basis: {basis}."
    if flow.expires_hours is not None:
        text += f" Void {flow.expires_hours} h after acceptedtime: the queue gives it out no more."
    return {"title": flow.title, **_message(name, text, payload, _RECEIVED)}


def headers() -> Part:
    """Give the schemas of what travels beside the body, by the side that writes it."""
    partition = {
        "type": "string",
        "pattern": "^([0-9]|1[0-5])$",
        "description": (
            "AMQP header: the bucket of the resident, which keeps one resident's messages in "
            "order. BLAKE2b of 4 bytes of the 宛名番号, modulo 16; for receipts, of the id."
        ),
    }
    account = {
        "type": "string",
        "description": (
            "AMQP property, not a header: the account that publishes. The broker refuses any "
            "other name, and the hub a message without it."
        ),
    }
    hub = {
        "const": HUB_USER,
        "description": "AMQP property, not a header: take only what the hub has published.",
    }
    return {
        _SENT: _with_all({"partition": partition, "user_id": account}),
        _RECEIVED: _with_all({"user_id": hub}),
    }


def attributes() -> Part:
    """Give the schemas of the attributes that all events, or all copies, have alike."""
    return {
        f"{kind}.{name}": schema
        for cls, kind in _ATTRIBUTES.items()
        for name, schema in _properties(cls).items()
        if name not in _PER_MESSAGE
    }


def _referred(cls: type[BaseModel]) -> Part:
    """Refer to the attributes of a kind of event."""
    kind = _ATTRIBUTES[cls]
    return {
        name: {"$ref": f"#/components/schemas/{kind}.{name}"}
        for name in cls.model_fields
        if name not in _PER_MESSAGE
    }


def _with_all(properties: Part) -> Part:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _event(name: str, data: type[BaseModel], attributes: Part) -> Part:
    fixed = {"specversion": {"const": "1.0"}, "type": {"const": name}, "data": _component(data)}
    own = {one: ref for one, ref in _referred(Envelope[Part]).items() if one != "dataschema"}
    return _object({**own, **fixed, **attributes})


def _object(properties: Part, *more: str) -> Part:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [*_REQUIRED, *more],
    }


def _properties(cls: type[BaseModel]) -> Part:
    properties: Part = tidied(cls.model_json_schema(mode="validation"))["properties"]
    return properties


def _component(cls: type[BaseModel]) -> Part:
    return {"$ref": f"#/components/schemas/{cls.__name__}"}


def _first_line(cls: type[BaseModel]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _message(name: str, text: str, payload: Part, headed: str) -> Part:
    return {
        "name": name,
        "summary": text,
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": f"#/components/schemas/{headed}"},
        "correlationId": {"location": "$message.payload#/id"},
        "payload": payload,
        "bindings": {
            "amqp": {"contentEncoding": "utf-8", "messageType": name, "bindingVersion": BINDING}
        },
    }
