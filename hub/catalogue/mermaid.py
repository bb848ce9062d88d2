"""The catalogue as a Mermaid flowchart, for pages that draw such by themselves."""

from collections.abc import Iterator

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

_LINKS = {
    Standing.PERMITTED: "-->",
    Standing.HELD: "-.->",
    Standing.DENIED: "--x",
    Standing.NOT_IN_FORCE: "-.->",
}
_STYLES = {
    Standing.HELD: "stroke:#a14a00,color:#a14a00",
    Standing.DENIED: "stroke:#c00000,color:#c00000",
    Standing.NOT_IN_FORCE: "stroke:#888888,color:#666666",
}


def mermaid(shown: View, language: Language) -> str:
    """Write the flows of a view as a flowchart, one link for each leg and receiver."""
    return "\n".join([*_lines(shown, language), ""])


def _lines(shown: View, language: Language) -> Iterator[str]:
    drawn = list(arrows(shown))
    yield "flowchart LR"
    ends = {end for arrow in drawn for end in (arrow.sender, arrow.receiver)}
    for system in [one for one in shown.catalogue.systems if one in ends]:
        name = system_name(shown.catalogue, system, language)
        yield f'  {_id(system)}["{_text(name)}<br/>{system}"]'
    if NOWHERE in ends:
        name = system_name(shown.catalogue, NOWHERE, language)
        yield f'  {_id(NOWHERE)}["{_text(name)}"]'
    for arrow in drawn:
        link = _LINKS[arrow.of.answer.state]
        yield (f'  {_id(arrow.sender)} {link}|"{_label(arrow, language)}"| {_id(arrow.receiver)}')
    for state, style in _STYLES.items():
        numbers = [str(n) for n, arrow in enumerate(drawn) if arrow.of.answer.state is state]
        if numbers:
            yield f"  linkStyle {','.join(numbers)} {style}"


def _label(arrow: Arrow, language: Language) -> str:
    flow, state = arrow.of.flow, arrow.of.answer.state
    text = f"{flow.ref} {title(flow, language)}"
    if state is not Standing.PERMITTED:
        text += f" ({told(STATES[state], language)})"
    return _text(text)


def _id(system: str) -> str:
    """Give a node's id: a word that Mermaid never takes for one of its own, such as ``end``."""
    return "nowhere" if system == NOWHERE else f"s_{system.replace('-', '_')}"


def _text(text: str) -> str:
    """Give a text as it may stand between quotes."""
    for character, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, code)
    return text
