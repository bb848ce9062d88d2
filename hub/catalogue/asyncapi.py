"""The AsyncAPI 3.0 document for the teams of the connected systems.

It is written from their side: an operation ``send`` is the system's, and so is ``receive``.
Only what a flow permits stands in it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from hub.catalogue import asyncapi_messages as messages
from hub.catalogue.asyncapi_channels import exchange, publishing, queue, reading, server
from hub.catalogue.message_schemas import component_schemas
from hub.message import CONTENT_TYPE, NOTICE_TYPE, RECEIPT_TYPE, Notice, Receipts
from hub.names import inbound_exchange, outbound_queue
from hub.statute.model import Catalogue, Flow, Standing
from hub.statute.rights import receives, sendable
from schemas import MESSAGE_TYPES

Part = dict[str, Any]

_ABOUT = """\
What each system connected to the hub publishes and reads over AMQP 0-9-1.

The document is written from the side of the connected systems: `send` and `receive` are what a \
system does. A system publishes to its own exchange `in.<system>` with the message type as \
routing key, and reads its own queue `out.<system>`. Who receives a message is decided by the \
statutory flows alone; a receiver gets the fields that its flow names, and no others.

How to connect, confirms, the header `partition`, receipts and notices are explained in \
docs/howto/connect-your-own-system.md. A field marked `x-my-number` holds a 個人番号; the schemas \
say what it is once it is decrypted. On the wire a compact JWE stands in its place, whose key is \
in the attribute `datakey` (docs/adr/0022-numbers-under-seal.md).

A hub is no row of the city's assessment: running one over 特定個人情報 needs the assessment \
revised first."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a receiver gets by one leg of a flow."""

    flow: Flow
    sender: str
    receiver: str
    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"copy.{self.flow.ref}.{self.receiver}"


@dataclass(frozen=True, slots=True)
class _Traffic:
    """What one system publishes and what it gets."""

    system: str
    name: str
    events: tuple[str, ...]
    receipts: bool
    copies: tuple[_Given, ...]

    @property
    def published(self) -> list[str]:
        return [*self.events, *([RECEIPT_TYPE] if self.receipts else [])]

    @property
    def read(self) -> list[str]:
        return [*(one.name for one in self.copies), *([NOTICE_TYPE] if self.published else [])]


def asyncapi(catalogue: Catalogue, day: dt.date, version: str) -> Part:
    """Write the document: what may be sent on a day or later, and what is received on the day."""
    traffic = [_traffic(catalogue, system, day) for system in catalogue.connected()]
    types = sorted({name for one in traffic for name in one.events})
    classes: list[type[BaseModel]] = [MESSAGE_TYPES[name] for name in types]
    copies = [copy for one in traffic for copy in one.copies]
    classes += (MESSAGE_TYPES[copy.flow.message_type or ""] for copy in copies)
    schemas = component_schemas([*classes, Receipts, Notice])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Renkei Hub",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"hub": server()},
        "channels": {name: part for one in traffic for name, part in _channels(one)},
        "operations": {name: part for one in traffic for name, part in _operations(one)},
        "components": {
            "messages": dict(_messages(types, copies, schemas)),
            "schemas": {**schemas, **messages.attributes(), **messages.headers()},
            "securitySchemes": {
                "account": {
                    "type": "userPassword",
                    "description": "The system's own account; its name is the system's id.",
                }
            },
        },
    }


def _traffic(catalogue: Catalogue, system: str, day: dt.date) -> _Traffic:
    events = sorted(name for name in sendable(catalogue, system, day) if name in MESSAGE_TYPES)
    copies = tuple(
        _Given(flow, leg.sender, system, leg.receivers[system].fields_on(day))
        for flow, leg in catalogue.legs()
        if system in leg.receivers and flow.standing(day) is Standing.PERMITTED
    )
    name = catalogue.systems[system].name
    return _Traffic(system, name, tuple(events), receives(catalogue, system), copies)


def _channels(one: _Traffic) -> Iterator[tuple[str, Part]]:
    if one.published:
        yield inbound_exchange(one.system), exchange(one.system, one.name, one.published)
    if one.read:
        yield outbound_queue(one.system), queue(one.system, one.name, one.read)


def _operations(one: _Traffic) -> Iterator[tuple[str, Part]]:
    if one.events:
        text = f"{one.system} publishes its changes, each confirmed by the broker."
        yield f"{one.system}.publish", publishing(one.system, text, one.events)
    if one.receipts:
        text = f"{one.system} says what it has stored, or had to set aside."
        yield f"{one.system}.receipt", publishing(one.system, text, [RECEIPT_TYPE])
    if one.read:
        text = f"{one.system} reads what its flows give it, and what the hub did not take."
        yield f"{one.system}.receive", reading(one.system, text, one.read)


def _messages(
    types: list[str], copies: list[_Given], schemas: Mapping[str, Part]
) -> Iterator[tuple[str, Part]]:
    for name in types:
        yield name, messages.sent(name)
    yield RECEIPT_TYPE, messages.receipt()
    yield NOTICE_TYPE, messages.notice()
    for one in copies:
        yield one.name, messages.copied(one.flow, one.sender, one.fields, dict(schemas))
