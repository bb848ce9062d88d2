"""Copies die in a real broker, by each way there is; they are listed, and go once more in order."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pika
import pytest

from hub.broker.link import PikaLink
from hub.broker.plan import DELIVERY_LIMIT
from hub.desks.dead_letters import DeadLetters
from hub.desks.shelf import listed
from hub.errors import LedgerError
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State, Step
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.message import Copy
from hub.names import OUT_EXCHANGE, outbound_queue
from hub.pipeline.judge import Judge
from hub.ports import Outgoing, Sent
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from hub.sealing.seals import Seals
from hub.site import HUB_USER
from hub.statute.catalogue import Catalogue
from tests.conftest import Vhost
from tests.dead_letters_rig import CLERK, OTHER_CLERK
from tests.integration.test_confirmations_broker import (
    PARTITIONS,
    RECEIVERS,
    now,
    publish,
    wait_for,
    working,
)
from tests.keyring import keyring
from tests.samples import ADDRESSEE, CHANGED, MY_NUMBER, REGISTRY, SIGNER, event, judge, resident
from tests.worker_rig import shipped_four

pytestmark = pytest.mark.integration

UNION = "union"
RING = keyring(HUB_USER, REGISTRY, *RECEIVERS)
SECONDS = 20.0
LOOKS = 30


class Ground:
    """A broker's vhost with a ledger, and who decides about dead letters."""

    def __init__(self, vhost: Vhost, folder: Path) -> None:
        vhost.apply([REGISTRY, *RECEIVERS], PARTITIONS, sends={REGISTRY: [CHANGED]})
        self.vhost = vhost
        self.url = f"sqlite:///{folder / 'ledger.sqlite3'}"
        migrate(self.url)
        self.ledger = DatabaseLedger(self.url, SIGNER)
        self.desk = DeadLetters(self.ledger, shipped_four(), now)

    def listed(self, state: State | None = State.OPEN) -> list[Shelved]:
        return listed(self.ledger, Wanted(Shelf.DEAD_LETTER, state), 1000)

    def wait_for(self, count: int, state: State = State.OPEN) -> list[Shelved]:
        wait_for(lambda: len(self.listed(state)) >= count)
        found = self.listed(state)
        assert len(found) == count
        return found

    @contextmanager
    def consuming(self) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        """Give a channel to consume one by one; what is not settled goes back at its end."""
        settings = self.vhost.settings()
        secret = settings.password.get_secret_value()
        parameters = pika.ConnectionParameters(
            settings.host,
            settings.port,
            settings.vhost,
            pika.PlainCredentials(settings.user, secret),
        )
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=1)
            yield channel
        finally:
            connection.close()

    def turn_away(self, receiver: str, count: int) -> None:
        """Reject this many copies of a receiver."""
        queue = outbound_queue(receiver)
        with self.consuming() as channel:
            for method, _, _ in channel.consume(queue, inactivity_timeout=SECONDS):
                assert method is not None
                channel.basic_reject(method.delivery_tag, requeue=False)
                count -= 1
                if not count:
                    return

    def taken(self, receiver: str, count: int) -> list[bytes]:
        """Take this many copies, and see that there are no more."""
        with PikaLink(self.vhost.settings(None, (outbound_queue(receiver),))) as link:
            found = link.take(100, SECONDS)
            while len(found) < count and (more := link.take(100, SECONDS)):
                found += more
            found += link.take(100, 1.0)
            link.ack(found)
            link.take(1, 0.2)
        assert len(found) == count
        return [one.body for one in found]


@pytest.fixture
def ground(vhost: Vhost, tmp_path: Path) -> Iterator[Ground]:
    made = Ground(vhost, tmp_path)
    yield made
    assert verify(made.ledger.engine, SIGNER.verifier).good
    made.ledger.close()


def sealing() -> Judge:
    """Give a judge with the hub's keys, for one worker."""
    return replace(shipped_four(), seals=Seals(RING.keys(HUB_USER)))


def sealed(data: dict[str, Any], message_id: str) -> dict[str, Any]:
    """Give a valid event of the registry, its number encrypted for the hub."""
    found, datakey = Sealer(RING.keys(REGISTRY), HUB_USER).sealed(data, REGISTRY, message_id)
    return event(found, id=message_id, datakey=datakey)


def ids(bodies: list[bytes]) -> list[str]:
    return [json.loads(body)["id"] for body in bodies]


