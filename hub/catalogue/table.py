"""The catalogue as the rows of a table, for a terminal."""

from hub.catalogue.view import FlowView, View, way
from hub.statute.model import NOT_SAID, Standing
from hub.statute.reasons import cells

HEADERS = ("ref", "state", "from → to", "message type", "data", "article in force", "frequency")


def rows(shown: View) -> list[tuple[str, ...]]:
    """Give a row for each flow, in the order of ``HEADERS``."""
    return [
        (
            one.flow.ref,
            str(one.answer.state),
            way(shown.catalogue, one.flow),
            one.flow.message_type or NOT_SAID,
            one.flow.title_ja,
            _basis(shown, one),
            one.flow.frequency,
        )
        for one in shown.flows
    ]


def _basis(shown: View, one: FlowView) -> str:
    """Give the article in force, or what keeps the flow from moving."""
    flow = one.flow
    match one.answer.state:
        case Standing.PERMITTED:
            basis = flow.basis_on(shown.day)
            level = "（ファイル全体）" if flow.basis_level == "file" else ""
            return f"{basis.article if basis else ''}{level}"
        case Standing.HELD:
            return f"missing: {cells(flow.missing).en}"
        case Standing.NOT_IN_FORCE:
            return f"in force {'; '.join(basis.period() for basis in flow.basis)}"
        case _:
            return one.flow.note_ja or NOT_SAID
