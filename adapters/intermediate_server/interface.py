"""The calls of the intermediate server's interface, in its own words (*assumed*).

Every document is checked against its schema. An answer that cannot be read is an error that may
pass, like one that is cut off: the call is made again in the next round.
"""

import re
from collections.abc import Mapping

from adapters.intermediate_server.memory import Family
from hub.edge.form import BadFile
from hub.edge.forms.xml import Xml
from hub.edge.http.calls import Call, Caller, CallError
from schemas.layout import load_layout

PERMITS = "intermediate-server.permits"
PERMITTED_INQUIRIES = "intermediate-server.permitted-inquiries"
LISTINGS = "intermediate-server.listings"
CODE_RECEIPTS = "intermediate-server.code-receipts"

XML = "application/xml; charset=utf-8"
_TAKEN = frozenset({200})
_TAKEN_OR_KNOWN = frozenset({200, 409})
_DONE = frozenset({200, 404})

_NUMBER = re.compile(r"[0-9A-Za-z]{1,30}")

Values = Mapping[str, str]


class UnreadableAnswer(CallError):
    """An answer is not as its schema asks."""


def form(layout: str) -> Xml:
    """Give the form of one of the interface's documents."""
    return Xml(load_layout(layout))


class Interface:
    """The server, as the courier speaks with it; every method raises ``CallError``."""

    def __init__(self, caller: Caller, secret: str) -> None:
        self._caller = caller
        self._headers = {"authorization": f"Bearer {secret}", "content-type": XML, "accept": XML}

    async def ask_permit(self, request: bytes) -> Values | None:
        """Ask for the 情報提供許可証 of an inquiry; ``None`` where its record is known already."""
        call = self._call(
            "ask for a permit", "POST", "ski/permits", request, accept=_TAKEN_OR_KNOWN
        )
        return await self._document(call, PERMITS)

    async def send_inquiry(self, inquiry: bytes) -> Values | None:
        """Send an inquiry with its permit; ``None`` where it was taken before."""
        call = self._call(
            "send an inquiry", "POST", "ski/inquiries", inquiry, accept=_TAKEN_OR_KNOWN
        )
        return await self._document(call, PERMITS)

    async def inquiry_state(self, record: str) -> Values:
        """Ask what became of an inquiry."""
        return await self._state(
            self._call("ask how an inquiry stands", "GET", "ski/inquiries", query=record), PERMITS
        )

    async def request_code(self, request: bytes) -> Values | None:
        """Ask for a code; ``None`` where its record is known already."""
        call = self._call("ask for a code", "POST", "fgu/codes", request, accept=_TAKEN_OR_KNOWN)
        return await self._document(call, CODE_RECEIPTS)

    async def code_state(self, record: str) -> Values:
        """Ask what became of a code request."""
        return await self._state(
            self._call("ask how a code request stands", "GET", "fgu/codes", query=record),
            CODE_RECEIPTS,
        )

    async def results(self, family: Family) -> list[str]:
        """Give the 処理通番 of results that wait to be fetched, the oldest first."""
        call = self._call("list the results", "GET", f"{family}/results")
        values = await self._state(call, LISTINGS)
        numbers = [text for name, text in values.items() if name != "answered_at" and text]
        if not all(map(_NUMBER.fullmatch, numbers)):
            raise UnreadableAnswer(f"cannot {call.purpose}: one has no 処理通番")
        return numbers

    async def result(self, family: Family, number: str) -> bytes:
        """Fetch a result as it is."""
        call = self._call("fetch a result", "GET", f"{family}/results/{number}")
        return (await self._caller.call(call)).content

    async def taken(self, family: Family, number: str) -> None:
        """Say that a result was fetched; it is listed no more."""
        path = f"{family}/results/{number}"
        await self._caller.call(self._call("acknowledge a result", "DELETE", path, accept=_DONE))

    def _call(  # noqa: PLR0913 - one line a call
        self,
        purpose: str,
        method: str,
        path: str,
        content: bytes = b"",
        *,
        accept: frozenset[int] = _TAKEN,
        query: str = "",
    ) -> Call:
        asked = {"record": query} if query else {}
        return Call(purpose, method, path, content, self._headers, asked, accept)

    async def _document(self, call: Call, layout: str) -> Values | None:
        answer = await self._caller.call(call)
        return None if answer.status not in _TAKEN else _read(call, layout, answer.content)

    async def _state(self, call: Call, layout: str) -> Values:
        return _read(call, layout, (await self._caller.call(call)).content)


def _read(call: Call, layout: str, content: bytes) -> Values:
    try:
        return form(layout).values(content)
    except BadFile as bad:
        raise UnreadableAnswer(f"cannot {call.purpose}: the answer: {bad}") from bad
