"""Made-up records of any layout, for tests that go over all of them whatever their form.

``record`` makes texts that the layout's columns allow and that its form can most likely write;
what the form still refuses is made anew, and at last replaced by something plain.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import NamedTuple

from hub.edge.fixed.fields import encoded
from hub.edge.form import Encoder, Form, Headed, Header
from hub.edge.forms import form_of
from hub.edge.kit import Unwritable
from schemas.fixed_layout import FieldEncoding, Holds, Slot
from schemas.layout import Column, Encoding, FormName, Kind, Layout, load_layout

HEADER = Header(dt.datetime(2026, 4, 1, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=9))))
TRIES = 200
PLACES, RARELY = 2, 0.02
"""How many places of a list have values, and how often one of the others has."""
_SAMPLE = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "".join(map(chr, range(0xFF61, 0xFFA0)))
    + "あいうゑをんアイヴヶー、。「」　々〆〇〓日本語髙﨑濵①㈱№℡～―∥－￠￡￢ＡＺ０９"
    + "\ue000\uf8ff"
)
_BEYOND = "𠮷𩸽¥‾é\u0301ö葛\U000e0100\u200b\ufeff한😀\u00a0"
_FORMATS = {Kind.DAY: "%Y-%m-%d", Kind.MONTH: "%Y-%m", Kind.MOMENT: "%Y-%m-%dT%H:%M:%S+09:00"}


def chance(seed: int) -> Random:
    """Give the chance that a seed stands for: the same one makes the same records."""
    return Random(seed)  # noqa: S311 - nothing is guarded by it


def record(
    layout: Layout, encoder: Encoder, random: Random, encoding: Encoding | None = None
) -> dict[str, str]:
    """Make a record that the encoder, which is of this encoding, writes.

    Raises:
        Unwritable: none could be made.
    """
    values = {column.field: "" for column in layout.columns}
    told = layout.model_copy(update={"encoding": encoding or layout.encoding})
    for column in layout.columns:
        if column.place <= PLACES or random.random() < RARELY:
            values[column.field] = _value(told, column, values, random)
    return _written(told, encoder, values, random)


def _written(
    layout: Layout, encoder: Encoder, values: dict[str, str], random: Random
) -> dict[str, str]:
    columns = {column.field: column for column in layout.columns}
    for left in range(TRIES, -1, -1):
        try:
            encoder.record(values)
        except Unwritable as fault:
            if not left:
                raise
            named = columns.get(fault.field)
            for column in [named] if named is not None else layout.columns:
                values[column.field] = _value(layout, column, values, random, plain=True)
        else:
            break
    return values


def _value(
    layout: Layout,
    column: Column,
    values: Mapping[str, str],
    random: Random,
    *,
    plain: bool = False,
) -> str:
    if _is_derived(layout, column):
        return ""
    if not column.required and random.random() < (0.5 if plain else 0.2):
        return ""
    codes = column.codes or column.codes_of.get(values.get(column.codes_by, ""), {})
    if codes:
        return random.choice([*filter(None, codes)] or [""])
    if column.kind is Kind.TEXT and plain and random.random() < 0.3:
        return _digits(column.width, random)
    return _MAKERS[column.kind](_Asked(layout, column, _slot(layout, column), random, plain))


class _Asked(NamedTuple):
    """What a value is made for; ``slot`` where the column has one, ``plain`` to be sure."""

    layout: Layout
    column: Column
    slot: Slot | None
    random: Random
    plain: bool


def _time(asked: _Asked) -> str:
    return _moment(asked.random).strftime(_FORMATS[asked.column.kind])


def _date(asked: _Asked) -> str:
    if asked.slot is None and asked.random.random() < 0.3:
        return "令和3年○月頃"
    return _moment(asked.random).strftime("%Y-%m-%d")


def _number(asked: _Asked) -> str:
    full = asked.slot or asked.column.padding or asked.plain or asked.random.random() < 0.5
    width = asked.column.width
    return _digits(width if full else asked.random.randint(1, width), asked.random)


def _digits(size: int, random: Random) -> str:
    return "".join(random.choices("0123456789", k=size))


def _is_derived(layout: Layout, column: Column) -> bool:
    """Say whether only the form itself can know a value: digests, and facts of other files."""
    return layout.form is FormName.PACKAGE and (
        column.field == "package_digest" or column.field.startswith("attachments_")
    )


def _moment(random: Random) -> dt.datetime:
    return dt.datetime(1900, 1, 1) + dt.timedelta(seconds=random.randrange(5_000_000_000))  # noqa: DTZ001 - only its text counts


def _whole(asked: _Asked) -> str:
    width, random = asked.column.width, asked.random
    if asked.slot is None and width > 1 and random.random() < 0.2:
        return str(-random.randrange(1, 10 ** (width - 1)))
    # Sums over a file need room too.
    return str(random.randrange(10 ** min(width, 7)))


def _text(asked: _Asked) -> str:
    most = asked.column.width
    if asked.slot is not None:
        wide = asked.slot.encoding in {FieldEncoding.KANJI, FieldEncoding.CP932}
        most = max(1, asked.slot.bytes // (2 if wide else 1))
    if asked.plain:
        most = min(most, 20)
    pool = _pool(asked.slot.encoding if asked.slot else None, asked.layout.encoding)
    text = "".join(asked.random.choices(pool, k=asked.random.randint(1, most)))
    return text.strip() or "1" if asked.plain or asked.slot else text


_MAKERS: Mapping[Kind, Callable[[_Asked], str]] = {
    Kind.TEXT: _text,
    Kind.DIGITS: _number,
    Kind.INTEGER: _whole,
    Kind.DATE: _date,
    Kind.DAY: _time,
    Kind.MONTH: _time,
    Kind.MOMENT: _time,
}


@cache
def _pool(slot: FieldEncoding | None, encoding: Encoding) -> str:
    if slot is not None:
        return "".join(one for one in _SAMPLE if _fits(slot, one))
    if encoding == "utf-8":
        return _SAMPLE + _BEYOND
    return "".join(one for one in _SAMPLE if _is_kept(one, encoding))


def _fits(slot: FieldEncoding, character: str) -> bool:
    try:
        encoded(slot, character)
    except ValueError:
        return False
    return True


def _is_kept(character: str, encoding: Encoding) -> bool:
    try:
        return character.encode(encoding).decode(encoding) == character
    except UnicodeEncodeError:
        return False


def _slot(layout: Layout, column: Column) -> Slot | None:
    return _slots(layout.id).get(column.field) if layout.fixed is not None else None


@cache
def _slots(layout_id: str) -> Mapping[str, Slot]:
    plan = load_layout(layout_id).fixed
    slots = [slot for one in (plan.records if plan else ()) for slot in one.slots]
    return {slot.field: slot for slot in slots if slot.holds is Holds.FIELD}


def records(
    layout: Layout,
    encoder: Encoder,
    random: Random,
    count: int,
    encoding: Encoding | None = None,
) -> list[dict[str, str]]:
    """Make records that can stand in one file together."""
    made = [record(layout, encoder, random, encoding) for _ in range(count)]
    common = layout.fixed.common() if layout.fixed is not None else ()
    for one in made[1:]:
        one.update({field: made[0][field] for field in common})
        _written(layout, encoder, one, random)
    made = [one for one in made if all(one[field] == made[0][field] for field in common)]
    if layout.group_by is not None:
        made.sort(key=lambda one: _rank(layout, one[layout.group_by or ""]))
    return made


def _rank(layout: Layout, value: str) -> tuple[int, str]:
    column = next(one for one in layout.columns if one.field == layout.group_by)
    whole = column.kind in {Kind.DIGITS, Kind.INTEGER}
    return (int(value or 0), value) if whole else (0, value)


def file_of(encoder: Encoder, rows: Sequence[Mapping[str, str]]) -> Iterator[bytes]:
    """Write records as one file; those alone that can be in the first one, where there are more."""
    written = [encoder.record(row) for row in rows]
    if isinstance(encoder, Headed):
        written = [written[place] for place in next(iter(encoder.shared(written)))]
    return encoder.framed(HEADER, written)


def encodings_of(layout: Layout) -> tuple[Encoding, ...]:
    """Give the encodings that a site may choose for files of a layout."""
    chosen = layout.form in {FormName.FRAMED, FormName.PLAIN, FormName.PACKAGE}
    return ("utf-8", "cp932") if chosen else (layout.encoding,)


def sample_file(layout_id: str, random: Random, count: int = 3) -> bytes:
    """Make a whole valid file of a layout, in its own encoding."""
    layout, form = load_layout(layout_id), form_of(layout_id)
    encoder = form.encoder(None)
    rows = records(layout, encoder, random, 1 if form.single else count)
    return b"".join(file_of(encoder, rows))


def rows_of(form: Form, path: object, encoding: Encoding | None) -> list[dict[str, str]]:
    """Read a file's records; every one has to be sound."""
    found = []
    for group in form.groups(path, encoding):  # type: ignore[arg-type] # a path
        assert not group.faults, group.faults
        found += [dict(row.values) for row in group.rows]
    return found
