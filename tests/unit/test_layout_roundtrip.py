"""Every layout, whatever its form: what is written is read, and what is read is written again.

A new layout, and a new form, is held to this without a change here.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.edge.form import BadFile, Unfinished
from hub.edge.forms import form_of
from schemas.layout import FormName, layout_ids, load_layout
from tests.layout_values import chance, encodings_of, file_of, records, rows_of

pytestmark = pytest.mark.unit

MOST = 3
HARM = b' 0123456789AZaz,"\xb1\x5c\x21\r\n\xe3\x81\x82'
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
EVERY = pytest.mark.parametrize("layout_id", layout_ids())
SEEDS = st.integers(min_value=0, max_value=2**64)


@EVERY
@given(seed=SEEDS)
@QUICK
def test_values_and_bytes_come_back(tmp_path: Path, layout_id: str, seed: int) -> None:
    layout, form, random = load_layout(layout_id), form_of(layout_id), chance(seed)
    encoding = random.choice(encodings_of(layout))
    encoder = form.encoder(encoding)
    count = 1 if form.single else random.randint(1, MOST)
    rows = records(layout, encoder, random, count, encoding)
    path = tmp_path / f"file{form.suffix}"
    content = b"".join(file_of(encoder, rows))
    path.write_bytes(content)

    assert form.check(path, encoding, settled=True).records == len(rows)
    found = rows_of(form, path, encoding)
    for row, back in zip(rows, found, strict=True):
        # A package says its digest itself: whoever writes it leaves that blank.
        assert back == {field: text or back[field] for field, text in row.items()}
        assert layout.form is FormName.PACKAGE or back == row

    assert b"".join(file_of(form.encoder(encoding), found)) == content


@EVERY
@given(seed=SEEDS)
@QUICK
def test_what_is_read_of_a_harmed_file_is_written_and_read_again(
    tmp_path: Path, layout_id: str, seed: int
) -> None:
    layout, form, random = load_layout(layout_id), form_of(layout_id), chance(seed)
    encoder = form.encoder(None)
    content = bytearray(b"".join(file_of(encoder, records(layout, encoder, random, 1))))
    for _ in range(random.randint(1, 4)):
        content[random.randrange(len(content))] = random.choice(HARM)
    path = tmp_path / f"file{form.suffix}"
    path.write_bytes(content)
    try:
        form.check(path, None, settled=True)
        groups = list(form.groups(path, None))
    except (BadFile, Unfinished):
        return
    if any(group.faults for group in groups):
        return
    rows = [row.values for group in groups for row in group.rows]
    again = b"".join(file_of(encoder, rows))
    if layout.form is FormName.FIXED:
        assert again == content
    path.write_bytes(again)
    assert rows_of(form, path, None) == rows
