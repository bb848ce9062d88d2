"""Files of many records, of every form: reading them takes no more memory than reading few."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import openpyxl
import pytest

from hub.edge.form import Encoder, Headed
from hub.edge.forms import form_of
from hub.edge.kit import Unwritable
from schemas.layout import FormName, Kind, Layout, layout_ids, load_layout
from tests.layout_values import HEADER, chance, records

pytestmark = pytest.mark.fault

Write = Callable[[Layout, Path, int], None]

RECORDS, LONG_RECORDS = 20_000, 300_000
TIMES = 10
GROWTH_KB = 8 * 1024
"""How much more the peak may be for ten times the records."""
DIFFERENT = 50
SHORT = 12
A_GROUP = 3
A_FILE = 50
"""A form of one record a file is read from a file so often for each of so many records."""
LIMIT_SECONDS = 1200

_READ = """
import re, sys
from pathlib import Path
from hub.edge.forms import form_of

form, path, times = form_of(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
found = 0
for _ in range(times):
    facts = form.check(path, None, settled=True)
    for group in form.groups(path, None):
        assert not group.faults, group.faults[0]
        found += len(group.rows)
# What getrusage says of its peak is at least that of the process that started it.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(found, facts.records, peak[1])
"""


def chosen() -> list[str]:
    """Give for each form the layout with the most columns, grouped ones before others."""
    found: dict[FormName, tuple[bool, int, str]] = {}
    for layout_id in layout_ids():
        layout = load_layout(layout_id)
        rank = (layout.group_by is not None, len(layout.columns), layout_id)
        found[layout.form] = max(found.get(layout.form, rank), rank)
    return [layout_id for _, _, layout_id in found.values()]


def many(layout: Layout, encoder: Encoder, count: int) -> Iterator[dict[str, str]]:
    """Make so many records, no two the same; no more than a few are in memory."""
    rows = records(layout, encoder, chance(1), DIFFERENT)
    if not form_of(layout.id).single:
        rows = [_shortened(layout, row) for row in rows]
    if isinstance(encoder, Headed):
        written = [encoder.record(row) for row in rows]
        rows = [rows[place] for place in next(iter(encoder.shared(written)))]
    told = telling(layout, encoder, rows[0])
    group = next((one for one in layout.columns if one.field == layout.group_by), None)
    for number in range(count):
        row = dict(rows[number % len(rows)])
        if told:
            row[told] = f"{number:09}"
        if group is not None:
            row[group.field] = str(number // A_GROUP + 1).zfill(group.width)
        yield row


def _shortened(layout: Layout, row: Mapping[str, str]) -> dict[str, str]:
    """Make texts as short as those of persons mostly are."""
    texts = {one.field for one in layout.columns if one.kind is Kind.TEXT and not one.codes}
    texts -= {one.field for one in layout.columns if one.codes_of}
    return {
        field: (value[:SHORT].strip() or "1") if value and field in texts else value
        for field, value in row.items()
    }


def telling(layout: Layout, encoder: Encoder, row: Mapping[str, str]) -> str:
    """Find a column that can tell the records apart; none where each is as good as the next."""
    common = layout.fixed.common() if layout.fixed is not None else ()
    for column in layout.columns:
        if column.kind is Kind.TEXT and not column.codes and column.field not in common:
            try:
                encoder.record({**row, column.field: "000000001"})
            except Unwritable:
                continue
            return column.field
    return ""


def by_the_hub(layout: Layout, path: Path, count: int) -> None:
    encoder = form_of(layout.id).encoder(None)
    written = map(encoder.record, many(layout, encoder, count))
    with path.open("wb") as file:
        file.writelines(encoder.framed(HEADER, written))


def by_another(layout: Layout, path: Path, count: int) -> None:
    """Write a workbook as a spreadsheet program does: each text once, in a table of its own."""
    book = openpyxl.Workbook(write_only=True)
    first, *others = (book.create_sheet(name) for name in layout.sheets)
    for sheet in others:
        sheet.append(["-"])
    first.append([column.name for column in layout.columns])
    for row in many(layout, form_of(layout.id).encoder(None), count):
        # openpyxl takes what begins like this for a formula.
        first.append([row[column.field].lstrip("=") or None for column in layout.columns])
    book.save(path)


def peak_of(layout_id: str, path: Path, count: int, write: Write) -> int:
    """Write a file, or one to be read again and again, and read it elsewhere; kilobytes."""
    in_file, times = (1, count // A_FILE) if form_of(layout_id).single else (count, 1)
    write(load_layout(layout_id), path, in_file)
    command = [sys.executable, "-c", _READ, layout_id, str(path), str(times)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    found, records_, peak = map(int, done.stdout.split())
    assert (found, records_) == (in_file * times, in_file)
    return peak


CASES = [pytest.param(one, by_the_hub, id=one) for one in chosen()]
SHEETS = [one for one in layout_ids() if load_layout(one).form is FormName.SHEET]
CASES += [pytest.param(one, by_another, id=f"{one}-by-another") for one in SHEETS]


@pytest.mark.parametrize(("layout_id", "write"), CASES)
def test_ten_times_the_records_take_no_more_memory(
    layout_id: str, write: Write, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    count = LONG_RECORDS if request.config.getoption("--long") else RECORDS
    path = tmp_path / f"file{form_of(layout_id).suffix}"
    few = peak_of(layout_id, path, count // TIMES, write)
    peak = peak_of(layout_id, path, count, write)
    assert peak < few + GROWTH_KB, f"{few} kB for {count // TIMES} records, {peak} kB for {count}"
