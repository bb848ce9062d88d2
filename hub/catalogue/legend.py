"""How arrows look by their state, and the lines below the picture that say so."""

import html
from collections.abc import Iterable
from dataclasses import dataclass

from hub.catalogue.columns import FONT
from hub.catalogue.picture import MARGIN, Point
from hub.catalogue.text import width, wrap
from hub.catalogue.view import STATES, Language, View, system_name, told
from hub.statute.model import Standing
from hub.statute.reasons import Sentence

_SAMPLE = 44


@dataclass(frozen=True, slots=True)
class Look:
    """The colour of a line, and its dashes as SVG has them; none where it is whole."""

    colour: str
    dashes: str = ""


LOOKS = {
    Standing.PERMITTED: Look("#1f4e79"),
    Standing.HELD: Look("#a14a00", "7 4"),
    Standing.DENIED: Look("#c00000"),
    Standing.NOT_IN_FORCE: Look("#666666", "2 4"),
}
_NEIGHBOURS = Sentence("Neighbour systems, which no flow reaches: ", "隣接システム（流れなし）: ")


def legend(shown: View, states: Iterable[Standing], across: int, language: Language) -> list[str]:
    """Give the lines below a picture ``across`` wide; each is drawn from 0, 0."""
    used = set(states)
    x = MARGIN
    parts = []
    for state in (state for state in LOOKS if state in used):
        word = told(STATES[state], language)
        if language == "en":
            word = f"{word}: {sum(one.answer.state is state for one in shown.flows)}"
        else:
            word = f"{word}（{sum(one.answer.state is state for one in shown.flows)}件）"
        look = LOOKS[state]
        dashes = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
        parts.append(
            f'<line x1="{x}" y1="-4" x2="{x + _SAMPLE}" y2="-4" stroke="{look.colour}" '
            f'stroke-width="1.6"{dashes} marker-end="url(#{state})"/>'
        )
        if state is Standing.DENIED:
            parts.append(cross((x + _SAMPLE // 2, -4), look.colour))
        x += _SAMPLE + 8
        parts.append(f'<text x="{x}" y="0" font-size="{FONT}">{escaped(word)}</text>')
        x += int(width(word, FONT)) + 28
    lines = ["".join(parts)] if parts else []
    names = [
        system_name(shown.catalogue, system, language)
        for system in shown.catalogue.systems
        if shown.catalogue.is_neighbour(system)
    ]
    if names and shown.system is None:
        joined = ("、" if language == "ja" else ", ").join(names)
        text = told(_NEIGHBOURS, language) + joined
        lines += (
            f'<text x="{MARGIN}" y="0" font-size="{FONT}" fill="#555555">{escaped(line)}</text>'
            for line in wrap(text, FONT, across - 2 * MARGIN)
        )
    return lines


def cross(at: Point, colour: str) -> str:
    """Draw the mark of what is denied."""
    x, y = at
    return (
        f'<path d="M{x - 5} {y - 5}L{x + 5} {y + 5}M{x - 5} {y + 5}L{x + 5} {y - 5}" '
        f'stroke="{colour}" stroke-width="3"/>'
    )


def escaped(text: str) -> str:
    """Write a text so that XML takes it as text, in an attribute too."""
    return html.escape(text, quote=True)
