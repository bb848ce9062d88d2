"""The broker's wall, from the shipped catalogue, by the command line, tried as each system."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker
from pydantic import SecretStr

from hub.broker.link import PikaLink
from hub.clock import today
from hub.compose.broker import may_publish
from hub.errors import LinkLost
from hub.message import RECEIPT_TYPE
from hub.ports import Outgoing, Sent
from hub.site import HUB_USER
from hub.statute.catalogue import load_catalogue
from schemas import MESSAGE_TYPES
from tests.conftest import Vhost
from tests.walls_rig import CLOSING, NAMED, Office

pytestmark = pytest.mark.integration

SHIPPED = load_catalogue()
CONNECTED = {name for name, system in SHIPPED.systems.items() if not system.neighbour}


@pytest.fixture
def office(tmp_path: Path, vhost: Vhost) -> Iterator[Office]:
    yield Office(tmp_path, vhost)
    for user in (HUB_USER, *NAMED, "stranger"):
        vhost.management.delete("users", user)


@pytest.fixture
def applied(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr("hub.broker.apply.SETTLE_SECONDS", 0.0)
    assert office.renkei("broker", "apply") == 0
    return office


# -- plan and apply --------------------------------------------------------------------------


def test_the_plan_is_shown_before_anything_is_there(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    management = office.vhost.management
    assert office.renkei("broker", "plan") == 0
    said = capsys.readouterr().out
    for line in (
        "missing: exchange in.bank",
        "missing: queue out.juki-net",
        "missing: account tax",
        "missing: topic rule tax on in.tax",
        "missing: topic rule hub on amq.topic",
        "missing: policy hub.limits",
        "missing: binding in.tax --#--> hub.buckets",
    ):
        assert line in said.splitlines()
    assert "missing: account bank" not in said
    assert "renkei broker apply" in said
    assert management.get("queues", office.vhost.name) == []
    assert management.get("vhosts", office.vhost.name, "topic-permissions") == []
    assert office.renkei("broker", "plan", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["vhost"], answer["as_planned"]) == (office.vhost.name, False)
    assert {"change": "missing", "kind": "account", "name": "tax", "differs": {}} in answer[
        "changes"
    ]


def test_a_plan_for_a_vhost_that_is_missing_does_not_make_it(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    site = office.folder / "site.toml"
    site.write_text(site.read_text().replace(office.vhost.name, "no-such-vhost"))
    assert office.renkei("broker", "plan") == 0
    assert "missing: account tax" in capsys.readouterr().out
    assert "no-such-vhost" not in {row["name"] for row in office.vhost.management.get("vhosts")}


def test_applying_shows_the_difference_and_again_changes_nothing(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.broker.apply.SETTLE_SECONDS", 0.0)
    assert office.renkei("broker", "apply") == 0
    assert "created: account tax" in capsys.readouterr().out
    assert office.renkei("broker", "plan") == 0
    assert capsys.readouterr().out == f"the vhost {office.vhost.name} is as planned\n"
    assert office.renkei("broker", "plan", "--json") == 0
    assert json.loads(capsys.readouterr().out)["changes"] == []
    assert office.renkei("broker", "apply", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["as_planned"], answer["made"], answer["removed"]) == (True, [], [])
    assert answer["connections_closed"] == {}
    assert answer["nodes_without_message_limit"] == []


def test_a_broker_that_takes_messages_of_any_size_is_named(
    applied: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    monkeypatch.setattr("hub.compose.broker.too_generous", lambda _: ("mq1:5672",))
    for command in ("plan", "apply"):
        assert applied.renkei("broker", command) == 0
        said = capsys.readouterr().err
        assert "mq1:5672" in said
        assert "max_message_size = 1048576" in said


def test_another_password_is_said_with_what_was_closed(
    applied: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    user = {"password": "known to others", "tags": ""}
    applied.vhost.management.put("users", "tax", body=user)
    settings = applied.vhost.settings("tax", password=SecretStr("known to others"))
    with PikaLink(settings) as link:
        assert applied.renkei("broker", "apply") == 0
        with pytest.raises(LinkLost):
            link.take(1, 5.0)
    said = capsys.readouterr().out
    assert "changed: the password of tax" in said
    assert "connections closed: 1 of tax" in said


def test_only_the_sites_systems_have_users_and_all_have_queues(applied: Office) -> None:
    management, vhost = applied.vhost.management, applied.vhost.name
    permitted = {row["user"] for row in management.get("vhosts", vhost, "permissions")}
    assert permitted == {HUB_USER, *NAMED, applied.vhost.broker.admin_user}
    queues = {row["name"] for row in management.get("queues", vhost)}
    assert {f"out.{name}" for name in CONNECTED} <= queues
    assert not any("tax-arrears" in name for name in queues)


def test_what_nobody_planned_is_named_and_only_pruned_on_demand(
    applied: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    vhost, put = applied.vhost, applied.vhost.management.put
    vhost.declare("leak")
    vhost.management.post(
        "bindings",
        vhost.name,
        "e",
        "in.tax",
        "q",
        "leak",
        body={"routing_key": "#", "arguments": {}},
    )
    put("users", "stranger", body={"password": "secret", "tags": ""})
    put(
        "permissions",
        vhost.name,
        "stranger",
        body={"configure": "", "write": "", "read": "^out\\."},
    )
    message = Outgoing("in.tax", "income.assessed", b"{}", "m", "income.assessed")
    with PikaLink(vhost.settings("tax")) as link:
        assert link.publish([message]) == [Sent.CONFIRMED]
    capsys.readouterr()
    assert applied.renkei("broker", "apply") == 1
    said = capsys.readouterr().err
    assert "unplanned: account stranger" in said
    assert said.rstrip().endswith("--prune removes it")
    assert applied.renkei("broker", "apply", "--prune") == 1
    said = capsys.readouterr().err
    assert "the queue leak holds 1 messages and is kept" in said
    assert "unplanned: queue leak" in said
    assert "stranger" not in said
    assert applied.renkei("broker", "plan", "--json") == 0
    (left,) = json.loads(capsys.readouterr().out)["changes"]
    assert (left["change"], left["kind"], left["name"]) == ("unplanned", "queue", "leak")
    with PikaLink(vhost.settings(queues=("leak",))) as link:
        link.ack(link.take(1, 5.0))
    assert applied.renkei("broker", "apply", "--prune") == 0
    assert "1 removed" in capsys.readouterr().out


def test_a_site_without_the_administrators_password_is_told(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    site = office.folder / "site.toml"
    site.write_text(site.read_text().replace('admin_password_file = "secrets/admin"', ""))
    for command in ("plan", "apply"):
        assert office.renkei("broker", command) == 1
        assert "broker.admin_password_file is missing" in capsys.readouterr().err


# -- who may publish what --------------------------------------------------------------------

TYPES = sorted(
    {*MESSAGE_TYPES, RECEIPT_TYPE, "hub.notice", "pension.suspended"}
    | {flow.message_type for flow in SHIPPED.flows if flow.message_type is not None}
)


@pytest.mark.parametrize("system", NAMED)
def test_each_system_publishes_its_permitted_types_and_no_other(
    applied: Office, system: str
) -> None:
    own = may_publish(SHIPPED, system, today())
    taken = {kind for kind in TYPES if applied.takes(system, f"in.{system}", kind)}
    assert taken == own
    assert len(own) < len(TYPES) / 2


def lookalikes(kind: str) -> list[str]:
    return [
        f"x{kind}",
        f"{kind}.x",
        f"{kind}x",
        kind.replace(".", "x"),
        f"{kind}\n",
        f"\n{kind}",
        f"{kind} ",
        kind.upper(),
        "*.*",
        "#",
        "",
        "\n",
    ]


def test_no_lookalike_of_a_permitted_type_passes(applied: Office) -> None:
    assert applied.takes("tax", "in.tax", "income.assessed")
    for key in lookalikes("income.assessed"):
        assert not applied.takes("tax", "in.tax", key), repr(key)


def test_the_plan_says_what_the_broker_does(applied: Office) -> None:
    """The table test of the whole catalogue rests on reading the patterns as RabbitMQ does."""
    rows = applied.vhost.management.get("topic-permissions", applied.vhost.name, "union")
    (rule,) = [row for row in rows if row["exchange"] == "in.union"]
    for key in (
        *lookalikes("benefit.decided"),
        "benefit.decided",
        RECEIPT_TYPE,
        "resident.changed",
    ):
        assert bool(re.search(rule["write"], key)) == applied.takes("union", "in.union", key)


def test_the_topic_rules_alone_keep_systems_apart(applied: Office) -> None:
    """An administrator has opened every exchange and queue by mistake."""
    wide = {"configure": "^$", "write": ".*", "read": ".*"}
    where = ("permissions", applied.vhost.name, "tax")
    applied.vhost.management.put(*where, body=wide)
    for exchange in ("in.union", "in.bank", "amq.topic", "amq.rabbitmq.trace"):
        for key in ("income.assessed", "resident.changed", "", "\n"):
            assert not applied.takes("tax", exchange, key), (exchange, key)
    assert not applied.takes("tax", "in.tax", "resident.changed")
    assert applied.takes("tax", "in.tax", "income.assessed")


def test_a_user_whose_rights_become_narrower_is_cut_off_at_once(applied: Office) -> None:
    with applied.channel("tax") as channel:
        channel.basic_publish("in.tax", "income.assessed", b"{}", mandatory=True)
        applied.write(CLOSING)
        assert applied.renkei("broker", "apply") == 0
        with pytest.raises(AMQPError):
            channel.basic_publish("in.tax", "income.assessed", b"{}", mandatory=True)
    assert not applied.takes("tax", "in.tax", "income.assessed")
    applied.write()
    assert applied.renkei("broker", "apply") == 0
    assert applied.takes("tax", "in.tax", "income.assessed")


# -- what a reader may do --------------------------------------------------------------------


def test_a_reader_may_purge_its_own_queue(applied: Office) -> None:
    """RabbitMQ ties purging to reading: who may take each message may drop them all."""
    with PikaLink(applied.vhost.settings(HUB_USER)) as link:
        link.publish([Outgoing("hub.out", "union", b"{}", "m", "t.x")])
    with applied.channel("union") as channel:
        channel.queue_purge("out.union")


@pytest.mark.parametrize(
    ("code", "act"),
    [
        pytest.param(
            403,
            lambda c: c.basic_consume("out.union", print, consumer_tag="renkei union"),
            id="consume by another's tag",
        ),
        pytest.param(403, lambda c: c.queue_purge("out.union"), id="purge another's queue"),
        pytest.param(403, lambda c: c.queue_unbind("out.tax", "hub.out", "tax"), id="unbind"),
        pytest.param(
            403, lambda c: c.exchange_unbind("hub.buckets", "in.tax", "#"), id="unbind exchange"
        ),
        pytest.param(405, lambda c: c.basic_get("out.tax"), id="get beside the one reader"),
    ],
)
def test_a_reader_may_do_no_more(
    applied: Office, code: int, act: Callable[[BlockingChannel], Any]
) -> None:
    with applied.channel("tax") as channel:
        with pytest.raises(ChannelClosedByBroker) as caught:
            act(channel)
        assert caught.value.reply_code == code


def test_cancelling_anothers_tag_cancels_nothing(applied: Office) -> None:
    settings = applied.vhost.settings("union", ("out.union",))
    with PikaLink(settings) as reader, applied.channel("tax") as channel:
        tags = {
            row["consumer_tag"]
            for row in applied.vhost.management.get("consumers", applied.vhost.name)
        }
        for tag in tags:
            channel.basic_cancel(tag)
        with PikaLink(applied.vhost.settings(HUB_USER)) as link:
            link.publish([Outgoing("hub.out", "union", b"{}", "m", "t.x")])
        (taken,) = reader.take(1, 5.0)
        reader.ack([taken])
