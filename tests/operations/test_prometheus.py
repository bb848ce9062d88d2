"""A real Prometheus in front of a running demo: an alert fires, reaches somebody, and clears."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hub.cli.main import app
from monitoring.dashboards.boards import BOARDS
from monitoring.rules.alerts import GROUPS
from monitoring.rules.model import Alert, Group
from monitoring.rules.write import RULES_FILE, rules
from tests.operations.conftest import RECEIVER
from tests.operations.rig import Served
from tests.servers.prometheus import Prometheus, alertmanager, checked, prometheus, until

pytestmark = pytest.mark.operations

ROUTES = Path(__file__).parents[2] / "monitoring/alertmanager/alertmanager.example.yml"
STOPPED, ATTEMPT = "RenkeiReceiverStopped", "RenkeiAttempt"
SECONDS = 120.0
OF_A_DEMO = {
    "RenkeiWatchdog",
    ATTEMPT,  # it tries what no statute permits, and every system is refused
    "RenkeiBackupOld",  # nobody backs a demo up
    "RenkeiReconciliationMissing",  # it is reconciled when it ends
    "RenkeiCriticalTimeLong",  # its files say that they were made on days that are made up
}
"""What is true of each demo."""
CONFIG = """\
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs: [{{job_name: renkei, file_sd_configs: [{{files: ["{targets}"]}}]}}]
"""


@dataclass
class Told:
    """What Alertmanager sent: receiver, name and state of each alert, in order."""

    heard: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Watched:
    """A demo with Prometheus and Alertmanager in front of it."""

    prometheus: Prometheus
    told: Told
    targets: list[dict[str, Any]]


@pytest.fixture(scope="module")
def watched(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("prometheus")
    targets = folder / "targets.json"
    named = CliRunner().invoke(
        app, ["targets", "--site", str(served.state / "site.toml"), "--out", str(targets)]
    )
    assert named.exit_code == 0, named.output
    (folder / RULES_FILE).write_text(rules(map(quick, GROUPS)), encoding="utf-8")
    with listening() as (url, told), alertmanager(folder, routed(url)) as address:
        config = CONFIG.format(rules=folder / RULES_FILE, alertmanager=address, targets=targets)
        with prometheus(folder, config) as running:
            yield Watched(running, told, json.loads(targets.read_text(encoding="utf-8")))


def test_every_process_answers_and_every_rule_and_panel_can_be_asked(watched: Watched) -> None:
    def up() -> bool:
        values = watched.prometheus.values('up{job="renkei"}')
        return len(values) == len(watched.targets) and all(values.values())

    until(up, "an answer of every target", SECONDS)
    until(lambda: rule_states(watched) == {"ok"}, "every rule was evaluated", SECONDS)
    assert "RenkeiWatchdog" in watched.prometheus.firing()
    for expression in (one for board in BOARDS for one in board.expressions()):
        watched.prometheus.values(
            expression.replace("$__rate_interval", "1m").replace("$flow", ".+")
        )


def test_the_watch_tries_all_of_it_without_being_asked(watched: Watched) -> None:
    def well() -> set[str]:
        values = watched.prometheus.values("renkei_health_check_success")
        return {dict(labels)["check"] for labels, value in values.items() if value}

    tried = {"round-trip", "ledger-write", "checkpoint", "witness", "disk", "certificates"}
    until(lambda: well() == tried, "every check ran, and ended well", SECONDS)


def test_of_a_demo_that_is_well_nothing_else_is_told(watched: Watched) -> None:
    def active() -> set[str]:
        alerts = watched.prometheus.ask("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in alerts} - OF_A_DEMO

    try:
        until(lambda: not active(), "no alert is active, nor about to be", SECONDS)
    except AssertionError:
        pytest.fail(f"active, or about to be: {', '.join(sorted(active()))}")
    until(lambda: ATTEMPT in watched.prometheus.firing(), "its attempts are told", SECONDS)
    until(lambda: ("security", ATTEMPT, "firing") in watched.told.heard, "security hears", SECONDS)


def test_what_each_process_tells_is_by_the_conventions(watched: Watched) -> None:
    for group in watched.targets:
        (address,) = group["targets"]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            checked("promtool", "check", "metrics", text=answer.read().decode())


def test_a_stopped_receiver_is_told_and_it_is_told_when_it_is_over(
    served: Served, watched: Watched
) -> None:
    told = watched.told.heard
    assert STOPPED not in watched.prometheus.firing()
    served.hold(f"adapter-{RECEIVER}")
    try:
        until(lambda: STOPPED in watched.prometheus.firing(), "the alert fires", SECONDS)
        until(lambda: ("on-call", STOPPED, "firing") in told, "somebody is called", SECONDS)
    finally:
        served.hold()
    until(lambda: STOPPED not in watched.prometheus.firing(), "the alert clears", SECONDS)
    until(lambda: ("on-call", STOPPED, "resolved") in told, "somebody hears of that", SECONDS)
    queue = f'renkei_queue_messages{{queue="out.{RECEIVER}"}}'
    until(lambda: not any(watched.prometheus.values(queue).values()), "an empty queue", SECONDS)


def quick(group: Group) -> Group:
    """Have the one alert fire after a second: all else is as it is."""

    def shortened(alert: Alert) -> Alert:
        return replace(alert, hold="1s") if alert.name == STOPPED else alert

    return replace(group, alerts=tuple(map(shortened, group.alerts)))


def rule_states(watched: Watched) -> set[str]:
    groups = watched.prometheus.ask("rules")["groups"]
    return {rule["health"] for group in groups for rule in group["rules"]}


def routed(url: str) -> str:
    """Give the example's routes, with every receiver here, who hears at once."""
    config = yaml.safe_load(ROUTES.read_text(encoding="utf-8"))
    for receiver in config["receivers"]:
        hook = {"url": f"{url}/{receiver['name']}", "send_resolved": True}
        receiver.pop("email_configs", None)
        receiver["webhook_configs"] = [hook]
    config["route"] |= {"group_wait": "100ms", "group_interval": "1s"}
    text: str = yaml.safe_dump(config)
    return text


@contextmanager
def listening() -> Iterator[tuple[str, Told]]:
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            receiver = self.path.strip("/")
            told.heard += [
                (receiver, one["labels"]["alertname"], one["status"]) for one in body["alerts"]
            ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        server.server_close()
