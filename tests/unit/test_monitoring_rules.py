"""Each alert asks for what the code tells, has cases of both kinds, and a page that helps."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.errors import QuestionError
from hub.statute.catalogue import load_catalogue
from monitoring.declared import declared, library
from monitoring.rules import pages
from monitoring.rules.alerts import GROUPS, alerts
from monitoring.rules.model import Alert, Severity
from monitoring.rules.moving import IMMEDIATE
from monitoring.rules.write import files
from tests.commands import commands, understand
from tests.expressions import asked, grouped

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
TOLD = {name: family.labels for family in (*declared(), *library()) for name in family.samples()}
OF_PROMETHEUS = {"up": (), "ALERTS": ()}
ALWAYS = {"job", "instance", "process", "le"}


def test_the_files_are_as_the_code_writes_them() -> None:
    for name, text in files(GROUPS).items():
        path = PROJECT / "monitoring/prometheus" / name
        assert path.read_text(encoding="utf-8") == text, "run 'renkei docs'"


def test_a_site_s_rules_lead_to_its_console_or_to_where_one_says(tmp_path: Path) -> None:
    site, out = tmp_path / "site.toml", tmp_path / "alerts.yml"
    text = (PROJECT / "deploy/compose/site.toml").read_text(encoding="utf-8")
    site.write_text(text, encoding="utf-8")

    def urls(*more: str) -> list[str]:
        done = CliRunner().invoke(
            app, ["rules", "--site", str(site), "--out", str(out), *more], catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        written = out.read_text(encoding="utf-8")
        shipped = (PROJECT / "monitoring/prometheus/alerts.yml").read_text(encoding="utf-8")
        differ = {line for line in written.splitlines() if "runbook_url" not in line}
        assert differ <= set(shipped.splitlines())
        assert written.count("\n") == shipped.count("\n")
        return re.findall(r"runbook_url: (.*)", written)

    assert urls() == [f"https://localhost:8443/help/{one.name}" for one in alerts()]
    wiki = "https://wiki.example/renkei/"
    assert urls("--runbooks", wiki) == [f"{wiki}{one.name}" for one in alerts()]
    site.write_text(re.sub(r"(?s)\[console\].*?\n\n", "", text), encoding="utf-8")
    assert urls() == [one.page for one in alerts()]


@pytest.mark.parametrize("wrong", ["wiki.example/", "https://wiki.example", "https://a/{{ b }}/"])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    site = str(PROJECT / "deploy/compose/site.toml")
    done = CliRunner().invoke(app, ["rules", "--site", site, "--runbooks", wrong])
    assert isinstance(done.exception, QuestionError)
    assert not done.stdout


def test_names_are_given_once() -> None:
    names = [alert.name for alert in alerts()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"Renkei[A-Z][A-Za-z]+", name) for name in names)


@EVERY
def test_it_asks_only_for_what_the_code_tells(alert: Alert) -> None:
    known = {**TOLD, **OF_PROMETHEUS}
    for metric, labels in asked(alert.expression):
        assert metric in known, metric
        assert labels <= {*known[metric], *ALWAYS}, (metric, labels)
    possible = {label for metric, _ in asked(alert.expression) for label in known[metric]}
    assert grouped(alert.expression) <= possible | ALWAYS


@EVERY
def test_cases_show_it_fire_and_not_fire(alert: Alert) -> None:
    firing = {case.firing > 0 for case in alert.cases}
    assert firing == ({True} if alert.severity is Severity.NONE else {True, False})
    for case in alert.cases:
        for series in case.series:
            assert all(metric in {**TOLD, **OF_PROMETHEUS} for metric, _ in asked(series))


@EVERY
def test_its_summary_says_the_same_in_both_languages(alert: Alert) -> None:
    assert alert.summary.en.endswith((".", "."))
    assert alert.summary.ja.endswith(("。", "}}"))
    quoted = re.compile(r"\$labels\.(\w+)")
    labels = set(quoted.findall(alert.summary.en)) | set(quoted.findall(alert.summary.ja))
    possible = {label for metric, _ in asked(alert.expression) for label in TOLD.get(metric, ())}
    assert labels <= possible | {"process", "system"}


@EVERY
def test_its_page_says_what_to_do(alert: Alert) -> None:
    path = PROJECT / alert.page
    text = path.read_text(encoding="utf-8")
    assert pages.page(text, alert) == text, "run 'renkei docs'"
    assert text.startswith(f"# {alert.name}\n")
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == pages.HEADINGS
    for target, anchor in LINK.findall(text):
        page = path.parent / target if target else path
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), f"{target}#{anchor}"


def test_every_command_of_a_page_is_there() -> None:
    found = 0
    for path in (PROJECT / "docs/operations/alerts").glob("*.md"):
        for line in commands(path.read_text(encoding="utf-8")):
            found += 1
            understand(shlex.split(line)[1:])
    assert found > len(alerts()) / 2


@pytest.mark.parametrize(
    ("shelf", "group"), [("confirmation", "confirmations"), ("dead-letter", "dead-letters")]
)
def test_what_waits_too_long_for_an_approval_is_told_and_its_page_lists_it(
    shelf: str, group: str
) -> None:
    metric = f'renkei_aside_oldest_timestamp_seconds{{list="{shelf}"}}'
    (alert,) = (one for one in alerts() if metric in one.expression)
    listed = [
        " ".join(line.split())
        for line in commands((PROJECT / alert.page).read_text(encoding="utf-8"))
    ]
    for state in ("open", "requested"):  # as hub.ledger.asides.oldest_undecided counts them
        wanted = f"renkei {group} list --status {state} "
        assert any(line.startswith(wanted) for line in listed), state


def test_a_command_that_is_not_there_is_found() -> None:
    with pytest.raises(AssertionError):
        understand(["ledger", "mend"])
    with pytest.raises(AssertionError):
        understand(["top", "--twice"])


def test_the_index_names_them_all_and_no_page_is_left_over() -> None:
    folder = PROJECT / "docs/operations/alerts"
    index = (folder / pages.INDEX).read_text(encoding="utf-8")
    assert pages.index(index, alerts()) == index, "run 'renkei docs'"
    there = {path.name for path in folder.iterdir()}
    assert there == {pages.INDEX, *(f"{alert.name}.md" for alert in alerts())}


def test_immediate_flows_are_those_of_the_source() -> None:
    at_once = {flow.ref for flow in load_catalogue().flows if "即時交付" in flow.frequency}
    assert set(IMMEDIATE) == at_once


def anchors(page: Path) -> set[str]:
    """Name a page's headings as GitHub links to them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", one.lower()) for one in headings)
    return {one.replace(" ", "-") for one in kept}
