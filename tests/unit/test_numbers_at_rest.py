"""The search for 個人番号 in what was written down finds each of its forms, and nothing else."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulation.people import my_number
from tests.numbers_at_rest import Numbers

pytestmark = pytest.mark.unit

ISSUED = sorted({*map(my_number, range(300)), "3" * 12, "0" * 12, "123456789018"})
NUMBERS = Numbers(ISSUED)
TEXTS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "hex": lambda text: text.encode().hex().encode(),
    "hex of utf-16-le": lambda text: text.encode("utf-16-le").hex().upper().encode(),
    "hex of utf-16-be": lambda text: text.encode("utf-16-be").hex().encode(),
}
WRITTEN = {
    **TEXTS,
    **{
        f"base64 of {name}": lambda text, write=write: base64.b64encode(write(text))
        for name, write in TEXTS.items()
    },
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).rstrip(b"="),
}


SURROUNDING = st.text(max_size=9) | st.text("0123456789", max_size=9)


@pytest.mark.parametrize("form", WRITTEN)
@settings(max_examples=20)
@given(
    st.sampled_from(ISSUED),
    st.tuples(SURROUNDING, SURROUNDING),
    st.tuples(st.binary(max_size=9), st.binary(max_size=9)),
)
def test_a_number_is_found_in_every_form_and_place(
    form: str, number: str, beside: tuple[str, str], around: tuple[bytes, bytes]
) -> None:
    written = WRITTEN[form](number.join(beside))
    assert number in NUMBERS.found_in((b" %b " % written).join(around))


@settings(max_examples=20)
@given(st.binary(max_size=2000).filter(lambda content: b"0" * 6 not in content))
def test_what_holds_none_is_not_said_to_hold_one(content: bytes) -> None:
    sealed = base64.urlsafe_b64encode(content)
    for one in (content, sealed, content.hex().encode()):
        assert NUMBERS.found_in(one) == set()


def test_files_are_named_with_how_many_they_hold_but_those_that_may_hold_them(
    tmp_path: Path,
) -> None:
    one, other = ISSUED[:2]
    for name in ("drive", "broker"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"{one},{other}")
    (tmp_path / "broker" / "empty").touch()
    assert NUMBERS.found_in_files(tmp_path, [tmp_path / "drive"]) == {"broker/file": 2}
