"""Each confirm counts for its own message, whatever the order in which they come."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from hub.client.confirms import Confirms
from hub.client.events import Event, Wire

pytestmark = pytest.mark.unit

ALONE, SEVERAL = False, True


class FakeMessage:
    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties


class FakeChannel:
    """The part of py-amqp's channel that publishing uses; answers are given by the test."""

    def __init__(self) -> None:
        self.events: defaultdict[str, set[Callable[..., None]]] = defaultdict(set)
        self.published: list[tuple[FakeMessage, dict[str, object]]] = []
        self.connection = None

    def confirm_select(self) -> None:
        pass

    def prepare_message(self, *args: object) -> FakeMessage:
        return FakeMessage(dict(args[5]))  # type: ignore[call-overload] # the properties

    def basic_publish(self, message: FakeMessage, **options: object) -> None:
        self.published.append((message, options))

    def say(self, what: str, *details: object) -> None:
        for callback in self.events[what]:
            callback(*details)


class FakeSession:
    def __init__(self) -> None:
        self.channel = FakeChannel()
        self.of_several = False


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def confirms(channel: FakeChannel) -> Confirms:
    session = FakeSession()
    session.channel = channel
    made = Confirms(session, "union", 1.0)  # type: ignore[arg-type] # a stand-in
    for name in ("a", "b", "c"):
        made.send(Wire(Event("x.y", {}, name), b"{}", "7", "one"))
    return made


def test_messages_are_persistent_mandatory_and_signed(
    confirms: Confirms, channel: FakeChannel
) -> None:
    assert confirms.open == {"a", "b", "c"}
    message, options = channel.published[0]
    assert message.properties["user_id"] == "union"
    assert message.properties["delivery_mode"] == 2
    assert (options["exchange"], options["routing_key"]) == ("in.union", "x.y")
    assert options["mandatory"] is True


def test_a_late_confirm_of_one_is_not_taken_for_another(
    confirms: Confirms, channel: FakeChannel
) -> None:
    channel.say("basic_ack", 1, ALONE)
    channel.say("basic_nack", 2, ALONE)
    assert (confirms.confirmed, confirms.nacked) == ({"a"}, {"b"})
    assert not confirms.settled
    assert confirms.open == {"c"}


def test_one_confirm_may_stand_for_several(confirms: Confirms, channel: FakeChannel) -> None:
    channel.say("basic_ack", 2, ALONE)
    channel.say("basic_ack", 3, SEVERAL)
    assert confirms.confirmed == {"a", "b", "c"}
    assert confirms.settled


def test_a_returned_message_is_not_confirmed(confirms: Confirms, channel: FakeChannel) -> None:
    channel.say("basic_return", None, "in.union", "x.y", FakeMessage({"message_id": "b"}))
    channel.say("basic_ack", 3, SEVERAL)
    assert confirms.unroutable == {"b"}
    assert confirms.confirmed == {"a", "c"}


@pytest.mark.parametrize("of_several", [False, True])
def test_of_several_nodes_one_that_never_answered_is_doubtful(of_several: bool) -> None:  # noqa: FBT001 - a parameter
    session = FakeSession()
    session.of_several = of_several
    made = Confirms(session, "union", 1.0)  # type: ignore[arg-type] # a stand-in
    made.send(Wire(Event("x.y", {}, "a"), b"{}", "7", "one"))
    assert made.is_doubtful is of_several
    session.channel.say("basic_nack", 1, False)  # noqa: FBT003 - py-amqp's signature
    assert not made.is_doubtful
