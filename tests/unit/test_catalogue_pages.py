"""Tables, pages and stories: what a person reads about a flow is what the catalogue says."""

import datetime as dt
import re
import tomllib
from pathlib import Path

import pytest

from hub.catalogue.advice import advice, completing
from hub.catalogue.markdown import flows_table, page
from hub.catalogue.mermaid import mermaid
from hub.catalogue.story import story
from hub.catalogue.table import HEADERS, rows
from hub.catalogue.view import Language, arrows, newest_day, view, way
from hub.errors import QuestionError
from hub.site import CatalogueSite
from hub.statute.catalogue import load_catalogue
from hub.statute.explain import explain
from hub.statute.model import Standing
from hub.statute.overrides import decided
from tests.samples import FLOW_TOML, routes

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
NEWEST = newest_day(CATALOGUE)
HELD = [flow.ref for flow in CATALOGUE.flows if flow.standing(NEWEST) is Standing.HELD]
DECIDED = """
[catalogue.flows.{ref}]
{change}
decided_by = "甲課 乙"
decided_on = 2026-04-01
"""


def told(ref: str, day: dt.date = NEWEST) -> str:
    (answer,) = explain(CATALOGUE, day, ref=ref)
    return "\n".join(story(CATALOGUE, answer, day))


def site(ref: str, change: str) -> CatalogueSite:
    document = tomllib.loads(DECIDED.format(ref=ref, change=change))
    return CatalogueSite.model_validate(document["catalogue"])


# -- view -------------------------------------------------------------------------------------


def test_the_newest_day_is_the_last_on_which_anything_begins() -> None:
    assert dt.date(2025, 1, 14) == NEWEST
    closed = decided(CATALOGUE, site("B1", 'close = true\nreason = "試験"')).catalogue
    assert newest_day(closed) == dt.date(2026, 4, 1)
    assert newest_day(load_catalogue()) == NEWEST


def test_a_system_has_the_flows_that_it_sends_or_receives() -> None:
    refs = {one.flow.ref for one in view(CATALOGUE, NEWEST, "number-linkage").flows}
    assert refs == {"I8a", "I8b", "I9", "I10a", "I10b", "I11a", "I11b", "X1"}
    with pytest.raises(QuestionError, match="did you mean tax"):
        view(CATALOGUE, NEWEST, "taxx")


def test_a_way_names_every_leg() -> None:
    ways = {flow.ref: way(CATALOGUE, flow) for flow in CATALOGUE.flows}
    assert ways["I11a"] == "premium-collection → number-linkage → intermediate-server"
    assert ways["I1"] == "resident-registry → premium-collection"
    assert ways["M3"] == "premium-collection → ?"
    assert sum(1 for _ in arrows(view(CATALOGUE, NEWEST))) == len(CATALOGUE.flows) + 2


# -- table and pages --------------------------------------------------------------------------


def test_the_table_says_what_holds_on_the_day() -> None:
    listed = {row[0]: row for row in rows(view(CATALOGUE, dt.date(2019, 1, 1)))}
    assert list(listed) == [flow.ref for flow in CATALOGUE.flows]
    assert {len(row) for row in listed.values()} == {len(HEADERS)}
    assert listed["I1"][1] == "permitted"
    assert "別表第1の59の項" in listed["I1"][5]
    assert listed["B1"][5].endswith("（ファイル全体）")
    assert listed["I12a"][5] == "missing: legal basis"
    assert listed["I11a"][5].startswith("in force 2022-02-22")
    assert listed["X1"][1] == "denied"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_has_every_flow_with_all_that_its_route_states(language: Language) -> None:
    shown = view(CATALOGUE, NEWEST)
    text = page(shown, language, "picture.svg")
    assert "](picture.svg)" in text
    parts = dict(re.findall(r'### <a id="(\w+)"></a>(.*?)(?=\n##)', text, re.DOTALL))
    assert list(parts) == [flow.ref.lower() for flow in CATALOGUE.flows]
    for flow in CATALOGUE.flows:
        part = parts[flow.ref.lower()]
        for fact in (flow.purpose, flow.whose.text, flow.frequency, flow.transport, flow.section):
            assert fact in part
        for basis in flow.basis:
            assert f"| {basis.law} | {basis.article} | {basis.valid_from} |" in part
        for leg in flow.legs:
            for grant in leg.receivers.values():
                assert all(f"`{name}`" in part for name in grant.fields)
    widths = {
        len(re.findall(r"(?<!\\)\|", line)) for line in text.split("\n") if line.startswith("| [")
    }
    assert len(widths) == 1
    for system in CATALOGUE.systems:
        assert f"| `{system}` |" in text


def test_marks_of_markdown_in_a_title_do_no_harm(tmp_path: Path) -> None:
    flow = FLOW_TOML.replace('title_ja = "流れ"', 'title_ja = "甲|乙<b>"')
    catalogue = load_catalogue(routes(tmp_path / "routes", {"T1.toml": flow}))
    (line,) = [
        one
        for one in flows_table(view(catalogue, NEWEST), "ja").split("\n")
        if one.startswith("| T1")
    ]
    assert "甲\\|乙&lt;b>" in line


