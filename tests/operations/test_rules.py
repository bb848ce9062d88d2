"""Rules, cases and configuration, by the tools of Prometheus and Alertmanager themselves."""

import shutil
from pathlib import Path

import pytest

from monitoring.rules.alerts import GROUPS, alerts
from monitoring.rules.write import LONG_TESTS_FILE, RULES_FILE, TESTS_FILE
from monitoring.rules.write import rules as written
from tests.servers.prometheus import checked

pytestmark = pytest.mark.operations

MONITORING = Path(__file__).parents[2] / "monitoring"
RULES = MONITORING / "prometheus"
ROUTES = MONITORING / "alertmanager" / "alertmanager.example.yml"


def test_the_rules_are_right() -> None:
    assert f"{len(alerts())} rules found" in checked("promtool", "check", "rules", rules())


def test_the_rules_of_a_site_are_right(tmp_path: Path) -> None:
    text = written(GROUPS, "https://renkei.example:8443/help/")
    (tmp_path / RULES_FILE).write_text(text, encoding="utf-8")
    said = checked("promtool", "check", "rules", str(tmp_path / RULES_FILE))
    assert f"{len(alerts())} rules found" in said


def rules() -> str:
    return str(RULES / RULES_FILE)


@pytest.mark.parametrize("name", [TESTS_FILE, LONG_TESTS_FILE])
def test_each_alert_fires_when_it_is_to_and_only_then(name: str) -> None:
    checked("promtool", "test", "rules", str(RULES / name))


def test_a_case_that_does_not_hold_is_found(tmp_path: Path) -> None:
    shutil.copy(RULES / RULES_FILE, tmp_path)
    text = (RULES / TESTS_FILE).read_text(encoding="utf-8")
    begin = text.index("tests:\n")
    one = text[begin:].split("  - name: ")[1].replace("value: 1", "value: 0")
    (tmp_path / TESTS_FILE).write_text(f"{text[:begin]}tests:\n  - name: {one}", encoding="utf-8")
    with pytest.raises(AssertionError, match="FAILED"):
        checked("promtool", "test", "rules", str(tmp_path / TESTS_FILE))


def test_the_example_of_prometheus_is_right(tmp_path: Path) -> None:
    for file in RULES.glob("*.yml"):
        shutil.copy(file, tmp_path)
    for name in ("ca.pem", "tls.pem", "tls.key"):
        (tmp_path / "pki").mkdir(exist_ok=True)
        (tmp_path / "pki" / name).touch()
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "renkei.json").write_text("[]", encoding="utf-8")
    said = checked("promtool", "check", "config", str(tmp_path / "prometheus.example.yml"))
    assert "WARNING" not in said


def test_the_example_of_alertmanager_is_right() -> None:
    assert "SUCCESS" in checked("amtool", "check-config", str(ROUTES))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("alertname=RenkeiWatchdog severity=none", "watchdog"),
        ("alertname=RenkeiMaintenance severity=info", "nobody"),
        ("alertname=RenkeiReceiverStopped severity=critical queue=out.union", "on-call"),
        ("alertname=RenkeiAttempt severity=critical sender=tax", "security,on-call"),
        ("alertname=RenkeiLogins severity=warning", "security,operator"),
        ("alertname=RenkeiBrokerLogins severity=warning protocol=amqp", "security,operator"),
        ("alertname=RenkeiConsoleDenied severity=warning why=origin", "security,operator"),
        ("alertname=RenkeiFlowSilent severity=warning flow=M1e", "operator"),
    ],
)
def test_an_alert_goes_to_whom_it_is_for(labels: str, receivers: str) -> None:
    checked(
        *("amtool", "config", "routes", "test", f"--config.file={ROUTES}"),
        *(f"--verify.receivers={receivers}", *labels.split()),
    )
