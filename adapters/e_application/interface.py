"""The interface of the system that keeps electronic applications, as the courier calls it.

The order of the calls is published: login, token, list, data, states. Paths, names and statuses
are *assumed*. What names a person stands in a request's body and never in its address, which
servers write down.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from adapters.e_application.memory import Outcome
from hub.edge.http.calls import Answer, Call, Caller, CallError, Declined, Fetched
from schemas.numbers import AddresseeNumber

PACKAGE_SECONDS = 120.0
"""How long one try to fetch a package may take."""
_AS_JSON = {"content-type": "application/json"}
_UNAUTHORISED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404

ModelT = TypeVar("ModelT", bound=BaseModel)
ResultT = TypeVar("ResultT")


class LoginRefused(CallError):
    """The interface does not take the secret."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _Token(_Said):
    token: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,4096}$")]


class _Listed(_Said):
    receipt_number: str


class Page(_Said):
    """A page of the list, and from where the next one goes on, if there is one."""

    applications: Annotated[tuple[_Listed, ...], Field(max_length=1000)]
    next: Annotated[str, StringConstraints(max_length=200)] | None = None


class _ResidentCode(_Said):
    resident_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{11}$")]


class _Addressee(_Said):
    addressee_number: AddresseeNumber


class Interface:
    """Logs in by itself, once again where a token has expired.

    Every method raises ``Unavailable`` where it may be called again later, ``LoginRefused`` where
    the secret is wrong, and another ``CallError`` where the interface says no.
    """

    def __init__(self, caller: Caller, secret: str) -> None:
        self._caller = caller
        self._secret = secret
        self._token = ""

    async def page(self, after: str) -> Page:
        """Give a page of the applications that wait to be fetched."""
        query = {"after": after} if after else {}
        call = Call("list the applications", "GET", "applications", query=query)
        return _read(call, await self._answered(call), Page)

    async def fetch(self, number: str, path: Path, most_bytes: int) -> Fetched:
        """Fetch the package of an application into a file.

        Raises:
            TooLarge: it has over ``most_bytes``.
            EdgeError: the folder or disk cannot be used.
        """
        call = Call(
            "fetch an application",
            "GET",
            f"applications/{number}/package",
            most_bytes=most_bytes,
            seconds=PACKAGE_SECONDS,
        )
        return await self._logged_in(call, lambda signed: self._caller.fetch(signed, path))

    async def addressee(self, serial: str) -> str:
        """Give the 宛名番号 that a certificate leads to, by the 住民票コード; blank for none."""
        code = await self._found(
            "look a certificate up", "certificates/lookup", {"serial": serial}, _ResidentCode
        )
        if code is None:
            return ""
        found = await self._found(
            "look a resident up",
            "residents/lookup",
            {"resident_code": code.resident_code},
            _Addressee,
        )
        return "" if found is None else found.addressee_number

    async def report(self, number: str, outcome: Outcome) -> None:
        """Report a state of an application; the same one may be reported again."""
        call = Call(
            f"report that an application is {outcome.state}",
            "PUT",
            f"applications/{number}/states/{outcome.state}",
            content=_json({"code": outcome.code, "item": outcome.item}),
            headers=_AS_JSON,
            accept=frozenset({200, 204}),
        )
        await self._answered(call)

    async def _found(
        self, purpose: str, path: str, asked: Mapping[str, str], model: type[ModelT]
    ) -> ModelT | None:
        call = Call(
            purpose,
            "POST",
            path,
            content=_json(asked),
            headers=_AS_JSON,
            accept=frozenset({200, _NOT_FOUND}),
        )
        answer = await self._answered(call)
        return None if answer.status == _NOT_FOUND else _read(call, answer, model)

    async def _answered(self, call: Call) -> Answer:
        return await self._logged_in(call, self._caller.call)

    async def _logged_in(self, call: Call, make: Callable[[Call], Awaitable[ResultT]]) -> ResultT:
        if self._token:
            try:
                return await make(self._signed(call))
            except Declined as declined:
                if declined.status != _UNAUTHORISED:
                    raise
        await self._login()  # there is no token yet, or it has expired
        return await make(self._signed(call))

    async def _login(self) -> None:
        self._token = ""
        call = Call(
            "log in", "POST", "login", content=_json({"secret": self._secret}), headers=_AS_JSON
        )
        try:
            answer = await self._caller.call(call)
        except Declined as declined:
            if declined.status in {_UNAUTHORISED, _FORBIDDEN}:
                raise LoginRefused("cannot log in: the interface refuses the secret") from None
            raise
        self._token = _read(call, answer, _Token).token

    def _signed(self, call: Call) -> Call:
        headers = {**call.headers, "authorization": f"Bearer {self._token}"}
        return replace(call, headers=headers)


def _json(document: Mapping[str, str]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _read(call: Call, answer: Answer, model: type[ModelT]) -> ModelT:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError:
        # Raised without its cause, which tells of the answer.
        raise CallError(f"cannot {call.purpose}: the answer is not what was agreed") from None
