"""The broker: version, plan, users, nodes and queues."""

from collections.abc import Iterator

from hub.addresses import host_of
from hub.broker.management import UNKNOWN_NAME, Management, first_answering
from hub.broker.read import read
from hub.broker.survey import View, judge
from hub.broker.topology import diff
from hub.clock import today
from hub.compose.broker import broker_plan, queues_to_grow, too_generous_nodes
from hub.compose.doctor.model import Patient, Said, fail, ok, unknown, warn
from hub.compose.links import context_maker
from hub.errors import BrokerUnavailable
from hub.pki.names import ADMINISTRATOR
from hub.site import read_secret

OLDEST = (3, 10)
ANSWER_SECONDS = 6.0
_SHOWN = 5
_START = "start it, and rabbitmq-plugins enable rabbitmq_management"


def look_at_broker(patient: Patient) -> Iterator[Said]:
    """Look at it as its administrator; nothing is changed."""
    broker = patient.site.broker
    if broker.admin_password_file is None:
        yield unknown(
            "the broker cannot be looked at without broker.admin_password_file",
            f"name it in {patient.path}, or have renkei broker plan run where it is",
        )
        return
    password = read_secret(broker.admin_password_file)
    tls = context_maker(patient.site, ADMINISTRATOR)
    urls = (broker.management_url, *broker.management_also)
    try:
        url = first_answering(urls, broker.admin_user, password, tls)
        with Management(
            url, broker.admin_user, password, answer_seconds=ANSWER_SECONDS, attempts=1, tls=tls
        ) as management:
            yield from _asked(patient, management)
    except BrokerUnavailable as error:
        is_unknown = UNKNOWN_NAME in str(error)
        yield fail(str(error), f"getent hosts {host_of(urls[0])}" if is_unknown else _START)
        return
    generous = too_generous_nodes(patient.site)
    if generous:
        yield warn(
            f"takes messages that are too large: {', '.join(generous)}",
            f"put in place what {patient.command('broker config')} writes, and start it again",
        )


def _asked(patient: Patient, management: Management) -> Iterator[Said]:
    vhost = patient.site.broker.vhost
    version = str(management.get("overview").get("rabbitmq_version", "?"))
    if too_old(version):
        yield warn(f"RabbitMQ {version} is older than 3.10", "bring it up to date")
    else:
        yield ok(f"RabbitMQ {version} answers")
    if all(row["name"] != vhost for row in management.get("vhosts")):
        yield fail(f"the vhost {vhost} is not there", patient.command("broker apply"))
        return
    plan = broker_plan(patient.site, patient.catalogue, today())
    differences = [str(one) for one in diff(plan, read(management, vhost))]
    if differences:
        more = f", and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        yield fail(
            f"the vhost {vhost} is not as planned: {', '.join(differences[:_SHOWN])}{more}",
            f"{patient.command('broker plan')}, then broker apply",
        )
    else:
        yield ok(f"the vhost {vhost} is as planned")
    survey = judge([View(management.get("nodes"), management.get("queues", vhost))], {})
    yield from (
        fail(text, "docs/operations/cluster.md; rabbitmqctl status") for text in survey.troubles()
    )
    if small := queues_to_grow(management, vhost):
        yield warn(
            f"queues with too few members: {', '.join(small)}", "rabbitmq-queues grow NODE all"
        )
    if "guest" in {row["name"] for row in management.get("users")} - {
        patient.site.broker.admin_user
    }:
        yield warn("the user guest is still there", "rabbitmqctl delete_user guest")
    if patient.site.broker.monitor_password_file is None:
        yield warn(
            "nobody watches the broker's nodes: broker.monitor_password_file is not named",
            f"name it in {patient.path}; renkei site init, renkei broker apply",
        )


def too_old(version: str) -> bool:
    """Say whether a version of RabbitMQ is older than those that the hub is tried with."""
    numbers = version.split(".")[:2]
    return not all(map(str.isdecimal, numbers)) or tuple(map(int, numbers)) < OLDEST
