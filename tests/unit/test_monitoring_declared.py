"""What the processes declare: every name once, by Prometheus's conventions, and on its page."""

import datetime as dt
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.errors import SiteError
from hub.observe import Stage
from monitoring.certificates import CertificateMetrics
from monitoring.declared import declared, filled, library
from monitoring.disk import DiskMetrics
from monitoring.stages import OTHER, StageMetrics
from monitoring.times import TimeMetrics
from monitoring.visits import LOGINS, NOT_FOUND, Denial, VisitMetrics

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[2] / "docs/operations/metrics.md"
NAME = re.compile(r"renkei(_[a-z]+)+")
UNITS = ("_seconds", "_bytes", "_messages", "_entries", "_info")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_each_name_is_declared_once_and_by_the_conventions() -> None:
    names = [family.name for family in declared()]
    assert len(names) == len(set(names))
    for family in declared():
        assert NAME.fullmatch(family.name), family
        assert family.text.endswith("."), family
        assert family.name.endswith("_total") == (family.kind == "counter"), family
        assert family.kind != "histogram" or family.name.endswith(UNITS), family
        assert {"le", "quantile", "job", "instance"}.isdisjoint(family.labels), family
        assert family.told_by


def test_no_other_name_is_told_by_the_library() -> None:
    assert not {one.name for one in declared()} & {one.name for one in library()}
    assert "process_start_time_seconds" in {one.name for one in library()}


def test_the_page_has_the_table_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page, "run 'renkei docs'"


def test_a_page_without_a_place_is_no_page() -> None:
    with pytest.raises(ValueError, match="no place"):
        filled("# Metrics\n")


def test_a_certificate_is_read_at_each_scrape_and_one_that_is_gone_has_ended(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    ends = [dt.datetime(2027, 1, 1, tzinfo=dt.UTC), dt.datetime(2028, 1, 1, tzinfo=dt.UTC)]

    def read() -> dt.datetime:
        if not ends:
            raise SiteError("tls.pem cannot be read")
        return ends.pop(0)

    CertificateMetrics(registry, {"own": read})
    name, labels = "renkei_certificate_expiry_timestamp_seconds", {"certificate": "own"}
    shown = [registry.get_sample_value(name, labels) for _ in range(4)]
    assert shown == [1_798_761_600, 1_830_297_600, 0, 0]
    assert caplog.text.count("cannot be read") == 1


def test_stages_and_tries_move_and_a_stranger_makes_no_series(registry: CollectorRegistry) -> None:
    metrics = StageMetrics(registry, {"union"})
    metrics.took(Stage.JUDGE, 0.02)
    metrics.tried_again({"union": 2, "stranger": 3})
    metrics.came_again(4)
    value = registry.get_sample_value
    assert value("renkei_stage_duration_seconds_count", {"stage": "judge"}) == 1
    assert value("renkei_stage_duration_seconds_count", {"stage": "confirm"}) == 0
    assert value("renkei_retries_total", {"receiver": "union"}) == 2
    assert value("renkei_retries_total", {"receiver": OTHER}) == 3
    assert value("renkei_redeliveries_total") == 4


def test_times_are_observed_by_flow_and_a_clock_ahead_counts_as_nothing(
    registry: CollectorRegistry,
) -> None:
    metrics = TimeMetrics(registry, "union")
    metrics.arrived("M1d", {-5: 2, 40: 1}, {3: 3})
    metrics.file_took("out", 0.2)
    labels = {"system": "union", "flow": "M1d"}
    value = registry.get_sample_value
    assert value("renkei_critical_time_seconds_sum", labels) == 40
    assert value("renkei_critical_time_seconds_count", labels) == 3
    assert value("renkei_critical_time_seconds_bucket", {**labels, "le": "1.0"}) == 2
    assert value("renkei_delivery_time_seconds_sum", labels) == 9
    out = {"system": "union", "direction": "out"}
    assert value("renkei_adapter_file_duration_seconds_count", out) == 1


def test_a_disk_that_cannot_be_seen_is_left_out_until_it_can(
    registry: CollectorRegistry, tmp_path: Path
) -> None:
    place = tmp_path / "ledger"
    place.mkdir()
    metrics = DiskMetrics(registry, {"ledger": place})
    assert 0 < metrics.look()["ledger"] < 1
    assert registry.get_sample_value("renkei_disk_size_bytes", {"place": "ledger"})
    place.rmdir()
    assert metrics.look() == {}
    assert registry.get_sample_value("renkei_disk_size_bytes", {"place": "ledger"}) is None


def test_the_console_counts_by_routes_only(registry: CollectorRegistry) -> None:
    metrics = VisitMetrics(registry, {"map"})
    metrics.answered("map", 200, 0.01)
    for number in range(50):
        metrics.answered(f"/etc/{number}", 404, 0.01)
    metrics.viewed("map")
    metrics.logged_in("locked")
    metrics.denied(Denial.FOREIGN)
    metrics.open_sessions(3)
    value = registry.get_sample_value
    assert value("renkei_console_requests_total", {"page": "map", "status": "2xx"}) == 1
    assert value("renkei_console_requests_total", {"page": NOT_FOUND, "status": "4xx"}) == 50
    assert value("renkei_console_views_total", {"page": "map"}) == 1
    assert value("renkei_console_sessions") == 3
    logins = {o: value("renkei_console_logins_total", {"outcome": o}) for o in LOGINS}
    assert logins == {**dict.fromkeys(LOGINS, 0), "locked": 1}
    denied = {why: value("renkei_console_denied_total", {"why": why}) for why in Denial}
    assert denied == {**dict.fromkeys(Denial, 0), "foreign": 1}
