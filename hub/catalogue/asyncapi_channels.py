"""The server, channels and operations of the AsyncAPI document."""

from collections.abc import Sequence
from typing import Any

from hub.catalogue.asyncapi_messages import BINDING
from hub.names import inbound_exchange, outbound_queue
from hub.site import BrokerSite

Part = dict[str, Any]

_PERSISTENT = 2


def server() -> Part:
    """Give the broker, with what a site file has by default."""
    site = BrokerSite()
    return {
        "host": "{host}:{port}",
        "pathname": "/{vhost}",
        "protocol": "amqp",
        "protocolVersion": "0-9-1",
        "description": "RabbitMQ as the city's operator runs it.",
        "variables": {
            "host": {"default": site.host, "description": "From the operator."},
            "port": {"default": str(site.port)},
            "vhost": {"default": site.vhost},
        },
        "security": [{"$ref": "#/components/securitySchemes/account"}],
    }


def exchange(system: str, name: str, messages: Sequence[str]) -> Part:
    """Give the channel that only this system publishes to."""
    where = {"name": inbound_exchange(system), "type": "topic", **_kept()}
    return {
        "address": "{messageType}",
        "title": f"What {system} publishes",
        "description": (
            f"The exchange of {name}. Only its account may publish here, and only these types; "
            "the routing key is the message type."
        ),
        "parameters": {"messageType": {"description": "The routing key.", "enum": list(messages)}},
        **_channel(messages, {"is": "routingKey", "exchange": where}),
    }


def queue(system: str, name: str, messages: Sequence[str]) -> Part:
    """Give the channel that only this system reads."""
    where = {"name": outbound_queue(system), "exclusive": False, **_kept()}
    return {
        "address": outbound_queue(system),
        "title": f"What {system} reads",
        "description": (
            f"The queue of {name}. Only its account may read it, one consumer at a time."
        ),
        **_channel(messages, {"is": "queue", "queue": where}),
    }


def _kept() -> Part:
    return {"durable": True, "autoDelete": False, "vhost": BrokerSite().vhost}


def _channel(messages: Sequence[str], binding: Part) -> Part:
    return {
        "servers": [{"$ref": "#/servers/hub"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"amqp": {**binding, "bindingVersion": BINDING}},
    }


def publishing(system: str, text: str, messages: Sequence[str]) -> Part:
    """Give the operation by which a system publishes these messages."""
    binding = {"userId": system, "deliveryMode": _PERSISTENT, "mandatory": True}
    return _operation("send", text, inbound_exchange(system), messages, binding)


def reading(system: str, text: str, messages: Sequence[str]) -> Part:
    """Give the operation by which a system reads its queue."""
    return _operation("receive", text, outbound_queue(system), messages, {"ack": True})


def _operation(
    action: str, text: str, channel: str, messages: Sequence[str], binding: Part
) -> Part:
    place = f"#/channels/{channel}"
    return {
        "action": action,
        "summary": text,
        "channel": {"$ref": place},
        "messages": [{"$ref": f"{place}/messages/{name}"} for name in messages],
        "bindings": {"amqp": {**binding, "bindingVersion": BINDING}},
    }
