"""Which system of the catalogue's picture stands on which side, in which column, in which row.

The *middle* is the system with the most arrows. Those that exchange with it stand in the near
column of one side, those behind them in the outer column. Systems that exchange with one
another without the middle stand on one side, so that no such arrow crosses the middle.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.catalogue.text import wrap

FONT = 12
LINE = 15
HUB_WIDTH = 140
NEAR_WIDTH = 150
OUTER_WIDTH = 132
HUB_GAP = 268
OUTER_LABELS = 184
LANE = 14
BOX_GAP = 16
NAME_PAD = 10
_BOX_PAD = 8
_LABEL_PAD = 14
_HEAD_PAD = 20
_ROW_FOOT = 11
_BARE_ROW = 18


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow to be placed: ``number`` tells it from the others, ``label`` is its text.

    ``room`` is how many empty lines its label has below, for what changes.
    """

    number: int
    sender: str
    receiver: str
    label: str
    room: int = 0

    @property
    def ends(self) -> tuple[str, str]:
        """Give sender and receiver."""
        return self.sender, self.receiver

    def other(self, system: str) -> str:
        """Give the end that is not this one."""
        return self.receiver if system == self.sender else self.sender

    def lines(self, most: int) -> list[str]:
        """Give the label's lines, of at most this width, and the empty ones."""
        return [*wrap(self.label, FONT, most), *[""] * self.room]


@dataclass(slots=True)
class Row:
    """A row of a box: one end of an arrow; ``label`` is empty at the end that has none."""

    edge: Edge
    label: list[str]
    top: int = 0

    @property
    def height(self) -> int:
        """How high it is: the label's lines, and the arrow below them."""
        return LINE * len(self.label) + _ROW_FOOT if self.label else _BARE_ROW

    @property
    def y(self) -> int:
        """Where its arrow runs."""
        return self.top + self.height - _ROW_FOOT // 2


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a near box, away from the middle; ``owner`` is the outer box beside them."""

    rows: list[Row]
    owner: str | None = None
    name: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """How high it is: its rows, and at least its owner's name."""
        return max(sum(row.height for row in self.rows), name_height(self.name) if self.name else 0)


@dataclass(slots=True)
class Column:
    """A box of the near column: its rows toward the middle, and its blocks away from it."""

    system: str
    name: tuple[str, ...]
    inner: list[Row]
    blocks: list[Block]

    @property
    def outer_height(self) -> int:
        """How high its blocks are together."""
        gaps = BOX_GAP * max(0, len(self.blocks) - 1)
        return sum(block.height for block in self.blocks) + gaps

    @property
    def height(self) -> int:
        """How high the box is."""
        inner = sum(row.height for row in self.inner)
        return max(inner, self.outer_height, name_height(self.name)) + 2 * _BOX_PAD


@dataclass(slots=True)
class Side:
    """One side of the picture; ``lanes`` are the arrows that go around, innermost first."""

    columns: list[Column] = field(default_factory=list)
    lanes: list[Edge] = field(default_factory=list)

    @property
    def has_outer(self) -> bool:
        """Say whether any box stands in the outer column."""
        return any(block.owner for column in self.columns for block in column.blocks)

    @property
    def lanes_width(self) -> int:
        """How wide the labels and lanes between near and outer column are."""
        return OUTER_LABELS + LANE * (len(self.lanes) + 1)

    @property
    def width(self) -> int:
        """How far it goes out from the middle's edge."""
        if not self.columns:
            return 0
        blocks = any(column.blocks for column in self.columns)
        outer = OUTER_WIDTH if self.has_outer else 0
        return HUB_GAP + NEAR_WIDTH + (self.lanes_width if blocks else 0) + outer

    @property
    def height(self) -> int:
        """How high it is."""
        gaps = BOX_GAP * max(0, len(self.columns) - 1)
        return sum(column.height for column in self.columns) + gaps


def name_height(name: Sequence[str]) -> int:
    """Give how high a box must be for its name and its id."""
    return LINE * (len(name) + 1) + NAME_PAD


def sides(systems: Mapping[str, str], edges: Sequence[Edge], middle: str) -> tuple[Side, Side]:
    """Give the right and the left side: about as many arrows on each, related systems together."""
    ends = Counter(end for edge in edges for end in edge.ends)

    def load(members: Iterable[str]) -> int:
        return sum(ends[member] for member in members)

    right: list[str] = []
    left: list[str] = []
    for group in sorted(_groups(systems, edges, middle), key=load, reverse=True):
        lighter = min((right, left), key=load)
        lighter += group
    return _side(systems, right, edges, middle), _side(systems, left, edges, middle)


