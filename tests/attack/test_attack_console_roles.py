"""A console user who wants more than they may: other pages, other roles, their own approval."""

import re
from collections.abc import Iterator

import httpx
import pytest

from hub.ledger.beside import State
from monitoring.console.app import every_page
from monitoring.console.page import Page
from monitoring.console.rights import Right, Role, may
from monitoring.console.words import Words
from tests.attack.conftest import Report
from tests.attack.receiver import chosen_states
from tests.attack.results import Party
from tests.attack.visitors import DENIED, Console, Visitor
from tests.samples import ADDRESSEE

pytestmark = pytest.mark.attack

PAGES = [page for page in every_page() if page.may not in {Right.ANYBODY, Right.OWN}]
FORBIDDEN, CONFLICT = httpx.codes.FORBIDDEN, httpx.codes.CONFLICT
DEAD = "/dead-letters"
DISCLOSURES = "/evidence/disclosures"
WISH = {"addressee": ADDRESSEE, "begin": "", "end": "", "format": "json", "reason": "開示請求"}
DAMAGED = "renkei_console_accounts_damaged"


def address(page: Page) -> str:
    """Give an address of a page; whether there is such a thing is nobody's to know."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: "1" if found[2] else "x1", page.path)


def not_theirs(role: Role) -> Iterator[Page]:
    return (page for page in PAGES if page.personal or not may([role], page.may))


def forged(console: Console, person: Visitor, path: str, **fields: str) -> httpx.Response:
    """Send a form that no page shows, with a token that only the console's key could make."""
    return person.post(path, {"token": console.token(person, path), **fields})


def test_pages_of_other_roles(console: Console, report: Report) -> None:
    """Every page and form of the console, by everybody who may not; with a token that holds."""
    people = {role: console.be(role) for role in Role}
    rises = console.victim.watch(DENIED, why="right")
    asked = 0
    for place in range(len(PAGES)):
        for role, person in people.items():  # in turn, for each has a limit of its own
            for page in list(not_theirs(role))[place : place + 1]:
                path = address(page)
                answer = (
                    forged(console, person, path, reason="mine")
                    if page.changes
                    else person.get(path)
                )
                assert answer.status_code == FORBIDDEN, (role, page.name)
                asked += 1
    for role, person in people.items():
        console.recorded(person.account, "page", f"{next(not_theirs(role)).name}: not permitted")
    report(
        Party.STAFF,
        "role escalation: pages and forms of other roles",
        f"{asked} addresses by {len(people)} roles, forms with tokens that hold",
        refused="HTTP 403, nothing is shown or changed",
        recorded="ledger: log-view page (not permitted), each",
        alerted=rises(),
    )


def test_own_roles(console: Console, report: Report) -> None:
    admin = console.be(Role.ADMINISTRATOR)
    rises = console.victim.watch(DENIED, why="self")
    page = f"/people/{admin.account}"
    more = {"role": Role.AUDITOR, "personal": "yes"}
    answer = admin.send(page, f"{page}/change", **more, reason="mine")
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert admin.get("/messages").status_code == FORBIDDEN
    report(
        Party.STAFF,
        "role escalation: own roles",
        "an administrator adds a role and **personal** to their own account",
        refused="HTTP 400, nothing is changed",
        recorded=console.recorded(admin.account, "page", "other rights for oneself"),
        alerted=rises(),
    )


def differing(admin: Visitor) -> str:
    """Give what the review report says of accounts that are not as the ledger says."""
    (month, *_) = re.findall(r'"(/evidence/review/[0-9-]+)"', admin.get("/evidence/review").text)
    _, _, told = admin.get(month).text.partition(f"<h2>{Words('ja')('review.differ')}</h2>")
    return told.partition("<h2>")[0]


EDITS = {
    "another's": "UPDATE rows SET sealed = (SELECT sealed FROM rows WHERE id = ?) WHERE id = ?",
    "one's own": "UPDATE rows SET sealed = CAST(? || ' is administrator' AS BLOB) WHERE id = ?",
}


def test_edited_row(console: Console, report: Report) -> None:
    """Whoever can write the console's database cannot write an account."""
    admin, victim = console.be(Role.ADMINISTRATOR), console.victim
    viewers = [console.person(Role.VIEWER) for _ in EDITS]
    for viewer, edit in zip(viewers, EDITS.values(), strict=True):
        assert console.edited(edit, admin.account, viewer.account) == 1
        assert not viewer.is_in()
        assert viewer.logged_in() == FORBIDDEN
        recorded = console.recorded(viewer.account, "session-ended", "revoked")
    victim.until(lambda: victim.metric(DAMAGED) == len(EDITS), "damaged accounts that are seen")
    differ = differing(admin)
    for viewer in viewers:
        assert viewer.account in differ
        console.renkei("remove", viewer.account)
    report(
        Party.STAFF,
        "role escalation: a row written by hand",
        f"into the console's database: {' and '.join(EDITS)} words under a viewer's id",
        refused="counts as locked; its session has ended",
        recorded=f"{recorded}; the review report names the account",
        alerted=f"`{DAMAGED}`",
    )


