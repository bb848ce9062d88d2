"""On which line a key of a TOML file stands."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.statute.lines import Lines, line_of_error

pytestmark = pytest.mark.unit

TEXT = '''\
# a comment
top = 1

[table]
key = "a = b" # [not.a.table]
many = [
  "one", # two
  "two",
]
block = """
[inside]
key = 1
"""
inline = { x = 1, y = { z = 2 } }

[[array]]
key = 1
[array.below."dotted.name"]
key = 2

[[array]]
key = 3
[[array.deep]]
key = 4
rows = [
  { name = "p", width = 1 },
  # between
  { name = "q", width = 2 },
]
'''


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ((), "", 1),
        (("nowhere",), "", 1),
        (("top",), "", 2),
        (("table",), "", 4),
        (("table", "key"), "", 5),
        (("table", "many"), "", 6),
        (("table", "many"), "two", 8),
        (("table", "many"), "three", 6),
        (("table", "many", 1), "", 6),
        (("table", "block"), "", 10),
        (("table", "inside"), "", 4),
        (("table", "inline", "y", "z"), "", 14),
        (("array", 0), "", 16),
        (("array", 0, "key"), "", 17),
        (("array", 0, "below", "dotted.name", "key"), "", 19),
        (("array", 1), "", 21),
        (("array", 1, "lost"), "", 21),
        (("array", 1, "deep", 0, "key"), "", 24),
        (("array", 1, "deep", 0, "rows", 1, "width"), "", 28),
    ],
)
def test_where_a_key_stands(path: tuple[str | int, ...], value: str, line: int) -> None:
    assert Lines(TEXT).of(path, value) == line


def test_what_a_file_states() -> None:
    assert Lines(TEXT).has(("table", "key"))
    assert not Lines(TEXT).has(("table", "inside"))


def test_windows_line_ends_count_once() -> None:
    assert Lines(TEXT.replace("\n", "\r\n")).of(("array", 1, "deep", 0, "key")) == 24


@pytest.mark.parametrize(("text", "line"), [("a = \n", 1), ("\n\nb 1\n", 3), ("a = [\n1,\n", 2)])
def test_where_toml_is_broken(text: str, line: int) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert line_of_error(caught.value, text) == line


@given(
    names=st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), unique=True, max_size=12),
    blanks=st.lists(st.integers(min_value=0, max_value=3), min_size=12, max_size=12),
    values=st.lists(
        st.sampled_from(['"x"', "[1,\n 2]", '"""a\n[b]\n"""', "{ p = 1 }", "2020-01-01"]),
        min_size=12,
        max_size=12,
    ),
)
def test_every_key_is_found_on_its_line(
    names: list[str], blanks: list[int], values: list[str]
) -> None:
    text, due = "", {}
    for name, blank, value in zip(names, blanks, values, strict=False):
        text += "\n" * blank + f"[{name}]\nkey = {value}\n"
        due[name] = text.count("\n") - value.count("\n")
    lines = Lines(text)
    assert {name: lines.of((name, "key")) for name in names} == due