def _groups(systems: Iterable[str], edges: Iterable[Edge], middle: str) -> list[list[str]]:
    """Give the groups of systems that exchange with one another without the middle."""
    group = {system: {system} for system in systems if system != middle}
    for edge in edges:
        if middle not in edge.ends:
            joined = group[edge.sender] | group[edge.receiver]
            group |= dict.fromkeys(joined, joined)
    found: list[list[str]] = []
    for system, members in group.items():
        if not any(system in known for known in found):
            found.append([one for one in group if one in members])
    return found


def _side(
    systems: Mapping[str, str], members: list[str], edges: Sequence[Edge], middle: str
) -> Side:
    own = [edge for edge in edges if set(edge.ends) & set(members)]
    near = [one for one in members if any({one, middle} == set(edge.ends) for edge in own)]
    for group in _groups(members, [edge for edge in own if middle not in edge.ends], middle):
        if not set(group) & set(near):
            near += group
    near.sort(key=members.index)
    parents = {one: _parent(one, near, own) for one in members if one not in near}
    columns = [
        _column(systems, one, own, [child for child, of in parents.items() if of == one], middle)
        for one in near
    ]
    return Side(columns, _lanes(near, parents, own))


def _parent(system: str, near: Sequence[str], edges: Iterable[Edge]) -> str:
    """Give the near box beside which an outer one stands: that with the most arrows to it."""
    ends = Counter(edge.other(system) for edge in edges if system in edge.ends)
    return max(near, key=lambda one: ends[one])


def _column(
    systems: Mapping[str, str],
    system: str,
    edges: Sequence[Edge],
    children: Sequence[str],
    middle: str,
) -> Column:
    own = [edge for edge in edges if system in edge.ends]
    inner_width = HUB_GAP - _LABEL_PAD - _HEAD_PAD
    inner = [Row(edge, edge.lines(inner_width)) for edge in own if middle in edge.ends]
    blocks = [_child(systems, system, child, edges) for child in children]
    beside = {middle, *children}
    loose = [_row(edge, system) for edge in own if edge.other(system) not in beside]
    if loose:
        blocks.append(Block(loose))
    return Column(system, name_of(systems, system, NEAR_WIDTH), inner, blocks)


def _child(systems: Mapping[str, str], system: str, child: str, edges: Sequence[Edge]) -> Block:
    """Give the rows of an outer box: those straight across to its near one, then the others."""
    own = [edge for edge in edges if child in edge.ends]
    across = [_row(edge, edge.sender) for edge in own if system in edge.ends]
    others = [_row(edge, child) for edge in own if system not in edge.ends]
    return Block([*across, *others], child, name_of(systems, child, OUTER_WIDTH))


def _row(edge: Edge, at: str) -> Row:
    """Give a row at one end of an arrow; the label stands where it begins."""
    label = edge.lines(OUTER_LABELS - _LABEL_PAD) if edge.sender == at else []
    return Row(edge, label)


def _lanes(near: Sequence[str], parents: Mapping[str, str], edges: Iterable[Edge]) -> list[Edge]:
    """Give the arrows that go around, those between close boxes first."""
    place = {system: number for number, system in enumerate(near)}
    place |= {child: place[parent] for child, parent in parents.items()}
    around = [
        edge
        for edge in edges
        if set(edge.ends) <= place.keys()
        and parents.get(edge.receiver) != edge.sender
        and parents.get(edge.sender) != edge.receiver
    ]
    return sorted(around, key=lambda edge: abs(place[edge.sender] - place[edge.receiver]))


def name_of(systems: Mapping[str, str], system: str, width: int) -> tuple[str, ...]:
    """Give the lines of a system's name in a box of this width."""
    return tuple(wrap(systems[system], FONT + 1, width - NAME_PAD))


def stacked(rows: Iterable[Row], top: int, height: int) -> Iterator[Row]:
    """Put rows below one another, in the middle of a height."""
    listed = list(rows)
    top += (height - sum(row.height for row in listed)) // 2
    for row in listed:
        row.top = top
        top += row.height
        yield row
