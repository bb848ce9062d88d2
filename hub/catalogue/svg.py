"""The catalogue's picture as SVG: systems as boxes, flows as labelled arrows."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from hub.catalogue.columns import FONT, LINE, Edge
from hub.catalogue.legend import LOOKS, cross, escaped, legend
from hub.catalogue.picture import MARGIN, Box, Path, Picture, Point, draw
from hub.catalogue.view import (
    NOWHERE,
    STATES,
    Arrow,
    Language,
    View,
    arrows,
    system_name,
    title,
    told,
)
from hub.statute.model import Standing
from hub.statute.reasons import Sentence

_FONTS = (
    "'Noto Sans CJK JP', 'Noto Sans JP', 'Hiragino Sans', 'Yu Gothic', Meiryo, "
    "'IPAexGothic', sans-serif"
)
_HEAD = 64
_LEGEND_LINE = 24
_NARROWEST = 640
_HEADING = Sentence("Statutory flows on", "法定の流れ")
_ON = Sentence("", "現在")
_NO_FLOW = Sentence("No flow reaches this system.", "このシステムとの流れはありません。")
_DESCRIPTION = Sentence(
    "Boxes are systems, arrows are flows from sender to receiver.",
    "箱はシステム、矢印は送付元から送付先への流れを表します。",
)


class Mark(NamedTuple):
    """What an arrow says of this moment: a state, the line below its label, and the whole in words.

    The state is a word for style sheets. ``errors`` ends the line, where there are any.
    """

    state: str
    text: str
    said: str
    errors: str = ""


def line_id(ref: str, sender: str, receiver: str) -> str:
    """Name an arrow in a live picture; ``receiver`` is empty where the flow lacks it."""
    return f"{ref}:{sender}:{'' if receiver == NOWHERE else receiver}"


def svg(shown: View, language: Language, marks: Mapping[str, Mark] | None = None) -> str:
    """Draw the flows of a view; the text is a whole file.

    With ``marks`` (by ``line_id``) it is a live picture, to stand within a page: each arrow is a
    link to its flow's page and has a line of its own for figures, empty where it has no mark.
    """
    drawn = list(arrows(shown))
    room = 0 if marks is None else 1
    edges = [
        Edge(number, arrow.sender, arrow.receiver, _text(arrow, language), room)
        for number, arrow in enumerate(drawn)
    ]
    picture = draw(_systems(shown, drawn, language), edges, shown.system)
    states = [arrow.of.answer.state for arrow in drawn]
    across = max(picture.width, _NARROWEST)
    below = legend(shown, states, across, language)
    size = (across, picture.height + _HEAD + _LEGEND_LINE * (len(below) + 1))
    body = [
        *_head(shown, language),
        f'<g transform="translate(0 {_HEAD - MARGIN})">',
        *_arrows(picture, drawn, marks),
        "</g>",
        *_placed(below, picture.height + _HEAD),
    ]
    opening = _opening(shown, size, language, is_live=marks is not None)
    return "\n".join([*opening, *body, "</svg>", ""])


def _arrows(
    picture: Picture, drawn: list[Arrow], marks: Mapping[str, Mark] | None
) -> Iterator[str]:
    states = [arrow.of.answer.state for arrow in drawn]
    boxes = (_box(box, picture) for box in picture.boxes)
    if marks is None:
        yield from (_line(path, states[path.edge.number]) for path in picture.paths)
        yield from boxes
        yield from (_label(path, states[path.edge.number]) for path in picture.paths)
        return
    yield from boxes
    for path in picture.paths:
        arrow, state = drawn[path.edge.number], states[path.edge.number]
        yield _linked(path, arrow, state, marks)


def _linked(path: Path, arrow: Arrow, state: Standing, marks: Mapping[str, Mark]) -> str:
    ref = arrow.of.flow.ref
    name = line_id(ref, arrow.sender, arrow.receiver)
    mark = marks.get(name, Mark("unknown", "", ""))
    label = " ".join(filter(None, path.label.lines))
    said = " ".join(filter(None, (label, mark.text, mark.errors, mark.said)))
    low = path.label.y + LINE * (len(path.label.lines) - 1)
    # What is read aloud has a blank between lines, and so has to be what is seen (WCAG 2.5.3).
    seen = _label(path, state).replace("</text>", "</text> ")
    return (
        f'<a href="/flows/{quote(ref, safe="")}" data-line="{escaped(name)}" '
        f'data-state="{escaped(mark.state)}" data-name="{escaped(label)}" '
        f'aria-label="{escaped(said)}">'
        f"{_line(path, state)}{seen}"
        f'<text class="figure" x="{path.label.x}" y="{low}" font-size="{FONT}">'
        f'<tspan>{escaped(mark.text)}</tspan> <tspan class="errors">{escaped(mark.errors)}</tspan>'
        "</text></a>"
    )


def _systems(shown: View, drawn: list[Arrow], language: Language) -> dict[str, str]:
    """Give the systems that are drawn with their names, in the catalogue's order."""
    ends = {end for arrow in drawn for end in (arrow.sender, arrow.receiver)}
    ends |= {shown.system} if shown.system else set()
    known = [system for system in shown.catalogue.systems if system in ends]
    order = [*known, *sorted(ends - set(known))]
    return {system: system_name(shown.catalogue, system, language) for system in order}


