"""The interface of the simulated intermediate server: checks what it gets as the real one would.

An inquiry without its own 情報提供許可証 is refused. Results come after a few polls.
"""

import datetime as dt
import hmac
import zlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum

from adapters.intermediate_server import interface
from adapters.intermediate_server.interface import Values, form
from adapters.intermediate_server.store import Record, Store
from adapters.simulation.misbehaviour import Misbehaviour
from adapters.simulation.serving import Asked, Reply
from hub.clock import JST
from hub.edge.form import BadFile
from hub.edge.forms.xml import Xml
from mappings import intermediate_server as mapping
from schemas.inquiry import DETAIL_ANSWERED, NAME_ANSWERED
from schemas.permitted import permitted

POLLS = 2
"""After how many polls a result is listed."""
LISTED = 100
SKI, FGU = "ski", "fgu"
PERMITTED, REFUSED, TAKEN = "1", "2", "3"

_SECOND = "X"
_NUMBERS = ("processing_number", "permit_number")
_ANSWERING = dt.timedelta(minutes=7)


class Outcome(StrEnum):
    """How an inquiry ends at the simulated network."""

    RESULT = "result"
    NO_CODE = "no-code"  # refused with the permit: …は符号が未取得です。
    NO_PERMIT = "no-permit"  # refused with the permit: …の照会は許可されていません。
    ERROR = "error"  # a result with other statuses, and a reason
    UNKNOWN = "unknown"  # a result with statuses that nobody knows


_ODD = {0: Outcome.NO_CODE, 1: Outcome.ERROR, 2: Outcome.UNKNOWN}
_OF = 25


def by_chance(record_id: str) -> Outcome:
    """Let one of some inquiries fail in each way; always the same for the same record."""
    return _ODD.get(zlib.crc32(record_id.encode()) % _OF, Outcome.RESULT)


