"""What ``broker apply`` leaves behind, wherever it breaks off: nobody is kept out in silence."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from hub.broker.apply import Applied, apply
from hub.broker.plan import plan
from hub.broker.switch import RETIRED_EXCHANGE
from hub.broker.topology import NOTHING, Topology
from hub.broker.users import is_password
from hub.errors import BrokerError, BrokerUnavailable

pytestmark = pytest.mark.unit

VHOST = "renkei"
PASSWORDS = {user: SecretStr(f"secret of {user}") for user in ("hub", "tax")}
SHA256 = "rabbit_password_hashing_sha256"


def planned(partitions: int) -> Topology:
    return plan(["tax"], {"tax": ["tax.income"]}, partitions)


def kept(password: str) -> str:
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


class Broker:
    """The management API in memory; ``fails_at`` is the number of the call that gets no answer."""

    user = "renkei-admin"

    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], dict[str, Any]] = {}
        self.connected: dict[str, int] = {}
        self.calls = 0
        self.fails_at = -1

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            raise BrokerUnavailable("nobody answers")

    def _under(self, *path: str) -> list[dict[str, Any]]:
        return [row for key, row in self.rows.items() if key[: len(path)] == path]

    def get(self, *path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        self._count()
        match path:
            case ("connections", "username", user):
                return [{"user": user}] * self.connected.get(user, 0)
            case ("vhosts", vhost, "permissions" | "topic-permissions" as kind):
                return self._under(kind, vhost)
            case ("bindings", vhost, "e", source, _, destination):
                rows = self._under("bindings", vhost)
                return [r for r in rows if (r["source"], r["destination"]) == (source, destination)]
            case _:
                return self._under(*path)

    def put(self, *path: str, body: Any = None) -> None:  # noqa: ANN401
        self._count()
        row = dict(body or {})
        match path:
            case ("vhosts", name):
                row = {"name": name}
            case ("users", name):
                row = {
                    "name": name,
                    "tags": [tag for tag in row["tags"].split(",") if tag],
                    "password_hash": kept(row["password"]) if "password" in row else "",
                    "hashing_algorithm": SHA256,
                }
            case ("permissions", _, user):
                row["user"] = user
            case ("topic-permissions", _, user):
                row["user"] = user
                path = (*path, row["exchange"])
            case ("user-limits", user, limit):
                row = {"user": user, "value": {limit: row["value"]}}
            case ("exchanges", _, name):
                row |= {"name": name, "auto_delete": False}
            case ("queues", _, name):
                row |= {"name": name, "auto_delete": False}
            case (_, _, name):
                row["name"] = name
        self.rows[path] = row

    def post(self, *path: str, body: Any) -> None:  # noqa: ANN401
        self._count()
        _, vhost, _, source, kind, destination = path
        row = {
            "source": source,
            "destination": destination,
            "destination_type": "queue" if kind == "q" else "exchange",
            "properties_key": f"{body['routing_key']}~{sorted(body['arguments'].items())}",
            **body,
        }
        self.rows["bindings", vhost, source, destination, row["properties_key"]] = row

    def delete(self, *path: str) -> None:
        self._count()
        match path:
            case ("connections", "username", user):
                self.connected.pop(user, None)
                return
            case ("bindings", vhost, "e", source, _, destination, key):
                path = ("bindings", vhost, source, destination, key)
            case (_, _, name):
                for key in [k for k in self.rows if k[0] == "bindings" and name in k[2:4]]:
                    del self.rows[key]
        self.rows.pop(path, None)

    def writes(self) -> dict[str, str]:
        return {row["user"]: row["write"] for row in self._under("permissions", VHOST)}


Depth = Callable[[str], tuple[int, int]]


def empty(_queue: str) -> tuple[int, int]:
    return (0, 0)


def run(broker: Broker, partitions: int, depth: Depth = empty, *, prune: bool = False) -> Applied:
    return apply(
        broker,  # type: ignore[arg-type] # the part that it uses
        VHOST,
        planned(partitions),
        PASSWORDS,
        depth=depth,
        settle=lambda _: None,
        prune=prune,
    )


@pytest.fixture
def broker() -> Broker:
    made = Broker()
    run(made, 2)
    made.connected = {"tax": 2, "hub": 1}
    return made


def test_wherever_it_breaks_off_either_all_may_write_or_the_error_says_so(broker: Broker) -> None:
    rights, told = broker.writes(), []
    for number in range(1, 1000):
        one = Broker()
        one.rows, one.fails_at = dict(broker.rows), number
        said = broke_off(one)
        if said is None:
            break
        shut = NOTHING in one.writes().values()
        told.append((shut, "NOBODY MAY WRITE" in said and "Run it again" in said))
        one.fails_at = -1
        run(one, 1, prune=True)  # and again brings it to its end
        assert one.writes() == rights
    assert (True, False) not in told
    assert {(False, False), (True, True)} <= set(told)


def broke_off(broker: Broker) -> str | None:
    try:
        run(broker, 1, prune=True)
    except BrokerError as error:
        return str(error)
    return None


def test_what_cannot_be_done_is_refused_before_anybody_is_kept_out(broker: Broker) -> None:
    queue = broker.rows["queues", VHOST, "out.tax"]
    broker.rows["queues", VHOST, "out.tax"] = {**queue, "arguments": {}}
    before = broker.writes()
    with pytest.raises(BrokerError, match=r"other properties: out\.tax"):
        run(broker, 1, prune=True)
    assert broker.writes() == before
    assert broker.connected == {"tax": 2, "hub": 1}


def test_who_was_kept_out_before_is_named_when_it_is_refused_again(broker: Broker) -> None:
    shut = broker.rows["permissions", VHOST, "tax"]
    broker.rows["permissions", VHOST, "tax"] = {**shut, "write": NOTHING}
    with pytest.raises(BrokerError, match=r"(?s)holds 3 messages.*NOBODY MAY WRITE: tax cannot"):
        run(broker, 1, lambda _: (3, 0))


def test_an_earlier_sites_hub_can_drain_its_partitions_before_they_change() -> None:
    broker = Broker()
    run(broker, 4)
    for key in [key for key in broker.rows if "hub.buckets" in key]:
        del broker.rows[key]
    broker.put("exchanges", VHOST, RETIRED_EXCHANGE, body={"type": "x", "durable": True})
    broker.rows["exchanges", VHOST, RETIRED_EXCHANGE] |= {"arguments": {}, "internal": False}
    ends = ("bindings", VHOST, "e", RETIRED_EXCHANGE, "q")
    for number in range(4):
        broker.post(*ends, f"hub.in.{number}", body={"routing_key": "10", "arguments": {}})
    old = {"configure": NOTHING, "write": r"^hub\.out$", "read": r"^hub\.in\.[0-9]+$"}
    broker.put("permissions", VHOST, "hub", body=old)
    broker.connected = {"hub": 1, "tax": 1}
    with pytest.raises(BrokerError, match="let the hub drain its partitions") as caught:
        run(broker, 4, lambda _: (3, 0))
    assert "NOBODY" not in str(caught.value)
    assert "dead-letters" in broker.rows["permissions", VHOST, "hub"]["read"]
    assert broker.connected == {"tax": 1}  # the hub's channels had its old rights
    run(broker, 4)


def test_a_changed_password_ends_the_connections_of_its_user_and_no_other(broker: Broker) -> None:
    assert run(broker, 2) == Applied()
    broker.rows["users", "tax"]["password_hash"] = kept("known to others")
    assert run(broker, 2) == Applied(passwords=("tax",), closed={"tax": 2})
    assert broker.connected == {"hub": 1}
    assert is_password(broker.rows["users", "tax"], PASSWORDS["tax"])


@pytest.mark.parametrize(
    ("user", "same"),
    [
        ({"password_hash": kept("right"), "hashing_algorithm": SHA256}, True),
        ({"password_hash": kept("wrong"), "hashing_algorithm": SHA256}, False),
        ({"password_hash": kept("right"), "hashing_algorithm": "another"}, False),
        ({"password_hash": "%", "hashing_algorithm": SHA256}, False),
        ({"password_hash": "", "hashing_algorithm": SHA256}, False),
        ({}, False),
    ],
)
def test_a_password_counts_as_the_same_only_where_that_is_seen(
    user: dict[str, str],
    same: bool,  # noqa: FBT001 - what is expected
) -> None:
    assert is_password(user, SecretStr("right")) is same


def test_who_has_a_certificate_has_no_password_afterwards(broker: Broker) -> None:
    done = apply(broker, VHOST, planned(2), dict.fromkeys(PASSWORDS), depth=empty)  # type: ignore[arg-type]
    assert done.passwords == ("hub", "tax")
    assert done.closed == {"hub": 1, "tax": 2}
    rows = [broker.rows["users", user] for user in PASSWORDS]
    assert [row["password_hash"] for row in rows] == ["", ""]
    assert all(is_password(row, None) for row in rows)
    assert not is_password({"password_hash": kept("right")}, None)
    again = apply(broker, VHOST, planned(2), dict.fromkeys(PASSWORDS), depth=empty)  # type: ignore[arg-type]
    assert again == Applied()


def test_a_limit_that_was_lifted_is_set_again_and_ends_no_connection(broker: Broker) -> None:
    limits = broker.rows["user-limits", "tax", "max-connections"]
    wanted, limits["value"] = limits["value"], {"max-connections": -1}
    broker.put("user-limits", "somebody", "max-connections", body={"value": 3})
    (change,) = run(broker, 2).changes
    assert str(change).startswith("different: connection limit tax (connections is -1")
    assert broker.connected == {"tax": 2, "hub": 1}
    assert broker.rows["user-limits", "tax", "max-connections"]["value"] == wanted
