"""``renkei confirmations``: lists nobody's data, shows no 個人番号, decides once, records who."""

import json
from pathlib import Path

import pytest

from hub.cli.main import app, guarded
from hub.ledger.model import Kind
from tests.plain_site import PLAIN
from tests.samples import ADDRESSEE, NAME, PSEUDONYMS, SIGNER, event, judge, resident, tax_event
from tests.worker_rig import Rig

pytestmark = [pytest.mark.unit, pytest.mark.slow]

OTHER = "219876543216"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Give a hub with a site file whose list has two messages of the registry and one of tax."""
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
    blank = resident(addressee_number="77")
    del blank["my_number"]
    made.send(
        event(id="a1"),
        event(resident(my_number=OTHER), id="a2"),
        event(resident(addressee_number="77"), id="b1"),
        event(blank, id="b2"),
        tax_event(id="t1", doubt="ambiguous"),
    )
    made.drain()
    return made


def run(rig: Rig, command: str, *arguments: str) -> int:
    asked = ["confirmations", command, *arguments, "--site", str(rig.folder / "site.toml")]
    try:
        return guarded(lambda: app(asked, prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def listed(rig: Rig, capsys: pytest.CaptureFixture[str], *asked: str) -> list[dict[str, object]]:
    assert run(rig, "list", "--json", *asked) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def numbers(rig: Rig, capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [str(one["id"]) for one in listed(rig, capsys)]


def test_the_list_says_why_each_waits_and_nothing_of_the_person(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    found = listed(rig, capsys)
    assert [(one["message"], one["code"]) for one in found] == [
        ("a2", "binding-differs"),
        ("b2", "binding-missing"),
        ("t1", "ambiguous"),
    ]
    assert "確認リスト" in str(found[0]["reason_ja"])
    assert run(rig, "list") == 0
    table = capsys.readouterr().out
    assert "binding-missing" in table
    assert "確認待ち" in table
    for text in (ADDRESSEE, NAME, OTHER):
        assert text not in table + str(found)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--system", "tax"], ["t1"]),
        (["--code", "binding-differs"], ["a2"]),
        (["--system", "tax", "--code", "binding-differs"], []),
        (["--status", "rejected"], []),
        (["--status", "all"], ["a2", "b2", "t1"]),
    ],
)
def test_the_list_is_filtered(
    rig: Rig, asked: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert [one["message"] for one in listed(rig, capsys, *asked)] == found


def test_an_empty_list_says_so(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(rig, "list", "--status", "moved") == 0
    assert "nothing waits" in capsys.readouterr().err


def test_show_masks_the_number_and_is_recorded(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    first = numbers(rig, capsys)[0]
    assert run(rig, "show", first, "--staff", "S1", "--reason", "照会") == 0
    told = capsys.readouterr().out
    assert NAME in told
    assert "[個人番号]" in told
    lines = [line.split() for line in told.splitlines()]
    assert ["生年月日", "1940-05-06"] in lines
    assert ["性別", "2", "女"] in lines
    assert ["住民状態", "住民"] in lines
    assert "birth_date" not in told
    assert run(rig, "show", first, "--json") == 0
    as_json = capsys.readouterr().out
    facts = json.loads(as_json)
    assert facts["data"]["addressee_number"] == ADDRESSEE
    birth = {"field": "birth_date", "label": "生年月日", "value": "1940-05-06"}
    assert birth in facts["data_ja"]
    assert OTHER not in told + as_json
    one, other = (row for row in rig.rows() if row["kind"] == Kind.LOG_VIEW)
    assert (one["staff"], one["reason"], one["code"]) == ("S1", "照会", "confirmation")
    assert other["staff"]


@pytest.mark.parametrize(
    ("birth", "shown"),
    [
        ({"raw": "1940-05-00", "precision": "month", "date": "1940-05-01"}, "（年月まで）"),
        ({"raw": "1940-00-00", "precision": "year", "date": "1940-01-01"}, "（年まで）"),
        ({"raw": "昭和頃", "precision": "unknown"}, "（不詳）"),
    ],
)
def test_a_date_stands_on_one_line_with_what_is_not_known(
    rig: Rig, birth: dict[str, str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.send(event(resident(my_number=OTHER, birth_date=birth), id="a4"))
    rig.drain()
    assert run(rig, "show", numbers(rig, capsys)[-1]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["生年月日", birth["raw"] + shown] in lines


def test_release_and_reject_with_a_reason(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = numbers(rig, capsys)
    assert run(rig, "release", first, "--reason", "本人確認済み", "--staff", "S1") == 0
    assert run(rig, "reject", second, "--reason", f"誤り {OTHER}", "--staff", "S2") == 0
    capsys.readouterr()
    assert numbers(rig, capsys) == [third]
    assert [one["id"] for one in listed(rig, capsys, "--status", "released")] == [int(first)]
    rig.drain()
    assert [copy["id"] for copy in rig.copies("union")] == ["a1", "b1", "a2"]
    assert [one["message"] for one in listed(rig, capsys, "--status", "moved")] == ["a2"]
    said = {
        (row["message_id"], row["code"], row["staff"], row["reason"])
        for row in rig.rows()
        if row["kind"] == Kind.RELEASE
    }
    assert said == {
        ("a2", "", "S1", "本人確認済み"),
        ("b2", "rejected", "S2", "誤り [個人番号]"),
    }
    assert run(rig, "show", second) == 0
    assert "the data is deleted" in capsys.readouterr().out
    assert run(rig, "release", first, "--reason", "もう一度") == 1
    assert "decided about already" in capsys.readouterr().err


def by_two(rig: Rig) -> None:
    site = rig.folder / "site.toml"
    site.write_text(f'{site.read_text("utf-8")}second_person = ["confirmations"]\n', "utf-8")


def request_of(told: str) -> str:
    return told.split()[1]


def test_where_the_site_says_so_one_asks_and_another_approves(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    by_two(rig)
    first, second, third = numbers(rig, capsys)
    requests = []
    for end, number in (("release", first), ("reject", second)):
        assert run(rig, end, number, "--reason", "確認", "--staff", "S1") == 0
        requests.append(request_of(capsys.readouterr().out))
    rig.drain()
    assert numbers(rig, capsys) == [third]
    waiting = listed(rig, capsys, "--status", "requested")
    assert [str(one["request"]) for one in waiting] == requests
    assert [copy["id"] for copy in rig.copies("union")] == ["a1", "b1"]
    assert run(rig, "show", first) == 0
    assert "S1: 送付が申請され" in capsys.readouterr().out
    assert run(rig, "reject", first, "--reason", "x", "--staff", "S2") == 1
    assert f"approve or decline {requests[0]}" in capsys.readouterr().err
    assert run(rig, "approve", requests[0], "--staff", "ｓ 1") == 1
    assert "a second person has to approve it" in capsys.readouterr().err
    for request in requests:
        assert run(rig, "approve", request, "--staff", "S2") == 0
        assert run(rig, "approve", request, "--staff", "S3") == 2
    rig.drain()
    assert [copy["id"] for copy in rig.copies("union")] == ["a1", "b1", "a2"]
    assert [one["message"] for one in listed(rig, capsys, "--status", "rejected")] == ["b2"]
    said = [
        (row["message_id"], row["code"], row["staff"])
        for row in rig.rows()
        if row["kind"] == Kind.RELEASE and row["receiver"] == "union"
    ]
    assert said == [
        *(("a2", "release-requested", "S1"), ("b2", "reject-requested", "S1")),
        *(("a2", "", "S2"), ("b2", "rejected", "S2")),
    ]


def test_what_two_decide_needs_a_name_of_each(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    by_two(rig)
    first, second, _ = numbers(rig, capsys)
    for end in ("release", "reject"):
        assert run(rig, end, first, "--reason", "確認") == 2
        assert "--staff" in capsys.readouterr().err
    assert run(rig, "reject", second, "--reason", "確認", "--staff", "S1") == 0
    request = request_of(capsys.readouterr().out)
    for unnamed in ([], ["--staff", ""], ["--staff", " "]):
        assert run(rig, "approve", request, *unnamed) == 2
        assert run(rig, "decline", request, "--reason", "x", *unnamed) == 2
    assert [one["id"] for one in listed(rig, capsys, "--status", "requested")] == [int(second)]


def test_an_approval_is_judged_by_the_rules_of_its_own_day(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    by_two(rig)
    first = numbers(rig, capsys)[0]
    assert run(rig, "release", first, "--reason", "確認", "--staff", "S1") == 0
    request = request_of(capsys.readouterr().out)
    rig.send(event(resident(note="新"), id="a3"))
    rig.drain()
    assert run(rig, "approve", request, "--staff", "S2") == 1
    told = capsys.readouterr().err
    assert f"decline {request}, then renkei confirmations reject {first}" in told
    assert run(rig, "decline", request, "--reason", "古い", "--staff", "S2") == 0
    assert first in numbers(rig, capsys)


def test_what_cannot_be_released_says_what_is_possible(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    first = numbers(rig, capsys)[0]
    rig.send(event(resident(note="新"), id="a3"))
    rig.drain()
    assert run(rig, "release", first, "--reason", "本人確認済み") == 1
    assert f"renkei confirmations reject {first}" in capsys.readouterr().err
    assert run(rig, "show", first) == 0
    assert "却下のみ可能" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (["release", "9999", "--reason", "x"], 2),
        (["show", "9999"], 2),
        (["reject", "3"], 2),
        (["reject", "3", "--reason", " "], 2),
        (["show", "x"], 2),
        (["list", "--status", "no"], 2),
    ],
)
def test_a_wrong_question_changes_nothing(rig: Rig, asked: list[str], status: int) -> None:
    before = len(rig.rows())
    assert run(rig, *asked) == status
    assert len(rig.rows()) == before
