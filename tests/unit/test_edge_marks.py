"""Characters that a receiver's encoding lacks: kept for a person, or marked; never dropped."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.edge.forms import form_of
from hub.edge.kit import Unencodable, Unwritable
from hub.edge.marks import MARK, NARROW_MARKS, marked_record
from hub.edge.records import RecordEncoder
from hub.message import ReleaseOrder, encode_release, source_of
from hub.statute.model import Catalogue, Lacking
from schemas.layout import Kind, load_layout
from tests.edge_rig import BETA, CATALOGUE, CREATED, NOTES_OUT, Rig, Standing, copy_of
from tests.edge_rig import use_test_layouts as use_layouts
from tests.layout_values import chance, record

pytestmark = pytest.mark.unit

QUEUE = "out.beta"
NAME = "𠮷田¥髙"
MARKED_NAME = f"{MARK}田{MARK}髙"


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    use_layouts(monkeypatch)
    return Rig(tmp_path)


def marking() -> Standing:
    """Give a wall whose first flow says that missing characters are marked."""
    flow, *others = CATALOGUE.flows
    grant = flow.receivers["beta"].model_copy(update={"unencodable": Lacking.MARK})
    changed = flow.model_copy(update={"receivers": {**flow.receivers, "beta": grant}})
    return Standing("beta", Catalogue(CATALOGUE.systems, (changed, *others), "other"))


def order(number: int) -> bytes:
    what = ReleaseOrder(sender="alpha", id=f"m-{number}", flow="F1")
    return encode_release(f"release-{number}", what, source_of("hub"), CREATED)


def set_aside(rig: Rig) -> list[dict[str, str]]:
    files = sorted(rig.at("beta", "set-aside").iterdir())
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def written(rig: Rig) -> list[tuple[str, str]]:
    return [
        tuple(line.split(",")[1:])
        for path in sorted(rig.at("beta", "from-hub").glob("*.csv"))
        for line in path.read_bytes().decode("cp932").splitlines()
        if line.startswith("D,")
    ]


def test_a_record_waits_unharmed_until_it_is_released(rig: Rig) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.broker.put(QUEUE, copy_of(2, "n2"))
    rig.run(BETA, encoding="cp932")
    assert sorted(rig.receipts()) == [("m-1", "unencodable"), ("m-2", "delivered")]
    (aside,) = set_aside(rig)
    assert aside["code"] == "unencodable"
    assert aside["body"].encode() == copy_of(1, NAME)
    assert NAME not in aside["reason"]
    assert rig.recorder.all("message_set_aside") == [("unencodable",)]

    rig.broker.put(QUEUE, order(1))
    rig.run(BETA, encoding="cp932")
    assert written(rig) == [("1", "n2"), ("1", MARKED_NAME)]
    assert rig.receipts()[-1] == ("m-1", "marked")
    assert set_aside(rig) == []
    assert rig.recorder.all("messages_marked") == [(1,)]
    assert not rig.broker.queue(QUEUE)


def test_a_route_may_ask_for_marks_at_once(rig: Rig) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932", walls=marking())
    assert written(rig) == [("1", MARKED_NAME)]
    assert rig.receipts() == [("m-1", "marked")]
    assert rig.recorder.all("messages_marked") == [(1,)]
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932", walls=marking())
    assert rig.receipts() == [("m-1", "marked")] * 2
    assert len(written(rig)) == 1


def test_what_the_encoding_has_is_never_marked(rig: Rig) -> None:
    rig.broker.put(QUEUE, copy_of(1, "髙﨑①㈱"))
    rig.run(BETA, encoding="cp932", walls=marking())
    assert written(rig) == [("1", "髙﨑①㈱")]
    assert rig.receipts() == [("m-1", "delivered")]
    assert rig.recorder.all("messages_marked") == []


def test_a_release_that_comes_again_writes_nothing_and_is_receipted_again(rig: Rig) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932")
    for body in (order(1), copy_of(1, NAME), order(1)):
        rig.broker.put(QUEUE, body)
    rig.run(BETA, encoding="cp932")
    rig.broker.put(QUEUE, order(1))
    rig.run(BETA, encoding="cp932")
    assert written(rig) == [("1", MARKED_NAME)]
    codes = [code for _, code in rig.receipts()]
    assert codes == ["unencodable", "unencodable", "marked", "marked"]


def remove(rig: Rig) -> None:
    for path in rig.at("beta", "set-aside").iterdir():
        path.unlink()


def spoil(rig: Rig) -> None:
    for path in rig.at("beta", "set-aside").iterdir():
        path.write_text("[]")


@pytest.mark.parametrize("harm", [remove, spoil])
def test_a_release_of_what_is_gone_is_set_aside_and_said(
    rig: Rig, harm: Callable[[Rig], None]
) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932")
    harm(rig)
    rig.broker.put(QUEUE, order(1))
    rig.broker.put(QUEUE, order(7))
    rig.run(BETA, encoding="cp932")
    assert rig.recorder.all("message_set_aside")[1:] == [("nothing-to-release",)] * 2
    assert written(rig) == []
    assert rig.receipts() == [("m-1", "unencodable")]


def test_only_the_hub_can_release(rig: Rig) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932")
    rig.broker.put(QUEUE, order(1), user_id="alpha")
    rig.broker.put(QUEUE, order(1), copied=True)
    rig.run(BETA, encoding="cp932")
    assert written(rig) == []
    assert rig.recorder.all("message_set_aside")[1:] == [("not-from-hub",), ("unreadable",)]


def test_what_not_even_a_mark_helps_is_told_so_and_asked_no_more(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932")
    monkeypatch.setattr("hub.edge.marks.MARK", "𠮷")
    monkeypatch.setattr("hub.edge.marks.NARROW_MARKS", "")
    rig.broker.put(QUEUE, order(1))
    rig.run(BETA, encoding="cp932")
    assert rig.receipts() == [("m-1", "unencodable"), ("m-1", "unwritable")]
    assert [one["code"] for one in set_aside(rig)] == ["unwritable"]


def test_a_release_opens_no_wall(rig: Rig) -> None:
    rig.broker.put(QUEUE, copy_of(1, NAME))
    rig.run(BETA, encoding="cp932")
    rig.broker.put(QUEUE, order(1))
    ended = Catalogue(CATALOGUE.systems, CATALOGUE.flows[1:], "other")
    rig.run(BETA, encoding="cp932", walls=Standing("beta", ended))
    assert written(rig) == []
    assert [one["code"] for one in set_aside(rig)] == ["flow-unknown"]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=15))
def test_only_lacking_characters_change_and_each_into_one_mark(text: str) -> None:
    encoder = RecordEncoder(NOTES_OUT, "cp932")
    line = marked_record(encoder, {"person": "1", "note": text})
    found = line.decode("cp932").removeprefix("D,1,").removesuffix("\r\n")
    note = found[1:-1].replace('""', '"') if found.startswith('"') else found
    assert len(note) == len(text)
    for shown, given_ in zip(note, text, strict=True):
        assert shown == given_ or (shown == MARK and _is_lacking(given_))


def _is_lacking(character: str) -> bool:
    try:
        return character.encode("cp932").decode("cp932") != character
    except UnicodeEncodeError:
        return True


class Narrow:
    """An encoder of half-width kana alone, which lacks the mark too."""

    def record(self, values: dict[str, str]) -> bytes:
        lacking = [one for one in values["kana"] if one > "\xff"]
        if lacking:
            raise Unencodable("kana", "jisx0201", lacking)
        return values["kana"].encode("ascii")


class Stubborn:
    """An encoder that lacks everything."""

    def record(self, values: dict[str, str]) -> bytes:
        raise Unencodable("kana", "nothing", values["kana"])


def test_an_encoding_without_the_mark_gets_a_narrow_one() -> None:
    assert marked_record(Narrow(), {"kana": "a𠮷b"}) == f"a{NARROW_MARKS[0]}b".encode()  # type: ignore[arg-type] # a stub


@pytest.mark.parametrize("layout_id", ["deposit-inquiry.answers", "intermediate-server.listings"])
def test_what_xml_has_no_place_for_is_marked(layout_id: str) -> None:
    layout, encoder = load_layout(layout_id), form_of(layout_id).encoder(None)
    values = record(layout, encoder, chance(1))
    field = next(one.field for one in layout.columns if one.kind is Kind.TEXT and not one.codes)
    harmed = values | {field: "a\ufffeb"}
    with pytest.raises(Unencodable):
        encoder.record(harmed)
    assert marked_record(encoder, harmed) == encoder.record(values | {field: f"a{MARK}b"})


def test_the_kana_of_banks_have_a_mark_too() -> None:
    encoder = form_of("bank.transfers").encoder(None)
    values = record(load_layout("bank.transfers"), encoder, chance(1))
    line = marked_record(encoder, values | {"account_holder_kana": "ﾖｼﾀﾞ𠮷ｦ"})
    assert "ﾖｼﾀﾞ//".encode("cp932") in line


def test_what_no_mark_helps_is_no_endless_work() -> None:
    with pytest.raises(Unwritable):
        marked_record(Stubborn(), {"kana": "a"})  # type: ignore[arg-type] # a stub
