"""Carries inquiries and code requests to the intermediate server, and its results back.

A request stays in ``from-hub`` until the server has it, or it is refused. No inquiry leaves
before its 情報提供許可証 is there, and remembered. Every step may be repeated: the server knows a
record by its レコード識別番号, and where it says that the record exists it is asked how that
stands. So a courier that is killed anywhere goes on where it was.
"""

import asyncio
import datetime as dt
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from adapters.intermediate_server import interface
from adapters.intermediate_server.interface import Interface, Values, form
from adapters.intermediate_server.memory import Family, Memory, Request, Stage
from hub.breaker import Breaker
from hub.clock import JST
from hub.edge import files
from hub.edge.delimited import opened
from hub.edge.folders import Folders
from hub.edge.form import BadFile
from hub.edge.http.calls import Caller, CallError, Declined
from hub.edge.kit import Errand
from hub.limits import limits
from mappings import intermediate_server as mapping
from schemas.permitted import permitted

LOOK_SECONDS = 10.0
"""How long requests are sent before it is looked for results in between."""
UNREADABLE_TRIES = 5
"""How often a result is fetched that cannot be read, before it is put into to-hub as it is."""

_REQUESTS: Mapping[Family, str] = {
    Family.FGU: mapping.CODE_REQUESTS,
    Family.SKI: mapping.INQUIRIES,
}
_RESULTS: Mapping[Family, str] = {
    Family.FGU: mapping.CODE_RESULTS,
    Family.SKI: mapping.INQUIRY_RESULTS,
}
_PERMITTED, _REFUSED = "1", "2"
"""States of an inquiry at the server; any other says that it was sent."""
_ECHOED = ("message_id", "addressee_number", "information_code")
_RECORD_EXISTS = "「レコード識別番号」が既に存在しています。"
_NOT_TAKEN = "中間サーバーが照会を受け付けません。"
_UNSAID = "理由の記載なし"
LOGIN_SECONDS = 300.0
"""How long nothing is tried after the login was refused, so that no account gets locked."""
_LOGIN = 401
_NEVER = {400, 422}
"""Statuses that say that a request will not be taken as it is, however often it is sent."""
_ID = re.compile(r"[0-9A-Za-z._:-]{1,80}")
_WHERE = "interface"

Now = Callable[[], dt.datetime]


async def carry(errand: Errand) -> None:
    """Go round after round (``hub.edge.kit.Courier``)."""
    breaker = Breaker()
    with Memory(errand.memory) as memory:
        async with Caller(
            errand.url,
            timeout_seconds=errand.timeout_seconds,
            breaker=breaker,
            trust=errand.trust,
        ) as caller:
            rounds = Rounds(errand.drive, memory, Interface(caller, errand.secret))
            while True:
                error = await rounds.go()
                errand.tell(_WHERE, error)
                pause = LOGIN_SECONDS if _is_login(error) else errand.poll_seconds
                await asyncio.sleep(max(pause, breaker.seconds_left()))


def _now() -> dt.datetime:
    return dt.datetime.now(JST)