def test_the_page_says_where_lacking_characters_are_marked(tmp_path: Path) -> None:
    marking = FLOW_TOML.replace("[receivers.beta]", '[receivers.beta]\nunencodable = "mark"')
    for number, (text, is_told) in enumerate(((FLOW_TOML, False), (marking, True))):
        catalogue = load_catalogue(routes(tmp_path / str(number), {"T1.toml": text}))
        told_as = page(view(catalogue, NEWEST), "en", "picture.svg")
        assert ("lacking characters as 〓" in told_as) is is_told


def test_page_and_story_say_how_long_a_copy_is_tried_and_kept(tmp_path: Path) -> None:
    text = f"retry_minutes = 90\nexpires_hours = 6\n{FLOW_TOML}"
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": text}))
    assert "- copies not taken: tried for 90 min, void after 6 h" in page(
        view(catalogue, NEWEST), "en", "picture.svg"
    )
    assert "- 受け取られない写し: 再送は90分まで、6時間で失効" in page(
        view(catalogue, NEWEST), "ja", "picture.svg"
    )
    assert "copies not taken: tried for 24 h" in told("M1e")


def test_the_flowchart_has_every_leg_in_its_state() -> None:
    shown = view(CATALOGUE, NEWEST)
    lines = mermaid(shown, "ja").split("\n")
    assert lines[0] == "flowchart LR"
    links = [line for line in lines if re.search(r" (-->|-\.->|--x)\|", line)]
    assert len(links) == sum(1 for _ in arrows(shown))
    assert '  s_tax -->|"M1d 所得・課税情報"| s_union' in links
    (denied,) = [line for line in links if "--x|" in line]
    assert denied.startswith("  s_number_linkage") and "X1" in denied  # noqa: PT018 - one line
    assert sum("-.->|" in line for line in links) == len(HELD)
    styled = [line for line in lines if line.startswith("  linkStyle")]
    assert len(styled) == 2
    assert "end" not in {line.split()[0] for line in lines if line.strip()}


# -- story and advice -------------------------------------------------------------------------


def test_a_permitted_flow_is_told_with_the_article_in_force_marked() -> None:
    text = told("I2", dt.date(2020, 1, 1))
    assert text.startswith("I2: permitted on 2020-01-01 (認められる)")
    marked = [line for line in text.split("\n") if line.startswith("> ")]
    assert len(marked) == 1
    assert "別表第1の59の項" in marked[0]
    assert "not yet on that day: total_income from 2021-06-28" in text
    assert "個人番号 included" in text
    assert "rule insured-household" in text
    assert "next:" not in text


def test_both_legs_are_told_each_with_its_fields() -> None:
    text = told("I11a")
    assert "fields from premium-collection for number-linkage (19): addressee_number" in text
    assert "fields from number-linkage for intermediate-server (18): addressee_number" in text


@pytest.mark.parametrize(
    ("ref", "line"),
    [
        ("X1", "No site file can permit it"),
        ("I12a", "[catalogue.flows.I12a]"),
        ("M3", "receivers.<system> = "),
    ],
)
def test_what_may_not_move_is_told_with_what_to_do_next(ref: str, line: str) -> None:
    text = told(ref)
    assert line in text.partition("next:")[2]


def test_what_no_flow_permits_is_told_too() -> None:
    for sender, receiver in (("tax", "bank"), ("family-registry", "tax")):
        (answer,) = explain(CATALOGUE, NEWEST, sender=sender, receiver=receiver)
        lines = story(CATALOGUE, answer, NEWEST)
        assert lines[0] == "unknown on 2025-01-14 (目録になし)"
        assert "next:" in lines


def test_what_is_advised_about_a_closed_or_expired_flow() -> None:
    closed = decided(CATALOGUE, site("B1", 'close = true\nreason = "試験"')).catalogue
    (answer,) = explain(closed, dt.date(2026, 4, 1), ref="B1")
    assert "[catalogue.flows.B1]" in advice(answer)[0]
    (answer,) = explain(CATALOGUE, dt.date(2015, 1, 1), ref="B1")
    assert "--on" in advice(answer)[0]


@pytest.mark.parametrize("ref", HELD)
def test_the_advised_lines_complete_a_held_flow(ref: str) -> None:
    flow = CATALOGUE.flow(ref)
    assert flow is not None
    text = "\n".join(completing(flow))
    # What a person fills in.
    for blank, filled in (
        ("YYYY-MM-DD", "2026-04-01"),
        ("<system>", "bank"),
        ('message_type = "…"', 'message_type = "arrears.recorded"'),
        ('fields = ["…"]', 'fields = ["addressee_number"]'),
        ('rule = "…"', 'rule = "insured-household"'),
    ):
        text = text.replace(blank, filled)
    document = tomllib.loads(text.replace("…", "試験"))
    effective = decided(CATALOGUE, CatalogueSite.model_validate(document["catalogue"]))
    assert effective.faults == ()
    completed = effective.catalogue.flow(ref)
    assert completed is not None
    assert completed.standing(dt.date(2026, 4, 1)) is Standing.PERMITTED
    assert advice(explain(effective.catalogue, dt.date(2026, 4, 1), ref=ref)[0]) == []
