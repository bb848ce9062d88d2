"""Which messages of a publish call may go, and what becomes of each."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker.window import Window
from hub.ports import Outgoing, Sent

pytestmark = pytest.mark.unit


def message(key: str = "", to: str = "a", identity: str = "m") -> Outgoing:
    return Outgoing("x", to, b"", identity, "t.x", key)


def send_ready(window: Window, last_tag: int) -> dict[int, int]:
    """Send what may go; give tag → index."""
    sent = {}
    while window.ready:
        index = window.ready.popleft()
        last_tag += 1
        window.sent(last_tag, index)
        sent[last_tag] = index
    return sent


def test_only_the_same_residents_messages_wait() -> None:
    window = Window([message("a"), message("a"), message("b"), message(), message()])
    assert send_ready(window, 0) == {1: 0, 2: 2, 3: 3, 4: 4}
    window.settle(4, multiple=True, confirmed=True)
    assert send_ready(window, 4) == {5: 1}
    window.settle(5, multiple=False, confirmed=True)
    assert window.open == 0
    assert window.fates() == [Sent.CONFIRMED] * 5


def test_a_refusal_withholds_all_that_follow_of_that_resident() -> None:
    window = Window([message("a"), message("b"), message("a"), message("a"), message("b")])
    send_ready(window, 0)
    window.settle(1, multiple=False, confirmed=False)
    window.settle(2, multiple=False, confirmed=True)
    assert send_ready(window, 2) == {3: 4}
    window.settle(3, multiple=False, confirmed=True)
    withheld = Sent.WITHHELD
    assert window.fates() == [Sent.REFUSED, Sent.CONFIRMED, withheld, withheld, Sent.CONFIRMED]


def test_a_return_is_matched_by_exchange_key_and_id() -> None:
    window = Window([message(to="a"), message(to="b"), message(to="b"), message(to="b")])
    send_ready(window, 0)
    window.returned("x", "b", "other")
    window.returned("y", "b", "m")
    window.returned("x", "b", "m")
    window.returned("x", "b", "m")
    window.settle(4, multiple=True, confirmed=True)
    unroutable = Sent.UNROUTABLE
    assert window.fates() == [Sent.CONFIRMED, unroutable, unroutable, Sent.CONFIRMED]


def test_fates_are_not_given_too_soon() -> None:
    with pytest.raises(RuntimeError):
        Window([message()]).fates()
    assert Window([]).fates() == []


@dataclass
class Broker:
    """Answers in any order, with multiple confirms, as the drawn numbers say."""

    refused: set[int]

    def settle_some(self, window: Window, choice: int) -> None:
        tags = list(window.in_flight)
        tag = tags[choice % len(tags)]
        multiple = choice % 3 == 0
        covered = [t for t in tags if t <= tag] if multiple else [tag]
        confirmed = not any(window.in_flight[t] in self.refused for t in covered)
        if multiple and not confirmed:
            multiple, covered = False, [tag]
            confirmed = window.in_flight[tag] not in self.refused
        window.settle(tag, multiple=multiple, confirmed=confirmed)


@pytest.mark.slow
@given(
    keys=st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=40),
    refused=st.sets(st.integers(0, 39)),
    choices=st.lists(st.integers(0, 1000), min_size=200, max_size=200),
)
def test_order_holds_and_every_message_gets_the_right_fate(
    keys: list[str], refused: set[int], choices: list[int]
) -> None:
    window = Window([message(key) for key in keys])
    broker = Broker(refused)
    sent: list[int] = []
    tag = 0
    for choice in choices:
        if window.ready and choice % 2:
            index = window.ready.popleft()
            in_flight = [keys[i] for i in window.in_flight.values()]
            assert not keys[index] or keys[index] not in in_flight
            tag += 1
            window.sent(tag, index)
            sent.append(index)
        elif window.in_flight:
            broker.settle_some(window, choice)
    while window.open:
        if window.ready:
            tag += 1
            window.sent(tag, index := window.ready.popleft())
            sent.append(index)
        else:
            broker.settle_some(window, 1)
    broken: set[str] = set()
    for index, (key, fate) in enumerate(zip(keys, window.fates(), strict=True)):
        if key in broken:
            assert fate is Sent.WITHHELD
        else:
            assert fate is (Sent.REFUSED if index in refused else Sent.CONFIRMED)
            if key and index in refused:
                broken.add(key)
    for key in ("a", "b", "c"):
        of_key = [index for index in sent if keys[index] == key]
        assert of_key == sorted(of_key)
