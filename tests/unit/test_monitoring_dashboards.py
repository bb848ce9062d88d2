"""Dashboards are as the code writes them, and ask for nothing that it does not tell."""

import json
from pathlib import Path

import pytest

from monitoring.dashboards.boards import BOARDS
from monitoring.dashboards.model import Board
from monitoring.dashboards.write import files
from monitoring.declared import declared, library
from tests.expressions import asked, grouped

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[2] / "monitoring/dashboards"
TOLD = {name: family.labels for family in (*declared(), *library()) for name in family.samples()}
OF_PROMETHEUS = {"up": (), "ALERTS": ("alertstate", "severity", "alertname")}
ALWAYS = {"job", "instance", "process", "le"}
EVERY = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)


def test_the_files_are_as_the_code_writes_them() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert there == files(), "run 'renkei docs'"


@EVERY
def test_a_board_asks_only_for_what_the_code_tells(board: Board) -> None:
    known = {**TOLD, **OF_PROMETHEUS}
    for expression in board.expressions():
        found = list(asked(expression))
        assert found, expression
        for metric, labels in found:
            assert metric in known, metric
            assert labels <= {*known[metric], *ALWAYS}, (metric, labels)
        possible = {label for metric, _ in found for label in known[metric]}
        assert grouped(expression) <= possible | ALWAYS, expression


@EVERY
def test_every_panel_of_a_board_is_in_its_file(board: Board) -> None:
    document = json.loads(files()[f"renkei-{board.name}.json"])
    shown = [target["expr"] for panel in document["panels"] for target in panel["targets"]]
    assert shown == list(board.expressions())
    assert document["editable"] is False
    names = {variable["name"] for variable in document["templating"]["list"]}
    assert names == ({"datasource", "flow"} if board.by_flow else {"datasource"})


@EVERY
def test_panels_do_not_lie_on_one_another(board: Board) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(files()[f"renkei-{board.name}.json"])["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
