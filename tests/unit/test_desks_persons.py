"""One name of staff is one person, however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desks.persons import is_somebody, same_person

pytestmark = pytest.mark.unit

UNSEEN = "\u200b\u200c\u200d\u2060\u00ad\ufeff\ufe00\ufe0f\U000e0100\u034f\u3164 \u3000\u00a0\t"
HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
PLAIN = "abcz09-.田中佐藤ー"
names = st.text(PLAIN, min_size=1, max_size=8)


@st.composite
def typed(draw: st.DrawFn, name: str) -> str:
    """Write a name as somebody may who wants to pass as two."""
    written = draw(st.text(UNSEEN, max_size=2))
    for sign in name:
        ways = [sign, sign.upper()]
        ways += HYPHENS if sign == "-" else ()
        ways += [chr(ord(sign) + 0xFEE0)] if sign.isascii() else ()
        written += draw(st.sampled_from(ways)) + draw(st.text(UNSEEN, max_size=2))
    return written


@given(st.data(), names)
def test_however_it_is_typed_it_is_the_same_person(data: st.DataObject, name: str) -> None:
    assert same_person(name, data.draw(typed(name)))
    assert is_somebody(data.draw(typed(name)))


@given(st.text(), st.integers(0, 40), st.sampled_from(UNSEEN))
def test_what_is_not_seen_changes_nobody(name: str, place: int, unseen: str) -> None:
    assert same_person(name, name[:place] + unseen + name[place:])


@given(names, names)
def test_others_are_others(one: str, other: str) -> None:
    assert same_person(one, other) is (one == other)


@given(st.text(UNSEEN))
def test_nothing_is_nobody(unseen: str) -> None:
    assert not is_somebody(unseen)
