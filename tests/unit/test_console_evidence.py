"""Pages of evidence: what they tell, who gets a file, and what is signed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems
from monitoring.console.desks import Reconciled
from monitoring.console.rights import Role
from tests.console_rig import ConsoleRig, NoOutside, Person, console_rig
from tests.samples import ADDRESSEE, MY_NUMBER, PSEUDONYMS, entry

pytestmark = pytest.mark.unit

LIST = "/evidence/disclosures"
WISH = {"addressee": ADDRESSEE, "reason": "本人の請求", "format": "json"}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleRig]:
    with console_rig(tmp_path) as rig:
        yield rig


def test_the_pages_of_evidence_are_shown_and_recorded(console: ConsoleRig) -> None:
    auditor = console.person(Role.AUDITOR)
    for language in ("en", "ja"):
        auditor.post("/language", {"language": language})
        for path in ("", "/days", "/catalogue", "/review"):
            page = auditor.get(f"/evidence{path}")
            assert page.status_code == 200
            assert f'lang="{language}"' in page.text
            assert console.entries()[-1].detail.startswith(
                {"": "evidence", "/catalogue": "catalogue-changes", "/review": "reviews"}.get(
                    path, "days"
                )
            )


def asked(console: ConsoleRig, clerk: Person, **more: str) -> str:
    """Ask for a disclosure, and give the address of what waits."""
    assert clerk.send(LIST, LIST, **WISH | more).status_code == 303
    (waiting,) = {row for row, _ in console.console.office.store.all("export")}
    return f"{LIST}/{waiting}"


def looked(console: ConsoleRig, person: Person) -> list[str]:
    """Give what the ledger has of the pages that somebody saw."""
    found = console.entries(kind=Kind.LOG_VIEW)
    return [one.detail for one in found if one.access.staff == person.account]


def test_a_disclosure_goes_by_two_persons_and_once(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR, personal=True)
    chief = console.person(Role.APPROVER)
    path = asked(console, clerk)
    page = clerk.get(LIST)
    assert ADDRESSEE in page.text
    assert f'action="{path}/take"' not in page.text
    shown = chief.get(LIST)
    assert ADDRESSEE not in shown.text
    assert chief.fill(shown, f"{path}/approve").status_code == 303
    permitted = clerk.get(LIST)
    answer = clerk.fill(permitted, f"{path}/take")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()
    assert f'action="{path}/take"' not in clerk.get(LIST).text
    about = console.entries(resident=PSEUDONYMS.resident(ADDRESSEE), kind=Kind.EXPORT)
    assert [one.outcome for one in about] == [
        *("export-requested", "export-approved", "disclosure")
    ]
    assert [one.access.staff for one in about] == [clerk.account, chief.account, clerk.account]


def test_of_a_number_that_looks_like_a_my_number_it_is_said(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR, personal=True)
    wish = WISH | {"addressee": MY_NUMBER}
    answer = clerk.send(LIST, LIST, **wish)
    assert answer.status_code == 400
    assert "個人番号と思われる番号です" in answer.text
    assert MY_NUMBER not in answer.text
    with console.console.office.books.alone() as ledger:
        ledger.append([entry(9, resident=PSEUDONYMS.resident(MY_NUMBER))])
    said = "個人番号にも見える番号です"
    asked(console, clerk, addressee=MY_NUMBER)
    for who in (clerk, console.person(Role.APPROVER)):
        assert said in who.get(LIST).text


def test_nobody_permits_their_own(console: ConsoleRig) -> None:
    both = console.person(Role.OPERATOR, Role.APPROVER, personal=True)
    path = asked(console, both)
    page = both.get(LIST)
    assert f'action="{path}/approve"' not in page.text
    opened = both.client.cookies["__Host-renkei"]
    token = console_token(console, opened, f"{path}/approve")
    assert both.post(f"{path}/approve", {"token": token}).status_code == 409
    assert looked(console, both)[-1] == "disclosure-approve: approving one's own"
    token = console_token(console, opened, f"{path}/take")
    assert both.post(f"{path}/take", {"token": token}).status_code == 409
    assert "nobody has permitted it" in looked(console, both)[-1]
    assert not {"export-approved", "disclosure"} & {*console.codes()}


def console_token(console: ConsoleRig, secret: str, path: str) -> str:
    """Make a token as a page of ours has it, for a form that no page shows."""
    return console.console.guard.tokens.token(secret, path)


def test_without_the_mark_nobody_asks_or_takes(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR)
    assert f'action="{LIST}"' not in clerk.get(LIST).text
    token = console_token(console, clerk.client.cookies["__Host-renkei"], LIST)
    assert clerk.post(LIST, WISH | {"token": token}).status_code == 403
    assert console.console.office.store.all("export") == []


def test_what_is_asked_wrong_says_nothing_of_what_was_typed(console: ConsoleRig) -> None:
    clerk = console.person(Role.AUDITOR, personal=True)
    for wrong in ({"addressee": "98x76"}, {"begin": "soon"}, {"format": "exe"}):
        answer = clerk.send(LIST, LIST, **WISH | wrong)
        assert answer.status_code == 400
        assert "98x76" not in answer.text
        assert looked(console, clerk)[-1] == "disclosures"
    assert looked(console, clerk).count("disclosures") == 6  # each form, and each answer with it
    assert clerk.send(LIST, LIST, **WISH | {"reason": " "}).status_code == 400
    assert "export-requested" not in console.codes()


def test_a_request_is_declined_by_another_and_taken_back_by_oneself(console: ConsoleRig) -> None:
    clerk = console.person(Role.OPERATOR, personal=True)
    chief = console.person(Role.APPROVER)
    path = asked(console, clerk)
    assert chief.send(LIST, f"{path}/decline", reason="理由が不明").status_code == 303
    path = asked(console, clerk)
    assert clerk.send(LIST, f"{path}/take-back", reason="不要").status_code == 303
    assert console.codes().count("export-declined") == 2
    assert console.console.office.store.all("export") == []


def test_what_has_ended_is_deleted_while_nobody_looks(console: ConsoleRig) -> None:
    asked(console, console.person(Role.OPERATOR, personal=True))
    console.console.tend()
    assert console.console.office.store.all("export")
    console.later(days=8)
    console.console.tend()
    assert console.console.office.store.all("export") == []


def test_nobody_declines_their_own_or_takes_back_what_is_another_s(console: ConsoleRig) -> None:
    both = console.person(Role.OPERATOR, Role.APPROVER, personal=True)
    other = console.person(Role.OPERATOR, personal=True)
    path = asked(console, both)
    for person, step in ((both, "decline"), (other, "take-back"), (other, "take")):
        where = f"{path}/{step}"
        token = console_token(console, person.client.cookies["__Host-renkei"], where)
        assert person.post(where, {"token": token, "reason": "x"}).status_code in {403, 409}
    assert "export-declined" not in console.codes()
    assert len(console.console.office.store.all("export")) == 1


def test_a_review_is_signed_once_its_month_is_over(console: ConsoleRig) -> None:
    admin = console.person(Role.ADMINISTRATOR)
    month = f"{console.now:%Y-%m}"
    path = f"/evidence/review/{month}"
    page = admin.get(path)
    assert page.status_code == 200
    assert f'action="{path}/signed"' not in page.text
    console.later(days=40)
    admin = console.person(Role.ADMINISTRATOR)
    answer = admin.send(path, f"{path}/signed")
    assert answer.status_code == 303
    (entry,) = [one for one in console.entries() if one.outcome == "reviewed"]
    assert entry.detail == f"review of {month}"
    assert entry.digest in admin.get(path).text
    assert admin.account in admin.get("/evidence/review").text
    changed = admin.send(path, f"{path}/signed", digest="0" * 64)
    assert changed.status_code == 409
    assert looked(console, admin)[-2:] == [f"review {path}"] * 2  # the form, and the answer
    assert console.codes().count("reviewed") == 1


def test_an_auditor_reads_a_review_and_signs_none(console: ConsoleRig) -> None:
    auditor = console.person(Role.AUDITOR)
    path = f"/evidence/review/{console.now:%Y-%m}"
    page = auditor.get(path)
    assert page.status_code == 200
    assert auditor.account in page.text  # the ledger knows nothing of this account
    console.later(days=40)
    auditor = console.person(Role.AUDITOR)
    assert f'action="{path}/signed"' not in auditor.get(path).text
    assert auditor.get("/evidence/review/2026-13").status_code == 404


class Outside(NoOutside):
    """Reconciles without looking."""

    def reconcile(self, ledger: DatabaseLedger, day: object, access: AccessItems) -> Reconciled:
        assert ledger.size()
        return Reconciled(access.reason == "月次点検", 2, f"{day} <b>\n{access.staff}\n".encode())


def test_a_day_is_reconciled_now(console: ConsoleRig, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = console.person(Role.OPERATOR)
    today = f"{console.now:%Y-%m-%d}"
    path = "/evidence/days"
    assert clerk.send(path, path, day=today, reason="月次点検").status_code == 409
    monkeypatch.setattr(type(console.console.office.outside), "reconcile", Outside.reconcile)
    answer = clerk.send(path, path, day=today, reason="月次点検")
    assert answer.status_code == 200
    assert f"{today} &lt;b&gt;" in answer.text
    assert "alert" in clerk.send(path, path, day=today, reason="ほか").text
    for day in ("", "2026-02-30", "2999-01-01"):
        before = looked(console, clerk).count("days")
        assert clerk.send(path, path, day=day, reason="月次点検").status_code == 400
        assert looked(console, clerk).count("days") == before + 2  # the form, and the answer