def test_what_a_receiver_rejects_is_replayed_once_and_in_order(ground: Ground) -> None:
    """Under seal: the digest of each number has to come back with its copy."""
    ground.desk = replace(ground.desk, judge=sealing())
    with ExitStack() as stack:
        stack.enter_context(working(ground.vhost, ground.url, sealing()))
        stack.enter_context(working(ground.vhost, ground.url, sealing()))
        publish(ground.vhost, *(sealed(resident(note=str(n)), f"a{n}") for n in range(5)))
        ground.turn_away(UNION, 5)
        found = ground.wait_for(5)
        assert {(one.code, one.receiver) for one in found} == {("not-accepted", UNION)}
        request = ground.desk.request(found, CLERK, State.RELEASED)
        with pytest.raises(LedgerError, match="second person"):
            ground.desk.approve(request, CLERK)
        assert ground.desk.approve(request, OTHER_CLERK) == (5, State.RELEASED)
        ground.wait_for(5, State.MOVED)
        publish(ground.vhost, sealed(resident(), "b1"))
        bodies = ground.taken(UNION, 6)
        assert ids(bodies) == ["a0", "a1", "a2", "a3", "a4", "b1"]
        assert not any(MY_NUMBER.encode() in body for body in bodies)
        opener = Opener(RING.keys(UNION))
        copies = [opener.copy(Copy.model_validate_json(body)) for body in bodies]
        assert {one.data["my_number"] for one in copies} == {MY_NUMBER}
        assert ids(ground.taken("premium-collection", 6))[-1] == "b1"


def test_one_that_nobody_gets_through_with_dies_at_the_limit(ground: Ground) -> None:
    queue = outbound_queue(UNION)
    with working(ground.vhost, ground.url):
        publish(ground.vhost, event(id="a1"))
        for _ in range(DELIVERY_LIMIT + 1):
            with ground.consuming() as channel:
                method, _, _ = next(channel.consume(queue, inactivity_timeout=SECONDS))
                assert method is not None
        (one,) = ground.wait_for(1)
        assert one.cause is not None
        assert (one.code, one.cause.step) == ("delivery-limit", Step.RECEIVE)
        ground.desk.replay(one.id, CLERK)
        ground.wait_for(1, State.MOVED)
        assert ids(ground.taken(UNION, 1)) == ["a1"]


def test_a_copy_that_expires_is_an_expiry(ground: Ground) -> None:
    with working(ground.vhost, ground.url):
        publish(ground.vhost, event(id="a1"))
        (body,) = ground.taken(UNION, 1)
        with PikaLink(ground.vhost.settings(HUB_USER)) as link:
            short = Outgoing(OUT_EXCHANGE, UNION, body, "a1", CHANGED, expires_ms=50)
            assert link.publish([short]) == [Sent.CONFIRMED]
        (one,) = ground.wait_for(1)
        assert (one.code, one.key.id) == ("expired", "a1")
        dossier = ground.desk.show(one.id, CLERK)
        assert [entry.kind for entry in dossier.history][-1] == "expiry"
        ground.desk.replay(one.id, CLERK)
        ground.wait_for(1, State.MOVED)
        assert ground.taken(UNION, 1) == [body]


def test_an_original_that_the_hub_never_finished_is_judged_as_new(ground: Ground) -> None:
    queues = [f"hub.in.{number}" for number in range(PARTITIONS)]
    publish(ground.vhost, event(id="a1"))
    with ground.consuming() as channel:
        taken: list[int] = []
        for queue in queues:
            channel.basic_consume(queue, lambda _, method, *__: taken.append(method.delivery_tag))
        for _ in range(LOOKS):
            if not taken:
                channel.connection.process_data_events(time_limit=1.0)
        channel.basic_reject(taken[0], requeue=False)
    with working(ground.vhost, ground.url):
        (one,) = ground.wait_for(1)
        assert one.cause is not None
        assert (one.cause.step, one.receiver, one.key.sender) == (Step.TAKE, "", REGISTRY)
        ground.desk.replay(one.id, CLERK)
        ground.wait_for(1, State.MOVED)
        assert ids(ground.taken(UNION, 1)) == ["a1"]


def test_todays_rules_decide_at_the_replay(ground: Ground) -> None:
    with working(ground.vhost, ground.url):
        publish(ground.vhost, event(id="a1"), event(resident(addressee_number="7"), id="b1"))
        ground.turn_away(UNION, 2)
        found = ground.wait_for(2)
    whole = shipped_four().catalogue
    without_name = tuple(
        flow.model_copy(
            update={
                "receivers": {
                    name: grant.model_copy(
                        update={"fields": tuple(one for one in grant.fields if one != "name")}
                    )
                    for name, grant in flow.receivers.items()
                }
            }
        )
        for flow in whole.flows
    )
    narrowed = judge(Catalogue(whole.systems, without_name, "narrowed"))
    with working(ground.vhost, ground.url, narrowed):
        ground.desk.replay(found[0].id, CLERK)
        ground.wait_for(1, State.MOVED)
        (body,) = ground.taken(UNION, 1)
        assert "name" not in json.loads(body)["data"]
        assert json.loads(body)["data"]["addressee_number"] == ADDRESSEE
    gone = judge(Catalogue(whole.systems, (), "gone"))
    ground.desk.replay(found[1].id, CLERK)
    with working(ground.vhost, ground.url, gone):
        (refused,) = ground.wait_for(1, State.REFUSED)
        assert not refused.sealed
        assert ground.taken(UNION, 0) == []
