"""Messages: search the ledger, and one message's way from both sides. Never a body."""

import datetime as dt
import io
import zipfile

from starlette.responses import Response

from hub.clock import midnight
from hub.desks.journals import JournalsHere
from hub.desks.ways import look_at
from hub.errors import QuestionError
from hub.ledger.evidence.prove import prove, proved
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import MOST, Question, look_up, recorded
from hub.ledger.search.whom import MyNumberGiven, Whom, whom
from hub.message import MessageKey
from monitoring.console.found import Found, FoundLists
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say, number_of
from monitoring.console.visit import Visit
from schemas.hidden import holds_my_number

A_PAGE = 50
_LONGEST = 80
_WORDS = ("message", "sender", "flow", "system", "staff", "outcome")
_lists = FoundLists()


class _AskedWrongError(ValueError):
    """A field of the form is not as it must be; the text is the key of the word that says so."""


def _form(visit: Visit, wrong: str = "") -> Response:
    return visit.show(
        "messages.html",
        400 if wrong else 200,
        say=Say(visit.words, visit.office.catalogue()),
        wrong=wrong,
        may_ask_persons=visit.may(Right.FACTS, personal=True),
        may_ask_staff=visit.may(Right.EXPORT),
    )


def _search(visit: Visit) -> Response:
    try:
        meant = _meant(visit)
        question = _question(visit, meant.residents)
    except _AskedWrongError as error:
        return _form(visit, str(error))
    access = visit.access(visit.form.get("reason", ""))
    with visit.office.books.alone() as ledger:
        found = look_up(ledger, question, access, visit.now)
    numbers = tuple(one.number for one in found.entries)
    key = _lists.keep(Found(visit.who.id, visit.now, numbers, found.more, meant.is_doubtful))
    return visit.go(f"/messages/found/{key}/1")


def _meant(visit: Visit) -> Whom:
    """Say who is searched for: the number's person, or anybody."""
    addressee = visit.form.get("addressee", "").strip()
    if not addressee:
        return Whom(("",), is_doubtful=False)
    if not visit.may(Right.FACTS, personal=True):
        raise _AskedWrongError("messages.not-persons")
    try:
        with visit.office.books.alone() as ledger:
            return whom(ledger, visit.office.pseudonyms, addressee)
    except MyNumberGiven:
        raise _AskedWrongError("addressee.my-number") from None
    except QuestionError:
        raise _AskedWrongError("addressee.none") from None


def _question(visit: Visit, residents: tuple[str, ...]) -> Question:
    given = {name: visit.form.get(name, "").strip() for name in _WORDS}
    if any(len(one) > _LONGEST for one in given.values()):
        raise _AskedWrongError("messages.too-long")
    if any(map(holds_my_number, given.values())):
        raise _AskedWrongError("messages.my-number")
    if given["staff"] and not visit.may(Right.EXPORT):
        raise _AskedWrongError("messages.not-staff")
    kind = visit.form.get("kind", "")
    if kind and kind not in set(Kind):
        raise _AskedWrongError("messages.no-kind")
    return Question(
        resident=residents[0],
        former=residents[1:],
        kind=Kind(kind) if kind else None,
        begin=_midnight(visit.form.get("begin", ""), 0),
        end=_midnight(visit.form.get("end", ""), 1),
        limit=MOST,
        message=given["message"],
        sender=given["sender"],
        flow=given["flow"],
        system=given["system"],
        staff=given["staff"],
        outcome=given["outcome"],
    )


def _midnight(day: str, after: int) -> dt.datetime | None:
    if not day.strip():
        return None
    try:
        return midnight(dt.date.fromisoformat(day.strip()) + dt.timedelta(days=after))
    except (ValueError, OverflowError):
        raise _AskedWrongError("messages.no-day") from None


def _found(visit: Visit) -> Response:
    found = _lists.find(visit.params["key"], visit.who.id, visit.now)
    if found is None:
        return visit.trouble(404, key="messages.gone")
    last = max(1, -(-len(found.numbers) // A_PAGE))
    at = number_of(visit.params["at"])
    if not 1 <= at <= last:
        return visit.trouble(404)
    numbers = found.numbers[(at - 1) * A_PAGE : at * A_PAGE]
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be read"), engine.connect() as connection:
        entries = recorded(connection, numbers)
    return visit.show(
        "messages_found.html",
        say=Say(visit.words, visit.office.catalogue()),
        some=entries,
        count=len(found.numbers),
        more=found.more,
        at=at,
        last=last,
        key=visit.params["key"],
        doubtful=found.is_doubtful,
    )


def _message(visit: Visit) -> Response:
    key = MessageKey(visit.params["sender"], visit.params["id"])
    systems = visit.office.site.systems
    journals = JournalsHere({name: one.journal for name, one in systems.items()})
    with visit.office.books.alone() as ledger:
        way = look_at(ledger, key, visit.access(), visit.now, journals)
        size = proved(ledger, way.entries)
    return visit.show(
        "message.html",
        say=Say(visit.words, visit.office.catalogue()),
        way=way,
        size=size,
        may_prove=visit.may(Right.EXPORT),
    )


def _proof(visit: Visit) -> Response:
    """Give the proofs of a message's entries as one file, each as auditors check it."""
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return visit.trouble(400, key="reason-missing")
    sender, message_id = visit.params["sender"], visit.params["id"]
    access = visit.access(reason)
    with visit.office.books.alone() as ledger:
        verifier = ledger.verifier
        made = prove(ledger, verifier, message_id, access, visit.now, sender=sender)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for one in made:
            file.writestr(f"{one.entry.number}-{one.entry.kind}.proof.txt", one.proof.encode())
        file.writestr("key.txt", f"{verifier.text()}\n")
    return visit.file(f"proof-{visit.now:%Y%m%d%H%M%S}.zip", content.getvalue(), "application/zip")


PAGES = (
    Page("messages", "/messages", Right.FACTS, _form, menu=30),
    Page("messages-search", "/messages/search", Right.FACTS, _search, "POST", recorded=False),
    Page("messages-found", "/messages/found/{key}/{at:int}", Right.FACTS, _found),
    Page("message", "/messages/{sender}/{id}", Right.FACTS, _message, recorded=False),
    Page(
        "message-proof",
        "/messages/{sender}/{id}/proof",
        Right.EXPORT,
        _proof,
        "POST",
        recorded=False,
        step_up=True,
    ),
)
