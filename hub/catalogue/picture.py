"""Where boxes, arrows and labels of the catalogue's picture stand; integers, no drawing.

::

    outer | lanes, labels | near | labels | middle | labels | near | labels, lanes | outer

Every arrow has a row of its own, and its label stands in that row, so labels never meet.
Arrows between boxes of one column go around by a lane of their own.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.catalogue.columns import (
    BOX_GAP,
    FONT,
    HUB_GAP,
    HUB_WIDTH,
    LANE,
    NEAR_WIDTH,
    OUTER_LABELS,
    OUTER_WIDTH,
    Block,
    Column,
    Edge,
    Row,
    Side,
    name_height,
    name_of,
    sides,
    stacked,
)

MARGIN = 20
_LABEL_PAD = 10

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A system's box, and the lines of its name."""

    system: str
    x: int
    y: int
    width: int
    height: int
    name: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """The lines of a label; ``x`` is their left end, ``y`` the base of the first."""

    x: int
    y: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """The way of an arrow, from its sender's box to its receiver's, and its label."""

    edge: Edge
    points: tuple[Point, ...]
    label: Label


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything placed; the left upper corner is 0, 0."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    paths: tuple[Path, ...]


def draw(systems: Mapping[str, str], edges: Sequence[Edge], middle: str | None = None) -> Picture:
    """Place the systems (id and name, in order) and the arrows between them.

    ``middle`` is the system in the middle; by default that with the most arrows.
    """
    if middle is None:
        ends = Counter(end for edge in edges for end in edge.ends)
        middle = max(systems, key=lambda system: ends[system], default=None)
    if middle is None:
        return Picture(2 * MARGIN, 2 * MARGIN, (), ())
    right, left = sides(systems, edges, middle)
    name = name_of(systems, middle, HUB_WIDTH)
    height = max(name_height(name), right.height, left.height)
    x = MARGIN + left.width
    placed = _Placed([Box(middle, x, MARGIN, HUB_WIDTH, height, name)])
    for side, edge, sign in ((right, x + HUB_WIDTH, 1), (left, x, -1)):
        top = MARGIN + (height - side.height) // 2
        _Placing(placed, side, middle, _Xs.of(side, edge, sign)).place(top)
    width = x + HUB_WIDTH + right.width + MARGIN
    return Picture(width, height + 2 * MARGIN, tuple(placed.boxes), tuple(placed.paths))


@dataclass(slots=True)
class _Placed:
    boxes: list[Box] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Xs:
    """The edges of one side's columns, from the middle outward; ``sign`` is -1 on the left."""

    sign: int
    middle: int
    near: int
    far: int
    outer: int

    @classmethod
    def of(cls, side: Side, middle: int, sign: int) -> "_Xs":
        near = middle + sign * HUB_GAP
        far = near + sign * NEAR_WIDTH
        return cls(sign, middle, near, far, far + sign * side.lanes_width)

    def lane(self, number: int) -> int:
        return self.far + self.sign * (OUTER_LABELS + LANE * (number + 1))

    def box(self, inner: int, width: int) -> int:
        """Give the left edge of a box from the edge that is toward the middle."""
        return inner if self.sign > 0 else inner - width


class _Placing:
    """Places the boxes and arrows of one side."""

    def __init__(self, placed: _Placed, side: Side, middle: str, xs: _Xs) -> None:
        self._placed = placed
        self._side = side
        self._middle = middle
        self._xs = xs
        self._ends: defaultdict[Edge, dict[str, Point]] = defaultdict(dict)
        self._labels: dict[Edge, Label] = {}

    def place(self, top: int) -> None:
        for column in self._side.columns:
            self._column(column, top)
            top += column.height + BOX_GAP
        lanes = {edge: self._xs.lane(number) for number, edge in enumerate(self._side.lanes)}
        for edge in sorted(self._labels, key=lambda edge: edge.number):
            start, end = (self._ends[edge][system] for system in edge.ends)
            points: tuple[Point, ...] = (start, end)
            if edge in lanes:
                points = (start, (lanes[edge], start[1]), (lanes[edge], end[1]), end)
            self._placed.paths.append(Path(edge, points, self._labels[edge]))

    def _column(self, column: Column, top: int) -> None:
        xs, height = self._xs, column.height
        self._box(column.system, xs.near, top, (NEAR_WIDTH, height), column.name)
        for row in stacked(column.inner, top, height):
            self._end(row, self._middle, xs.middle)
            self._end(row, column.system, xs.near)
            self._label(row, min(xs.middle, xs.near))
        top += (height - column.outer_height) // 2
        for block in column.blocks:
            self._block(column, block, top)
            top += block.height + BOX_GAP

    def _block(self, column: Column, block: Block, top: int) -> None:
        xs = self._xs
        if block.owner is not None:
            self._box(block.owner, xs.outer, top, (OUTER_WIDTH, block.height), block.name)
        for row in stacked(block.rows, top, block.height):
            if block.owner is None or column.system in row.edge.ends:
                self._end(row, column.system, xs.far)
            if block.owner is not None:
                self._end(row, block.owner, xs.outer)
            if row.label:
                self._label(row, min(xs.far, xs.far + xs.sign * OUTER_LABELS))

    def _box(
        self, system: str, inner: int, y: int, size: tuple[int, int], name: tuple[str, ...]
    ) -> None:
        width, height = size
        x = self._xs.box(inner, width)
        self._placed.boxes.append(Box(system, x, y, width, height, name))

    def _end(self, row: Row, system: str, x: int) -> None:
        self._ends[row.edge][system] = (x, row.y)

    def _label(self, row: Row, left: int) -> None:
        self._labels[row.edge] = Label(left + _LABEL_PAD, row.top + FONT, tuple(row.label))
