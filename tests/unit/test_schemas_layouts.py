"""The layouts in schemas/layouts: whole, honest about what is assumed, and true to the code."""

from collections.abc import Mapping
from importlib import resources

import pytest
from pydantic import ValidationError

from hub.compose.carriages import carriages
from mappings import codes
from schemas.layout import Column, Layout, load_layout

pytestmark = pytest.mark.unit

LAYOUTS = sorted(
    file.name.removesuffix(".toml") for file in (resources.files("schemas") / "layouts").iterdir()
)
TABLES: Mapping[str, Mapping[str, object]] = {
    "insurance": codes.INSURANCES,
    "scope_insurance": codes.INSURANCES,
    "scope_own_insurance": codes.INSURANCES,
    "immediate": codes.FLAGS,
    "protected": codes.FLAGS,
    "changed": codes.FLAGS,
}


def test_every_layout_is_used() -> None:
    assert set(LAYOUTS) == {carriage.layout for carriage in carriages()}


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_a_layout_says_where_it_is_from(layout_id: str) -> None:
    layout = load_layout(layout_id)
    assert layout.id == layout_id
    assert layout.assumed == layout.source.startswith("Assumed. ")
    assert len(layout.source) > len(layout.id)


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_the_codes_are_those_of_the_mappings(layout_id: str) -> None:
    for column in load_layout(layout_id).columns:
        table = TABLES.get(column.field)
        if column.field.endswith("_precision"):
            table = codes.PRECISIONS
        if table is not None:
            assert set(column.codes) == set(table), column.field


@pytest.mark.parametrize("layout_id", ["union.residents", "premium-collection.residents"])
def test_the_flag_of_protected_persons_can_never_be_left_out(layout_id: str) -> None:
    columns = {column.field: column for column in load_layout(layout_id).columns}
    assert columns["protected"].required
    assert "my_number" in columns


def test_the_union_gets_fewer_columns_than_the_office() -> None:
    for kind in ("residents", "income"):
        office = {column.field for column in load_layout(f"premium-collection.{kind}").columns}
        union = {column.field for column in load_layout(f"union.{kind}").columns}
        assert union < office


def test_a_layout_with_two_equal_fields_or_no_such_group_is_refused() -> None:
    column = Column(name="一", field="one", width=1)
    good = {"id": "a.b", "title": "", "title_ja": "", "assumed": True, "source": ""}
    with pytest.raises(ValidationError, match="same field"):
        Layout.model_validate({**good, "columns": (column, column)})
    with pytest.raises(ValidationError, match="group_by"):
        Layout.model_validate({**good, "columns": (column,), "group_by": "two"})


def test_the_columns_of_a_list_are_written_out_place_by_place() -> None:
    column = {"name": "期{n}", "field": "instalments_{n}_number", "width": 2, "kind": "digits"}
    amount = {"name": "額{n}", "field": "instalments_{n}_amount", "width": 11}
    good = {"id": "a.b", "title": "", "title_ja": "", "assumed": True, "source": ""}
    layout = Layout.model_validate({**good, "columns": [{"times": 2, "columns": [column, amount]}]})
    assert [(one.name, one.field, one.place, one.times) for one in layout.columns] == [
        ("期1", "instalments_1_number", 1, 2),
        ("額1", "instalments_1_amount", 1, 2),
        ("期2", "instalments_2_number", 2, 2),
        ("額2", "instalments_2_amount", 2, 2),
    ]
    with pytest.raises(ValidationError, match="times"):
        Layout.model_validate({**good, "columns": [{"columns": [column]}]})
    with pytest.raises(ValidationError, match="same field"):
        Layout.model_validate({**good, "columns": [{"times": 2, "columns": [column, column]}]})
