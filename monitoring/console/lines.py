"""The figures of each arrow as text: for the picture, the table below it, and the script. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.catalogue.svg import Mark, line_id
from hub.names import DEAD_QUEUE
from monitoring.console.shown import Say
from monitoring.console.views import when
from monitoring.figures.lines import Line, LineState
from monitoring.figures.live import Live

SIGNS: Mapping[LineState, str] = {
    LineState.OK: "●",
    LineState.SLOW: "▲",
    LineState.LATE: "◆",
    LineState.STOPPED: "■",
    LineState.UNKNOWN: "?",
    LineState.NOT_IN_FORCE: "–",
    LineState.HELD: "‖",
    LineState.DENIED: "✕",
}
"""A state is told by colour, by its sign and in words: none of them alone."""
HELP: Mapping[LineState, str] = {
    LineState.SLOW: "RenkeiQueueOld",
    LineState.LATE: "RenkeiFlowSilent",
    LineState.STOPPED: "RenkeiReceiverStopped",
    LineState.UNKNOWN: "RenkeiWatchAbsent",
}
"""The page of the manual that says what to do about a state."""
MOVES = frozenset(
    {LineState.OK, LineState.SLOW, LineState.LATE, LineState.STOPPED, LineState.UNKNOWN}
)
"""The states of what may move today."""
ERRORS = "!"
"""What the number of errors has before it: there is no room for a word in the picture."""
COLUMNS = ("state", "rate", "delay", "queue", "oldest", "refused", "dead", "last", "due")


class Told(NamedTuple):
    """An arrow in words: ``cells`` under ``COLUMNS``, ``help`` a page of the manual or none."""

    id: str
    flow: str
    sender: str
    receiver: str
    mark: Mark
    cells: tuple[str, ...]
    help: str = ""


def told(lines: Iterable[Line], say: Say) -> list[Told]:
    """Word the arrows in their order."""
    return [_told(line, say) for line in lines]


def untaken(live: Live, say: Say) -> str:
    """Say how much waits in the hub's partitions, which belong to no arrow."""
    queues = live.hub_queues()
    if queues is None:
        return "–"
    waiting = [one for name, one in queues.items() if name != DEAD_QUEUE and one.messages]
    if not waiting:
        return "0"
    number, oldest = sum(one.messages for one in waiting), max(one.oldest for one in waiting)
    return say.words("map.waiting", number=number, span=say.span(oldest))


def _told(line: Line, say: Say) -> Told:
    t = say.words
    sign, word = SIGNS[line.state], t(f"line.{line.state.value}")
    status = f"{sign} {word}"
    flow, sender, receiver = line.key
    moves = line.state in MOVES
    cells = (
        status,
        "–" if line.per_minute is None or not moves else f"{line.per_minute:.1f}",
        "–" if line.delay is None else say.span(line.delay),
        "–" if line.queue is None else str(line.queue),
        "–" if line.oldest is None or not line.queue else say.span(line.oldest),
        "–" if line.per_minute is None else str(line.refused),
        "–" if line.per_minute is None else str(line.dead),
        "–" if line.last is None else when(line.last, t.language),
        "–" if line.due is None else when(line.due, t.language),
    )
    text = sign
    said = word
    failed = 0 if line.per_minute is None else line.refused + line.dead
    if moves:
        parts = [t("line.rate", number=cells[1]), cells[2], t("line.queue", number=cells[3])]
        text = " ".join((sign, *(part for part in parts if "–" not in part)))
    if moves or failed:
        pairs = zip(COLUMNS[1:], cells[1:], strict=True)
        said = "; ".join((word, *(f"{t(f'column.{name}')} {cell}" for name, cell in pairs)))
    name = line_id(flow, sender, receiver)
    mark = Mark(line.state.value, text, said, f"{ERRORS}{failed}" if failed else "")
    return Told(name, flow, sender, receiver, mark, cells, HELP.get(line.state, ""))
