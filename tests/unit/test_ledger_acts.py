"""What people type about themselves is kept in the ledger, but for a 個人番号."""

import pwd
import socket

import pytest
import typer

from hub.cli.ledger.common import asked_by
from hub.ledger.acts import act
from hub.ledger.model import Kind
from tests.samples import MY_NUMBER, NOW

pytestmark = pytest.mark.unit


def test_a_my_number_typed_by_mistake_is_masked() -> None:
    access = asked_by(MY_NUMBER, "市民課", f"番号 {MY_NUMBER}", "ledger search")
    one = act(Kind.OPERATOR_ACTION, access, NOW, detail=f"about {MY_NUMBER}")
    assert MY_NUMBER not in f"{one.access} {one.detail}"
    assert one.access.department == "市民課"
    assert one.detail.startswith("about ")


def test_the_account_is_on_record_whatever_name_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    account = pwd.struct_passwd(("renkei", "x", 990, 990, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    for given, staff in (("", "renkei"), (" 田中 ", "田中")):
        access = asked_by(given, "", "", "ledger search")
        assert access.staff == staff
        assert access.terminal == f"renkei@{socket.gethostname()}"


def test_an_account_without_a_name_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    monkeypatch.setattr("os.getuid", lambda: 10_001)
    assert asked_by("", "", "", "ledger search").staff == "10001"


@pytest.mark.parametrize("blank", [" ", "\u3000\t", "\u200b", "\u00ad\ufeff"])
def test_a_blank_name_is_refused(blank: str) -> None:
    with pytest.raises(typer.BadParameter, match="blank"):
        asked_by(blank, "", "", "ledger search")