def test_older_row(console: Console, report: Report) -> None:
    """A limit that the page states: what the console once wrote does open. The report tells."""
    admin, clerk = console.be(Role.ADMINISTRATOR), console.person(Role.OPERATOR)
    row = clerk.account
    kept = console.rows()[row]
    page = f"/people/{row}"
    facts = {"name": "職員", "department": "後期高齢", "role": Role.VIEWER, "reason": "異動"}
    assert forged(console, admin, f"{page}/change", **facts).status_code < FORBIDDEN
    assert console.edited("UPDATE rows SET sealed = ? WHERE id = ?", kept, row) == 1
    assert row in differing(admin)
    console.renkei("remove", row)
    report(
        Party.STAFF,
        "role escalation: an older row put back",
        "an account's row of before its roles were taken, into the console's database",
        refused="no: it has the roles of before",
        recorded="the review report names the account and both its roles",
        alerted="no",
    )


def asked_for(console: Console, person: Visitor) -> str:
    """Ask for a disclosure; give its address."""
    before = console.rows("export").keys()
    assert person.send(DISCLOSURES, DISCLOSURES, **WISH).status_code == httpx.codes.SEE_OTHER
    (row,) = console.rows("export").keys() - before
    return f"{DISCLOSURES}/{row}"


def test_own_export(console: Console, report: Report) -> None:
    """A file about a person: approved by who asked for it, taken without approval, by another."""
    both = console.be(Role.OPERATOR, Role.APPROVER, personal=True)
    other = console.be(Role.AUDITOR, personal=True)
    rises = console.victim.watch(DENIED, why="self")
    path = asked_for(console, both)
    for person, deed in ((both, "approve"), (both, "take"), (other, "take")):
        assert forged(console, person, f"{path}/{deed}").status_code == CONFLICT
    assert not console.said(both.account, outcome="export-approved")
    assert not console.said(both.account, outcome="disclosure")
    recorded = console.recorded(both.account, "page", "approving one's own")
    console.recorded(other.account, "page", "nobody has permitted it")
    report(
        Party.STAFF,
        "export without a second person",
        "who asked approves it; takes it unapproved; another takes it",
        refused="HTTP 409, no file",
        recorded=recorded,
        alerted=rises(),
    )
    chief = console.be(Role.APPROVER)
    assert chief.send(DISCLOSURES, f"{path}/approve").status_code == httpx.codes.SEE_OTHER
    assert forged(console, other, f"{path}/take").status_code == CONFLICT
    had = both.send(DISCLOSURES, f"{path}/take")
    assert had.headers["content-disposition"].startswith("attachment")
    again = forged(console, both, f"{path}/take")
    assert again.status_code == httpx.codes.NOT_FOUND
    assert len(console.said(both.account, outcome="disclosure", kind="export")) == 1
    report(
        Party.STAFF,
        "export that is fetched twice",
        "approved by another, and had: once more",
        refused="HTTP 404, no file",
        recorded=console.recorded(both.account, "disclosure"),
        alerted="no: it was had once",
    )


def test_own_dead_letters(console: Console, report: Report, dead_letters: list[int]) -> None:
    """Several dead letters go again by two persons, and not by one in two roles."""
    both = console.be(Role.OPERATOR, Role.APPROVER, personal=True)
    rises = console.victim.watch(DENIED, why="self")
    token = console.token(both, f"{DEAD}/request")
    asked = [("token", token), ("which", "chosen"), ("end", "replay"), ("reason", "修理した")]
    chosen = [("number", str(one)) for one in dead_letters[:2]]
    request = both.post(f"{DEAD}/request", [*asked, *chosen]).headers["location"]
    assert request.startswith(f"{DEAD}/requests/")
    assert f'action="{request}/approve"' not in both.get(request).text
    assert forged(console, both, f"{request}/approve", reason="見た").status_code == CONFLICT
    assert set(chosen_states(console.victim, dead_letters[:2])) == {State.REQUESTED}
    recorded = console.recorded(both.account, "page", "approving one's own request")
    report(
        Party.STAFF,
        "dead letters without a second person",
        "who asked for several to go again approves it",
        refused="HTTP 409, nothing moves",
        recorded=recorded,
        alerted=rises(),
    )
    chief = console.be(Role.APPROVER)
    assert chief.send(request, f"{request}/approve").status_code == httpx.codes.SEE_OTHER
    assert State.REQUESTED not in chosen_states(console.victim, dead_letters[:2])
