"""The map and the pages of flows: what the picture says is said in the table, and in JSON."""

import datetime as dt
import html
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.catalogue.columns import FONT
from hub.catalogue.svg import svg
from hub.catalogue.text import width
from hub.catalogue.view import arrows, view
from hub.clock import JST
from hub.ledger.changes import Told, changed, refused, told_of
from hub.statute.model import Decision
from hub.statute.reasons import Sentence
from monitoring.console.history import turns
from monitoring.console.lines import SIGNS, told, untaken
from monitoring.console.manual import manual_page
from monitoring.console.pages.late import due_flows
from monitoring.console.rights import Role
from monitoring.console.shown import Say
from monitoring.console.words import LANGUAGES, Language, Words
from monitoring.console.words.moves import WORDS
from monitoring.figures.lines import Line, LineState, Picture
from monitoring.figures.live import Live, QueueNow
from monitoring.figures.window import LineKey
from tests.confirmations_rig import drain
from tests.console_rig import ConsoleRig, console_rig
from tests.samples import NOW, event, judge, shipped
from tests.worker_rig import Rig

pytestmark = pytest.mark.unit

KEY = LineKey("M1b", "resident-registry", "union")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, hub=Rig(tmp_path, judge=judge(shipped()))) as console:
        yield console


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_every_arrow_in_picture_table_and_figures(
    rig: ConsoleRig, role: Role
) -> None:
    person = rig.person(role)
    page = person.get("/map")
    assert page.status_code == 200
    catalogue = shipped()
    drawn = list(arrows(view(catalogue, rig.now.date())))
    assert page.text.count("data-line=") == 2 * len(drawn)
    figures = person.get("/map/figures").json()
    assert len(figures["lines"]) == len(drawn)
    for name, line in figures["lines"].items():
        assert page.text.count(f'data-line="{name}" data-state="{line["state"]}"') == 2
    assert {line["state"] for line in figures["lines"].values()} >= {"held", "denied", "unknown"}
    assert ('href="/confirmations"' in page.text) is (role is not Role.ADMINISTRATOR)


def test_opening_the_map_is_recorded_and_its_figures_are_not(rig: ConsoleRig) -> None:
    person = rig.person(Role.VIEWER)
    person.get("/map")
    before = rig.codes(person.account)
    person.get("/map/figures")
    assert before == rig.codes(person.account) == ["page"]
    assert rig.browser().get("/map/figures").status_code == 303


def test_figures_keep_nobody_logged_in(rig: ConsoleRig) -> None:
    person = rig.person(Role.VIEWER)
    for _ in range(3):
        assert person.get("/map/figures").status_code == 200
        rig.later(minutes=5)
    rig.later(minutes=1)
    assert person.get("/map/figures").status_code == 303


