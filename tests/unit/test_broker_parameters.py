"""What pika is told of a connection, and what it says of one that did not come about."""

import ssl

import pytest
from pika.adapters.utils.connection_workflow import (
    AMQPConnectionWorkflowFailed,
    AMQPConnectorTransportSetupError,
)
from pika.credentials import ExternalCredentials, PlainCredentials
from pika.exceptions import StreamLostError
from pydantic import SecretStr

from hub.broker.parameters import LinkSettings, parameters, said
from hub.hosts import Host

pytestmark = pytest.mark.unit


def context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def settings(password: str, *, tls: bool) -> LinkSettings:
    made = context if tls else None
    return LinkSettings("mq.example", 5671, "v", "tax", SecretStr(password), "test", tls=made)


def test_a_certificate_says_who_it_is_where_there_is_no_password() -> None:
    assert isinstance(parameters(settings("", tls=True)).credentials, ExternalCredentials)
    for tls in (True, False):
        assert isinstance(parameters(settings("x", tls=tls)).credentials, PlainCredentials)


def test_the_name_that_is_checked_is_that_of_the_node_that_is_asked() -> None:
    told = parameters(settings("", tls=True), Host("mq2.example", 5672))
    assert (told.host, told.port) == ("mq2.example", 5672)
    assert told.ssl_options.server_hostname == "mq2.example"
    assert told.ssl_options.context is not parameters(settings("", tls=True)).ssl_options.context
    assert parameters(settings("x", tls=False)).ssl_options is None


def test_what_lies_at_the_bottom_is_said() -> None:
    refused = ConnectionRefusedError(111, "Connection refused")
    packed = AMQPConnectionWorkflowFailed([AMQPConnectorTransportSetupError(refused)])
    assert said(packed) == "[Errno 111] Connection refused"


@pytest.mark.parametrize(
    "packed",
    [
        AMQPConnectionWorkflowFailed(
            [AMQPConnectorTransportSetupError(ssl.SSLError(1, "[SSL: A_B] certificate revoked (_"))]
        ),
        StreamLostError("lost: SSLError(1, '[SSL: A_B] certificate revoked (_ssl.c:2580)')"),
    ],
)
def test_what_tls_says_is_told_with_what_to_look_at(packed: Exception) -> None:
    assert said(packed) == (
        "TLS failed: certificate revoked; renkei pki check looks at the certificates"
    )


def test_an_end_in_the_midst_of_tls_counts_as_its_failure() -> None:
    lost = StreamLostError("Stream connection lost: SSLEOFError(8, 'EOF occurred')")
    assert said(lost).startswith("TLS failed: ")
