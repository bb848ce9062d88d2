"""``renkei dead-letters``: shows nobody's data, decides once, several by two persons; recorded."""

import json
from pathlib import Path

import pytest

from hub.cli.main import app, guarded
from hub.ledger.model import Kind
from tests.confirmations_rig import UNION, changed, drain, ids
from tests.dead_letters_rig import died, kill_originals
from tests.plain_site import PLAIN
from tests.samples import ADDRESSEE, MY_NUMBER, NAME, PSEUDONYMS, SIGNER, judge
from tests.worker_rig import Rig

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Give a hub with a site file and four dead letters: three copies and an original."""
    (tmp_path / "secrets").mkdir()
    secrets = {"hub": "h" * 40, "key": PSEUDONYMS.key.decode(), "ledger-key": SIGNER.text()}
    for name, text in secrets.items():
        secret = tmp_path / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    (tmp_path / "site.toml").write_text(
        f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n',
        "utf-8",
    )
    made = Rig(tmp_path, judge=judge())
    drain(made, *(changed(f"a{n}", addressee_number=f"{n + 1}") for n in range(3)))
    died(made, UNION)
    made.send(changed("b1"))
    kill_originals(made)
    made.drain()
    return made


def run(rig: Rig, command: str, *arguments: str) -> int:
    asked = ["dead-letters", command, *arguments, "--site", str(rig.folder / "site.toml")]
    try:
        return guarded(lambda: app(asked, prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def listed(rig: Rig, capsys: pytest.CaptureFixture[str], *asked: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run(rig, "list", "--json", *asked) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def numbers(rig: Rig, capsys: pytest.CaptureFixture[str], *asked: str) -> list[str]:
    return [str(one["id"]) for one in listed(rig, capsys, *asked)]


def asked_number(told: str) -> str:
    return told.split("request ")[1].split(maxsplit=1)[0]


def test_the_list_says_where_and_why_and_nothing_of_the_person(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    found = listed(rig, capsys)
    assert [(one["message"], one["step"], one["code"]) for one in found] == [
        ("a0", "receive", "not-accepted"),
        ("a1", "receive", "not-accepted"),
        ("a2", "receive", "not-accepted"),
        ("b1", "take", "delivery-limit"),
    ]
    assert found[0]["broker"] == {
        "queue": "out.union",
        "reason": "rejected",
        "times": 1,
        "at": "2026-04-01T03:00:00.123456+00:00",
    }
    assert "受け入れませんでした" in str(found[0]["reason_ja"])
    assert run(rig, "list") == 0
    table = capsys.readouterr().out
    assert "未処理" in table
    for text in (ADDRESSEE, NAME, MY_NUMBER):
        assert text not in table + str(found)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--flow", "M1b"], ["a0", "a1", "a2"]),
        (["--receiver", "union"], ["a0", "a1", "a2"]),
        (["--sender", "tax"], []),
        (["--code", "delivery-limit"], ["b1"]),
        (["--step", "take"], ["b1"]),
        (["--since", "2026-04-01"], ["a0", "a1", "a2", "b1"]),
        (["--since", "2026-04-02"], []),
        (["--status", "moved"], []),
        (["--status", "all"], ["a0", "a1", "a2", "b1"]),
    ],
)
def test_the_list_is_filtered(
    rig: Rig, asked: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert [one["message"] for one in listed(rig, capsys, *asked)] == found


def test_show_tells_the_whole_history_and_is_recorded(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    first = numbers(rig, capsys)[0]
    assert run(rig, "show", first, "--staff", "S1", "--reason", "障害調査") == 0
    told = capsys.readouterr().out
    assert run(rig, "show", first, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["receiver"]) for one in facts["entries"][-2:]] == [
        ("delivery", "union"),
        ("dead-letter", "union"),
    ]
    assert len(facts["digest"]) == 64
    assert facts["digest"] in told
    assert "rejected in out.union" in told
    for text in (ADDRESSEE, NAME, MY_NUMBER):
        assert text not in told + str(facts)
    viewed = [row for row in rig.rows() if row["kind"] == Kind.LOG_VIEW]
    assert (viewed[0]["staff"], viewed[0]["reason"]) == ("S1", "障害調査")
    assert [row["code"] for row in viewed] == ["dead-letter", "dead-letter"]
    assert viewed[0]["resident"] == PSEUDONYMS.resident("1")


def test_one_goes_at_once_and_once_only(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, *_ = numbers(rig, capsys)
    assert run(rig, "replay", first, "--reason", f"修理済み {MY_NUMBER}", "--staff", "S1") == 0
    assert run(rig, "replay", first, "--reason", "もう一度") == 1
    assert "decided about already" in capsys.readouterr().err
    assert run(rig, "discard", second, "--reason", "不要", "--staff", "S2") == 0
    assert numbers(rig, capsys, "--status", "released") == [first]
    rig.drain()
    assert ids(rig, UNION) == ["a0"]
    assert numbers(rig, capsys, "--status", "moved") == [first]
    said = {
        (row["message_id"], row["code"], row["staff"], row["reason"])
        for row in rig.rows()
        if row["kind"] == Kind.REPLAY
    }
    assert said == {("a0", "", "S1", "修理済み [個人番号]"), ("a1", "discarded", "S2", "不要")}


def test_several_wait_for_another_person(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    all_of_union = numbers(rig, capsys, "--receiver", "union")
    assert run(rig, "replay", "--receiver", "union", "--reason", "修理済み", "--staff", "S1") == 0
    told = capsys.readouterr().out
    request = asked_number(told)
    assert f"renkei dead-letters approve {request}" in told
    assert numbers(rig, capsys, "--status", "requested") == all_of_union
    assert numbers(rig, capsys, "--request", request) == all_of_union
    assert run(rig, "approve", request, "--staff", " s1 ") == 1
    assert "second person" in capsys.readouterr().err
    assert run(rig, "replay", all_of_union[0], "--reason", "急ぎ", "--staff", "S3") == 1
    assert run(rig, "approve", request, "--staff", "S2") == 0
    assert "3 dead letters are released" in capsys.readouterr().out
    assert run(rig, "approve", request, "--staff", "S2") == 2
    rig.drain()
    assert ids(rig, UNION) == ["a0", "a1", "a2"]
    assert numbers(rig, capsys, "--status", "moved") == all_of_union


def test_several_are_discarded_by_two_and_a_request_can_be_declined(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(rig, "discard", "--flow", "M1b", "--reason", "誤送", "--staff", "S1") == 0
    request = asked_number(capsys.readouterr().out)
    assert run(rig, "decline", request, "--reason", "要確認", "--staff", "S2") == 0
    assert len(numbers(rig, capsys)) == 4
    assert run(rig, "discard", "--flow", "M1b", "--reason", "誤送", "--staff", "S1") == 0
    request = asked_number(capsys.readouterr().out)
    assert run(rig, "approve", request, "--staff", "S2") == 0
    assert "3 dead letters are discarded" in capsys.readouterr().out
    assert len(numbers(rig, capsys, "--status", "discarded")) == 3


def test_a_filter_that_fits_one_needs_nobody_else(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    (only,) = numbers(rig, capsys, "--step", "take")
    assert run(rig, "replay", "--step", "take", "--reason", "修理済み") == 0
    assert f"{only} is released" in capsys.readouterr().out


def test_what_two_decide_needs_a_name_of_each(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    several = ["--receiver", "union", "--reason", "修理済み"]
    for unnamed in ([], ["--staff", ""]):
        for end in ("replay", "discard"):
            assert run(rig, end, *several, *unnamed) == 2
            assert "--staff" in capsys.readouterr().err
    assert run(rig, "replay", *several, "--staff", "S1") == 0
    request = asked_number(capsys.readouterr().out)
    for unnamed in ([], ["--staff", ""], ["--staff", " "]):
        assert run(rig, "approve", request, *unnamed) == 2
        assert run(rig, "decline", request, "--reason", "x", *unnamed) == 2
    assert len(numbers(rig, capsys, "--request", request)) == 3
    site = rig.folder / "site.toml"
    site.write_text(f'{site.read_text("utf-8")}second_person = ["dead-letters"]\n', "utf-8")
    (only,) = numbers(rig, capsys)
    assert run(rig, "discard", only, "--reason", "x") == 2
    assert run(rig, "discard", only, "--reason", "x", "--staff", "S1") == 0
    assert "request" in capsys.readouterr().out


def test_of_several_only_what_may_move_is_asked_for(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = numbers(rig, capsys, "--receiver", "union")
    drain(rig, changed("c1", addressee_number="1"))
    several = ["--receiver", "union", "--reason", "修理済み", "--staff", "S1"]
    assert run(rig, "replay", *several) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "1 of these 3 dead letters may not move by today's rules" in told
    assert f"nothing is decided: {first}: " in told
    assert run(rig, "replay", *several, "--movable") == 0
    asked = capsys.readouterr()
    assert "1 of 3 may not move" in asked.err
    assert numbers(rig, capsys, "--request", asked_number(asked.out)) == others
    assert first in numbers(rig, capsys)
    assert run(rig, "replay", *several, "--movable") == 2


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (["replay", "9999", "--reason", "x"], 2),
        (["replay", "--reason", "x"], 2),
        (["replay", "3", "--flow", "M1b", "--reason", "x"], 2),
        (["replay", "--flow", "none", "--reason", "x"], 2),
        (["replay", "--step", "no", "--reason", "x"], 2),
        (["replay", "--flow", "M1b"], 2),
        (["replay", "--flow", "M1b", "--reason", " "], 2),
        (["discard", "9999", "--reason", "x"], 2),
        (["approve", "0", "--staff", "S2"], 2),
        (["approve", "3", "--staff", "S2"], 2),
        (["approve", f"{10**20}", "--staff", "S2"], 2),
        (["decline", "3", "--reason", "x", "--staff", "S2"], 2),
        (["show", f"{10**20}"], 2),
        (["replay", f"{10**20}", "--reason", "x"], 2),
        (["list", "--request", f"{10**20}"], 2),
        (["replay", "3", "--movable", "--reason", "x"], 2),
        (["show", "1"], 2),
        (["list", "--status", "no"], 2),
    ],
)
def test_a_wrong_question_changes_nothing(rig: Rig, asked: list[str], status: int) -> None:
    before = len(rig.rows())
    assert run(rig, *asked) == status
    assert len(rig.rows()) == before


def test_a_reconciliation_tells_what_waits_for_a_person_apart_from_the_broker_s_queue(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    site = rig.folder / "site.toml"
    asked = ["ledger", "reconcile", "--day", "all", "--without-broker", "--site", str(site)]
    with pytest.raises(SystemExit):
        app([*asked, "--out", str(rig.folder / "day.txt")], prog_name="renkei")
    told = capsys.readouterr().out
    assert f"4 dead letters for a person: renkei dead-letters list --site {site}\n" in told
