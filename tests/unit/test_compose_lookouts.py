"""A thread that looks around: it goes on, ends with its context, and does not fail unseen."""

from threading import Event

import pytest

from hub.compose.lookouts import Lookouts
from hub.errors import RenkeiError

pytestmark = pytest.mark.unit

SOON = 10.0


def test_it_looks_again_and_again_and_ends_in_order() -> None:
    around, looks, ended = Lookouts(), iter(range(3)), Event()
    enough = Event()

    def look() -> None:
        if next(looks, None) is None:
            enough.set()

    with around.each(0.001, look, "figures", patience=SOON, end=ended.set):
        assert enough.wait(SOON)
        assert not ended.is_set()
    assert ended.is_set()
    around.check()


def test_what_fails_on_something_unknown_is_told_without_its_text() -> None:
    around, failed = Lookouts(), Event()

    def look() -> None:
        failed.set()
        raise KeyError("山田")

    with around.each(0.001, look, "figures", patience=SOON):
        assert failed.wait(SOON)
    with pytest.raises(RenkeiError, match=r"figures: KeyError at test_compose_lookouts") as told:
        around.check()
    assert "山田" not in str(told.value)
