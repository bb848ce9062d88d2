"""What a page is: declared once, and asked for by everything around it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from monitoring.console.rights import Right

if TYPE_CHECKING:
    from monitoring.console.visit import Visit

Handler = Callable[["Visit"], Response]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or what a form is sent to.

    ``path`` is Starlette's (``/confirmations/{number:int}``). ``recorded`` says that the guard
    records each opening as a view; a page whose handler records a look of its own (a message, a
    search) leaves that out, and so does what only gives figures anew. ``personal`` asks for the
    account's mark besides. With ``step_up`` the second factor is asked for again, where the last
    time was longer ago than ten minutes. Unless ``alone`` is false, nothing else uses the ledger
    meanwhile; a handler that takes long takes it by ``visit.office.alone()`` where it writes.
    What a script asks for again and again is ``by_script``: it keeps no session open.
    ``menu`` is the place among the links of every page; its text is the word ``menu.<name>``.
    """

    name: str
    path: str
    may: Right
    handle: Handler
    method: Literal["GET", "POST"] = "GET"
    recorded: bool = True
    personal: bool = False
    step_up: bool = False
    alone: bool = True
    by_script: bool = False
    menu: int = 0

    @property
    def changes(self) -> bool:
        """Say whether it changes something, which needs a token of the form."""
        return self.method == "POST"
