"""What a person can do next about an answer: the lines of the site file, or whom to ask."""

from collections.abc import Iterator

from hub.statute.explain import Explanation
from hub.statute.model import Cell, Flow, Standing
from hub.statute.scope import SCOPE_RULES

_PLACE = {
    Cell.BASIS: (
        'basis = [{ law = "…", article = "…", valid_from = YYYY-MM-DD }]',
        "the law and article that permit it, and since when",
    ),
    Cell.PURPOSE: ('purpose = "…"', "what the receiver uses it for"),
    Cell.PERSONS: (
        'whose = { rule = "…", text = "…" }',
        f"rules: {', '.join(sorted(SCOPE_RULES))}",
    ),
    Cell.FREQUENCY: ('frequency = "…"', "when and how often"),
    Cell.TRANSPORT: ('transport = "…"', "by which means"),
}
_TYPE = ('message_type = "…"', "renkei flows lists those there are")


def advice(answer: Explanation) -> list[str]:
    """Give lines for a person, in English; empty where nothing needs doing."""
    match answer.state:
        case Standing.HELD if answer.flow is not None and answer.flow.completed is None:
            return [
                "Complete it in the site file, once somebody at the city has decided it:",
                *(f"    {line}" for line in completing(answer.flow)),
                "Then: renkei check --site FILE, and renkei broker apply --site FILE, until which",
                "the broker refuses what is new.",
            ]
        case Standing.NOT_IN_FORCE:
            return [
                "Ask for another day with --on, or give routes/ the article that is in force now."
            ]
        case Standing.DENIED if answer.flow is not None and answer.flow.closed is not None:
            table = f"[catalogue.flows.{answer.flow.ref}]"
            return [f"It moves again when its table {table} leaves the site file."]
        case Standing.DENIED:
            return ["Do not send it. No site file can permit it; only a revised assessment can."]
        case Standing.UNKNOWN:
            return [
                "See renkei flows for what there is.",
                "A flow of the city's own: [catalogue.own.<ref>] in the site file, with its basis.",
            ]
        case _:
            return []


def completing(flow: Flow) -> list[str]:
    """Give the lines of a site file that complete a held flow, with what to fill in."""
    return list(_completing(flow))


def _completing(flow: Flow) -> Iterator[str]:
    yield f"[catalogue.flows.{flow.ref}]"
    if Cell.DATA in flow.missing:
        yield _line(*_TYPE)
    for cell in flow.missing:
        if cell in _PLACE:
            yield _line(*_PLACE[cell])
    if Cell.DATA in flow.missing or Cell.DESTINATION in flow.missing:
        named = [one for leg in flow.legs for one in leg.receivers]
        for receiver in named or ["<system>"]:
            yield _line(f'receivers.{receiver} = {{ fields = ["…"] }}', "what this receiver gets")
    yield _line('decided_by = "…"', "department and name of who decided it")
    yield _line("decided_on = YYYY-MM-DD", "from this day on it moves")


def _line(text: str, why: str) -> str:
    return f"{text}  # {why}"
