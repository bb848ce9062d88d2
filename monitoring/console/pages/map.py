"""The map: the statutory flows as a picture with the figures of now, and the same as a table."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from hub.catalogue.svg import svg
from hub.catalogue.view import view
from hub.clock import JST
from monitoring.console.lines import COLUMNS, ERRORS, HELP, SIGNS, Told, told, untaken
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.shown import Say
from monitoring.console.views import when
from monitoring.console.visit import Visit
from monitoring.figures.lines import Picture


def _map(visit: Visit) -> Response:
    catalogue = visit.office.catalogue()
    say = Say(visit.words, catalogue)
    picture = visit.office.figures.look()
    lines = told(picture.lines, say)
    shown = view(catalogue, visit.now.astimezone(JST).date())
    drawn = svg(shown, visit.words.language, {one.id: one.mark for one in lines})
    return visit.show(
        "map.html",
        say=say,
        lines=lines,
        columns=COLUMNS,
        signs=[(state.value, sign, HELP.get(state)) for state, sign in SIGNS.items()],
        errors=ERRORS,
        picture=drawn,
        facts=_facts(picture, visit),
        may_see=visit.may(Right.FACTS),
    )


def _figures(visit: Visit) -> Response:
    picture = visit.office.figures.look()
    lines = told(picture.lines, Say(visit.words, visit.office.catalogue()))
    return JSONResponse(
        {"facts": _facts(picture, visit), "lines": {one.id: _line(one) for one in lines}}
    )


def _line(one: Told) -> dict[str, object]:
    return {
        "state": one.mark.state,
        "text": one.mark.text,
        "errors": one.mark.errors,
        "said": one.mark.said,
        "cells": one.cells,
        "changed": f"{one.flow} {one.cells[0]}",
    }


def _facts(picture: Picture, visit: Visit) -> Mapping[str, str]:
    """Give what is told of the hub as a whole, by the names of the words for it."""
    t, live = visit.words, picture.live
    ledger, lists = live.ledger, live.lists or {}
    state = "unknown"
    if ledger is not None:
        state = "halted" if ledger.halted else "writable" if ledger.writable else "away"
    silent = sorted(live.unanswered)
    processes = t("map.silent", number=len(silent), names=", ".join(silent)) if silent else ""
    return {
        "at": when(picture.at, t.language),
        "ledger": t(f"ledger.{state}", size=ledger.size if ledger else ""),
        "processes": processes or t("map.answer"),
        "partitions": untaken(live, Say(t, visit.office.catalogue())),
        "confirmations": str(lists.get("confirmations", "–")),
        "dead-letters": str(lists.get("dead-letters", "–")),
        "maintenance": t("yes" if live.maintenance else "no"),
    }


PAGES = (
    Page("map", "/map", Right.OVERVIEW, _map, menu=10, alone=False),
    Page(
        "map-figures",
        "/map/figures",
        Right.OVERVIEW,
        _figures,
        recorded=False,
        alone=False,
        by_script=True,
    ),
)
