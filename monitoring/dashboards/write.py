"""Writes dashboards as Grafana reads them; the one module that knows its foundation SDK."""

import json
from typing import Any

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Number
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Graph
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.dashboards.boards import BOARDS
from monitoring.dashboards.model import FLOW, Board, Kind, Panel

_SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
_SIZES = {Kind.NUMBER: (4, 4), Kind.GRAPH: (8, 12), Kind.TABLE: (8, 12)}
"""Height and width; a row is 24 wide."""
_BUILDERS: dict[Kind, Any] = {Kind.NUMBER: Number, Kind.GRAPH: Graph, Kind.TABLE: Table}


def files() -> dict[str, str]:
    """Give each dashboard's file by its name."""
    return {f"renkei-{board.name}.json": _json(board) for board in BOARDS}


def _json(board: Board) -> str:
    made = json.loads(json.dumps(_dashboard(board).build(), cls=JSONEncoder))
    for panel in made["panels"]:
        panel["options"] = panel["options"] or {}  # the SDK says null where nothing was chosen
    return json.dumps(made, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _dashboard(board: Board) -> Dashboard:
    made = (
        Dashboard(f"連携ハブ {board.title.ja} / Renkei Hub: {board.title.en}")
        .uid(f"renkei-{board.name}")
        .tags(["renkei"])
        .timezone("Asia/Tokyo")
        .refresh("30s")
        .time("now-6h", "now")
        .readonly()
        .with_variable(DatasourceVariable("datasource").type("prometheus").label("Prometheus"))
    )
    if board.by_flow:
        made.with_variable(
            QueryVariable(FLOW)
            .label("flow")
            .datasource(_SOURCE)
            .query("label_values(renkei_flow_last_message_timestamp_seconds, flow)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(multi=True)
            .include_all(include_all=True)
        )
    for panel in board.panels:
        made.with_panel(_panel(panel))
    return made


def _panel(panel: Panel) -> Any:  # noqa: ANN401 - the SDK's builders have no type in common
    height, width = _SIZES[panel.kind]
    made = (
        _BUILDERS[panel.kind]()
        .title(f"{panel.title.ja} {panel.title.en}")
        .datasource(_SOURCE)
        .height(height)
        .span(width)
        .unit(panel.unit)
    )
    for ref, query in zip("ABC", panel.queries, strict=False):
        asked = Dataquery().expr(query.expression).legend_format(query.legend).ref_id(ref)
        if panel.kind is not Kind.GRAPH:
            asked.instant()
        if panel.kind is Kind.TABLE:
            asked.format(PromQueryFormat.TABLE)
        made.with_target(asked)
    if panel.red is not None:
        steps = [Threshold(value=None, color="green"), Threshold(value=panel.red, color="red")]
        made.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    return made
