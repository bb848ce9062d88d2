"""The manual: what to do when an alert comes, and how each part is worked with.

It says nothing of anybody, and is wanted most when nothing can be recorded: so a look at it is no
entry of the ledger, and needs none.
"""

from starlette.responses import Response

from monitoring.console.manual import ADDRESS, guides, manual_page
from monitoring.console.page import Page
from monitoring.console.rights import Right
from monitoring.console.visit import Visit
from monitoring.rules.alerts import alerts
from monitoring.rules.pages import plain


def _list(visit: Visit) -> Response:
    said = [(one.name, one.severity, plain(visit.words.of(one.summary))) for one in alerts()]
    return visit.show("help.html", alerts=said, guides=guides())


def _show(visit: Visit) -> Response:
    page = manual_page(visit.params["name"])
    return visit.trouble(404) if page is None else visit.show("help_page.html", text=page)


PAGES = (
    Page("help", ADDRESS, Right.OVERVIEW, _list, recorded=False, alone=False, menu=95),
    Page("help-page", f"{ADDRESS}/{{name}}", Right.OVERVIEW, _show, recorded=False, alone=False),
)
