"""Words that would run in a browser, from everywhere that a page of the console has words from."""

import datetime as dt
import re
import time
from itertools import chain, zip_longest
from urllib.parse import quote

import pytest

from adapters.simulation.kit import DayFile, put
from adapters.simulation.rows import row_of
from hub.clock import JST
from hub.edge.form import Header
from mappings.resident_registry import LAYOUT
from monitoring.console.headers import POLICY
from monitoring.console.rights import Right, Role
from schemas.layout import load_layout
from schemas.resident import ResidentChanged
from tests.attack.conftest import Report
from tests.attack.markup import envelope, markup, picture, short
from tests.attack.results import Party
from tests.attack.victim import Victim
from tests.attack.visitors import Console, Visitor
from tests.attack.walk import NOT_HERE, PAGES, Walk, page_of, steps
from tests.samples import event, resident

pytestmark = pytest.mark.attack

REGISTRY, CHANGED = "resident-registry", "resident.changed"
DISCLOSURES = "/evidence/disclosures"
MOST_NAMED = 6


def send(victim: Victim, made: dict[str, object]) -> str:
    """Publish as the resident registry, whose keys the attacker has; give the message's id."""
    exchange = f"in.{REGISTRY}"
    assert not victim.publish(made, exchange=exchange, key=CHANGED, user=REGISTRY)
    return str(made["id"])


def about(victim: Victim, **changes: object) -> dict[str, object]:
    """Give the data of somebody whom no other message is about."""
    victim.persons += 1
    number = f"{900_000 + victim.persons:015d}"
    return resident(addressee_number=number, household_number=number, my_number=None) | changes


def plant_in_messages(victim: Victim) -> list[str]:
    """Send markup in whatever a message has; give the pages about what came of it."""
    words = {"name": markup("name"), "address": picture("address"), "note": markup("note")[:72]}
    held = send(
        victim, event(about(victim, **words), id="attack-held", doubt="by-markup", **envelope())
    )
    victim.until(lambda: any(kind == "hold" for kind, _ in victim.outcomes(held)), "held message")
    refused = [
        event(about(victim) | {markup("field"): 1}, id="attack-field", **envelope()),
        event(about(victim), id="attack-purpose", purpose=markup("purpose"), **envelope()),
        event(about(victim), id=markup("id")),
        event(about(victim), id="attack-source", source=f"/systems/{markup('source')}"),
        event(about(victim), id="attack-type", type=markup("type")),
        event(about(victim), id="attack-follows", follows=markup("follows")),
        event(about(victim, sex=markup("code")), id="attack-code", **envelope()),
    ]
    rises = victim.watch("renkei_ledger_entries_total", kind="refusal")
    for one in refused:
        send(victim, one)
    rises()
    victim.recorded("attack-code", "invalid")
    return [f"/messages/{REGISTRY}/{one}" for one in (held, "attack-field", "attack-purpose")]


def plant_in_a_file(victim: Victim) -> str:
    """Put a good file on the registry's drive whose name and header are markup; give its page."""
    data = about(victim, name=markup("filed"), eligibility={"insured_number": "12345678"})
    row = row_of(load_layout(LAYOUT), ResidentChanged(**data), group="000000000001")
    words = (markup(f"header-{name}") for name in ("of", "at", "by"))
    header = Header(dt.datetime.now(JST), *words)
    name = f"JUKI_{picture('file')}.csv"
    put(DayFile(name, LAYOUT, CHANGED, header, [row]), victim.drive(REGISTRY))

    def read() -> list[str]:
        found = victim.found("--sender", REGISTRY, "--outcome", "delivered")
        return [one["message"] for one in found if one["staff"] == markup("header-by")]

    (message, *_) = victim.until(read, "message of the file")
    return f"/messages/{REGISTRY}/{quote(message)}"


def plant_by_people(console: Console, dead: list[int], walk: Walk) -> Visitor:
    """Write markup into all that people may fill; answers are looked at, too."""
    roles = (Role.OPERATOR, Role.APPROVER, Role.AUDITOR)
    hostile = console.person(*roles, personal=True, name=short("account"), of=short("office"))
    asked = {"reason": markup("reason")}
    wish = {"begin": "", "end": "", "format": "json", **asked}
    (held, *_) = re.findall(r'href="(/confirmations/\d+)"', hostile.get("/confirmations").text)
    for page, action, fields in (
        ("/messages", "/messages/search", {"message": markup("word"), **asked}),
        ("/messages", "/messages/search", {"sender": REGISTRY, **asked}),
        ("/messages", "/messages/search", {"begin": markup("begin"), **asked}),
        (DISCLOSURES, DISCLOSURES, {"addressee": "1", **wish}),
        (DISCLOSURES, DISCLOSURES, {"addressee": markup("who"), **wish}),
        ("/evidence/days", "/evidence/days", {"day": markup("day"), **asked}),
        ("/dead-letters", "/dead-letters/request", {"number": str(dead[2]), **asked}),
        (held, f"{held}/reject", asked),
    ):
        answer = hostile.send(page, action, **fields)
        walk.look(f"POST {action}", answer)
        if answer.has_redirect_location:
            follow(hostile, answer.headers["location"], walk)
    console.aged(hostile, stepped=dt.timedelta(minutes=11))
    again = {"addressee": "1", markup("extra"): markup("extra"), **wish}
    walk.look("POST step-up", hostile.send(DISCLOSURES, DISCLOSURES, **again))
    stranger = console.browser()
    typed = {"account": markup("typed"), "password": markup("typed"), "code": markup("typed")}
    walk.look("POST /login", stranger.send("/login", "/login", **typed))
    walk.look("POST /enrol", stranger.send("/enrol", "/enrol", **typed, again=markup("other")))
    by_hand = ("--staff", markup("staff-by-hand"), "--reason", markup("reason-by-hand"))
    console.victim.ground.renkei("ledger", "search", *by_hand)
    return hostile