class Server:
    """Replies to the calls of the interface."""

    def __init__(
        self,
        store: Store,
        secret: str,
        misbehaves: AbstractSet[Misbehaviour] = frozenset(),
        outcome: Callable[[str], Outcome] = by_chance,
    ) -> None:
        self._store = store
        self._secret = secret
        self._misbehaves = misbehaves
        self._outcome = outcome
        self.unpermitted = 0
        """Inquiries that came without their permit."""
        self._calls: Mapping[tuple[str, str], Callable[[Asked], Reply]] = {
            ("POST", "ski/permits"): self._permit,
            ("POST", "ski/inquiries"): self._inquire,
            ("GET", "ski/inquiries"): self._inquiry_state,
            ("POST", "fgu/codes"): self._code,
            ("GET", "fgu/codes"): self._code_state,
        }

    def handle(self, asked: Asked) -> Reply:
        """Reply to a request (``adapters.simulation.serving``)."""
        login = asked.headers.get("authorization", "")
        if not hmac.compare_digest(login.encode(), f"Bearer {self._secret}".encode()):
            return Reply(401)
        with self._store.locked():
            call = self._calls.get((asked.method, asked.path))
            try:
                return self._results(asked) if call is None else call(asked)
            except BadFile:
                return Reply(400)

    # -- 照会 ------------------------------------------------------------------------------

    def _permit(self, asked: Asked) -> Reply:
        values = form(mapping.INQUIRIES).values(asked.content)
        if self._store.record(SKI, values["message_id"]) is not None:
            return Reply(409)
        outcome = self._outcome(values["message_id"])
        said = ""
        if outcome is Outcome.NO_PERMIT or permitted(values) is None:
            said = f"{values['information_code']}{mapping.NOT_PERMITTED}"
        elif outcome is Outcome.NO_CODE or not values["unified_number"]:
            said = "照会対象者は符号が未取得です。"
        record = self._store.enter(
            SKI,
            values["message_id"],
            REFUSED if said else PERMITTED,
            asked.content,
            addressee_number=values["addressee_number"],
            information_code=values["information_code"],
            said=said,
        )
        if said:
            self._store.refuse(record, asked.content)
        return _state(record, record.state)

    def _inquire(self, asked: Asked) -> Reply:
        values = form(interface.PERMITTED_INQUIRIES).values(asked.content)
        record = self._store.record(SKI, values["message_id"])
        inquiry = {name: text for name, text in values.items() if name not in _NUMBERS}
        if (
            record is None
            or record.state == REFUSED
            or values["processing_number"] != record.processing_number
            or values["permit_number"] != record.permit_number
            or inquiry != form(mapping.INQUIRIES).values(record.asked)
        ):
            self.unpermitted += 1
            return Reply(403)
        if record.state == TAKEN:
            return Reply(409)
        self._put_result(SKI, record, self._result(record, inquiry))
        self._store.take(record, TAKEN, record.asked)
        return _state(record, TAKEN)

    def _result(self, record: Record, inquiry: Values) -> bytes:
        results = form(mapping.INQUIRY_RESULTS)
        values = _blank(results)
        values |= {name: text for name, text in inquiry.items() if name in values}
        at = dt.datetime.fromisoformat(inquiry["requested_at"]) + _ANSWERING
        values |= {
            "processing_number": record.processing_number,
            "permit_number": record.permit_number,
            "answered_at": at.isoformat(timespec="milliseconds"),
        }
        outcome = self._outcome(record.id)
        if outcome is Outcome.ERROR:
            values |= {"detail_status": "05", "name_status": "02"}
            values["message"] = "提供者が回答できません。"
        elif outcome is Outcome.UNKNOWN:
            values |= {"detail_status": "77", "name_status": "01"}
        else:
            values |= {"detail_status": DETAIL_ANSWERED}
            values |= {"name_status": NAME_ANSWERED} | _items(inquiry)
        return results.encoder(None).record(values)

    def _inquiry_state(self, asked: Asked) -> Reply:
        record = self._store.record(SKI, asked.query.get("record", ""))
        return Reply(404) if record is None else _state(record, record.state)

    # -- 符号管理 --------------------------------------------------------------------------

    def _code(self, asked: Asked) -> Reply:
        values = form(mapping.CODE_REQUESTS).values(asked.content)
        if self._store.record(FGU, values["message_id"]) is not None:
            return Reply(409)
        record = self._store.enter(FGU, values["message_id"], TAKEN, asked.content)
        at = dt.datetime.fromisoformat(values["requested_at"]) + _ANSWERING
        result = _blank(form(mapping.CODE_RESULTS))
        result |= {name: text for name, text in values.items() if name in result}
        result["processing_number"] = record.processing_number
        result["issued_at"] = at.isoformat(timespec="milliseconds")
        self._put_result(FGU, record, form(mapping.CODE_RESULTS).encoder(None).record(result))
        self._store.take(record, TAKEN, asked.content)
        return _receipt(record)

    def _code_state(self, asked: Asked) -> Reply:
        record = self._store.record(FGU, asked.query.get("record", ""))
        return Reply(404) if record is None else _receipt(record)

    # -- results -----------------------------------------------------------------------------

    def _put_result(self, family: str, record: Record, content: bytes) -> None:
        number = record.processing_number
        self._store.put_result(family, number, content, POLLS)
        if Misbehaviour.DUPLICATE in self._misbehaves:
            second = content.replace(number.encode(), f"{number}{_SECOND}".encode())
            self._store.put_result(family, f"{number}{_SECOND}", second, POLLS + 1)

    def _results(self, asked: Asked) -> Reply:
        family, _, rest = asked.path.partition("/")
        kind, _, number = rest.partition("/")
        if family not in {SKI, FGU} or kind != "results":
            return Reply(404)
        if not number:
            return self._listing(family)
        if asked.method == "DELETE":
            self._store.taken(family, number)
            return Reply(200)
        content = self._store.result(family, number)
        return Reply(404) if content is None else _document(content)

    def _listing(self, family: str) -> Reply:
        listing = form(interface.LISTINGS)
        numbers = self._store.polled(family, LISTED)
        if Misbehaviour.OUT_OF_ORDER in self._misbehaves:
            numbers.reverse()
        listed = {f"processing_number_{place}": text for place, text in enumerate(numbers, 1)}
        values = _blank(listing) | {"answered_at": _now()} | listed
        return _document(listing.encoder(None).record(values))


def _items(inquiry: Values) -> dict[str, str]:
    line = permitted(inquiry)
    codes = line.items if line is not None else ()
    found: dict[str, str] = {}
    for place, code in enumerate(codes, 1):
        found |= {
            f"items_{place}_item_code": code,
            f"items_{place}_item_name": f"項目{place}",
            f"items_{place}_value": f"回答{zlib.crc32(inquiry['message_id'].encode()) % 1000:03}",
        }
    return found


def _blank(document: Xml) -> dict[str, str]:
    return dict.fromkeys((column.field for column in document.layout.columns), "")


def _now() -> str:
    return dt.datetime.now(JST).isoformat(timespec="milliseconds")


def _document(content: bytes) -> Reply:
    return Reply(200, content, interface.XML)


def _state(record: Record, state: str) -> Reply:
    document = form(interface.PERMITS)
    values = _blank(document) | {
        "message_id": record.id,
        "addressee_number": record.addressee_number,
        "information_code": record.information_code,
        "state": state,
        "answered_at": _now(),
        "message": record.said,
    }
    if state != REFUSED:
        values |= {name: getattr(record, name) for name in _NUMBERS}
    return _document(document.encoder(None).record(values))


def _receipt(record: Record) -> Reply:
    document = form(interface.CODE_RECEIPTS)
    values = {
        "message_id": record.id,
        "processing_number": record.processing_number,
        "received_at": _now(),
    }
    return _document(document.encoder(None).record(values))
