"""Flows that are late by their statutory frequency, and those that are due next."""

from dataclasses import dataclass

from starlette.responses import Response

from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say
from monitoring.console.visit import Visit
from monitoring.figures.lines import Line, Picture


@dataclass(frozen=True, slots=True)
class Due:
    """A flow that has a due time; ``late`` is by how many seconds it is over, or 0."""

    line: Line
    late: float


def due_flows(picture: Picture) -> list[Due]:
    """Give each flow with a due time once, what is due for the longest first."""
    found: dict[str, Due] = {}
    for line in picture.lines:
        if line.due is not None:
            late = (picture.at - line.due).total_seconds()
            found.setdefault(line.key.flow, Due(line, max(0.0, late)))
    return sorted(found.values(), key=lambda one: (one.line.due or picture.at, one.line.key.flow))


def _late(visit: Visit) -> Response:
    picture = visit.office.figures.look()
    flows = due_flows(picture)
    return visit.show(
        "late.html",
        say=Say(visit.words, visit.office.catalogue()),
        late=[one for one in flows if one.late],
        coming=[one for one in flows if not one.late],
        is_known=picture.live.due is not None,
        at=picture.at,
    )


PAGES = (Page("late", "/late", Right.OVERVIEW, _late, menu=70, alone=False),)
