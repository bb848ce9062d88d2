"""Which flows may carry a message on a day, and why none may."""

import datetime as dt
from pathlib import Path

import pytest

from hub.statute.catalogue import load_catalogue
from hub.statute.reasons import Code, held_sentence, sentence
from hub.statute.rules import rule
from tests.samples import ASSESSED, CHANGED, FLOW_TOML, REGISTRY, TAX, judge, routes, shipped
from tests.samples import delivery as make_delivery

pytestmark = pytest.mark.unit

BARE = FLOW_TOML.split("[[basis]]")[0] + "[receivers.beta]\nfields = ['name']\n"
TODAY = dt.date(2026, 4, 1)
JST = dt.timezone(dt.timedelta(hours=9))


@pytest.mark.parametrize(
    ("day", "flows"),
    [
        ("2015-10-04", {}),
        ("2015-10-05", {"M1b": "府番第27号"}),
        ("2015-12-31", {"M1b": "府番第27号"}),
        ("2016-01-01", {"M1b": "府番第27号", "I1": "別表第1の59の項"}),
        ("2021-06-27", {"M1b": "府番第27号", "I1": "別表第1の59の項"}),
        ("2021-06-28", {"M1b": "府番第27号", "I1": "別表第1の84の項"}),
        ("2022-06-27", {"M1b": "府番第27号", "I1": "別表第1の84の項"}),
        ("2022-06-28", {"M1b": "府番第27号", "I1": "別表の85の項"}),
        ("2026-04-01", {"M1b": "府番第27号", "I1": "別表の85の項"}),
    ],
)
def test_resident_changes_move_by_the_article_of_the_day(day: str, flows: dict[str, str]) -> None:
    ruling = rule(shipped(), REGISTRY, CHANGED, dt.date.fromisoformat(day))
    found = {carrier.flow.ref: str(carrier.basis) for carrier in ruling.flows}
    shared = {ref: text for ref, text in found.items() if ref in {"I1", "M1b"}}
    assert shared.keys() == flows.keys()
    assert all(article in shared[ref] for ref, article in flows.items())
    assert (ruling.code is None) == bool(found)


@pytest.mark.parametrize(
    ("day", "article"),
    [
        ("2015-12-31", None),
        ("2016-01-01", "59の項"),
        ("2021-06-27", "59の項"),
        ("2021-06-28", "84の項"),
        ("2022-06-27", "84の項"),
        ("2022-06-28", "85の項"),
    ],
)
def test_income_moves_by_the_article_of_the_day(day: str, article: str | None) -> None:
    ruling = rule(shipped(), TAX, ASSESSED, dt.date.fromisoformat(day))
    found = {carrier.flow.ref: str(carrier.basis) for carrier in ruling.flows}
    if article is None:
        assert ruling.code is Code.NOT_IN_FORCE
    else:
        assert article in found["I2"]


@pytest.mark.parametrize(
    ("sender", "message_type", "code"),
    [
        (REGISTRY, "resident.married", Code.NO_FLOW),
        (TAX, CHANGED, Code.TYPE_NOT_PERMITTED),
        (REGISTRY, ASSESSED, Code.TYPE_NOT_PERMITTED),
        ("union", CHANGED, Code.TYPE_NOT_PERMITTED),
        ("family-registry", CHANGED, Code.NEIGHBOUR),
        ("family-registry", "resident.married", Code.NEIGHBOUR),
        ("nobody", CHANGED, Code.TYPE_NOT_PERMITTED),
        ("", CHANGED, Code.TYPE_NOT_PERMITTED),
    ],
)
def test_what_no_flow_permits_is_refused(sender: str, message_type: str, code: Code) -> None:
    ruling = rule(shipped(), sender, message_type, TODAY)
    assert ruling.code is code
    assert ruling.flows == ()


def test_a_held_flow_names_its_missing_cells(tmp_path: Path) -> None:
    held = "state = 'held'\nmissing = ['basis', 'frequency']\n" + BARE
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": held}))
    ruling = rule(catalogue, "alpha", CHANGED, TODAY)
    assert ruling.code is Code.HELD
    assert "法令上の根拠" in sentence(Code.HELD, ruling.detail).ja
    assert "時期・頻度" in sentence(Code.HELD, ruling.detail).ja
    assert "legal basis" in sentence(Code.HELD, ruling.detail).en


def test_a_denied_flow_is_denied(tmp_path: Path) -> None:
    denied = "state = 'denied'\n" + FLOW_TOML.split("fields =")[0]
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": denied}))
    ruling = rule(catalogue, "alpha", CHANGED, TODAY)
    assert (ruling.code, ruling.detail) == (Code.DENIED, "(T1)")


def test_a_basis_moves_no_held_flow(tmp_path: Path) -> None:
    flow = "state = 'held'\nmissing = ['frequency']\n" + FLOW_TOML
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": flow}))
    assert rule(catalogue, "alpha", CHANGED, TODAY).code is Code.HELD


def test_outside_its_basis_a_flow_names_the_periods() -> None:
    ruling = rule(shipped(), "number-linkage", "inquiry.requested", dt.date(2022, 2, 21))
    assert ruling.code is Code.NOT_IN_FORCE
    assert ruling.detail == (
        "(I11a: 2022-02-22 – 2022-06-27, 2022-06-28 – 2025-01-13, 2025-01-14 –)"
    )


def test_a_leg_is_judged_by_its_own_sender() -> None:
    catalogue = shipped()
    for sender, receiver in (
        ("premium-collection", "number-linkage"),
        ("number-linkage", "intermediate-server"),
    ):
        (found,) = rule(catalogue, sender, "inquiry.requested", TODAY).flows
        assert (found.flow.ref, list(found.leg.receivers)) == ("I11a", [receiver])


def test_a_held_flow_stops_no_permitted_one(tmp_path: Path) -> None:
    held = "state = 'held'\nmissing = ['basis']\n" + BARE.replace('"T1"', '"T2"')
    catalogue = load_catalogue(routes(tmp_path, {"T1.toml": FLOW_TOML, "T2.toml": held}))
    ruling = rule(catalogue, "alpha", CHANGED, TODAY)
    assert [carrier.flow.ref for carrier in ruling.flows] == ["T1"]


def test_the_day_is_the_day_in_japan() -> None:
    midnight = dt.datetime(2016, 1, 1, tzinfo=JST)
    just_before = midnight - dt.timedelta(microseconds=1)
    for now, refs in ((just_before, {"M1b"}), (midnight, {"I1", "M1b"})):
        verdict = judge().judge(make_delivery(), now.astimezone(dt.UTC))
        found = {release.terms.flow for release in getattr(verdict, "releases", ())}
        assert found & {"I1", "M1b"} == refs


def test_every_code_has_both_sentences() -> None:
    for code in Code:
        said = sentence(code)
        assert said.en
        assert said.ja


def test_a_known_doubt_has_a_sentence_and_another_one_stays_as_it_is() -> None:
    known = held_sentence("ambiguous-match")
    assert "特定できない" in known.ja
    assert "ambiguous-match" not in known.ja
    assert held_sentence("another-doubt") == sentence(Code.IN_DOUBT, "another-doubt")
