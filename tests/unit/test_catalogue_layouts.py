"""Layouts as tables: in the terminal, for programs, and inside the pages of the systems."""

import json
from pathlib import Path

import pytest

from hub.catalogue.layouts import as_json, filled, layouts_of, markdown, tables
from hub.cli.main import app, guarded
from schemas.layout import Column, Kind, Layout, layout_ids, load_layout

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SEX = Column(name="性別", field="sex", width=1, required=True, codes={"1": "男", "2": "女|<"})
DAY = Column(name="日", field="day", width=10, kind=Kind.DAY)
LAYOUT = Layout(
    id="people.test",
    title="People",
    title_ja="人",
    assumed=True,
    source="Assumed. Made\nup.",
    encoding="cp932",
    group_by="sex",
    columns=(SEX, DAY),
)
PAGE = "# Page\n\n<!-- layout: people.test -->\nbefore\n<!-- end -->\n\nText.\n"


def run(*arguments: str) -> int:
    try:
        return guarded(lambda: app(list(arguments), prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def test_a_table_says_what_each_column_holds() -> None:
    (table,) = tables(LAYOUT)
    assert table.headings == ("column", "field", "width", "holds", "required")
    assert table.rows == (
        ("性別", "`sex`", "1", "`1` 男; `2` 女|<", "yes"),
        ("日", "`day`", "10", "day, `YYYY-MM-DD`", ""),
    )


def test_what_no_column_has_is_left_out() -> None:
    (table,) = tables(LAYOUT.model_copy(update={"columns": (DAY,)}))
    assert table.headings == ("column", "field", "width", "holds")


def test_codes_that_depend_on_another_column_say_so() -> None:
    column = Column(
        name="区分", field="kind", width=2, codes_by="sex", codes_of={"1": {"01": "甲"}}
    )
    (table,) = tables(LAYOUT.model_copy(update={"columns": (SEX, column)}))
    assert table.rows[1][3] == "by `sex`: 1: `01` 甲"


@pytest.mark.parametrize("layout_id", layout_ids())
def test_the_bytes_of_fixed_lengths_are_all_told(layout_id: str) -> None:
    layout = load_layout(layout_id)
    records = layout.fixed.records if layout.fixed else ()
    _, *told = tables(layout)
    assert len(told) == len(records)
    for table, record in zip(told, records, strict=True):
        assert f"{record.bytes} bytes" in table.title
        ends = [int(start) - 1 + int(size) for start, size, *_ in table.rows]
        assert [0, *ends[:-1]] == [int(row[0]) - 1 for row in table.rows]
        assert ends[-1] == record.bytes
        named = {slot.field for slot in record.slots if slot.field}
        assert all(any(f"`{name}`" in row[3] for row in table.rows) for name in named)


def test_a_list_has_rows_for_its_first_place_alone() -> None:
    days = tuple(DAY.model_copy(update={"place": place, "times": 9}) for place in (1, 2))
    (table,) = tables(LAYOUT.model_copy(update={"columns": (SEX, *days)}))
    assert table.headings[-1] == "times"
    assert [(row[0], row[-1]) for row in table.rows] == [("性別", ""), ("日", "9")]


def test_a_page_is_filled_between_its_marks_alone_and_stays_the_same() -> None:
    page = filled(PAGE, {"people.test": LAYOUT}.__getitem__)
    assert page.startswith("# Page\n\n<!-- layout: people.test -->\n")
    assert page.endswith("\n<!-- end -->\n\nText.\n")
    assert "before" not in page
    assert "**Assumed.** Made up." in page
    assert "cp932, grouped by sex" in page
    assert "| 性別 | `sex` | 1 | `1` 男; `2` 女\\|&lt; | yes |" in page
    assert filled(page, {"people.test": LAYOUT}.__getitem__) == page
    assert layouts_of(page) == ["people.test"]


def test_a_documented_layout_is_not_called_assumed() -> None:
    text = markdown(LAYOUT.model_copy(update={"assumed": False, "source": "The act."}))
    assert "**Documented.** The act." in text
    assert "ssumed" not in text


@pytest.mark.parametrize("layout_id", layout_ids())
def test_every_layout_can_be_printed(layout_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    layout = load_layout(layout_id)
    assert run("layouts", "show", layout_id) == 0
    shown = capsys.readouterr().out
    assert all(column.field in shown for column in layout.columns if column.place == 1)
    assert ("Assumed." in shown) is layout.assumed
    assert run("layouts", "show", layout_id, "--markdown") == 0
    assert capsys.readouterr().out == markdown(layout)
    assert run("layouts", "show", layout_id, "--json") == 0
    assert Layout.model_validate(json.loads(capsys.readouterr().out)) == layout


def test_the_list_has_every_layout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("layouts", "list") == 0
    text = capsys.readouterr().out
    assert all(layout_id in text for layout_id in layout_ids())
    assert run("layouts", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed == [as_json(load_layout(layout_id)) for layout_id in layout_ids()]


def test_a_layout_that_there_is_not_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("layouts", "show", "union.resident") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "did you mean union.residents?" in said
    assert "tax.income" not in said
    assert run("layouts", "show", "zzz") == 2
    assert "renkei layouts list" in " ".join(capsys.readouterr().err.split())


def documents(folder: Path) -> Path:
    """Let the documents be up to date beside a page with an old table."""
    (folder / "systems").mkdir()
    page = folder / "systems" / "one.md"
    page.write_text("<!-- layout: tax.income -->\n<!-- end -->\n", encoding="utf-8")
    return page


def test_pages_beside_the_catalogue_are_checked_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = documents(tmp_path)
    out = str(tmp_path / "catalogue")
    assert run("docs", "--out", out) == 0
    assert markdown(load_layout("tax.income")) in page.read_text(encoding="utf-8")
    assert run("docs", "--out", out, "--check") == 0
    page.write_text(page.read_text(encoding="utf-8").replace("15", "16"), encoding="utf-8")
    capsys.readouterr()
    assert run("docs", "--out", out, "--check") == 1
    assert capsys.readouterr().out == f"differs: {page}\n"
    page.write_text("<!-- layout: no.such -->\n<!-- end -->\n", encoding="utf-8")
    assert run("docs", "--out", out) == 2
    assert "no.such" in capsys.readouterr().err.replace("\n", "")
