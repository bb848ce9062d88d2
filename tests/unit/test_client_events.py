"""How events are checked, encoded and cut into windows, and what the page promises of them."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.client.errors import CannotUse, EventError, NotSent, OutcomeUnknown
from hub.client.events import Event, Wire, to_wire, windows
from hub.errors import KeyMissing
from hub.message import (
    MAX_BODY_BYTES,
    AccessItems,
    Copy,
    Envelope,
    Notice,
    Receipts,
    partition_of,
)
from hub.sealing.keys import Keys
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from hub.statute.reasons import Code
from schemas.canonical import ScopeEvidence
from schemas.income import IncomeAssessed
from schemas.numbers import MyNumber
from schemas.resident import ResidentChanged
from tests.keyring import keyring

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 4, 1, 9, 30, tzinfo=dt.UTC)
UNABLE = Sealer(Keys("resident-registry"), "hub")
"""Of a client without certificates: it sends whatever has no 個人番号."""
ACCESS = AccessItems(staff="S1", department="市民課", reason="定例")
NUMBER = "123456789018"
PAGE = (Path(__file__).parents[2] / "docs/howto/connect-your-own-system.md").read_text("utf-8")


def event(**changes: object) -> Event:
    values: dict[str, object] = {
        "message_type": "resident.changed",
        "data": {"addressee_number": "12345", "name": "秘密"},
        "message_id": "m1",
    }
    return Event(**(values | changes))  # type: ignore[arg-type] # wrong values are the point


def wire_of(one: Event) -> Wire:
    return to_wire(one, "resident-registry", ACCESS, NOW, UNABLE)


def test_an_event_is_written_with_access_items_and_partition() -> None:
    wire = wire_of(event(reason="転居"))
    written = json.loads(wire.body)
    assert written["source"] == "/systems/resident-registry"
    assert (written["staff"], written["department"]) == ("S1", "市民課")
    assert written["reason"] == "転居"
    assert wire.partition == partition_of("12345")


def test_the_reason_of_the_access_items_stands_where_the_event_has_none() -> None:
    assert json.loads(wire_of(event()).body)["reason"] == "定例"


def test_what_was_sent_can_be_sent_again_later_with_the_same_bytes() -> None:
    first = wire_of(event())
    later = to_wire(first.event, "resident-registry", ACCESS, NOW + dt.timedelta(hours=1), UNABLE)
    assert later.body == first.body


def test_a_number_goes_out_for_the_hub_alone_and_each_time_anew() -> None:
    ring = keyring("hub")
    seal = Sealer(ring.keys("resident-registry"), "hub")
    data = {"addressee_number": "12345", "my_number": NUMBER}
    one, other = (
        to_wire(event(data=data), "resident-registry", ACCESS, NOW, seal).body for _ in range(2)
    )
    assert one != other
    assert NUMBER.encode() not in one
    opener = Opener(ring.keys("hub"))
    opened, again = (opener.opened(body, "resident-registry") for body in (one, other))
    assert opened == again
    assert opened.numbers == (b"resident-registry\nm1",)
    assert json.loads(opened.body)["data"] == data


def test_without_a_key_of_the_hub_nothing_with_a_number_is_sent() -> None:
    with pytest.raises(KeyMissing, match="certificates= of a client") as missing:
        wire_of(event(data={"addressee_number": "12345", "my_number": NUMBER}))
    assert NUMBER not in str(missing.value)


@pytest.mark.parametrize("number", [int(NUMBER), MyNumber(NUMBER), [NUMBER]])
def test_a_number_that_is_no_text_is_not_sent_in_clear(number: object) -> None:
    with pytest.raises(EventError, match="my_number in the data is no text"):
        wire_of(event(data={"addressee_number": "12345", "my_number": number}))


def test_a_canonical_message_states_its_schema() -> None:
    data = IncomeAssessed(
        addressee_number="5",
        scope=ScopeEvidence(),
        household_number="6",
        tax_year=2025,
        undeclared="0",
        taxation_class="1",
    )
    written = json.loads(wire_of(event(message_type="income.assessed", data=data)).body)
    assert written["dataschema"] == "urn:renkei:income.assessed:1"
    with pytest.raises(EventError, match=r"income.assessed and not resident.changed"):
        wire_of(event(data=data))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"message_id": "with space"}, "id"),
        ({"message_id": "move-123456789018"}, "id"),
        ({"message_type": "Resident"}, "type"),
        ({"time": dt.datetime(2026, 4, 1)}, "time"),  # noqa: DTZ001 - naive on purpose
        ({"reason": "x" * 81}, "reason"),
        ({"data": {"name": "秘密"}}, "addressee_number"),
        ({"data": {"addressee_number": 12345, "name": "秘密"}}, "addressee_number"),
        ({"data": {"addressee_number": "1", "name": object()}}, "JSON"),
        ({"data": {"addressee_number": "1", "name": "秘" * MAX_BODY_BYTES}}, "bytes"),
    ],
)
def test_what_cannot_be_sent_is_named_without_its_value(
    changes: dict[str, object], names: str
) -> None:
    with pytest.raises(EventError, match=names) as error:
        wire_of(event(**changes))
    assert "秘" not in str(error.value)
    assert "123456789018" not in str(error.value)


def test_data_never_prints() -> None:
    assert "秘密" not in repr(event())
    assert "秘密" not in repr(wire_of(event()).event)
    assert "秘密" not in f"{OutcomeUnknown([event()], 'x')!r}"


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(1, 8))
def test_windows_keep_the_order_and_no_resident_twice(numbers: list[int], most: int) -> None:
    wires = [Wire(event(message_id=f"m{i}"), b"", "1", str(n)) for i, n in enumerate(numbers)]
    cut = list(windows(wires, most))
    assert [wire for window in cut for wire in window] == wires
    for window in cut:
        assert 0 < len(window) <= most
        assert len({wire.about for wire in window}) == len(window)


def test_residents_of_one_bucket_are_under_way_together() -> None:
    numbers = [str(n) for n in range(1, 301)]
    data = event().data
    assert isinstance(data, dict)
    wires = [wire_of(event(data={**data, "addressee_number": n}, message_id=n)) for n in numbers]
    assert len({wire.partition for wire in wires}) == 16
    assert [len(window) for window in windows(wires)] == [256, 44]


def test_failures_name_ids_and_say_what_to_do() -> None:
    events = [event(message_id=f"m{n}") for n in range(5)]
    assert "m0, m1, m2 and 2 more" in str(NotSent(events, "nobody answers"))
    assert "again is safe" in str(OutcomeUnknown(events, "no confirm"))


@pytest.mark.parametrize("code", ["", "With Capitals", "x" * 41, "秘密", "-x", "n-123456789018"])
def test_a_code_that_could_tell_something_is_no_code(code: str) -> None:
    with pytest.raises(ValueError, match="a code"):
        CannotUse(code)


def block(name: str) -> str:
    (found,) = re.findall(rf"^```json {name}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_examples_of_the_page_are_what_the_hub_reads_and_writes() -> None:
    Envelope[ResidentChanged].model_validate_json(block("event"))
    Copy.model_validate_json(block("copy"))
    Envelope[Receipts].model_validate_json(block("receipt"))
    Envelope[Notice].model_validate_json(block("notice"))


def test_the_page_gives_the_right_partitions() -> None:
    rows = re.findall(r"^\| `([0-9]+)` \| `([0-9]+)` \|$", PAGE, re.MULTILINE)
    assert len(rows) == 3
    assert all(partition_of(number) == partition for number, partition in rows)


@pytest.mark.parametrize("code", list(Code))
def test_the_page_explains_every_refusal(code: Code) -> None:
    assert f"`{code}`" in PAGE
