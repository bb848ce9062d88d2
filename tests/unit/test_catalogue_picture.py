"""The picture: every arrow from box to box, no label upon a label, a box or a line."""

import datetime as dt
import itertools
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalogue.columns import FONT, HUB_GAP, LINE, OUTER_LABELS, Edge
from hub.catalogue.picture import Picture, draw
from hub.catalogue.svg import Mark, line_id, svg
from hub.catalogue.text import width, wrap
from hub.catalogue.view import NOWHERE, Language, arrows, newest_day, view
from hub.statute.catalogue import load_catalogue
from hub.statute.model import Standing
from tests.samples import FLOW_TOML, routes

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
DAYS = [dt.date(2015, 10, 5), dt.date(2019, 1, 1), newest_day(CATALOGUE)]
SVG = "{http://www.w3.org/2000/svg}"

Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def labels(picture: Picture) -> Iterator[Area]:
    for path in picture.paths:
        label = path.label
        wide = max(width(line, FONT) for line in label.lines)
        top = label.y - FONT + 2
        yield label.x, top, label.x + wide, top + LINE * len(label.lines)


def boxes(picture: Picture) -> list[Area]:
    return [(box.x, box.y, box.x + box.width, box.y + box.height) for box in picture.boxes]


def strokes(picture: Picture) -> Iterator[Area]:
    for path in picture.paths:
        for (ax, ay), (bx, by) in itertools.pairwise(path.points):
            yield min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def overlap(one: Area, other: Area) -> bool:
    return (
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ) or (one == other)


def is_sound(picture: Picture) -> None:
    placed = {box.system: box for box in picture.boxes}
    assert len(placed) == len(picture.boxes)
    for one, other in itertools.combinations(boxes(picture), 2):
        assert not overlap(one, other)
    for one, other in itertools.combinations(list(labels(picture)), 2):
        assert not overlap(one, other)
    for label in labels(picture):
        assert not any(overlap(label, box) for box in boxes(picture))
        assert not any(overlap(label, stroke) for stroke in strokes(picture))
        assert label[0] >= 0
        assert label[2] <= picture.width
    for path in picture.paths:
        for (x, y), system in zip((path.points[0], path.points[-1]), path.edge.ends, strict=True):
            box = placed[system]
            assert x in {box.x, box.x + box.width}
            assert box.y < y < box.y + box.height
        for (ax, ay), (bx, by) in itertools.pairwise(path.points):
            assert ax == bx or ay == by
    for stroke in strokes(picture):
        inside = (stroke[0] + 1, stroke[1], stroke[2] - 1, stroke[3])
        assert not any(overlap(inside, box) for box in boxes(picture) if inside[0] < inside[2])


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("system", [None, *CATALOGUE.connected()])
def test_the_catalogue_is_drawn_soundly(day: dt.date, system: str | None) -> None:
    shown = view(CATALOGUE, day, system)
    drawn = list(arrows(shown))
    ends = {end for arrow in drawn for end in (arrow.sender, arrow.receiver)}
    edges = [
        Edge(n, one.sender, one.receiver, f"{one.of.flow.ref} {one.of.flow.title_ja}")
        for n, one in enumerate(drawn)
    ]
    picture = draw(dict.fromkeys(sorted(ends), "あるシステム"), edges, system)
    assert [path.edge for path in sorted(picture.paths, key=lambda p: p.edge.number)] == edges
    is_sound(picture)
    assert picture.width <= 1420


SYSTEMS = [f"system-{n}" for n in range(9)]


@given(
    st.lists(
        st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS)).filter(
            lambda ends: ends[0] != ends[1]
        ),
        min_size=1,
        max_size=24,
    ),
    st.sampled_from([None, *SYSTEMS]),
)
def test_any_catalogue_is_drawn_soundly(pairs: list[tuple[str, str]], middle: str | None) -> None:
    edges = [
        Edge(n, sender, receiver, f"T{n} 情報の名称" * (1 + n % 3))
        for n, (sender, receiver) in enumerate(pairs)
    ]
    picture = draw(dict.fromkeys(SYSTEMS, "長い名前を持つ後期高齢者医療システム"), edges, middle)
    assert {box.system for box in picture.boxes} == set(SYSTEMS)
    assert len(picture.paths) == len(edges)
    is_sound(picture)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_picture_names_every_flow_and_system(language: Language) -> None:
    shown = view(CATALOGUE, newest_day(CATALOGUE))
    text = svg(shown, language)
    root = ET.fromstring(text)  # noqa: S314 - as above
    said = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    for one in shown.flows:
        assert any(line.split(" ")[0] == one.flow.ref for line in said)
    whole = "".join(said).replace(" ", "")
    for system in CATALOGUE.connected():
        name = (
            CATALOGUE.systems[system].name_ja
            if language == "ja"
            else CATALOGUE.systems[system].name
        )
        assert name.replace(" ", "") in whole
    assert text == svg(view(load_catalogue(), newest_day(CATALOGUE)), language)


