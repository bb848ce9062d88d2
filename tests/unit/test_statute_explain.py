"""What is said about a question, in both languages and as JSON."""

import datetime as dt
from dataclasses import replace

import pytest

from hub.errors import QuestionError
from hub.statute.catalogue import load_catalogue
from hub.statute.explain import Explanation, explain, summed
from hub.statute.model import Catalogue, Decision, Standing

pytestmark = pytest.mark.unit

CATALOGUE = load_catalogue()
TODAY = dt.date(2026, 4, 1)
REQUESTED = "inquiry.requested"


def one(**question: str) -> Explanation:
    (found,) = explain(CATALOGUE, TODAY, **question)
    return found


def with_decision(ref: str, **decision: Decision) -> Catalogue:
    flows = tuple(
        flow.model_copy(update=decision) if flow.ref == ref else flow for flow in CATALOGUE.flows
    )
    return replace(CATALOGUE, flows=flows)


def test_the_json_has_exactly_the_agreed_shape() -> None:
    for found in (
        one(ref="I11a"),
        one(ref="M3"),
        one(ref="X1"),
        one(sender="tax", receiver="bank"),
    ):
        said = found.as_json()
        assert list(said) == ["permitted", "state", "ref", "basis", "fields", "reason", "source"]
        assert list(said["reason"]) == ["en", "ja"]
        assert all(said["reason"].values())
        for basis in said["basis"]:
            assert list(basis) == ["law", "article", "valid_from", "valid_to"]
        assert said["permitted"] is (said["state"] == "permitted")


def test_a_basis_is_given_whole_over_time() -> None:
    basis = one(ref="I11a").as_json()["basis"]
    assert [(item["valid_from"], item["valid_to"]) for item in basis] == [
        ("2022-02-22", "2022-06-27"),
        ("2022-06-28", "2025-01-13"),
        ("2025-01-14", None),
    ]
    assert [item["article"].split("（")[1] for item in basis] == [
        "82の項）",
        "106の項）",
        "117の項）",
    ]


def test_a_flow_of_two_legs_is_one_answer_by_reference_and_two_by_its_ends() -> None:
    whole = one(ref="I11a")
    first = one(sender="premium-collection", receiver="number-linkage", message_type=REQUESTED)
    second = one(sender="number-linkage", receiver="intermediate-server", message_type=REQUESTED)
    assert set(whole.fields) == set(first.fields) | set(second.fields)
    assert set(first.fields) - set(second.fields) == {"request_id"}
    assert (len(whole.legs), len(first.legs), len(second.legs)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("question", "state", "en", "ja"),
    [
        ({"ref": "I1"}, "permitted", "別表の85の項", "認められます"),
        ({"ref": "I5"}, "permitted", "whole file", "ファイル全体"),
        ({"ref": "I12a"}, "held", "legal basis", "法令上の根拠"),
        ({"ref": "M3"}, "held", "destination", "移転先"),
        ({"ref": "M4"}, "held", "data", "情報の項目"),
        ({"ref": "X1"}, "denied", "接続しない（提供）", "接続しない（提供）"),
        ({"sender": "tax", "receiver": "bank"}, "unknown", "from tax to bank", "tax、bank"),
        (
            {"sender": "health-information", "receiver": "union"},
            "unknown",
            "neighbour",
            "健康情報システムは隣接システム",
        ),
        ({"sender": "tax", "receiver": "tax-arrears"}, "unknown", "neighbour", "隣接システム"),
        ({"message_type": "resident.change"}, "unknown", "did you mean resident.changed?", "誤り"),
        ({"message_type": "moon.seen"}, "unknown", "No flow carries", "運ぶ流れがありません"),
        (
            {"sender": "tax", "receiver": "union", "message_type": "resident.changed"},
            "unknown",
            "from tax to union with resident.changed",
            "resident.changed",
        ),
    ],
)
def test_an_answer_says_why(question: dict[str, str], state: str, en: str, ja: str) -> None:
    found = one(**question)
    assert str(found.state) == state
    assert en in found.reason.en
    assert ja in found.reason.ja


def test_outside_its_basis_the_periods_are_named() -> None:
    (found,) = explain(CATALOGUE, dt.date(2022, 2, 21), ref="I11a")
    assert found.state is Standing.NOT_IN_FORCE
    for text in found.reason:
        assert "2022-02-22 – 2022-06-27" in text
        assert "2025-01-14 –" in text


def test_no_question_is_about_every_flow() -> None:
    answers = explain(CATALOGUE, TODAY)
    assert [answer.ref for answer in answers] == [flow.ref for flow in CATALOGUE.flows]


def test_a_system_alone_may_be_asked_about() -> None:
    answers = explain(CATALOGUE, TODAY, receiver="juki-net")
    assert [answer.ref for answer in answers] == ["I10b"]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ({"ref": "I11"}, "no flow I11; did you mean I1"),
        ({"ref": "QQ"}, "no flow QQ"),
        ({"sender": "unoin"}, "no system unoin; did you mean union?"),
        ({"sender": "tax", "receiver": "nobody-at-all"}, "no system nobody-at-all"),
    ],
)
def test_a_question_about_nothing_is_a_bad_one(question: dict[str, str], text: str) -> None:
    with pytest.raises(QuestionError, match=text):
        explain(CATALOGUE, TODAY, **question)


def test_several_answers_are_summed_by_the_one_nearest_to_moving() -> None:
    answers = explain(CATALOGUE, TODAY, sender="premium-collection", receiver="welfare")
    assert {answer.state for answer in answers} == {Standing.HELD, Standing.PERMITTED}
    assert summed(answers).ref == "M6"
    pair = explain(CATALOGUE, TODAY, sender="resident-registry", message_type="resident.changed")
    total = summed(pair)
    assert (total.state, total.ref) == (Standing.PERMITTED, "I1, M1b")
    assert set(total.fields) == {name for answer in pair for name in answer.fields}
    assert len(total.basis) == 4


def test_what_the_city_decided_is_said_with_person_and_day() -> None:
    decision = Decision(by="保険年金課長", on=TODAY, reason="試行の中止")
    closed = with_decision("B1", closed=decision)
    (found,) = explain(closed, TODAY, ref="B1")
    assert found.state is Standing.DENIED
    for text in found.reason:
        assert "保険年金課長" in text
        assert "2026-04-01" in text
        assert "試行の中止" in text
    (before,) = explain(closed, TODAY - dt.timedelta(days=1), ref="B1")
    assert before.state is Standing.PERMITTED
    own = with_decision("B2", own=decision)
    (before,) = explain(own, TODAY - dt.timedelta(days=1), ref="B2")
    assert before.state is Standing.NOT_IN_FORCE
    (found,) = explain(own, TODAY, ref="B2")
    assert "市独自" in found.reason.ja
