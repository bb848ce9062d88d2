"""Accounts and maintenance in the console: an administrator alone, each step in the ledger."""

from collections.abc import Iterator

import pytest

from hub.ledger.maintenance import read_maintenance
from monitoring.console.accounts import KIND, Account
from monitoring.console.rights import Role
from tests.console_rig import ConsoleRig, console_rig

pytestmark = pytest.mark.unit

WHO = {"name": "連携 花子", "department": "後期高齢", "reason": "着任"}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path_factory.mktemp("console")) as rig:
        yield rig


def found(console: ConsoleRig, account: str) -> Account:
    one = console.console.office.accounts.find(account)
    assert one is not None
    return one


def test_an_account_is_added_and_its_code_shown_once(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    answer = admin.send("/people", "/people", id="hanako", role="operator", personal="yes", **WHO)
    assert answer.status_code == 200
    added = found(console, "hanako")
    assert added.roles == (Role.OPERATOR,)
    assert added.personal
    assert not added.is_enrolled
    assert "hanako: operator, personal" in {one.detail for one in console.entries()}
    code = answer.text.partition("<strong>")[2].partition("</strong>")[0]
    assert len(code) >= 12
    for path in ("/people", "/people/hanako"):
        page = admin.get(path)
        assert "連携 花子" in page.text
        assert code not in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Hanako"},
        {"role": "king"},
        {"role": ""},
        {"name": ""},
        {"name": "123456789018"},
    ],
)
def test_what_cannot_be_is_not_added(console: ConsoleRig, wrong: dict[str, str]) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    typed = {"id": "jiro", "role": "viewer"} | WHO | wrong
    assert admin.send("/people", "/people", **typed).status_code == 400
    assert console.console.office.accounts.find(typed["id"]) is None


def test_who_makes_accounts_does_not_decide(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    page = admin.get("/people")
    token = page.text.partition('action="/people"')[2].partition('value="')[2].partition('"')[0]
    both = [("token", token), ("id", "both"), ("role", "administrator"), ("role", "operator")]
    assert admin.post("/people", [*both, *WHO.items()]).status_code == 400


def test_a_changed_locked_or_reset_account_is_logged_out(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    for deed, code in (("change", "changed"), ("lock", "locked"), ("reset", "changed")):
        clerk = console.person(Role.VIEWER)
        path = f"/people/{clerk.account}"
        more = {"role": "auditor"} | WHO if deed == "change" else {"reason": "点検"}
        answer = admin.send(path, f"{path}/{deed}", **more)
        assert answer.status_code == (200 if deed == "reset" else 303)
        assert f"account-{code}" in console.codes(admin.account)
        assert "session-ended" in console.codes(clerk.account)
        assert clerk.get("/me").headers["location"].startswith("/login")
        assert clerk.account in {one.detail.partition(":")[0] for one in console.entries()}


def test_an_account_is_unlocked_and_removed(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    clerk = console.account(Role.VIEWER, locked=True)
    path = f"/people/{clerk.id}"
    assert admin.send(path, f"{path}/unlock", reason="復帰").status_code == 303
    assert not found(console, clerk.id).locked
    assert admin.send(path, f"{path}/remove", reason="異動").headers["location"] == "/people"
    assert console.console.office.accounts.find(clerk.id) is None
    assert admin.get(path).status_code == 404


def test_nobody_takes_their_own_account_away(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    path = f"/people/{admin.account}"
    assert f'action="{path}/lock"' not in admin.get(path).text
    answer = admin.send(path, f"{path}/change", role="viewer", **WHO)
    assert answer.status_code == 400
    assert found(console, admin.account).roles == (Role.ADMINISTRATOR,)


@pytest.mark.parametrize(
    "more", [{"personal": "yes"}, {"role": "auditor"}], ids=["personal", "role"]
)
def test_nobody_gives_themselves_more(console: ConsoleRig, more: dict[str, str]) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    path = f"/people/{admin.account}"
    page = admin.get(path)
    token = page.text.partition(f'action="{path}/change"')[2].partition('value="')[2]
    asked = [("token", token.partition('"')[0]), ("role", "administrator"), *WHO.items()]
    assert admin.post(f"{path}/change", [*asked, *more.items()]).status_code == 400
    kept = found(console, admin.account)
    assert (kept.roles, kept.personal) == ((Role.ADMINISTRATOR,), False)
    said = "person-change: other rights for oneself"
    assert said in {one.detail for one in console.entries() if one.access.staff == admin.account}
    assert admin.send(path, f"{path}/change", role="administrator", **WHO).status_code == 303
    assert found(console, admin.account).name == WHO["name"]


def test_a_damaged_account_is_named_and_can_be_removed(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    console.console.office.store.put(KIND, "broken", b"{}")
    console.console.tend()
    assert console.registry.get_sample_value("renkei_console_accounts_damaged") == 1
    assert "broken" in admin.get("/people").text
    page = admin.get("/people/broken")
    assert page.status_code == 200
    assert admin.fill(page, "/people/broken/remove", reason="破損").status_code == 303
    assert "broken" not in admin.get("/people").text


def test_an_auditor_sees_accounts_and_changes_none(console: ConsoleRig) -> None:
    auditor = console.person(Role.AUDITOR)
    for path in ("/people", f"/people/{auditor.account}", "/maintenance"):
        page = auditor.get(path)
        assert page.status_code == 200
        assert f'action="{path}' not in page.text


def test_maintenance_begins_and_ends_for_a_reason(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    engine = console.console.office.books
    assert admin.send("/maintenance", "/maintenance", reason="", minutes="60").status_code == 400
    assert admin.send("/maintenance", "/maintenance", reason="x", minutes="9").status_code == 400
    answer = admin.send("/maintenance", "/maintenance", reason="更新作業", minutes="60")
    assert answer.status_code == 303
    with engine.alone() as ledger:
        standing = read_maintenance(ledger.engine, console.now)
    assert standing is not None
    assert standing.reason == "更新作業"
    assert "更新作業" in admin.get("/maintenance").text
    assert admin.send("/maintenance", "/maintenance/end").status_code == 303
    assert console.codes(admin.account).count("maintenance-ended") == 1
    with engine.alone() as ledger:
        assert read_maintenance(ledger.engine, console.now) is None