def follow(person: Visitor, path: str, walk: Walk) -> None:
    """Open the page that an answer leads to."""
    page = page_of(path)
    assert page is not None, path
    walk.look(page.name, person.get(path))


def hostile_addresses() -> list[str]:
    """Give an address of each page with markup wherever it takes a word."""
    there = quote(markup("address-of-page"), "")
    return [
        re.sub(r"\{(\w+)(:\w+)?\}", lambda found: "1" if found[2] else there, page.path)
        + f"?state={there}&ended={there}&code={there}&sender={there}&system={there}&page={there}"
        for page in PAGES
        if page.may is not Right.ANYBODY
    ]


@pytest.fixture(scope="module")
def walk(console: Console, dead_letters: list[int]) -> Walk:
    """Plant everything, and let everybody open all that they may."""
    made, began = Walk(), time.monotonic()
    first = [*plant_in_messages(console.victim), plant_in_a_file(console.victim)]
    hostile = plant_by_people(console, dead_letters, made)
    people = {
        (Role.OPERATOR, Role.APPROVER, Role.AUDITOR): hostile,
        (Role.ADMINISTRATOR,): console.be(Role.ADMINISTRATOR),
        (Role.VIEWER,): console.be(Role.VIEWER),
    }
    first += hostile_addresses()
    ways = [steps(person, roles, first, made) for roles, person in people.items()]
    ways.append(steps(console.browser(), (), [page.path for page in PAGES], made))
    for _ in chain.from_iterable(zip_longest(*ways)):
        pass
    made.seconds = time.monotonic() - began
    return made


def test_every_page_was_looked_at(walk: Walk) -> None:
    assert walk.answered >= {page.name for page in PAGES} - NOT_HERE


def where(walk: Walk, words: set[str]) -> str:
    """Say where these words stand as text; each is somewhere, else nothing was tried."""
    assert words <= walk.shown.keys(), sorted(walk.shown)
    named = set().union(*(walk.shown[word] for word in words))
    found = sorted(name for name in named if not name.startswith("POST"))
    return f"{', '.join(found[:MOST_NAMED])}{' and others' if len(found) > MOST_NAMED else ''}"


def test_markup_of_systems(walk: Walk, report: Report) -> None:
    """In every word of a message, accepted, held, refused or dead, and of a file."""
    assert walk.faults == []
    report.began -= walk.seconds
    shown = where(walk, {"name", "address", "note", "file"})
    report(
        Party.ADAPTER,
        "XSS: markup in messages and files, at the console",
        "in envelope, data, ids, names of fields; in a file's name and header",
        refused=f"text like any other on: {shown}; the other words are nowhere",
        recorded="ledger: the words of the envelope as they came",
        alerted="no: nothing is wrong with it",
    )


def test_markup_of_people(walk: Walk, report: Report) -> None:
    """In every field of a form, in addresses, in an account, and on the command line."""
    assert walk.faults == []
    report.began -= walk.seconds
    words = {"account", "office", "reason", "typed", "extra", "staff-by-hand"}
    report(
        Party.STAFF,
        "XSS: markup in what people write, at the console",
        "in forms, addresses and searches, an account's name and department, `--staff`",
        refused=f"text like any other on: {where(walk, words)}",
        recorded="ledger: the words as they came",
        alerted="no: nothing is wrong with it",
    )


def test_policy_and_frames(walk: Walk, report: Report) -> None:
    """Whatever is answered says that nothing else runs, and that nobody puts it into a frame."""
    assert walk.faults == []
    report.began -= walk.seconds
    assert "frame-ancestors 'none'" in POLICY
    assert "unsafe" not in POLICY
    report(
        Party.NETWORK,
        "clickjacking, scripts of others",
        f"{walk.looks} answers of {len(walk.answered)} pages, to five persons",
        refused="each has the policy: own scripts and styles alone, no frame",
        recorded="no: a browser does it",
        alerted="no",
    )
