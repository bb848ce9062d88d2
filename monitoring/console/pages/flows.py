"""One flow: its basis on the day, who gets which fields, what it lacks, and its history."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response

from hub.catalogue.advice import completing
from hub.catalogue.view import STATES, lasting, note, way
from hub.clock import JST
from hub.ledger.model import Kind
from hub.ledger.schema import ledger_errors
from hub.ledger.search.ask import MOST, Question, search
from hub.statute.explain import explain
from hub.statute.model import Flow, Standing
from monitoring.console.history import changes_of, turns
from monitoring.console.lines import told
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say
from monitoring.console.visit import Visit

NEWEST = 20


@dataclass(frozen=True, slots=True)
class Gets:
    """What one receiver gets on a day."""

    sender: str
    receiver: str
    fields: tuple[str, ...]
    my_number: bool


def _grants(flow: Flow, day: dt.date) -> Iterator[Gets]:
    for leg in flow.legs:
        for receiver, grant in leg.receivers.items():
            yield Gets(leg.sender, receiver, grant.fields_on(day), grant.my_number)


def _flow(visit: Visit) -> Response:
    catalogue = visit.office.catalogue()
    flow = catalogue.flow(visit.params["ref"])
    if flow is None:
        return visit.trouble(404)
    day = visit.now.astimezone(JST).date()
    (answer,) = explain(catalogue, day, ref=flow.ref)
    may_see = visit.may(Right.FACTS)
    is_open = answer.state is Standing.HELD and flow.completed is None
    language = visit.words.language
    say = Say(visit.words, catalogue)
    picture = visit.office.figures.look()
    with visit.office.books.alone() as ledger:
        engine = ledger.engine
    with ledger_errors("be searched"), engine.connect() as connection:
        about = search(connection, Question(flow=flow.ref, limit=NEWEST)) if may_see else None
        changes = search(connection, Question(kind=Kind.CATALOGUE_CHANGE, limit=MOST))
    return visit.show(
        "flow.html",
        say=say,
        flow=flow,
        answer=answer,
        day_shown=day,
        state=visit.words.of(STATES[answer.state]),
        way=way(catalogue, flow, language),
        note=note(flow, language),
        lasting=visit.words.of(lasting(flow)),
        completing=completing(flow) if is_open else (),
        grants=tuple(_grants(flow, day)),
        lines=told((one for one in picture.lines if one.key.flow == flow.ref), say),
        about=about.entries if about else (),
        turns=turns(flow, say),
        changes=list(changes_of(flow.ref, changes.entries))[:NEWEST],
        may_see_all=visit.may(Right.EVIDENCE),
        may_see=may_see,
    )


PAGES = (Page("flow", "/flows/{ref}", Right.OVERVIEW, _flow, alone=False),)