class Rounds:
    """What the courier does again and again."""

    def __init__(self, drive: Path, memory: Memory, server: Interface, now: Now = _now) -> None:
        self._folders = Folders(drive)
        self._memory = memory
        self._server = server
        self._now = now

    async def go(self) -> CallError | None:
        """Take every request and result as far as it goes now, and give the first error of a call.

        One that fails does not hold up the others, but a refused login ends the round.

        Raises:
            EdgeError: a folder or the memory cannot be used.
        """
        failed: list[CallError] = []
        try:
            await self._everything(failed)
        except Declined as refused:
            return refused
        return failed[0] if failed else None

    async def _everything(self, failed: list[CallError]) -> None:
        looked = time.monotonic()
        for name in files.names_in(self._folders.from_hub):
            for family in _REQUESTS:
                if fnmatchcase(name, f"{family.upper()}_*.xml"):
                    await _tried(self._request(family, self._folders.from_hub / name), failed)
            if time.monotonic() - looked > LOOK_SECONDS:
                await self._all_results(failed)
                looked = time.monotonic()
        await self._all_results(failed)

    async def _all_results(self, failed: list[CallError]) -> None:
        for family in _RESULTS:
            await _tried(self._results(family, failed), failed)

    # -- requests ------------------------------------------------------------------------

    async def _request(self, family: Family, path: Path) -> None:
        with opened(path) as file:
            content = file.read(limits().xml_bytes + 1)
        values = _request_values(family, path.name, content)
        known = self._memory.request(family, values["message_id"])
        request = known or self._reach(Request(family, values["message_id"], Stage.NEW))
        if family is Family.FGU:
            request = await self._code(request, content)
        else:
            request = await self._inquiry(request, values, content)
        if request.stage is Stage.REFUSED:
            self._refuse(request, values)
        files.remove(path)
        if request.said:
            self._memory.reach(replace(request, said=""))  # it may name a person

    def _reach(self, request: Request, **changes: str) -> Request:
        at = self._now().isoformat(timespec="milliseconds")
        reached = replace(request, at=at, **changes)  # type: ignore[arg-type]
        self._memory.reach(reached)
        return reached

    async def _code(self, request: Request, content: bytes) -> Request:
        if request.stage is not Stage.NEW:
            return request
        receipt = await self._server.request_code(content)
        if receipt is None:
            receipt = await self._server.code_state(request.id)
        if receipt["message_id"] != request.id:
            raise CallError("cannot ask for a code: the receipt is of another request")
        return self._sent(request, receipt)

    async def _inquiry(self, request: Request, values: Values, content: bytes) -> Request:
        if request.stage is Stage.NEW:
            if permitted(values) is None:
                said = f"{values['information_code']}{mapping.NOT_PERMITTED}"
                return self._reach(request, stage=Stage.REFUSED, said=said)
            request = self._reach(request, stage=Stage.PERMIT_ASKED)
        if request.stage is Stage.PERMIT_ASKED:
            request = await self._ask_permit(request, values, content)
        if request.stage is Stage.PERMITTED:
            request = await self._send(request, values)
        return request

    async def _ask_permit(self, request: Request, values: Values, content: bytes) -> Request:
        try:
            state = await self._server.ask_permit(content)
        except Declined as declined:
            if declined.status not in _NEVER:
                raise
            return self._reach(request, stage=Stage.REFUSED, said=_NOT_TAKEN)
        if state is None:
            state = await self._server.inquiry_state(request.id)
        elif state["state"] not in {_PERMITTED, _REFUSED}:
            raise CallError("cannot ask for a permit: the answer is none, and nothing was sent")
        return self._judged(request, values, state)

    def _judged(self, request: Request, values: Values, state: Values) -> Request:
        """Take over what the server says of an inquiry."""
        if any(state[name] != values[name] for name in _ECHOED):
            return self._reach(request, stage=Stage.REFUSED, said=_RECORD_EXISTS)
        if state["state"] == _REFUSED:
            return self._reach(request, stage=Stage.REFUSED, said=state["message"])
        if not state["processing_number"] or not state["permit_number"]:
            raise CallError("cannot ask for a permit: the answer has no number of it")
        numbers = {name: state[name] for name in ("processing_number", "permit_number")}
        if request.permit_number and request.permit_number != numbers["permit_number"]:
            raise CallError("cannot send an inquiry: the server names another permit")
        stage = Stage.PERMITTED if state["state"] == _PERMITTED else Stage.SENT
        return self._reach(request, stage=stage, **numbers)

    async def _send(self, request: Request, values: Values) -> Request:
        numbers = {
            "processing_number": request.processing_number,
            "permit_number": request.permit_number,
        }
        inquiry = form(interface.PERMITTED_INQUIRIES).encoder(None).record({**values, **numbers})
        state = await self._server.send_inquiry(inquiry)
        if state is None:
            state = await self._server.inquiry_state(request.id)
        judged = self._judged(request, values, state)
        if judged.stage is Stage.PERMITTED:
            raise CallError("cannot send an inquiry: the server has not taken it")
        return judged

    def _sent(self, request: Request, receipt: Values) -> Request:
        return self._reach(
            request, stage=Stage.SENT, processing_number=receipt["processing_number"]
        )

    def _refuse(self, request: Request, values: Values) -> None:
        """Answer an inquiry that has no permit, in the form of a result without statuses."""
        results = form(mapping.INQUIRY_RESULTS)
        blank = dict.fromkeys((column.field for column in results.layout.columns), "")
        same = {name: text for name, text in values.items() if name in blank}
        told = {"answered_at": request.at, "message": request.said or _UNSAID}
        answer = results.encoder(None).record({**blank, **same, **told})
        files.write_whole(self._result_path(request.family, f"local-{request.id}"), answer)

    # -- results -------------------------------------------------------------------------

    async def _results(self, family: Family, failed: list[CallError]) -> None:
        for number in await self._server.results(family):
            await _tried(self._result(family, number), failed)

    async def _result(self, family: Family, number: str) -> None:
        if not self._memory.is_placed(family, number):
            content = await self._server.result(family, number)
            fault = _result_fault(family, number, content)
            if fault and self._memory.unreadable(family, number) < UNREADABLE_TRIES:
                raise CallError(f"cannot use a result: {fault}")
            files.write_whole(self._result_path(family, number), content)
            self._memory.place(family, number)
            self._memory.answer(family, number)
        await self._server.taken(family, number)

    def _result_path(self, family: Family, number: str) -> Path:
        return self._folders.to_hub / f"{family.upper()}_RESULT_{number}.xml"


def _request_values(family: Family, name: str, content: bytes) -> Values:
    try:
        values = form(_REQUESTS[family]).values(content)
    except BadFile as bad:
        raise CallError(f"{name} cannot be sent: {bad}") from bad
    if not _ID.fullmatch(values["message_id"]):
        raise CallError(f"{name} cannot be sent: its レコード識別番号 has other characters")
    return values


def _result_fault(family: Family, number: str, content: bytes) -> str:
    try:
        values = form(_RESULTS[family]).values(content)
    except BadFile as bad:
        return str(bad)
    return "" if values["processing_number"] == number else "it has another 処理通番"


async def _tried(work: Awaitable[None], failed: list[CallError]) -> None:
    try:
        await work
    except CallError as error:
        if _is_login(error):
            raise
        failed.append(error)


def _is_login(error: CallError | None) -> bool:
    return isinstance(error, Declined) and error.status == _LOGIN