def _text(arrow: Arrow, language: Language) -> str:
    """Give an arrow's label: reference, place among the legs, title, and a state that stops it."""
    flow, state = arrow.of.flow, arrow.of.answer.state
    legs = flow.legs
    place = f" {legs.index(arrow.leg) + 1}/{len(legs)}" if len(legs) > 1 else ""
    text = f"{flow.ref}{place} {title(flow, language)}"
    if state is Standing.PERMITTED:
        return text
    word = told(STATES[state], language)
    return f"{text}［{word}］" if language == "ja" else f"{text} [{word}]"


def _opening(
    shown: View, size: tuple[int, int], language: Language, *, is_live: bool
) -> Iterator[str]:
    wide, high = size
    # An image has no parts for a screen reader; what has links in it is a group of them.
    role = "group" if is_live else "img"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" '
        f'height="{high}" font-family="{_FONTS}" role="{role}" lang="{language}" '
        'aria-labelledby="title description">'
    )
    yield f'<title id="title">{escaped(_heading(shown, language))}</title>'
    yield f'<desc id="description">{escaped(told(_DESCRIPTION, language))}</desc>'
    yield "<defs>"
    for state, look in LOOKS.items():
        # In a live picture a style sheet gives lines their colour and width.
        colour = "context-stroke" if is_live else look.colour
        head = 'markerWidth="7" markerHeight="7"'
        if is_live:
            head = 'markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse"'
        yield (
            f'<marker id="{state}" viewBox="0 0 10 10" refX="9.5" refY="5" {head} '
            f'orient="auto"><path d="M0 0L10 5L0 10z" fill="{colour}"/>'
            "</marker>"
        )
    yield "</defs>"
    yield f'<rect width="{wide}" height="{high}" fill="#ffffff"/>'


def _heading(shown: View, language: Language) -> str:
    name = f": {system_name(shown.catalogue, shown.system, language)}" if shown.system else ""
    day = f"（{shown.day}{told(_ON, language)}）" if language == "ja" else f" {shown.day}"
    return f"{told(_HEADING, language)}{day}{name}"


def _head(shown: View, language: Language) -> Iterator[str]:
    heading = escaped(_heading(shown, language))
    yield f'<text x="{MARGIN}" y="34" font-size="18" font-weight="bold">{heading}</text>'
    if not shown.flows:
        text = escaped(told(_NO_FLOW, language))
        yield f'<text x="{MARGIN}" y="56" font-size="{FONT}">{text}</text>'


def _box(box: Box, picture: Picture) -> str:
    missing = box.system == NOWHERE
    main = box is picture.boxes[0]
    fill = "#fff4e5" if missing else "#dce9f5" if main else "#f2f5f8"
    edge = "#a14a00" if missing else "#44546a"
    dashes = ' stroke-dasharray="5 4"' if missing else ""
    lines = list(box.name) if missing else [*box.name, box.system]
    x = box.x + box.width // 2
    y = box.y + (box.height - LINE * len(lines)) // 2 + FONT
    texts = []
    for number, line in enumerate(lines):
        is_id = number == len(box.name)
        style = (
            'font-size="10.5" fill="#555555"'
            if is_id
            else f'font-size="{FONT + 1}" font-weight="bold"'
        )
        texts.append(f'<text x="{x}" y="{y + LINE * number}" {style}>{escaped(line)}</text>')
    return (
        f'<g text-anchor="middle"><rect x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="6" fill="{fill}" stroke="{edge}" stroke-width="1.5"{dashes}/>'
        f"{''.join(texts)}</g>"
    )


def _line(path: Path, state: Standing) -> str:
    look = LOOKS[state]
    dashes = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
    points = " ".join(f"{x},{y}" for x, y in path.points)
    line = (
        f'<polyline points="{points}" fill="none" stroke="{look.colour}" stroke-width="1.6"'
        f'{dashes} marker-end="url(#{state})"/>'
    )
    if state is Standing.DENIED:
        line += cross(_beside_label(path.points), look.colour)
    return line


def _beside_label(points: tuple[Point, ...]) -> Point:
    """Give a point of the row with the label, to the right: labels begin at the left."""
    (ax, y), (bx, _) = points[0], points[1]
    return max(ax, bx) - abs(bx - ax) // 7, y


def _label(path: Path, state: Standing) -> str:
    colour = LOOKS[state].colour if state is not Standing.PERMITTED else "#111111"
    ref, _, rest = path.label.lines[0].partition(" ")
    lines = [f'<tspan font-weight="bold">{escaped(ref)}</tspan> {escaped(rest)}']
    lines += map(escaped, path.label.lines[1:])
    x, y = path.label.x, path.label.y
    return "".join(
        f'<text x="{x}" y="{y + LINE * number}" font-size="{FONT}" fill="{colour}">{line}</text>'
        for number, line in enumerate(lines)
        if line
    )


def _placed(lines: list[str], top: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f'<g transform="translate(0 {top + _LEGEND_LINE * number})">{line}</g>'
