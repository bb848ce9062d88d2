"""The way into the console: password and second factor, lockout, sessions, setting up."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.errors import LedgerError
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from monitoring.console import passwords
from monitoring.console.accounts import Account, Accounts
from monitoring.console.gate import Credentials
from monitoring.console.pages import own
from monitoring.console.passwords import Hasher
from monitoring.console.rights import Role
from monitoring.console.sessions import COOKIE
from monitoring.visits import LOGINS
from tests.console_rig import ADDRESS, PASSWORD, SECRET, ConsoleRig, Person, console_rig, forms_of

pytestmark = [pytest.mark.unit, pytest.mark.slow]

WRONG = "four cranes crossed the river"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path, own.PAGES) as rig:
        yield rig


@pytest.fixture
def clerk(console: ConsoleRig) -> Person:
    return console.browser(account=console.account(Role.OPERATOR).id)


def test_who_has_both_factors_is_in_and_each_step_is_recorded(
    console: ConsoleRig, clerk: Person
) -> None:
    assert clerk.get("/me").headers["location"] == "/login"
    assert clerk.logged_in().headers["location"] == "/"
    assert clerk.get("/me").status_code == 200
    assert clerk.send("/me", "/logout").headers["location"] == "/login?ended=logout"
    assert clerk.get("/me").headers["location"] == "/login"
    assert console.codes(clerk.account) == ["login", "page", "page", "logout"]
    (login, *_) = console.entries(outcome="login")
    assert login.access.department == "後期高齢"
    assert login.access.terminal == "10.0.0.21"


def test_every_failure_has_the_same_answer(console: ConsoleRig, clerk: Person) -> None:
    locked = console.account(Role.VIEWER, locked=True)
    fresh = console.account(Role.VIEWER, password="", secret="")
    answers = {
        clerk.send("/login", "/login", account=account, password=password, code=code).text
        for account, password, code in (
            (clerk.account, PASSWORD, "000000"),
            (clerk.account, "another one of these", console.code()),
            ("nobody", PASSWORD, console.code()),
            (locked.id, PASSWORD, console.code()),
            (fresh.id, "", console.code()),
            ("", "", ""),
        )
    }
    assert len(answers) == 1
    assert COOKIE not in clerk.client.cookies


def test_a_code_counts_once(console: ConsoleRig, clerk: Person) -> None:
    code = console.code()
    assert clerk.logged_in(code).status_code == 303
    other = console.browser("10.0.0.22", clerk.account)
    assert other.logged_in(code).status_code == 403
    console.later(seconds=31)
    assert other.logged_in().status_code == 303


def test_an_unknown_id_is_never_written_down(console: ConsoleRig, clerk: Person) -> None:
    clerk.send("/login", "/login", account=PASSWORD, password=WRONG, code="1")
    (refused,) = console.entries(outcome="login-refused")
    assert PASSWORD not in repr(refused)
    assert refused.access.staff == ""


def test_failures_lock_for_twice_as_long_each_time(console: ConsoleRig, clerk: Person) -> None:
    for minutes in (15, 30):
        for _ in range(5):
            assert clerk.logged_in(password=WRONG).status_code == 403
        console.later(minutes=minutes - 1)
        assert clerk.logged_in().status_code == 403
        console.later(minutes=1, seconds=1)
    assert clerk.logged_in().status_code == 303
    assert console.codes(clerk.account).count("lockout") == 2
    told = {
        outcome: console.registry.get_sample_value(
            "renkei_console_logins_total", {"outcome": outcome}
        )
        for outcome in ("wrong", "locked")
    }
    assert told == {"wrong": 8, "locked": 4}  # each lockout, and each try meanwhile


def test_tries_of_one_address_have_a_limit(console: ConsoleRig) -> None:
    anybody = console.browser()
    statuses = [
        anybody.send("/login", "/login", account=f"a{n}", password=WRONG, code="1").status_code
        for n in range(22)
    ]
    assert statuses == [403] * 20 + [429] * 2


@pytest.mark.parametrize(
    ("minutes", "times", "why"), [(16, 1, "idle"), (14, 35, "lifetime")], ids=["idle", "lifetime"]
)
def test_a_session_ends_by_itself(
    console: ConsoleRig, clerk: Person, minutes: int, times: int, why: str
) -> None:
    clerk.logged_in()
    for _ in range(times):
        console.later(minutes=minutes)
        answer = clerk.get("/me")
    assert answer.headers["location"] == f"/login?ended={why}"
    (ended,) = console.entries(outcome="session-ended")
    assert (ended.access.staff, ended.detail) == (clerk.account, why)


def test_a_session_of_a_closed_browser_is_recorded_too(console: ConsoleRig, clerk: Person) -> None:
    clerk.logged_in()
    console.later(minutes=20)
    console.console.tend()
    assert console.codes(clerk.account) == ["login", "session-ended"]
    assert console.console.sessions.count() == 0


def test_a_stolen_cookie_is_of_no_use_elsewhere(console: ConsoleRig, clerk: Person) -> None:
    clerk.logged_in()
    thief = console.browser("10.0.0.66")
    thief.client.cookies.set(COOKIE, clerk.client.cookies[COOKIE])
    assert thief.get("/me").headers["location"] == "/login?ended=foreign"
    assert clerk.get("/me").status_code == 303
    assert console.entries(outcome="session-ended")[0].access.terminal == "10.0.0.66"


def test_a_session_is_never_one_that_somebody_chose(console: ConsoleRig, clerk: Person) -> None:
    clerk.client.cookies.set(COOKIE, "chosen-by-an-attacker")
    clerk.logged_in()
    set_to = {one.value for one in clerk.client.cookies.jar if one.name == COOKIE}
    assert set_to - {"chosen-by-an-attacker"}
    thief = console.browser()
    thief.client.cookies.set(COOKIE, "chosen-by-an-attacker")
    assert thief.get("/me").status_code == 303


def test_one_person_has_one_session(console: ConsoleRig, clerk: Person) -> None:
    clerk.logged_in()
    console.later(seconds=31)
    second = console.browser(account=clerk.account)
    second.logged_in()
    assert clerk.get("/me").status_code == 303
    assert console.codes(clerk.account) == ["login", "session-ended", "login"]


def test_a_changed_account_ends_its_sessions(console: ConsoleRig, clerk: Person) -> None:
    clerk.logged_in()
    accounts = console.console.office.accounts
    found = accounts.find(clerk.account)
    assert found is not None
    accounts.keep(found.model_copy(update={"roles": (Role.VIEWER,)}))
    assert clerk.get("/me").headers["location"] == "/login?ended=revoked"


def test_a_row_that_somebody_wrote_into_the_database_opens_nothing(
    console: ConsoleRig, clerk: Person
) -> None:
    other = console.account(Role.ADMINISTRATOR)
    store = console.console.office.store
    database = store._database
    database.execute(
        "UPDATE rows SET sealed = (SELECT sealed FROM rows WHERE id = ?) WHERE id = ?",
        (other.id, clerk.account),
    )
    assert clerk.logged_in().status_code == 403
    assert console.console.office.accounts.find(clerk.account) is None


def test_without_a_ledger_nobody_gets_in(
    console: ConsoleRig, clerk: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LedgerError("the ledger is halted")

    with monkeypatch.context() as broken:
        broken.setattr(DatabaseLedger, "append", fail)
        assert clerk.logged_in().status_code == 503
    assert COOKIE not in clerk.client.cookies
    assert console.console.sessions.count() == 0
    assert clerk.logged_in().status_code == 303
    with monkeypatch.context() as broken:
        broken.setattr(DatabaseLedger, "append", fail)
        answer = clerk.get("/me")
    assert answer.status_code == 503
    assert "職員" not in answer.text


def set_up(console: ConsoleRig, code: str, account: str, password: str = PASSWORD) -> Person:
    person = console.browser(account=account)
    person.send("/enrol", "/enrol", account=account, code=code, password=password, again=password)
    return person


@pytest.fixture
def added(console: ConsoleRig) -> tuple[str, str]:
    admin = console.account(Role.ADMINISTRATOR)
    accounts = console.console.office.accounts
    person = admin.model_copy(update={"id": "suzuki", "roles": (Role.VIEWER,)})
    items = AccessItems(admin.id, "", "", "", "test")
    return "suzuki", accounts.add(person, items, console.now)


def test_a_new_person_sets_password_and_second_factor(
    console: ConsoleRig, added: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.console.passwords.new_secret", lambda: SECRET)
    account, code = added
    person = console.browser(account=account)
    assert person.logged_in().status_code == 403
    page = person.send(
        "/enrol", "/enrol", account=account, code=code, password=PASSWORD, again=PASSWORD
    )
    assert "<svg" in page.text
    assert "style=" not in page.text
    wrong = person.fill(page, "/enrol/factor", code="000000")
    assert wrong.status_code == 403
    done = person.fill(wrong, "/enrol/factor", code=console.code())
    assert done.headers["location"] == "/login?ended=enrolled"
    console.later(seconds=31)
    assert person.logged_in().status_code == 303
    again = person.send(
        "/enrol", "/enrol", account=account, code=code, password=PASSWORD, again=PASSWORD
    )
    assert again.status_code == 403
    assert console.codes(account) == ["login-refused", "account-enrolled", "login"]


def test_a_one_time_code_ends(console: ConsoleRig, added: tuple[str, str]) -> None:
    account, code = added
    console.later(hours=73)
    person = console.browser()
    page = person.send(
        "/enrol", "/enrol", account=account, code=code, password=PASSWORD, again=PASSWORD
    )
    assert page.status_code == 403
    assert all(form.action != "/enrol/factor" for form in forms_of(page.text))


def test_nobody_uses_an_account_for_ninety_days(console: ConsoleRig, clerk: Person) -> None:
    console.later(days=91)
    assert clerk.logged_in().status_code == 403


def test_refused_tries_are_recorded_once_a_minute_and_none_is_forgotten(
    console: ConsoleRig, clerk: Person
) -> None:
    clock = [0.0]
    console.console.gate.refused_known.limiter.monotonic = lambda: clock[0]
    for _ in range(4):
        clerk.logged_in(password=WRONG)
    console.console.tend()
    assert [one.detail[-7:] for one in console.entries(outcome="login-refused")] == ["1 times"]
    clock[0] = 61.0
    console.console.tend()
    said = [one.detail for one in console.entries(outcome="login-refused")]
    assert said == [f"{clerk.account}, 1 times", f"{clerk.account}, 3 times"]


def test_logins_are_counted_by_how_they_end(console: ConsoleRig, clerk: Person) -> None:
    clerk.logged_in(password=WRONG)
    clerk.logged_in()
    console.browser(account="nobody").logged_in()
    counted = {
        outcome: console.registry.get_sample_value(
            "renkei_console_logins_total", {"outcome": outcome}
        )
        for outcome in LOGINS
    }
    assert counted == dict.fromkeys(LOGINS, 0.0) | {"good": 1.0, "wrong": 1.0, "unknown": 1.0}


BY = AccessItems("another", "", "", "", "test")
DEEDS: dict[str, Callable[[Accounts, Account], object]] = {
    "locked": lambda accounts, one: accounts.lock(one.id, BY),
    "removed": lambda accounts, one: accounts.remove(one.id, BY),
    "demoted": lambda accounts, one: accounts.change(
        one.model_copy(update={"roles": (Role.VIEWER,), "personal": False}), BY
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("way", ["login", "set-up", "wrong code"])
def test_what_is_done_to_an_account_while_a_password_is_hashed_stays(
    console: ConsoleRig, deed: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.account(Role.ADMINISTRATOR)
    accounts, gate, code = console.console.office.accounts, console.console.gate, "one-time"
    account = console.account(
        Role.OPERATOR,
        personal=True,
        code=passwords.code_digest(code),
        code_until=console.now + dt.timedelta(hours=1),
    )
    slow = "is_right" if way == "login" else "hashed"
    quick = getattr(Hasher, slow)

    def meanwhile(*given: object) -> object:
        DEEDS[deed](accounts, account)
        return quick(*given)

    monkeypatch.setattr(Hasher, slow, meanwhile)
    if way == "login":
        gate.login(Credentials(account.id, PASSWORD, console.code()), BY, "10.0.0.9", console.now)
    else:
        typed = code if way == "set-up" else "another"
        gate.begin_setup(account.id, typed, PASSWORD, BY, console.now)
    left = accounts.find(account.id)
    if deed == "removed":
        assert left is None
        return
    assert left is not None
    assert left.locked == (deed == "locked")
    assert left.personal == (deed == "locked")
    assert bool(left.new_secret) == (deed == "demoted" and way == "set-up")


def test_a_session_that_ends_while_it_is_looked_up_stays_ended(
    console: ConsoleRig, clerk: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.logged_in()
    console.later(minutes=1)
    sessions, accounts = console.console.sessions, console.console.office.accounts
    find = accounts.find

    def ended(account: str) -> Account | None:
        sessions.end_all(account)
        return find(account)

    monkeypatch.setattr(accounts, "find", ended)
    assert sessions.find(clerk.client.cookies[COOKIE], ADDRESS, console.now) is None
    assert sessions.count() == 0