def line(state: LineState, **facts: object) -> Line:
    return Line(KEY, state, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("state", list(LineState))
def test_a_state_has_a_sign_and_a_word(state: LineState, language: str) -> None:
    words = Words("ja" if language == "ja" else "en")
    (one,) = told([line(state)], Say(words, shipped()))
    sentence: Sentence = WORDS[f"line.{state.value}"]
    assert one.cells[0] == f"{SIGNS[state]} {words.of(sentence)}"
    assert one.mark.state == state.value
    assert words.of(sentence) in one.mark.said
    assert len(set(SIGNS.values())) == len(LineState)


@pytest.mark.parametrize("state", list(LineState))
def test_a_state_that_wants_something_done_leads_to_a_page_that_there_is(state: LineState) -> None:
    (one,) = told([line(state)], Say(Words("ja"), shipped()))
    trouble = {LineState.STOPPED, LineState.LATE, LineState.SLOW, LineState.UNKNOWN}
    assert bool(one.help) is (state in trouble)
    assert not one.help or manual_page(one.help) is not None


def test_map_and_flow_lead_to_what_is_to_be_done_and_silent_processes_are_named(
    rig: ConsoleRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Picture(NOW, (line(LineState.STOPPED),), Live(unanswered=("tax", "bank")))
    monkeypatch.setattr(rig.console.office.figures, "look", lambda: stopped)
    person = rig.person(Role.VIEWER)
    page = person.get("/map").text
    assert "2個が応答なし: bank, tax" in page
    for text in (page, person.get("/flows/M1b").text):
        assert 'href="/help/RenkeiReceiverStopped"' in text


def test_figures_that_are_not_known_are_never_shown_as_nothing() -> None:
    say = Say(Words("ja"), shipped())
    (unknown,) = told([line(LineState.UNKNOWN)], say)
    assert unknown.cells[1:5] == ("–", "–", "–", "–")
    facts = {"per_minute": 12.34, "delay": 0.25, "queue": 3, "oldest": 95.0, "refused": 2}
    (known,) = told([line(LineState.OK, **facts)], say)
    assert known.cells[1:6] == ("12.3", "0.2秒", "3", "95秒", "2")
    assert known.mark.text == "● 12.3/分 0.2秒 待ち3"
    assert "最古 95秒" in known.mark.said
    assert unknown.mark.errors == ""


@pytest.mark.parametrize("state", [LineState.OK, LineState.DENIED])
def test_errors_stand_on_the_line_where_there_are_any(state: LineState) -> None:
    say = Say(Words("ja"), shipped())
    (none,) = told([line(state, per_minute=1.0)], say)
    (some,) = told([line(state, per_minute=1.0, refused=2, dead=3)], say)
    assert (none.mark.errors, some.mark.errors) == ("", "!5")
    assert "拒否 2; 配信不能 3" in some.mark.said
    drawn = svg(view(shipped(), NOW.date()), "ja", {some.id: some.mark, none.id: some.mark})
    assert f'<tspan>{some.mark.text}</tspan> <tspan class="errors">!5</tspan>' in drawn
    said = f"{some.mark.text} !5 {some.mark.said}"
    assert f'{said}"' in drawn


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figures_of_a_line_have_room_in_the_picture(language: Language) -> None:
    facts = {"per_minute": 12.3, "delay": 45.0, "queue": 999, "refused": 9}
    (one,) = told([line(LineState.STOPPED, **facts)], Say(Words(language), shipped()))
    narrowest = 198  # of the arrows that move, in this picture; each label begins 10 px within
    assert width(f"{one.mark.text} {one.mark.errors}", FONT) < narrowest - 10


def test_what_waits_in_the_partitions_is_told_beside_the_picture(rig: ConsoleRig) -> None:
    say = Say(Words("ja"), shipped())
    queues = {
        "hub.in.0": QueueNow(3, 1, 9.0),
        "hub.in.1": QueueNow(40, 1, 95.0),
        "hub.dead-letters": QueueNow(7, 0, 900.0),
        "out.tax": QueueNow(5, 1, 800.0),
    }
    assert untaken(Live(queues=queues), say) == "43件（最古 95秒）"
    assert untaken(Live(queues={"hub.in.0": QueueNow(0, 1, 0.0)}), say) == "0"
    assert untaken(Live(), say) == "–"
    page = rig.person(Role.VIEWER).get("/map/figures")
    assert page.json()["facts"]["partitions"] == "–"


def test_late_flows_are_the_longest_first_and_once_each() -> None:
    at = NOW.astimezone(JST)
    hours = dt.timedelta(hours=1)
    lines = [
        line(LineState.LATE, due=at - hours),
        Line(KEY._replace(receiver="tax"), LineState.LATE, due=at - hours),
        Line(LineKey("M1e", "welfare", "union"), LineState.LATE, due=at - 3 * hours),
        Line(LineKey("M1d", "tax", "union"), LineState.OK, due=at + hours),
        Line(LineKey("I1", "tax", "union"), LineState.OK),
    ]
    found = due_flows(Picture(at, tuple(lines), Live()))
    assert [(one.line.key.flow, one.late) for one in found] == [
        ("M1e", 3 * 3600.0),
        ("M1b", 3600.0),
        ("M1d", 0.0),
    ]


def test_each_flow_has_its_page_with_basis_and_fields(rig: ConsoleRig) -> None:
    for flow in shipped().flows:  # each by another person: a session may ask so often only
        page = rig.person(Role.ADMINISTRATOR).get(f"/flows/{flow.ref}")
        assert page.status_code == 200, flow.ref
        assert html.escape(flow.title_ja) in page.text
        assert "授受簿の記録は、電文を扱う役割の職員のみに表示します" in page.text


def test_a_flow_s_page_tells_what_is_held_denied_and_moved(rig: ConsoleRig) -> None:
    drain(rig.hub, event(id="a1"))
    person = rig.person(Role.VIEWER)
    page = person.get("/flows/M1b").text
    assert "/messages/resident-registry/a1" in page
    assert "有効" in page
    assert "個人番号を含む" in page
    held = next(one for one in shipped().flows if one.state == "held")
    assert f"[catalogue.flows.{held.ref}]" in person.get(f"/flows/{held.ref}").text
    assert person.get("/flows/X9").status_code == 404
    person.client.cookies.set("__Host-renkei-language", "en")
    assert "Legal basis" in person.get("/flows/M1b").text


def test_a_flow_s_page_tells_the_changes_of_this_flow_alone(rig: ConsoleRig) -> None:
    digests = {name: name * 64 for name in "abcde"}
    said = [
        changed("", digests["a"], (), NOW),
        changed(digests["a"], digests["b"], ["M1b closed", "M2 changed"], NOW),
        changed(digests["b"], digests["c"], ["M1bb opened", "M2 changed"], NOW),
        refused(digests["c"], digests["d"], ["M1b.toml:3: no basis"], NOW),
        changed(digests["c"], digests["e"], (), NOW),
        *(changed(digests["e"], f"{n:064x}", ["M2 changed"], NOW) for n in range(30)),
    ]
    with rig.console.office.books.alone() as ledger:
        ledger.append(said)
    page = rig.person(Role.ADMINISTRATOR).get("/flows/M1b").text
    changes = page.partition("授受簿に記録されたこの流れの変更")[2]
    assert [name for name, one in digests.items() if one[:16] in changes] == ["a", "b", "e"]
    assert changes.count("<li>") == 3
    for word in ("最初に記録された目録", "停止", "変更された流れは記録されていません"):
        assert word in changes


def test_an_entry_that_was_cut_does_not_say_what_became_of_the_others() -> None:
    long = changed("1", "2", [f"F{n} changed" for n in range(200)], NOW).detail
    assert told_of(long, "F1") is Told.CHANGED
    assert told_of(long, "F199") is Told.UNKNOWN


def test_the_dates_of_a_flow_are_told_the_newest_first() -> None:
    say = Say(Words("en"), shipped())
    flow = next(one for one in shipped().flows if one.ref == "M1b")
    (first, *_) = flow.basis
    decided = flow.model_copy(
        update={
            "basis": (first.model_copy(update={"valid_to": dt.date(2030, 3, 31)}),),
            "closed": Decision(by="the mayor", on=dt.date(2029, 4, 1), reason="no need"),
        }
    )
    told_first, told_second, *others = turns(decided, say)
    assert (told_first.day, told_second.day) == (dt.date(2030, 3, 31), dt.date(2029, 4, 1))
    assert told_second.said == "closed by the mayor. no need"
    assert others[-1].day == first.valid_from
    assert str(first) in others[-1].said