def test_held_is_dashed_and_denied_is_red_and_crossed() -> None:
    shown = view(CATALOGUE, newest_day(CATALOGUE))
    root = ET.fromstring(svg(shown, "ja"))  # noqa: S314 - as above
    lines = list(root.iter(f"{SVG}polyline"))
    states = [arrow.of.answer.state for arrow in arrows(shown)]
    held = [one for one in lines if one.get("marker-end") == "url(#held)"]
    denied = [one for one in lines if one.get("marker-end") == "url(#denied)"]
    assert len(held) == states.count(Standing.HELD) > 0
    assert len(denied) == states.count(Standing.DENIED) > 0
    assert all(one.get("stroke-dasharray") for one in held)
    crosses = [one for one in root.iter(f"{SVG}path") if one.get("stroke-width") == "3"]
    assert len(crosses) == len(denied) + 1  # one more in the legend
    assert {one.get("stroke") for one in (*crosses, *denied)} == {"#c00000"}


def test_a_name_with_marks_of_xml_is_drawn_as_it_is(tmp_path: Path) -> None:
    flow = FLOW_TOML.replace('title_ja = "流れ"', 'title_ja = "甲 & <乙> \\"丙\\""')
    catalogue = load_catalogue(routes(tmp_path / "routes", {"T1.toml": flow}))
    root = ET.fromstring(svg(view(catalogue, newest_day(catalogue)), "ja"))  # noqa: S314
    assert 'T1 甲 & <乙> "丙"' in {"".join(one.itertext()) for one in root.iter(f"{SVG}text")}


def test_a_neighbour_is_drawn_alone() -> None:
    root = ET.fromstring(svg(view(CATALOGUE, DAYS[0], "family-registry"), "ja"))  # noqa: S314
    said = {"".join(one.itertext()) for one in root.iter(f"{SVG}text")}
    assert "このシステムとの流れはありません。" in said
    assert list(root.iter(f"{SVG}polyline")) == []


def test_a_missing_destination_is_drawn_as_such() -> None:
    shown = view(CATALOGUE, newest_day(CATALOGUE))
    assert NOWHERE in {arrow.receiver for arrow in arrows(shown)}
    assert "（移転先の記載なし）" in svg(shown, "ja")


@given(st.text(alphabet="ab 情報ー、（）［］アイ", min_size=1, max_size=60), st.integers(60, 300))
def test_wrapping_loses_nothing_and_keeps_to_the_width(text: str, most: int) -> None:
    lines = wrap(text, FONT, most)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        if any(one >= "ぁ" for one in line) and not any(mark in line for mark in "、（）［］ーab"):
            assert width(line, FONT) <= most


def test_lines_break_where_japanese_does() -> None:
    assert wrap("既存住民基本台帳システム", 10, 100) == ["既存住民基本台帳", "システム"]
    assert wrap("甲の情報（乙）", 10, 60) == ["甲の情報", "（乙）"]
    assert wrap("one two three", 10, 45) == ["one two", "three"]
    assert wrap("", 10, 45) == [""]
    assert HUB_GAP > OUTER_LABELS > 0


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_live_picture_links_every_arrow_and_has_room_for_its_figures(day: dt.date) -> None:
    shown = view(CATALOGUE, day)
    drawn = list(arrows(shown))
    name = line_id(drawn[0].of.flow.ref, drawn[0].sender, drawn[0].receiver)
    mark = Mark("ok", '● 1 & "2"', "<動いています>", "!3")
    root = ET.fromstring(svg(shown, "ja", {name: mark}))  # noqa: S314 - our own text
    links = list(root.iter(f"{SVG}a"))
    assert {one.get("data-line") for one in links} == {
        line_id(one.of.flow.ref, one.sender, one.receiver) for one in drawn
    }
    assert len(links) == len(drawn)
    assert root.get("role") == "group"
    for link in links:
        (figure,) = [one for one in link.iter(f"{SVG}text") if one.get("class") == "figure"]
        others = [one for one in link.iter(f"{SVG}text") if one is not figure]
        assert float(figure.get("y", "")) == max(float(o.get("y", "")) for o in others) + LINE
        ours = link.get("data-line") == name
        told, errors = figure
        assert told.text == (mark.text if ours else None)
        assert errors.text == (mark.errors if ours else None)
        assert link.get("data-state") == ("ok" if ours else "unknown")
        assert link.get("aria-label", "").endswith(mark.said) is ours
        ref = link.get("data-line", "").split(":")[0]
        assert link.get("href") == f"/flows/{quote(ref, safe='')}"
