"""When a flow is late: every wording of the routes, rest days, the turn of the year."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import JST
from hub.statute.catalogue import load_catalogue
from hub.statute.frequency import (
    DAILY,
    MONTHLY,
    WEEKDAYS,
    Frequency,
    Period,
    Rest,
    Yearly,
    frequency_of,
    is_urgent,
)

pytestmark = pytest.mark.unit

NO_REST = Rest()
WEEKENDS = Rest.of(["sat", "sun"], [])
WORDINGS: dict[str, Frequency | None] = {
    "日次": Period(DAILY),
    "日次（初回は一括）": Period(DAILY),
    "月次": Period(MONTHLY),
    "毎年6月上旬": Yearly(6, 1),
    "—": None,
    "（原本欠落）": None,
    "遅滞なく": None,
    "申請の都度": None,
    "照会の都度": None,
    "届出の都度": None,
    "回答の都度": None,
    "即時交付の決定は即時、その他は—": None,
    "個人番号が新規入力されたとき": None,
}


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=JST)


def test_every_wording_of_the_routes_is_known() -> None:
    said = {flow.frequency for flow in load_catalogue().flows}
    assert said == WORDINGS.keys()


@pytest.mark.parametrize(("words", "wanted"), WORDINGS.items())
def test_a_wording_names_its_period_or_none(words: str, wanted: Frequency | None) -> None:
    assert frequency_of(words) == wanted


def test_a_period_is_no_part_of_a_longer_word() -> None:
    assert frequency_of("日次ではない") is None
    assert frequency_of("毎年13月上旬") is None


def test_only_what_is_wanted_at_once_is_urgent() -> None:
    assert [words for words in WORDINGS if is_urgent(words)] == ["即時交付の決定は即時、その他は—"]


def test_a_daily_flow_is_late_after_26_hours() -> None:
    assert Period(DAILY).next(at("2026-11-26T18:00"), NO_REST) == at("2026-11-27T20:00")


def test_rest_days_move_the_due_time_over_them() -> None:
    friday = at("2026-11-27T18:00")
    assert Period(DAILY).next(friday, WEEKENDS) == at("2026-11-30T20:00")
    monday_off = Rest.of(["sat", "sun"], [dt.date(2026, 11, 30)])
    assert Period(DAILY).next(friday, monday_off) == at("2026-12-01T20:00")
    # The days are those of Japan, whatever the zone of the time: this is 03:00 on Saturday.
    in_utc = dt.datetime(2026, 11, 27, 18, tzinfo=dt.UTC)
    assert Period(DAILY).next(in_utc, WEEKENDS) == at("2026-11-30T05:00")


@pytest.mark.parametrize(
    ("last", "due"),
    [
        ("2026-03-02T09:00", "2026-06-11T00:00"),
        ("2026-06-03T09:00", "2027-06-11T00:00"),
        ("2026-06-20T09:00", "2027-06-11T00:00"),  # it was late: the next is next year's
        ("2026-12-31T23:59", "2027-06-11T00:00"),
    ],
)
def test_a_yearly_flow_is_due_when_its_third_of_the_month_is_over(last: str, due: str) -> None:
    assert Yearly(6, 1).next(at(last), NO_REST) == at(due)


def test_the_last_third_ends_with_its_month_and_rest_days_wait() -> None:
    assert Yearly(2, 21).next(at("2027-01-05T00:00"), NO_REST) == at("2027-03-01T00:00")
    # 2027-02-28 is a Sunday, so it is due by the end of the Monday after.
    assert Yearly(2, 21).next(at("2027-01-05T00:00"), WEEKENDS) == at("2027-03-02T00:00")


@given(
    st.integers(0, 20 * 366 * 24 * 60),
    st.sampled_from([one for one in WORDINGS.values() if one is not None]),
    st.sets(st.sampled_from(WEEKDAYS)),
)
def test_the_next_is_due_after_the_last_and_within_two_years(
    minutes: int, frequency: Frequency, weekdays: set[str]
) -> None:
    moment = at("2020-01-01T00:00") + dt.timedelta(minutes=minutes)
    due = frequency.next(moment, Rest.of(weekdays, []))
    assert moment < due < moment + dt.timedelta(days=730)
    assert due >= frequency.next(moment, NO_REST)
